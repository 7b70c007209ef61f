from dataclasses import replace

from pems_actors.control.guard import ACT_AFTER, ORDER_AFTER, Guard
from pems_actors.domain.house import (
    Comfort,
    Emitter,
    House,
    HouseModel,
    Relay,
    Room,
    RoomModel,
    Site,
)
from pems_actors.domain.readings import HouseReading, RoomReading

MODEL = RoomModel("x", Emitter.FLOOR, 1.0, 0.5, 2.0, 0.3, 0.4, 0.01, 0.04)
HOUSE = House(
    "two",
    Site(50.0, 15.0),
    (Room("living", "living", Comfort()), Room("bath", "bath", Comfort(), bath=True)),
    (Relay("living", 2.0, 2.0, (("living", 1.0),)), Relay("bath", 1.0, 1.0, (("bath", 1.0),))),
    HouseModel((replace(MODEL, name="living"), replace(MODEL, name="bath"))),
)


def picture(at_s: float = 0.0, *, blocked: bool | None = None, **rooms) -> HouseReading:
    """Rooms as name=(temp, relay_on) or (temp, relay_on, floor)."""
    return HouseReading(
        at_s,
        tuple(
            RoomReading(name, at_s, seen[0], seen[1], seen[2] if len(seen) > 2 else None)
            for name, seen in rooms.items()
        ),
        heating_blocked=blocked,
    )


def looks(guard: Guard, count: int, **rooms):
    orders = acts = ()
    for k in range(count):
        guard, orders, acts = guard.look(picture(60.0 * k, **rooms))
    return guard, orders, acts


def test_all_is_well_in_a_warm_house():
    guard, orders, acts = looks(Guard(HOUSE), 10, living=(21.0, False), bath=(22.0, True))
    assert not orders
    assert not acts
    assert not guard.dangers
    assert not guard.alarms


def test_a_room_near_frost_gets_an_order_and_then_the_guards_own_hand():
    _, orders, _ = looks(Guard(HOUSE), 1, living=(6.5, False))
    assert not orders
    _, orders, acts = looks(Guard(HOUSE), ORDER_AFTER, living=(6.5, False))
    assert [(o.relay, o.on) for o in orders] == [("living", True)]
    assert not acts
    _, orders, acts = looks(Guard(HOUSE), ACT_AFTER, living=(6.5, False))
    assert not orders
    assert [(a.relay, a.on) for a in acts] == [("living", True)]


def test_a_room_that_heats_already_needs_no_order():
    _, orders, _ = looks(Guard(HOUSE), 5, living=(6.5, True))
    assert not orders


def test_frost_to_come_is_enough():
    guard = Guard(HOUSE, outlook_c={"living": 7.5})
    _, orders, _ = looks(guard, ORDER_AFTER, living=(12.0, False))
    assert "would fall" in orders[0].reason


def test_too_warm_rooms_and_floors_are_switched_off():
    _, orders, _ = looks(Guard(HOUSE), ORDER_AFTER, living=(27.5, True))
    assert orders[0].on is False
    _, orders, _ = looks(Guard(HOUSE), ORDER_AFTER, living=(22.0, True, 29.5))
    assert "floor" in orders[0].reason
    _, orders, _ = looks(Guard(HOUSE), ORDER_AFTER, bath=(22.0, True, 29.5))
    assert not orders


def test_overheat_goes_before_frost():
    _, orders, _ = looks(Guard(HOUSE, {"living": 5.0}), ORDER_AFTER, living=(27.5, True))
    assert orders[0].on is False


def test_in_a_block_no_heat_is_ordered():
    guard = Guard(HOUSE)
    for k in range(5):
        guard, orders, acts = guard.look(picture(60.0 * k, blocked=True, living=(6.5, False)))
    assert not orders
    assert not acts


def test_a_danger_that_passed_is_forgotten():
    guard, _, _ = looks(Guard(HOUSE), 3, living=(6.5, False))
    guard, orders, _ = guard.look(picture(living=(20.0, False)))
    assert not orders
    assert not guard.dangers


def test_an_unknown_relay_or_room_is_not_judged():
    guard, orders, _ = looks(Guard(HOUSE), 5, living=(6.5, None))
    assert not orders
    assert guard.alarms == ("living at 6.5 °C",)
    _, orders, _ = looks(Guard(HOUSE), 5, living=(None, False))
    assert not orders
