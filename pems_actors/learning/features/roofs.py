"""What the PV trees may know of a row, in words; how each is computed is told in `pv.view`.

Two looks share the list. By the weather's light the expectation is physics; without it, clear sky.
Ratios are energies measured over energies expected, drawn to a usual one while little was seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from pems_actors.learning.features.feature import Described

WINDOWS_D = (1, 3, 7, 14, 30)
HOURLY_D = (7, 21, 45)
NEAR_MIN = (-120, -60, -30, -15, 15, 30, 60, 120)


def beside(minutes: int) -> str:
    """Name the light some minutes before (negative) or after a row."""
    return f"light_{abs(minutes)}min_{'before' if minutes < 0 else 'after'}"


def _lately() -> Iterator[Described]:
    def told(name: str, about: str) -> Described:
        return Described(name, "pv lately", about, "at issue")

    for days in WINDOWS_D:
        yield told(f"last_{days}d", f"Measured over expected energy of the last {days} days.")
    yield told("cut_day", "The same of the day of the issue, up to it.")
    yield told("day_before", "The same of the whole day before the issue.")
    for days in HOURLY_D:
        about = f"Measured over expected at this time of day, over {days} days."
        yield told(f"hour_{days}d", about)
    yield told("restless", "How much the daily ratio changed over ten days.")


def _light() -> Iterator[Described]:
    def told(name: str, about: str) -> Described:
        return Described(name, "pv light", about, "as forecast")

    yield told("physics_share", "Physics by the forecast light, as a share of clear sky.")
    yield told("light", "Forecast light as a share of that of a clear sky.")
    for minutes in NEAR_MIN:
        way = "before" if minutes < 0 else "after"
        yield told(beside(minutes), f"The light {abs(minutes)} minutes {way} the row.")
    for hours in (1, 3):
        yield told(f"light_mean_{hours}h", f"Mean of the light over {hours} h around the row.")
    for hours in (2, 6):
        about = f"How much the light changes within {hours} h around the row."
        yield told(f"light_std_{hours}h", about)
    yield told("physics_share_1h", "The share of physics over an hour around the row.")
    yield told("light_day", "Mean of the light over the day.")
    yield told("wind", "Forecast wind at the modules [m/s].")
    yield told("warm", "Forecast air temperature [°C].")


def _sun() -> Iterator[Described]:
    def told(name: str, about: str) -> Described:
        return Described(name, "pv sun", about, "always")

    yield told("clear_share", "Power under a clear sky as a share of the peak.")
    yield told("sun_elevation", "Height of the sun over the horizon [°].")
    yield told("sun_azimuth", "Direction of the sun, clockwise from north [°].")
    yield told("season_sin", "A wave with one crest per year (sin).")
    yield told("season_cos", "A wave with one crest per year (cos).")
    yield told("days_ahead", "Whole days between the issue and the row.")


FEATURES = (*_sun(), *_light(), *_lately())
