"""The product is broken on purpose, law by law: a whole story is told, and the judge notices.

`tests/simulation/test_invariants.py` shows that each law tells a right history from a wrong one.
Here the histories are made by the appliance itself, with one of its parts mutated, and what the
witness overhears must be enough to accuse it. The unmutated story next to each is acquitted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pems_actors.actors import battery, inspector, room_relay
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.inverter import InverterActor
from pems_actors.control import order, wishes
from pems_actors.control.battery import BatteryView
from pems_actors.control.load_budget import LoadBudget
from pems_actors.control.order import RelayMemory
from pems_actors.control.power_budget import PowerBudget
from pems_actors.domain.commands import SetBatteryMode
from pems_actors.domain.events import EnergyTick, Need
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.levels import Level
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.simulation.hybrid_inverter import HybridInverter
from pems_actors.simulation.invariants import InvariantChecker
from pems_actors.soak.stories import HEARTBEAT_S, Order, Plot, Tale, plot_of
from pems_actors.soak.witness import Witness
from supervision.events import IncidentOpened
from supervision.gate import Gate
from supervision.journal import Journal
from supervision.places import Places
from supervision.runtimes.virtual import VirtualRuntime
from tests.scenarios.stories import NOON, rules_only
from tests.soak.test_flexible_stories import with_loads

pytestmark = pytest.mark.long  # each law costs two stories

MINUTE_S, HOUR_S = 60.0, 3600.0
Break = Callable[[pytest.MonkeyPatch], object]
Lax = Callable[[House], House]


def asked(after_s: float, path: str, verb: str, **args: object) -> Order:
    name = f"{path}-{after_s:g}"
    body = {"id": name, "verb": verb, "args": args, "reason": "a test"}
    return Order(after_s, name, path, json.dumps(body).encode())


@dataclass(frozen=True)
class Mutant:
    """A law, what is broken in the product, and a story in which that matters.

    lax: what the product believes about its house, while the judge knows better.
    """

    law: str
    break_: Break = lambda _: None
    lax: Lax = lambda house: house
    orders: tuple[Order, ...] = ()
    faults: str = "none"
    hours: float = 2.0
    preset: str = "flat3"
    nameplate: bool = False
    shift_k: float = -5.0
    armed: frozenset[str] | None = None
    after_s: float = 0.0

    def verdict(self, patch: pytest.MonkeyPatch, *, broken: bool) -> set[str]:
        """Tell the story, mutated or not; the laws that were found broken."""
        tale = rules_only(
            self.hours / 24.0, preset=self.preset, nameplate=self.nameplate, seed=5,
            weather_shift_k=self.shift_k, faults=self.faults, armed=self.armed,
            start_s=NOON + self.after_s,
        )  # fmt: skip
        tale = replace(tale, pace=replace(tale.pace, heartbeat_s=HEARTBEAT_S))
        house = tale.house
        if broken:
            self.break_(patch)
            tale = replace(tale, house=self.lax(house))
        witness = Witness(Plot(tale, self.orders))
        witness.checker = InvariantChecker(house, armed=self.armed, heartbeat_s=HEARTBEAT_S)
        witness.tell()
        return {violation.invariant for violation in witness.violations}


# --- what is broken


def leases_of_hours(patch: pytest.MonkeyPatch) -> None:
    apply = DeviceWriter.apply

    def too_long(self: DeviceWriter, command: Any) -> None:
        apply(self, replace_lease(command, command.lease_until_s + 2 * HOUR_S))

    patch.setattr(DeviceWriter, "apply", too_long)


def replace_lease(command: Any, until_s: float) -> Any:
    return (
        command._replace(lease_until_s=until_s)
        if hasattr(command, "_replace")
        else replace(command, lease_until_s=until_s)
    )


def epochs_that_stand_still(patch: pytest.MonkeyPatch) -> None:
    admit = Gate.admit

    def first_again(self: Gate, path: str, author: Any = None) -> int:
        admit(self, path, author)
        if not path.startswith("rooms/"):
            return self._current[path]
        self._last[path] = self._current[path] = 1
        return 1

    patch.setattr(Gate, "admit", first_again)


def a_second_writer(patch: pytest.MonkeyPatch) -> None:
    hear = InverterActor.on_receive

    def meddle(self: InverterActor, message: object) -> Any:
        if isinstance(message, EnergyTick):
            until_s = message.at_s + 900.0
            mine = SetBatteryMode(BatteryMode.SELF_USE, "why not", Level.RULES, message.at_s,
                                  until_s)  # fmt: skip
            self.effect(lambda: self.writer.apply(mine))
        return hear(self, message)

    patch.setattr(InverterActor, "on_receive", meddle)


def everything_is_armed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DeviceWriter, "is_armed", lambda *_: True)


def relays_may_fidget(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(order, "_too_soon", lambda *_, **__: None)


def breaks_that_nobody_counts(patch: pytest.MonkeyPatch) -> None:
    switched = RelayMemory.switched
    patch.setattr(RelayMemory, "switched", lambda self, on, now_s, **_: switched(self, on, now_s))


def blocks_are_ignored(patch: pytest.MonkeyPatch) -> None:
    barred = order._barred

    def unblocked(memory: RelayMemory, now_s: float, **how: bool) -> order.Verdict | None:
        return barred(memory, now_s, blocked=False, floor_measured=how["floor_measured"])

    patch.setattr(order, "_barred", unblocked)


def people_may_wish_for_a_sauna(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(wishes, "HIGHEST_C", 30.0)
    safe = order._safe

    def careless(memory: RelayMemory, needs: Sequence[Need], *rest: Any, **how: Any) -> Any:
        return safe(memory, [n._replace(overheat=False) for n in needs], *rest, **how)

    patch.setattr(order, "_safe", careless)


def floors_heated_without_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room_relay, "too_warm", lambda *_args, **_more: "")


def nobody_is_shed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PowerBudget, "excess", lambda *_: ())


def a_meter_that_is_always_known(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BatteryView, "__getattribute__", _known_meter)


def _known_meter(view: BatteryView, name: str) -> Any:
    return True if name == "meter_known" else object.__getattribute__(view, name)


def a_battery_that_asks_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(battery, "lets", lambda *_: True)


def modes_without_an_end(patch: pytest.MonkeyPatch) -> None:
    apply = HybridInverter.apply

    def for_ever(self: HybridInverter, command: Any) -> None:
        apply(self, command)
        self.lease_until_s = float("inf")

    patch.setattr(HybridInverter, "apply", for_ever)


def findings_that_nobody_tells(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inspector, "open_incident", lambda *_: None)
    patch.setattr(inspector, "close_incident", lambda *_: None)


def findings_without_an_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inspector, "close_incident", lambda *_: None)


def outages_that_nobody_opens(patch: pytest.MonkeyPatch) -> None:
    emit = Journal.emit
    patch.setattr(Journal, "emit", lambda self, event: (
        None if isinstance(event, IncidentOpened) else emit(self, event)
    ))  # fmt: skip


def no_answer(patch: pytest.MonkeyPatch) -> None:
    _lost(patch, "pems/reply/", lambda count: True)


def two_answers(patch: pytest.MonkeyPatch) -> None:
    publish = MemoryMqtt.publish

    def twice(self: MemoryMqtt, message: Any, *, keep: bool = True) -> bool:
        if message.topic.startswith("pems/reply/"):
            self.on_publish(message)
        return publish(self, message, keep=keep)

    patch.setattr(MemoryMqtt, "publish", twice)


def heartbeats_with_gaps(patch: pytest.MonkeyPatch) -> None:
    _lost(patch, "pems/supervisor", lambda count: count % 3 == 0)


def a_core_that_speaks_after_its_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Places, "cut_off_all", lambda *_: None)
    patch.setattr(VirtualRuntime, "close", lambda *_: None)


def no_heartbeat(patch: pytest.MonkeyPatch) -> None:
    _lost(patch, "pems/supervisor", lambda count: count > 2)


def _lost(patch: pytest.MonkeyPatch, topic: str, drops: Callable[[int], bool]) -> None:
    publish, counts = MemoryMqtt.publish, {"n": 0}

    def sometimes(self: MemoryMqtt, message: Any, *, keep: bool = True) -> bool:
        if message.topic == topic or (topic.endswith("/") and message.topic.startswith(topic)):
            counts["n"] += 1
            if drops(counts["n"]):
                return False
        return publish(self, message, keep=keep)

    patch.setattr(MemoryMqtt, "publish", sometimes)


def rows_that_are_acknowledged_and_lost(patch: pytest.MonkeyPatch) -> None:
    record = MemoryHistory.record

    def forgetful(self: MemoryHistory, kind: str, at_s: float, body: str) -> None:
        if int(at_s) % 2:
            record(self, kind, at_s, body)

    patch.setattr(MemoryHistory, "record", forgetful)


# --- what the product believes of its house


def no_dwell(house: House) -> House:
    return relays(house, min_on_s=0.0, min_off_s=0.0)


def starts_without_end(house: House) -> House:
    return relays(no_dwell(house), max_starts_per_h=99)


def relays(house: House, **changes: Any) -> House:
    return replace(house, relays=tuple(replace(relay, **changes) for relay in house.relays))


def limits(**changes: Any) -> Lax:
    return lambda house: replace(house, limits=replace(house.limits, **changes))


def a_bigger_battery(house: House) -> House:
    return replace(house, battery=replace(house.battery, min_soc_frac=0.0, max_soc_frac=1.0))


def a_patient_inverter(house: House) -> House:
    lax = replace(house.inverter, min_mode_s=0.0, max_mode_changes_per_day=999)
    return replace(house, inverter=lax)


# --- the mutants

ROOM, BATTERY = "rooms/living", "devices/battery"
FIDGETS = tuple(
    asked(600.0 + 180.0 * k, ROOM, "override", temp_c=26 if k % 2 == 0 else 12, **{"for": "3h"})
    for k in range(30)
)
FICKLE = tuple(
    asked(600.0 + 300.0 * k, BATTERY, "mode", mode="hold" if k % 2 else "charge_grid",
          **{"for": "3h"})
    for k in range(20)
)  # fmt: skip
SAUNA = tuple(asked(300.0 + k, f"rooms/{room}", "override", temp_c=30, **{"for": "12h"})
              for k, room in enumerate(("living", "bedroom", "bath")))  # fmt: skip
CHARGE = asked(600.0, BATTERY, "mode", mode="charge_grid", stop_soc_frac=1.0, **{"for": "6h"})
CHARGES = tuple(
    asked(600.0 + 1200.0 * k, BATTERY, "mode", mode="charge_grid", **{"for": "10m"})
    for k in range(8)
)
SELL = asked(600.0, BATTERY, "mode", mode="sell", stop_soc_frac=0.0, **{"for": "6h"})
WISH = asked(900.0, ROOM, "boost", **{"for": "1h"})
SILENCES = ",".join(f"house-silent@house:{1800 + 900 * k}/420" for k in range(16))
BIG = {"preset": "house17", "nameplate": True, "shift_k": -12.0, "hours": 3.0}
MILD = {"preset": "house17", "shift_k": 6.0}

MUTANTS = (
    Mutant("write within limits", leases_of_hours),
    Mutant("no write from an old epoch or lease", epochs_that_stand_still,
           faults="crash@rooms/living:1800,crash@rooms/bath:2400,crash@rooms/bedroom:3000"),
    Mutant("one writer per device", a_second_writer),
    Mutant("no write to what is not armed", everything_is_armed, armed=frozenset()),
    Mutant("battery modes within their limits", lax=a_patient_inverter, orders=FICKLE, **MILD),
    Mutant("dwell", lax=no_dwell, orders=FIDGETS),
    Mutant("dwell", relays_may_fidget, orders=FIDGETS),
    Mutant("dwell", lax=limits(base_load_p95_kw=5.5), faults=SILENCES, hours=5.0),
    Mutant("dwell", breaks_that_nobody_counts, faults=SILENCES, **BIG),
    Mutant("starts per hour", lax=starts_without_end, orders=FIDGETS),
    Mutant("distance of starts", lax=limits(start_gap_s=0.0), **BIG),
    Mutant("no heating in a block", blocks_are_ignored, hours=9.0, shift_k=-12.0),
    Mutant("a switch-on fits", lax=limits(breaker_a=99.0, import_kw=99.0, heating_kw=99.0), **BIG),
    Mutant("an excess ends within a tick", nobody_is_shed, **{**BIG, "hours": 5.0}),
    Mutant("a grid charge fits", a_battery_that_asks_nobody, orders=CHARGES,
           after_s=7 * HOUR_S, **BIG),
    Mutant("no grid charge without a meter", a_meter_that_is_always_known, orders=(CHARGE,),
           faults="meter-lost@meter:1800/5400", **MILD),
    Mutant("room limits", people_may_wish_for_a_sauna,
           lax=limits(ceiling_c=60.0, floor_surface_c=90.0, bath_surface_c=90.0), orders=SAUNA,
           hours=9.0, shift_k=8.0),
    Mutant("state of charge within its window", lax=a_bigger_battery, orders=(SELL,),
           hours=4.0, **MILD),
    Mutant("no forced mode older than its lease", modes_without_an_end, orders=(CHARGE,),
           faults="kill-core@core:1800/3000", **MILD),
    Mutant("every outage is one incident", outages_that_nobody_opens,
           faults="crash@rooms/living:1800"),
    Mutant("an outage of a device is told and ends", findings_that_nobody_tells,
           faults="meter-lost@meter:600/1800"),
    Mutant("an outage of a device is told and ends", findings_without_an_end,
           faults="meter-lost@meter:600/900"),
    Mutant("one outcome per order", no_answer, orders=(WISH,)),
    Mutant("one outcome per order", two_answers, orders=(WISH,)),
    Mutant("a heartbeat is silent only by a fault", no_heartbeat),
    Mutant("a heartbeat is silent only by a fault", heartbeats_with_gaps),
    Mutant("a heartbeat is silent only by a fault", a_core_that_speaks_after_its_end,
           faults="kill-core@core:1800/3000"),
    Mutant("no acknowledged row lost", rows_that_are_acknowledged_and_lost),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=[f"{k} {mutant.law}" for k, mutant in enumerate(MUTANTS)]
)
def test_a_mutant_is_found_and_its_sound_twin_is_acquitted(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mutant.verdict(monkeypatch, broken=False) == set()
    assert mutant.law in mutant.verdict(monkeypatch, broken=True)


@pytest.mark.slow
def test_a_floor_heated_without_end_in_hard_frost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plot = plot_of(Tale(50083, "none"))
    wooden = limits(floor_surface_c=28.3)(plot.story.house)

    def verdict() -> set[str]:
        witness = Witness(replace(plot, story=replace(plot.story, house=wooden)))
        witness.tell()
        return {violation.invariant for violation in witness.violations}

    assert verdict() == set()
    floors_heated_without_end(monkeypatch)
    assert verdict() == {"room limits"}


@pytest.mark.slow
def test_loads_that_could_wait_and_draw_on_in_an_excess_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plot = plot_of(Tale(311, "none", 0.25))
    house = with_loads(plot.story.house, 311)

    def verdict() -> set[str]:
        witness = Witness(replace(plot, story=replace(plot.story, house=house)))
        witness.tell()
        return {violation.invariant for violation in witness.violations}

    assert verdict() == set()
    monkeypatch.setattr(LoadBudget, "excess", lambda _, room, *_args, **_more: ((), room))
    assert verdict() == {"an excess ends within a tick"}


def test_each_law_has_a_mutant() -> None:
    laws = {law.name for law in InvariantChecker(rules_only(0.1, preset="flat3").house).laws}
    assert {mutant.law for mutant in MUTANTS} == laws
