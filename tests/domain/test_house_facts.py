"""A house as data: who heats whom."""

from pems_actors.domain.house import House, HouseModel, Relay, Site
from pems_actors.domain.house import house_by as by_model

RELAY = Relay("living", 4.8, 4.8, (("living", 0.625), ("kitchen", 0.375)))
HOUSE = House("two rooms and a shed", Site(49.95, 14.60), (), (RELAY,), HouseModel(()))


def test_a_relay_is_found_by_each_room_that_it_heats():
    assert HOUSE.relay_of("living") is RELAY
    assert HOUSE.relay_of("kitchen") is RELAY


def test_a_room_that_nothing_heats_has_no_relay():
    assert HOUSE.relay_of("shed") is None


def test_a_house_without_a_learned_model_keeps_its_own():
    learned = HouseModel((), ())
    assert by_model(HOUSE, None) is HOUSE
    assert by_model(HOUSE, learned).model is learned
