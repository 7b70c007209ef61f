"""Every law of the judge, broken on purpose: it is found, and its sound twin is not accused."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from pems_actors.domain.commands import SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import BatteryMode, House, Limits
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import BatteryReading, HouseReading, MeterReading, RoomReading
from pems_actors.simulation.invariants import (
    Asked,
    Beat,
    Broke,
    Counted,
    Fact,
    InvariantChecker,
    Kept,
    Life,
    Outage,
    Seen,
    Told,
    Truth,
    Turn,
    Wrote,
)
from tests.simulation.houses import small_house

T = 1_700_000_000.0
SMALL = small_house()
HOUSE = replace(SMALL, limits=Limits(breaker_a=16.0, import_kw=8.0, heating_kw=2.5))
PHASE_KW = HOUSE.limits.phase_kw
ROOMS = ("bath", "office")
SELF_USE, CHARGE, SELL = BatteryMode.SELF_USE, BatteryMode.CHARGE_GRID, BatteryMode.SELL
HOLD = BatteryMode.HOLD
BEATS_S = 300.0


# --- what can be sworn to


def heat(after_s: float, relay: str = "office", on: bool = True, **more) -> Wrote:
    lease_s = more.pop("lease_s", 900.0)
    order = SetHeating(
        relay,
        on,
        more.pop("reason", "rules: 20.0 of 21.0 °C"),
        Level.RULES,
        T + more.pop("ordered_s", after_s),
        T + after_s + lease_s,
        more.pop("target_c", 21.0),
    )
    author = more.pop("author", f"rooms/{relay}")
    return Wrote(T + after_s, order, author, more.pop("epoch", 1), **more)


def mode(after_s: float, mode: BatteryMode = SELF_USE, rate_kw=None, stop=None, **more) -> Wrote:
    lease_s = more.pop("lease_s", 900.0)
    at_s = T + after_s
    order = SetBatteryMode(mode, "as planned", Level.PLAN, at_s, at_s + lease_s, rate_kw, stop)
    return Wrote(at_s, order, "devices/battery", 1)


def picture(
    after_s: float,
    on: tuple[str, ...] = (),
    temps_c: tuple[float, ...] = (20.0, 20.0),
    grid_kw: float | None = 1.0,
    phase_kw: tuple[float, float, float] | None = None,
    blocked: bool | None = False,
    battery_kw: float = 0.0,
) -> Seen:
    at_s = T + after_s
    rooms = tuple(
        RoomReading(name, at_s, temp_c, name in on)
        for name, temp_c in zip(ROOMS, temps_c, strict=True)
    )
    meter = None if grid_kw is None else MeterReading(at_s, grid_kw, grid_kw, phase_kw)
    battery = BatteryReading(at_s, 0.5, battery_kw, SELF_USE)
    return Seen(at_s, HouseReading(at_s, rooms, battery, None, meter, None, blocked))


def truth(after_s: float, on: tuple[str, ...] = (), **more) -> Truth:
    known = {
        "air_c": dict.fromkeys(ROOMS, 20.0),
        "surface_c": dict.fromkeys(ROOMS, 24.0),
        "closed": {name: name in on for name in ROOMS},
        "stuck": frozenset(),
        "blocked": False,
        "soc_frac": 0.5,
        "mode": SELF_USE,
        "deaf": False,
        "grid_kw": 1.0,
        "phase_kw": (0.4, 0.3, 0.3),
        "battery_kw": 0.0,
    }
    return Truth(T + after_s, **{**known, **more})


def shown(after_s: float, on: tuple[str, ...] = (), **more) -> list[Fact]:
    """A picture and the truth of one tick that agree."""
    grid_kw, phase_kw = more.get("grid_kw", 1.0), more.get("phase_kw")
    seen = picture(after_s, on, grid_kw=grid_kw, phase_kw=phase_kw)
    return [seen, truth(after_s, on, **more)]


def life(after_s: float, turn: Turn, path: str = "rooms/bath", epoch: int = 1) -> Life:
    return Life(T + after_s, path, epoch, turn)


def opened(after_s: float, path: str = "rooms/bath", name: str = "a") -> Outage:
    return Outage(T + after_s, path, name, T + after_s, None)


def again(after_s: float, since_s: float, path: str = "rooms/bath", name: str = "a") -> Outage:
    return Outage(T + after_s, path, name, T + since_s, None)


def closed(after_s: float, since_s: float, path: str = "rooms/bath", name: str = "a") -> Outage:
    return Outage(T + after_s, path, name, T + since_s, T + after_s)


def judged(
    facts: list[Fact], armed: frozenset[str] | None = None, house: House = HOUSE
) -> set[str]:
    """The laws that a history breaks."""
    checker = InvariantChecker(house, armed=armed, heartbeat_s=BEATS_S)
    for fact in facts:
        checker.hear(fact)
    return {violation.invariant for violation in checker.close(max(fact.at_s for fact in facts))}


# --- a law, a history that keeps it, histories that break it

LIMITS, EPOCH, WRITER = (
    "write within limits",
    "no write from an old epoch or lease",
    "one writer per device",
)
UNARMED, SPARED = "no write to what is not armed", "battery modes within their limits"
DWELL, STARTS, GAP = "dwell", "starts per hour", "distance of starts"
BLOCK, FITS, EXCESS = "no heating in a block", "a switch-on fits", "an excess ends within a tick"
CHARGES, BLIND, ROOM, SOC = (
    "a grid charge fits",
    "no grid charge without a meter",
    "room limits",
    "state of charge within its window",
)
LEASED, INCIDENT = "no forced mode older than its lease", "every outage is one incident"
DEVICE = "an outage of a device is told and ends"
OUTCOME, HEARTBEAT, ROWS = (
    "one outcome per order",
    "a heartbeat is silent only by a fault",
    "no acknowledged row lost",
)

OVER = (PHASE_KW + 0.3, 1.0, 1.0)
CORE_DIES = Broke(T + 5.0, "core", "kill-core", T + 9.0)
METER, METER_LOST = "meter/silent", Broke(T, "meter", "meter-lost", T + 3600.0)
RESTLESS = [  # a relay that goes off by itself, and is put on again and again
    fact for k in range(5) for fact in (picture(k * 720.0), heat(k * 720.0 + 1.0))
]
SHED_EARLY = [
    heat(0.0),
    picture(60.0, ("office",), phase_kw=OVER),
    heat(61.0, on=False, reason="breaker: over"),
]
CHANGES = [fact for k in range(6) for fact in (mode(k * 4000.0, CHARGE), mode(k * 4000.0 + 2000.0))]

CASES: list[tuple[str, list[Fact], list[Fact]]] = [
    (LIMITS, [heat(0.0)], [heat(0.0, target_c=45.0)]),
    (LIMITS, [heat(0.0)], [heat(0.0, target_c=nan)]),
    (LIMITS, [heat(0.0)], [heat(0.0, "attic")]),
    (LIMITS, [heat(0.0)], [heat(0.0, lease_s=7200.0)]),
    (LIMITS, [heat(0.0)], [heat(0.0, reason="")]),
    (LIMITS, [mode(0.0, CHARGE, 2.0, 0.8)], [mode(0.0, CHARGE, 3.0, 0.8)]),
    (LIMITS, [mode(0.0, CHARGE, 2.0, 0.8)], [mode(0.0, CHARGE, 2.0, 1.0)]),
    (LIMITS, [mode(0.0, SELL, 2.0, 0.2)], [mode(0.0, SELL, nan, 0.2)]),
    (EPOCH, [life(0.0, Turn.READY, "rooms/office", 2), heat(1.0, epoch=2)],
     [life(0.0, Turn.READY, "rooms/office", 2), heat(1.0, epoch=1)]),
    (EPOCH, [heat(0.0, epoch=2)], [heat(0.0, epoch=2), heat(300.0, epoch=1)]),
    (EPOCH, [heat(0.0)], [life(0.0, Turn.ENDED, "rooms/office"), heat(1.0)]),
    (EPOCH, [heat(60.0, ordered_s=30.0)], [heat(90.0, ordered_s=0.0)]),
    (WRITER, [heat(0.0)], [heat(0.0, author="rooms/bath")]),
    (WRITER, [mode(0.0)], [mode(0.0)._replace(author="devices/inverter")]),
    (WRITER,
     [picture(0.0, temps_c=(20.0, 5.0)), heat(1.0, author="safety/guard", reason="guard: frost"),
      picture(60.0, ("office",), (20.0, 9.0)), heat(700.0, on=False)],
     [picture(0.0, temps_c=(20.0, 5.0)), heat(1.0, author="safety/guard", reason="guard: frost"),
      picture(60.0, ("office",), (20.0, 6.0)), heat(700.0, on=False)]),
    (SPARED, CHANGES[:8], CHANGES),
    (SPARED, [mode(0.0, CHARGE), mode(2000.0, SELL)], [mode(0.0, CHARGE), mode(600.0, SELL)]),
    (SPARED,
     [mode(0.0, CHARGE), picture(300.0, phase_kw=(PHASE_KW - 0.2, 0.4, 0.4)), mode(301.0, HOLD)],
     [mode(0.0, CHARGE), picture(300.0, phase_kw=(PHASE_KW - 0.4, 0.4, 0.4)), mode(301.0, HOLD)]),
    (SPARED, [mode(600.0 * k, CHARGE, 1.0 + k / 100) for k in range(40)],
     [mode(600.0 * k, CHARGE, 1.0 + k / 100) for k in range(41)]),
    (DWELL, [heat(0.0), heat(600.0, on=False)], [heat(0.0), heat(590.0, on=False)]),
    (DWELL, [heat(0.0), heat(700.0, on=False), heat(1300.0)],
     [heat(0.0), heat(700.0, on=False), heat(1200.0)]),
    (DWELL,
     [heat(0.0), picture(60.0, ("office",), phase_kw=OVER),
      heat(61.0, on=False, reason="breaker: over")],
     [heat(0.0), picture(60.0, ("office",)), heat(61.0, on=False, reason="breaker: over")]),
    (DWELL,
     [heat(0.0), picture(60.0, ("office",), (20.0, 27.5)),
      heat(61.0, on=False, reason="overheat: too warm")],
     [heat(0.0), picture(60.0, ("office",), (20.0, 22.0)),
      heat(61.0, on=False, reason="overheat: too warm")]),
    (DWELL,
     [heat(0.0), picture(60.0, blocked=True), heat(61.0, on=False, reason="tariff: blocked")],
     [heat(0.0), picture(60.0, ("office",)), heat(61.0, on=False, reason="tariff: blocked")]),
    (DWELL, [*SHED_EARLY, Counted(T + 90.0, "office", 1)],
     [*SHED_EARLY, Counted(T + 90.0, "office", 0)]),
    (STARTS, RESTLESS[:8], RESTLESS),
    (GAP, [heat(0.0), heat(10.0, "bath", target_c=20.0)], [heat(0.0), heat(8.0, "bath")]),
    (BLOCK, [truth(0.0, blocked=True), heat(30.0)],
     [truth(0.0, blocked=True), truth(60.0, blocked=True), heat(90.0)]),
    (FITS, [picture(0.0, phase_kw=(3.2, 1.0, 1.0)), heat(1.0)],
     [picture(0.0, phase_kw=(3.5, 1.0, 1.0)), heat(1.0)]),
    (FITS, [picture(0.0, grid_kw=6.7), heat(1.0)], [picture(0.0, grid_kw=6.9), heat(1.0)]),
    (FITS, [picture(0.0, grid_kw=5.8), heat(1.0)],
     [picture(0.0, grid_kw=5.8), heat(1.0), heat(11.0, "bath")]),
    (FITS, [picture(0.0, ("bath",)), heat(1.0)],
     [picture(0.0, ("bath",), phase_kw=(3.3, 1.0, 1.0)), heat(1.0)]),
    (EXCESS, [*shown(0.0, ("office",), phase_kw=OVER, grid_kw=5.0), *shown(60.0)],
     [*shown(0.0, ("office",), phase_kw=OVER, grid_kw=5.0),
      *shown(60.0, ("office",), phase_kw=OVER, grid_kw=5.0)]),
    (EXCESS,
     [mode(0.0, CHARGE), *shown(0.0, mode=CHARGE, grid_kw=9.0, battery_kw=-2.0), mode(1.0),
      *shown(60.0)],
     [mode(0.0, CHARGE), *shown(0.0, mode=CHARGE, grid_kw=9.0, battery_kw=-2.0),
      *shown(60.0, mode=CHARGE, grid_kw=9.0, battery_kw=-2.0)]),
    (CHARGES, [picture(0.0, grid_kw=5.7), mode(1.0, CHARGE, 2.0)],
     [picture(0.0, grid_kw=6.1), mode(1.0, CHARGE, 2.0)]),
    (CHARGES, [picture(0.0, phase_kw=(3.0, 1.0, 1.0)), mode(1.0, CHARGE, 2.0)],
     [picture(0.0, phase_kw=(3.1, 1.0, 1.0)), mode(1.0, CHARGE, 2.0)]),
    (CHARGES, [picture(0.0, grid_kw=5.7), heat(1.0), mode(2.0, CHARGE, 1.0)],
     [picture(0.0, grid_kw=5.7), heat(1.0), mode(2.0, CHARGE, 2.0)]),
    (CHARGES, [picture(0.0, grid_kw=4.5, battery_kw=1.0), mode(1.0, CHARGE, 2.0)],
     [picture(0.0, grid_kw=4.5, battery_kw=2.0), mode(1.0, CHARGE, 2.0)]),
    (CHARGES,
     [picture(0.0), mode(1.0, CHARGE, 2.0), picture(60.0, grid_kw=7.9), mode(300.0, CHARGE, 2.0)],
     [picture(0.0), mode(1.0, CHARGE, 1.0), picture(60.0, grid_kw=7.9), mode(300.0, CHARGE, 2.0)]),
    (CHARGES, [*shown(0.0), picture(179.0, grid_kw=None), mode(179.0, CHARGE)],
     [*shown(0.0), picture(181.0, grid_kw=None), mode(181.0, CHARGE)]),
    (BLIND,
     [*shown(0.0), mode(0.0, CHARGE), picture(200.0, grid_kw=None), truth(200.0),
      mode(200.0, CHARGE)],
     [*shown(0.0), mode(0.0, CHARGE), picture(899.0, grid_kw=None), truth(899.0),
      mode(899.0, CHARGE)]),
    (ROOM, [truth(0.0, air_c={"bath": 12.0, "office": 20.0})],
     [truth(0.0, air_c={"bath": 11.0, "office": 20.0})]),
    (ROOM, [truth(60.0 * k, air_c={"bath": 28.0, "office": 20.0}) for k in range(10)],
     [truth(60.0 * k, ("bath",), air_c={"bath": 28.0, "office": 20.0}) for k in range(10)]),
    (ROOM, [truth(60.0 * k, ("bath",), surface_c={"bath": 32.0}) for k in range(10)],
     [truth(60.0 * k, ("office",), surface_c={"office": 32.0}) for k in range(10)]),
    (SOC, [truth(0.0, soc_frac=0.9)], [truth(0.0, soc_frac=0.93)]),
    (LEASED, [mode(0.0, CHARGE), truth(900.0, mode=CHARGE)],
     [mode(0.0, CHARGE), truth(1200.0, mode=CHARGE)]),
    (LEASED, [truth(0.0)], [truth(0.0, mode=SELL)]),
    (INCIDENT, [life(0.0, Turn.FAILED), opened(0.0), life(1.0, Turn.READY, epoch=2),
                closed(1.0, 0.0), truth(60.0)],
     [life(0.0, Turn.FAILED), life(1.0, Turn.READY, epoch=2), truth(60.0)]),
    (INCIDENT, [life(0.0, Turn.FAILED), opened(0.0, "rooms"), truth(60.0)],
     [life(0.0, Turn.FAILED), opened(0.0, "devices"), truth(60.0)]),
    (INCIDENT, [opened(0.0), closed(1.0, 0.0), opened(2.0, name="b")],
     [opened(0.0), opened(2.0, name="b")]),
    (INCIDENT, [opened(0.0), closed(1.0, 0.0)], [closed(1.0, 0.0)]),
    (INCIDENT, [opened(0.0), CORE_DIES, life(9.0, Turn.READY), closed(9.0, 0.0), truth(120.0)],
     [opened(0.0), CORE_DIES, life(9.0, Turn.READY), truth(120.0)]),
    (INCIDENT, [opened(0.0), CORE_DIES, life(9.0, Turn.READY), again(9.0, 0.0), closed(60.0, 0.0)],
     [opened(0.0), CORE_DIES, life(9.0, Turn.READY), opened(9.0, name="b")]),
    (INCIDENT, [opened(0.0), life(9.0, Turn.READY), closed(9.0, 0.0), truth(60.0)],
     [opened(0.0), life(9.0, Turn.READY), truth(60.0)]),
    (DEVICE, [METER_LOST, opened(230.0, METER), closed(4000.0, 230.0, METER), truth(6000.0)],
     [METER_LOST, truth(6000.0)]),
    (DEVICE, [METER_LOST, opened(230.0, METER), truth(5000.0)],
     [METER_LOST, opened(230.0, METER), truth(5500.0)]),
    (DEVICE, [opened(0.0, METER), truth(1700.0)], [opened(0.0, METER), truth(1900.0)]),
    (OUTCOME, [Asked(T, "1"), Told(T + 1.0, "1", "accepted"), Told(T + 2.0, "1", "done")],
     [Asked(T, "1"), Told(T + 1.0, "1", "done"), Told(T + 2.0, "1", "failed")]),
    (OUTCOME, [Asked(T, "1", heard=False), truth(60.0)], [Asked(T, "1"), truth(60.0)]),
    (OUTCOME, [Asked(T, "1"), Told(T + 20.0, "1", "timeout")],
     [Asked(T, "1"), Told(T + 40.0, "1", "timeout")]),
    (HEARTBEAT, [Beat(T, 1), Beat(T + 300.0, 2)], [Beat(T, 1), Beat(T + 300.0, 3)]),
    (HEARTBEAT, [Beat(T, 1), Broke(T + 1.0, "broker", "broker-down", T + 900.0), truth(1500.0)],
     [Beat(T, 1), truth(1500.0)]),
    (HEARTBEAT,
     [Beat(T, 1), Broke(T + 1.0, "core", "kill-core", T + 900.0), Beat(T + 1000.0, 1)],
     [Beat(T, 1), Broke(T + 1.0, "core", "kill-core", T + 900.0), Beat(T + 300.0, 2)]),
    (HEARTBEAT,
     [Beat(T, 1), Broke(T + 1.0, "broker", "broker-down", T + 900.0), Beat(T + 900.0, 4)],
     [Beat(T, 1), Broke(T + 1.0, "broker", "broker-down", T + 900.0), Beat(T + 600.0, 3)]),
    (ROWS, [Kept(T, 7, 7)], [Kept(T, 7, 6)]),
]  # fmt: skip


@pytest.mark.parametrize(("law", "sound", "broken"), CASES)
def test_a_law_that_is_broken_is_found_and_no_other(law, sound, broken):
    assert judged(sound) == set()
    assert judged(broken) == {law}


def test_what_is_not_armed_may_not_be_written():
    only = frozenset({"relay/office"})
    assert judged([heat(0.0)], armed=only) == set()
    export = SetExport(True, "price", Level.RULES, T, T + 900.0)
    for wrote in (heat(0.0, "bath"), mode(0.0), Wrote(T, export, "devices/inverter", 1)):
        assert judged([wrote], armed=only) == {UNARMED}
    assert judged([heat(0.0)], armed=frozenset()) == {UNARMED}


def test_without_a_meter_a_start_must_fit_beside_the_reserve():
    needy = replace(HOUSE, limits=replace(HOUSE.limits, base_load_p95_kw=PHASE_KW - 0.3))
    lost = [picture(0.0), picture(60.0, grid_kw=None)]
    assert judged([*lost, heat(170.0)], house=needy) == set()
    assert judged([*lost, heat(190.0)], house=needy) == {FITS}


def test_the_breaker_may_break_a_dwell_for_the_reserve_only_once_the_house_is_silent():
    """Off and on in one picture; then nothing is said, and the reserve counts for the base load."""
    needy = replace(HOUSE, limits=replace(HOUSE.limits, base_load_p95_kw=PHASE_KW - 0.3))
    on = [picture(-60.0), heat(0.0), picture(60.0, ("office",))]
    off = {"on": False, "reason": "breaker: over the breaker of L1"}
    assert judged([*on, heat(230.0, **off)], house=needy) == {DWELL}
    assert judged([*on, heat(250.0, **off)], house=needy) == set()
    assert judged([*on, heat(250.0, **off)]) == {DWELL}  # beside the usual reserve it fits


def test_every_law_has_a_history_that_breaks_it():
    laws = {law.name for law in InvariantChecker(HOUSE).laws}
    assert laws == {law for law, _, _ in CASES} | {UNARMED}


def test_a_dead_actuator_excuses_its_room_and_nothing_else():
    cold = {"bath": 9.0, "office": 20.0}
    assert judged([truth(0.0, air_c=cold, stuck=frozenset({"bath"}))]) == set()
    assert judged([truth(0.0, air_c=cold, stuck=frozenset({"office"}))]) == {ROOM}


def test_who_was_struck_blind_need_not_have_told_an_outage():
    blind = Broke(T + 60.0, "devices/inspector", "hang", T + 60.0)
    assert judged([METER_LOST, blind, truth(3000.0)]) == set()
    assert judged([blind, METER_LOST, truth(3000.0)]) == set()


def test_a_fault_that_another_one_replaced_need_not_be_told():
    jumps = Broke(T + 60.0, "meter", "meter-jump", T + 3600.0)
    assert judged([METER_LOST, jumps, truth(3000.0)]) == set()


def test_a_clock_may_take_its_time_to_be_trusted_again():
    doubted = opened(0.0, "clock/untrusted")
    assert judged([doubted, truth(5000.0)]) == set()
    assert judged([doubted, truth(5500.0)]) == {DEVICE}


def test_a_window_is_open_for_its_pause_and_until_the_incident_has_ended():
    opens = opened(0.0, "rooms/bath/window-open")
    assert judged([opens, truth(2200.0)]) == set()
    assert judged([opens, truth(2300.0)]) == {DEVICE}


def test_what_a_relay_does_by_itself_is_nobodys_switching():
    went_off = [heat(0.0), picture(60.0), heat(70.0, on=False), heat(120.0)]
    assert judged(went_off) == set()


def test_an_order_that_came_late_counts_from_the_first_one_until_it_is_seen():
    late = [picture(-30.0), heat(0.0, reached=False), heat(300.0)]
    assert judged([*late, heat(660.0, on=False)]) == set()
    assert judged([*late, heat(560.0, on=False)]) == {DWELL}
    assert judged([*late, picture(360.0, ("office",)), heat(660.0, on=False)]) == {DWELL}


def test_breaks_of_the_dwell_are_counted_and_blocked_hours_are_none():
    checker = InvariantChecker(HOUSE)
    over = picture(60.0, ("office",), phase_kw=OVER)
    for fact in (heat(0.0), over, heat(61.0, on=False, reason="breaker: over the import")):
        checker.hear(fact)
    assert checker.dwell.breaks == {"office": 1}


def test_an_excess_that_was_answered_as_far_as_could_be_known_is_no_fault():
    welded = {"stuck": frozenset({"office"}), "phase_kw": OVER, "grid_kw": 5.0}
    history = [
        *shown(0.0, ("office",), **welded),
        heat(1.0, on=False, reason="breaker: over"),
        *shown(60.0, ("office",), **welded),
    ]
    assert judged(history) == set()


def test_a_new_excess_by_other_loads_is_a_new_one():
    first = shown(0.0, ROOMS, phase_kw=OVER, grid_kw=5.0)
    second = shown(60.0, ("bath",), phase_kw=OVER, grid_kw=5.0)
    assert judged([*first, *second]) == set()


def test_what_other_loads_draw_more_while_the_meter_is_silent_nobody_could_know():
    on = ("office",)
    here = shown(0.0, on, grid_kw=2.0)
    rises = truth(60.0, on, grid_kw=9.0)
    still = truth(120.0, on, grid_kw=9.0)
    silent = picture(60.0, on, grid_kw=None)
    assert judged([*here, silent, rises, picture(120.0, on, grid_kw=None), still]) == set()
    assert judged([*here, picture(60.0, on, grid_kw=9.0), rises, still]) == {EXCESS}


def test_what_the_battery_gives_less_while_the_meter_is_silent_could_be_known():
    on = ("office",)
    here = shown(0.0, on, grid_kw=6.0, battery_kw=3.0)
    empty = [truth(after_s, on, grid_kw=9.0) for after_s in (60.0, 120.0)]
    silent = [picture(after_s, on, grid_kw=None) for after_s in (60.0, 120.0)]
    assert judged([*here, silent[0], empty[0], silent[1], empty[1]]) == {EXCESS}
