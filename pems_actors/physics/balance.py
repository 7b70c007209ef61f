"""How the house's power spreads over the three phases.

Relays sit on phases as wired, the base load as measured or evenly, and a three-phase hybrid
inverter feeds all phases alike. The breaker looks at each phase by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pems_actors.domain.house import Limits, Relay

Phases = tuple[float, float, float]
EVEN: Phases = (1 / 3, 1 / 3, 1 / 3)


def heating_by_phase(relays: Iterable[Relay], on: Mapping[str, bool]) -> Phases:
    """Add up the power of closed relays per phase [kW]; a relay not named is open."""
    closed = [relay for relay in relays if on.get(relay.name, False)]
    l1, l2, l3 = (sum(relay.power_kw * relay.phases[k] for relay in closed) for k in range(3))
    return l1, l2, l3


def grid_by_phase(
    heating_kw: Sequence[float],
    base_load_kw: float,
    inverter_kw: float,
    base_split: Sequence[float] = EVEN,
) -> Phases:
    """Find the power drawn from the grid on each phase, import positive [kW].

    Args:
        heating_kw: heating per phase.    base_load_kw: everything else that consumes.
        inverter_kw: PV and battery together, positive when they feed the house.
        base_split: shares of the base load per phase, summing to 1.
    """
    third = inverter_kw / 3.0
    (h1, h2, h3), (b1, b2, b3) = heating_kw, base_split
    return (
        h1 + base_load_kw * b1 - third,
        h2 + base_load_kw * b2 - third,
        h3 + base_load_kw * b3 - third,
    )


def currents_a(phase_kw: Sequence[float], limits: Limits) -> Phases:
    """Turn phase powers into currents at the nominal voltage, import positive [A]."""
    l1, l2, l3 = (power * 1000.0 / limits.voltage_v for power in phase_kw)
    return l1, l2, l3


def excess_kw(phase_kw: Sequence[float], limits: Limits) -> float:
    """Tell by how much the worst phase is over the breaker [kW]; negative is headroom.

    A house on one phase carries everything on it.
    """
    if limits.phases == 1:
        return abs(sum(phase_kw)) - limits.phase_kw
    return max(abs(power) for power in phase_kw) - limits.phase_kw
