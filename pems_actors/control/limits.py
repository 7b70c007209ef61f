"""Hard limits on electrical power: what a switch-on would do to phases, grid and heating.

`Headroom` is the room left under every limit on the last reading. A switch-on is allowed only if
it fits; an excess is answered by shedding, never by hoping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pems_actors.domain.house import Limits, Relay

Phases = tuple[float, float, float]


class Headroom(NamedTuple):
    """Power left per phase, for import in total and for heating together [kW]."""

    phase_kw: Phases
    import_kw: float
    heating_kw: float

    def carries(self, relay: Relay) -> bool:
        """Tell if a relay fits into every limit."""
        return self.tightest(relay) is None

    def tightest(self, relay: Relay) -> str | None:
        """Name the limit that a relay would break, or None."""
        if relay.power_kw > self.heating_kw + 1e-9:
            return "heating cap"
        if relay.power_kw > self.import_kw + 1e-9:
            return "import limit"
        for k, share in enumerate(relay.phases):
            if relay.power_kw * share > self.phase_kw[k] + 1e-9:
                return f"breaker of L{k + 1}"
        return None

    def after(self, relay: Relay) -> Headroom:
        """Take a relay's power away."""
        return self._less_drawn(relay.power_kw, relay.phases)

    def without(self, relay: Relay) -> Headroom:
        """Give back what a relay draws."""
        return self._less_drawn(-relay.power_kw, relay.phases)

    def _less_drawn(self, power_kw: float, shares: Phases) -> Headroom:
        (l1, l2, l3), (s1, s2, s3) = self.phase_kw, shares
        phase_kw = (l1 - power_kw * s1, l2 - power_kw * s2, l3 - power_kw * s3)
        return Headroom(phase_kw, self.import_kw - power_kw, self.heating_kw - power_kw)

    def beside_inverter(self, power_kw: float) -> Headroom:
        """Take away what an inverter draws, on all phases alike; it is no heating."""
        l1, l2, l3 = self.phase_kw
        left = (l1 - power_kw / 3.0, l2 - power_kw / 3.0, l3 - power_kw / 3.0)
        return Headroom(left, self.import_kw - power_kw, self.heating_kw)

    def beside(self, rise_kw: Phases) -> Headroom:
        """Take away what may be drawn on each phase beside; it is no heating."""
        (l1, l2, l3), (r1, r2, r3) = self.phase_kw, rise_kw
        return Headroom((l1 - r1, l2 - r2, l3 - r3), self.import_kw - r1 - r2 - r3, self.heating_kw)

    def less(self, spare_kw: float) -> Headroom:
        """Keep a little of the phases and the import free."""
        l1, l2, l3 = self.phase_kw
        left = (l1 - spare_kw, l2 - spare_kw, l3 - spare_kw)
        return Headroom(left, self.import_kw - spare_kw, self.heating_kw)

    @property
    def exceeded(self) -> str | None:
        """Name the limit that is exceeded already, or None."""
        for k, left in enumerate(self.phase_kw):
            if left < -1e-6:
                return f"breaker of L{k + 1} by {-left:.1f} kW"
        if self.import_kw < -1e-6:
            return f"import limit by {-self.import_kw:.1f} kW"
        if self.heating_kw < -1e-6:
            return f"heating cap by {-self.heating_kw:.1f} kW"
        return None


def measured_headroom(
    limits: Limits, grid_kw: float, phase_kw: Phases | None, heating_kw: float
) -> Headroom:
    """Headroom on a meter reading; without phases the grid power is taken as balanced."""
    l1, l2, l3 = phase_kw or (grid_kw / 3.0,) * 3
    most_kw = limits.phase_kw
    left = (most_kw - l1, most_kw - l2, most_kw - l3)
    return Headroom(left, _most_import_kw(limits) - grid_kw, limits.heating_kw - heating_kw)


def likely_phases(grid_kw: float, running: Iterable[Relay]) -> Phases:
    """Tell what each phase draws where only the sum is measured: all but the relays is balanced."""
    l1 = l2 = l3 = 0.0
    rest_kw = grid_kw
    for relay in running:
        (s1, s2, s3), kw = relay.phases, relay.power_kw
        l1, l2, l3, rest_kw = l1 + kw * s1, l2 + kw * s2, l3 + kw * s3, rest_kw - kw
    return l1 + rest_kw / 3.0, l2 + rest_kw / 3.0, l3 + rest_kw / 3.0


def _most_import_kw(limits: Limits) -> float:
    """Give the import limit; of a house on one phase its breaker is one, whoever draws."""
    return limits.grid_kw if limits.phases == 1 else limits.import_kw


def blind_headroom(limits: Limits, running: Iterable[Relay]) -> Headroom:
    """Headroom without a meter: P95 base load on any phase, no help from PV or battery."""
    base_kw = limits.base_load_p95_kw
    import_kw = _most_import_kw(limits) - base_kw
    room = Headroom((limits.phase_kw - base_kw,) * 3, import_kw, limits.heating_kw)
    for relay in running:
        room = room.after(relay)
    return room


def heating_kw(relays: Mapping[str, Relay], running: Iterable[str]) -> float:
    """Power of the relays that are on [kW]."""
    return sum([relays[name].power_kw for name in running])
