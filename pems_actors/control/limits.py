"""Hard limits on electrical power: what a switch-on would do to phases, grid and heating.

`Headroom` is the room left under every limit on the last reading. A switch-on is allowed only if
it fits; an excess is answered by shedding, never by hoping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pems_actors.domain.house import Limits, Relay

Phases = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Headroom:
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
        left = tuple(
            h - relay.power_kw * s for h, s in zip(self.phase_kw, relay.phases, strict=True)
        )
        return Headroom(
            (left[0], left[1], left[2]),
            self.import_kw - relay.power_kw,
            self.heating_kw - relay.power_kw,
        )

    def less(self, spare_kw: float) -> Headroom:
        """Keep a little of the phases and the import free."""
        left = tuple(kw - spare_kw for kw in self.phase_kw)
        return Headroom((left[0], left[1], left[2]), self.import_kw - spare_kw, self.heating_kw)

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
    phases = phase_kw or (grid_kw / 3.0,) * 3
    left = tuple(limits.phase_kw - kw for kw in phases)
    return Headroom(
        (left[0], left[1], left[2]), limits.import_kw - grid_kw, limits.heating_kw - heating_kw
    )


def blind_headroom(limits: Limits, running: Iterable[Relay]) -> Headroom:
    """Headroom without a meter: P95 base load on any phase, no help from PV or battery."""
    base_kw = limits.base_load_p95_kw
    room = Headroom((limits.phase_kw - base_kw,) * 3, limits.import_kw - base_kw, limits.heating_kw)
    for relay in running:
        room = room.after(relay)
    return room


def heating_kw(relays: Mapping[str, Relay], running: Iterable[str]) -> float:
    """Power of the relays that are on [kW]."""
    return sum(relays[name].power_kw for name in running)
