"""What an inspection comes to, in words: findings that open, stand and end; news for the others.

A finding ends when it has not been found for five minutes, so that a flickering fault is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pems_actors.domain.findings import Finding, FindingKind, Inspected, OutOfService
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.units import MINUTE_S
from pems_actors.estimation.inspection import Inspection, Inspector, Open
from pems_actors.estimation.picture import Mask
from pems_actors.estimation.relay_watch import RelayWatch, Stuck
from pems_actors.estimation.sensor_watch import KINDS, REFUSED, Verdict

QUIET_S = 5 * MINUTE_S


class Speaker:
    """Says what an inspector of one house has found."""

    def __init__(self, inspector: Inspector) -> None:
        self.rooms, self.relays = inspector.names, inspector.relays

    def told(self, here: Inspection, reading: HouseReading) -> Inspection:
        """Open, keep and close findings by the newest picture."""
        now_s = reading.at_s
        lost = dict(here.heard.missed(now_s))
        if here.sensors.calm and here.windows.calm and here.relays.all_obey and not lost:
            if not here.open:
                return here
            found = {}
        else:
            found = {f.path: f for f in self._findings(here, reading, lost)}
        open_ = {
            path: each
            for path, each in here.open.items()
            if path in found or now_s - each.seen_s < QUIET_S
        }
        for path, finding in found.items():
            before = open_.get(path)
            open_[path] = Open(finding if before is None else before.finding, now_s)
        return here._replace(open=open_)

    def inspected(self, here: Inspection, now_s: float) -> Inspected | None:
        """Say what the gateway must know of the rooms; None while there is nothing to say."""
        if here.sensors.calm and here.windows.calm:
            return None
        air_c, verdicts = here.air_c(), here.sensors.verdict
        refused, estimates_c = {}, {}
        for row in np.flatnonzero(verdicts):
            name, verdict = self.rooms[row], Verdict(int(verdicts[row]))
            estimates_c[name] = round(float(air_c[row]), 3)
            if verdict in REFUSED:
                refused[name] = KINDS[verdict].value
        is_open, lies = here.windows.is_open(now_s), here.windows.lies(now_s)
        windows = {self.rooms[row]: bool(is_open[row]) for row in np.flatnonzero(is_open | lies)}
        return Inspected(now_s, refused, estimates_c, windows)

    def out_of_service(self, here: Inspection) -> OutOfService:
        """Name the relays that do not obey."""
        if here.relays.all_obey:
            return OutOfService(here.at_s)
        stuck = here.relays.stuck
        dead, welded = (
            _named(self.relays, stuck == Stuck.OFF),
            _named(self.relays, stuck == Stuck.ON),
        )
        return OutOfService(here.at_s, dead, welded)

    def _findings(
        self, here: Inspection, reading: HouseReading, lost: dict[str, float]
    ) -> Iterator[Finding]:
        now_s = reading.at_s
        said = {room.room: room.temp_c for room in reading.rooms}
        for row in np.flatnonzero(here.sensors.verdict):
            name, verdict = self.rooms[row], Verdict(int(here.sensors.verdict[row]))
            why = _why(here, int(row), verdict, said.get(name), now_s)
            yield Finding(f"rooms/{name}", KINDS[verdict], why, now_s)
        yield from self._of_windows(here, now_s)
        for row in np.flatnonzero(here.relays.stuck):
            yield self._of_relay(here.relays, int(row), now_s)
        for device, heard_s in lost.items():
            why = f"nothing heard for {now_s - heard_s:.0f} s"
            yield Finding(device, FindingKind.SILENT, why, now_s)

    def _of_windows(self, here: Inspection, now_s: float) -> Iterator[Finding]:
        windows = here.windows
        for row in np.flatnonzero(windows.is_open(now_s)):
            by_contact = windows.contact_s[row] > -np.inf
            told = "its contact says open" if by_contact else "the air falls faster than it can"
            why = f"window open: {told}; heating rests, the frost guard stays"
            yield Finding(f"rooms/{self.rooms[row]}", FindingKind.WINDOW_OPEN, why, now_s)
        for row in np.flatnonzero(windows.lies(now_s)):
            why = "the window contact has said open for over 2 h: not believed, heated again"
            yield Finding(f"rooms/{self.rooms[row]}", FindingKind.CONTACT_LIES, why, now_s)

    def _of_relay(self, relays: RelayWatch, row: int, now_s: float) -> Finding:
        on = relays.stuck[row] == Stuck.ON
        if relays.by_contact[row] != Stuck.NO:
            why = f"the contact stays {'on' if on else 'off'} against our order"
        else:
            why = "its room warms without an order" if on else "its room feels no heat of it"
        kind = FindingKind.STUCK_ON if on else FindingKind.STUCK_OFF
        return Finding(f"relay/{self.relays[row]}", kind, f"{why}: out of service", now_s)


def _named(names: Sequence[str], chosen: Mask) -> frozenset[str]:
    return frozenset(name for name, is_it in zip(names, chosen, strict=True) if is_it)


def _why(here: Inspection, row: int, verdict: Verdict, said: float | None, now_s: float) -> str:
    """Say in a sentence why a sensor is not believed."""
    sensors, model_c = here.sensors, here.air_c()[row]
    told = "nothing" if said is None else f"{said:.1f}"
    match verdict:
        case Verdict.JUMP:
            return f"says {told} °C, the model {model_c:.1f} °C: not believed"
        case Verdict.UNIT:
            return f"says {told}, which would fit as {sensors.slips.get(row, '')}: not believed"
        case Verdict.RANGE:
            return f"says {told} °C, which no room has: not believed"
        case Verdict.STUCK:
            stood_min = (now_s - sensors.anchor_at_s[row]) / MINUTE_S
            return (
                f"stands at {sensors.anchor_c[row]:.1f} °C for {stood_min:.0f} min while the "
                f"model moved to {model_c:.1f} °C: stuck"
            )
        case Verdict.MISSING:
            return "never heard since the start"
        case _:
            return "says nothing new"
