"""One cold day by rules alone, with the printed powers of the relays: every limit holds.

Nameplate powers add up to 19 kW under a cap of 18.12 kW, so the limits bind often.
"""

from bisect import bisect_right
from itertools import pairwise

import pytest

from pems_actors.domain.units import HOUR_S
from pems_actors.simulate import Simulation
from tests.scenarios.stories import rules_only
from tests.scenarios.witness import Switch, Witness, by_relay, gaps, switches

MAY_BREAK_A_DWELL = {"breaker", "overheat", "guard", "frost"}
FOLLOWS_THE_CONTACTOR = {"tariff"}  # it has cut the heat already
CONTROL_TICK_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("winter day")]


@pytest.fixture(scope="module")
def day() -> tuple[Simulation, Witness]:
    simulation = Simulation(
        rules_only(1.0, seed=2, weather_shift_k=-10.0, nameplate=True), keep_log=True
    )
    witness = Witness()
    simulation.run(witness)
    return simulation, witness


def test_the_limits_are_really_tested(day):
    simulation, witness = day
    house = simulation.story.house
    assert sum(relay.power_kw for relay in house.relays) > house.limits.heating_kw
    assert max(look.heating_kw for look in witness.looks) > 0.75 * house.limits.heating_kw
    assert any(switch.rule == "breaker" for switch in switches(simulation.lines))


def test_no_relay_is_commanded_on_while_the_tariff_blocks_heating(day):
    simulation, witness = day
    found = switches(simulation.lines)
    inside = [b for a, b in pairwise(witness.looks) if a.blocked and b.blocked]
    assert len(inside) > 200
    for look in inside:
        assert not look.closed
    for look in (b for a, b in pairwise(inside) if b.at_s - a.at_s == CONTROL_TICK_S):
        assert not _commanded_on(found, look.at_s)


def _commanded_on(found: list[Switch], at_s: float) -> set[str]:
    on: set[str] = set()
    for switch in found:
        if switch.at_s > at_s:
            break
        (on.add if switch.on else on.discard)(switch.relay)
    return on


def test_heating_never_exceeds_its_cap(day):
    simulation, witness = day
    cap_kw = simulation.story.house.limits.heating_kw
    power_kw = {relay.name: relay.power_kw for relay in simulation.story.house.relays}
    on: set[str] = set()
    for switch in switches(simulation.lines):
        (on.add if switch.on else on.discard)(switch.relay)
        assert sum(power_kw[name] for name in on) <= cap_kw + 1e-6
    assert max(look.heating_kw for look in witness.looks) <= cap_kw + 1e-6


def test_no_start_exceeds_a_limit_on_the_last_reading(day):
    """Per phase and in total: the last reading, and all that was started since then."""
    simulation, witness = day
    house = simulation.story.house
    relays = {relay.name: relay for relay in house.relays}
    read_s = [look.at_s for look in witness.looks]
    started: list[Switch] = []
    for switch in switches(simulation.lines):
        if not switch.on:
            continue
        k = bisect_right(read_s, switch.at_s) - 1
        if k < 0:
            continue
        last = witness.looks[k]
        started = [s for s in started if s.at_s >= last.at_s] + [switch]
        added = [relays[s.relay] for s in started]
        assert last.grid_kw + sum(r.power_kw for r in added) <= house.limits.import_kw
        for phase, kw in enumerate(last.phase_kw):
            total_kw = kw + sum(r.power_kw * r.phases[phase] for r in added)
            assert total_kw <= house.limits.phase_kw, f"L{phase + 1} at {switch}"


def test_an_excess_by_other_loads_ends_within_a_control_tick(day):
    simulation, witness = day
    limits = simulation.story.house.limits
    over = [max(look.phase_kw) > limits.phase_kw for look in witness.looks]
    assert witness.longest_run_s(over) <= CONTROL_TICK_S + 60.0
    over = [look.grid_kw > limits.import_kw for look in witness.looks]
    assert witness.longest_run_s(over) <= CONTROL_TICK_S + 60.0


def test_every_relay_keeps_its_dwell_times(day):
    simulation, _ = day
    relays = {relay.name: relay for relay in simulation.story.house.relays}
    for name, found in by_relay(switches(simulation.lines)).items():
        for before, after in pairwise(found):
            if after.rule in MAY_BREAK_A_DWELL | FOLLOWS_THE_CONTACTOR:
                continue
            least_s = relays[name].min_on_s if before.on else relays[name].min_off_s
            assert after.at_s - before.at_s >= least_s, f"{before} then {after}"


def test_no_relay_starts_more_than_four_times_within_an_hour(day):
    simulation, _ = day
    for found in by_relay(switches(simulation.lines)).values():
        starts = [s.at_s for s in found if s.on]
        for k, first_s in enumerate(starts):
            assert sum(1 for s in starts[k:] if s < first_s + HOUR_S) <= 4


def test_starts_are_ten_seconds_apart(day):
    simulation, _ = day
    starts = [s.at_s for s in switches(simulation.lines) if s.on]
    assert len(starts) > 100
    assert min(gaps(starts)) >= simulation.story.house.limits.start_gap_s


def test_the_house_stays_warm_all_the_same(day):
    simulation, witness = day
    for room in simulation.story.house.rooms:
        assert witness.coldest_c[room.name] >= room.comfort.night_c - 1.0
        assert witness.warmest_c[room.name] <= simulation.story.house.limits.ceiling_c
