"""Is a value that cannot be true another unit of one that could? It is named, never converted.

A sensor that begins to speak Fahrenheit may speak Celsius again at any time, so the value stays
refused; the name of the slip only tells people what to repair.
"""

from __future__ import annotations

from collections.abc import Callable

FITS_WITHIN_K = 2.0

SLIPS: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("°F", lambda said: (said - 32.0) / 1.8),
    ("tenths of a degree", lambda said: said / 10.0),
    ("hundredths of a degree", lambda said: said / 100.0),
    ("kelvins", lambda said: said - 273.15),
    ("tens of degrees", lambda said: said * 10.0),
)


def slipped_unit(said: float, expected_c: float, within_k: float = FITS_WITHIN_K) -> str | None:
    """Name the unit in which a value would fit, or None.

    Args:
        said: what the sensor says.    expected_c: what it should say [°C].
        within_k: how near a converted value must come.
    """
    if abs(said - expected_c) <= 2.0 * within_k:
        return None  # it may simply be true
    for name, convert in SLIPS:
        if abs(convert(said) - expected_c) <= within_k:
            return name
    return None
