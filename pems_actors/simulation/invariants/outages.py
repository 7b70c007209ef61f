"""The law of outages outside the appliance: what a device suffers is told, and it ends.

An incident of a device is told at `<device>/<what>`, where no actor lives. Which fault must show
where, and how soon, is written here once more: the judge does not ask those who find.
"""

from __future__ import annotations

from dataclasses import dataclass

from pems_actors.domain.units import HOUR_S, MINUTE_S
from pems_actors.simulation.invariants.facts import Broke, Life, Outage, Truth, Turn
from pems_actors.simulation.invariants.law import Law
from pems_actors.simulation.invariants.notes import Notes

ENDS_WITHIN_S = 30 * MINUTE_S
ENDS_LATER_S = {
    "window-open": 37 * MINUTE_S,  # a pause of half an hour, and the five minutes of any incident
    "untrusted": 90 * MINUTE_S,  # a clock that went back by an hour has to catch up
    "stuck-on": 6 * HOUR_S,  # a relay is freed by what its room feels, and that takes heat
    "stuck-off": 6 * HOUR_S,
}
SILENT_S, HIDDEN_S = 7 * MINUTE_S, 35 * MINUTE_S
SHOWS: dict[str, tuple[str, float]] = {  # fault -> where it must be told, and how soon
    **dict.fromkeys(("sensor-stale", "sensor-missing", "sensor-nan"), ("@/", SILENT_S)),
    "sensor-absurd": ("@/", SILENT_S),
    **dict.fromkeys(("meter-lost", "meter-nan"), ("meter/", SILENT_S)),
    "inverter-silent": ("inverter/", SILENT_S),
    "outdoor-missing": ("outdoor/", HIDDEN_S),
    "hdo-lost": ("tariff/", HIDDEN_S),
}
EYES = ("devices/gateway", "devices/inspector", "devices", "house", "clock", "core")
BLIND_FOR_S = 15 * MINUTE_S


@dataclass(frozen=True, slots=True)
class Due:
    """A fault that has to be told at some place until an instant."""

    broke: Broke
    place: str
    until_s: float


class DeviceOutages(Law):
    """What breaks outside is told in time, and no incident outlives its cause for long.

    Excused is who could not see: where the eyes of the house were struck too, or its core.
    """

    name = "an outage of a device is told and ends"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._actors: set[str] = set()
        self._open: dict[str, Outage] = {}
        self._due: list[Due] = []
        self._blind_until_s = float("-inf")
        self._quiet_s = float("-inf")  # since then nothing is broken

    def on_life(self, life: Life) -> None:
        """Learn who is an actor; the outages of actors are judged elsewhere."""
        self._actors.add(life.path)
        if life.turn is not Turn.READY:
            self._quiet_s = max(self._quiet_s, life.at_s)

    def on_broke(self, broke: Broke) -> None:
        """Begin to wait for the sign of a fault; whoever strikes the eyes hides all others."""
        self._quiet_s = max(self._quiet_s, broke.until_s)
        if broke.target in EYES:
            self._blind_until_s = max(self._blind_until_s, broke.until_s + BLIND_FOR_S)
            self._due.clear()
            return
        # of two faults of one thing the later one may be all that is left
        self._due = [due for due in self._due if due.broke.target != broke.target]
        place, within_s = SHOWS.get(broke.name, ("", 0.0))
        until_s = broke.at_s + within_s
        if place and self._blind_until_s <= broke.at_s and until_s < broke.until_s:
            self._due.append(Due(broke, place.replace("@", broke.target), until_s))
            self._told_already()

    def on_outage(self, outage: Outage) -> None:
        """Take the sign of a fault, or its end."""
        if outage.path in self._actors:
            return
        if outage.end_s is not None:
            self._open.pop(outage.path, None)
            return
        self._open[outage.path] = outage
        self._told_already()

    def on_truth(self, truth: Truth) -> None:
        """Judge what is late."""
        self._judge(truth.at_s)

    def close(self, at_s: float) -> None:
        """Judge what is left."""
        self._judge(at_s)

    def _told_already(self) -> None:
        self._due = [
            due for due in self._due if not any(path.startswith(due.place) for path in self._open)
        ]

    def _judge(self, at_s: float) -> None:
        for due in [due for due in self._due if due.until_s < at_s]:
            self._due.remove(due)
            self.accuse(due.broke.at_s, f"{due.broke.name} of {due.broke.target} was never told")
        for path, outage in list(self._open.items()):
            within_s = ENDS_LATER_S.get(path.rpartition("/")[2], ENDS_WITHIN_S)
            over_s = max(self._quiet_s, outage.at_s)
            if at_s - over_s > within_s:
                del self._open[path]
                self.accuse(at_s, f"{path}: {outage.id} is open {at_s - over_s:.0f} s too long")
