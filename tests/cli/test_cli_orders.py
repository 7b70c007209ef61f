"""`pems tell`, `ask`, `arm`, `disarm`, `commands`, `report shadow`."""

import json

import pytest

from pems_actors.cli.orders import arguments
from pems_actors.cli.output import Refusal
from tests.cli import told
from tests.cli.conftest import CannedHouse, Pems


def test_an_order_reaches_the_house_with_typed_arguments(house: CannedHouse, pems: Pems) -> None:
    house.results["override"] = ("done", "22.0 °C until 14:00")
    said = pems("tell", "rooms/obyvak", "override", "temp_c=22", "for=2h", "--state", house.state)
    assert (said.code, said.out) == (0, "done: rooms/obyvak override, 22.0 °C until 14:00\n")
    (heard,) = house.heard
    assert (heard["path"], heard["verb"]) == ("rooms/obyvak", "override")
    assert heard["args"] == {"temp_c": 22, "for": "2h"}


def test_a_bare_value_is_the_needed_argument() -> None:
    assert arguments("house", "mode", ["away"]) == {"mode": "away"}
    battery = arguments("devices/battery", "mode", ["charge_grid", "rate_kw=2.5"])
    assert battery == {"mode": "charge_grid", "rate_kw": 2.5}
    assert arguments("devices/inverter", "export", ["true"]) == {"allowed": True}


def test_a_needed_argument_given_by_name_is_not_given_again() -> None:
    with pytest.raises(Refusal, match="stands for nothing") as refused:
        arguments("house", "mode", ["mode=away", "normal"])
    assert refused.value.code == 2


def test_lists_and_objects_stay_text() -> None:
    assert arguments("house", "mode", ["[1]"]) == {"mode": "[1]"}


def test_a_value_may_hold_an_equals_sign() -> None:
    assert arguments("house", "mode", ["mode=a=b"]) == {"mode": "a=b"}


def test_an_order_that_is_refused_fails_with_its_reason(house: CannedHouse, pems: Pems) -> None:
    house.reject("override", "override: temp_c must be a number from 10 to 30 °C")
    said = pems("tell", "rooms/obyvak", "override", "99", "--state", house.state)
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "pems: rooms/obyvak override: rejected, "
        "override: temp_c must be a number from 10 to 30 °C\n"
    )


def test_an_outcome_as_json_fails_as_well(house: CannedHouse, pems: Pems) -> None:
    house.results["boost"] = ("timeout", "no answer within 5 s")
    said = pems("tell", "rooms/obyvak", "boost", "--json", "--state", house.state)
    assert said.code == 1
    assert json.loads(said.out)["outcome"] == "timeout"


def test_an_actor_shows_what_it_has_in_mind(house: CannedHouse, pems: Pems) -> None:
    house.results["snapshot"] = {"epoch": 3, "state": "RoomMind(...)"}
    said = pems("ask", "rooms/obyvak", "--state", house.state)
    assert (said.code, said.out) == (0, "rooms/obyvak, epoch 3\nRoomMind(...)\n")
    said = pems("ask", "rooms/obyvak", "--json", "--state", house.state)
    assert json.loads(said.out) == {"epoch": 3, "state": "RoomMind(...)"}


def test_asking_nobody_fails(house: CannedHouse, pems: Pems) -> None:
    house.reject("snapshot", "there is no 'rooms/x'; `pems status` lists what there is")
    assert pems("ask", "rooms/x", "--state", house.state).code == 1


@pytest.mark.parametrize("verb", ["arm", "disarm"])
def test_devices_are_armed_by_their_path(house: CannedHouse, pems: Pems, verb: str) -> None:
    house.results[verb] = ("done", f"{verb}ed 1 devices")
    said = pems(verb, "rooms/obyvak", "--state", house.state)
    assert (said.code, said.out) == (0, f"done: {verb} rooms/obyvak, {verb}ed 1 devices\n")
    assert house.heard[0]["args"] == {"device": "rooms/obyvak"}


def test_the_last_orders_are_listed(house: CannedHouse, pems: Pems) -> None:
    rows = [
        {
            "at": told.AT,
            "path": "rooms/obyvak",
            "verb": "override",
            "args": {"temp_c": 22},
            "outcome": "done",
            "reason": "so be it",
        }
    ]
    house.results["commands"] = {"commands": rows}
    said = pems("commands", "--state", house.state)
    assert "rooms/obyvak  override temp_c=22  done" in said.out
    assert json.loads(pems("commands", "--json", "--state", house.state).out) == rows


def test_no_orders_yet_is_said(house: CannedHouse, pems: Pems) -> None:
    house.results["commands"] = {"commands": []}
    assert pems("commands", "--state", house.state).out == "no orders yet\n"
    assert pems("commands", "--json", "--state", house.state).out == "[]\n"


def test_the_shadow_report_tells_what_would_have_been_done(house: CannedHouse, pems: Pems) -> None:
    shadow = {
        "withheld": 12,
        "written": 0,
        "last": [{"at": told.AT, "device": "relay/obyvak", "would": "SetRelay(on=True)"}],
    }
    house.results["shadow"] = shadow
    said = pems("report", "shadow", "--state", house.state)
    assert said.out.startswith("0 commands written, 12 withheld\n")
    assert "SetRelay(on=True)" in said.out
    assert json.loads(pems("report", "shadow", "--json", "--state", house.state).out) == shadow
