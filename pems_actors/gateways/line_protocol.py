r"""InfluxDB's line protocol for one row of a series. Pure.

`temp_c.obyvak` becomes field `temp_c` with tag `room=obyvak`, `grid_kw` a field without a tag,
both of measurement `pems`. Times are in milliseconds. The same series and time give the same key,
so sending a line twice changes nothing.
"""

from __future__ import annotations

MEASUREMENT = "pems"
_ESCAPES = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\=", "\n": r"\ ", "\\": "/"})


def line(series: str, at_ms: int, value: float) -> str:
    """Write one row as one line; a backslash in a name becomes a slash, a line end a blank."""
    name, _, room = series.partition(".")
    tag = f",room={room.translate(_ESCAPES)}" if room else ""
    return f"{MEASUREMENT}{tag} {name.translate(_ESCAPES)}={value!r} {at_ms:d}"
