"""A window with a contact is opened in the cold: its room rests, no other, and never into frost."""

from __future__ import annotations

import pytest

from pems_actors.simulation.device_faults import FaultKind
from tests.scenarios.outages import believed, break_, flat, until
from tests.scenarios.witness import Witness, by_relay, switches

OPENED_MIN, BELIEVED_MIN = 120, 120
FAST_DROP = 0.06  # kW/K through the opening: some kelvins in a quarter of an hour


def opened(seed: int = 3, shift_k: float = -8.0, kw_k: float = FAST_DROP):
    simulation, outages = flat(seed=seed, weather_shift_k=shift_k)
    until(simulation, OPENED_MIN)
    break_(simulation, "rooms/living", FaultKind.WINDOW_OPEN, kw_k)
    return simulation, outages


def told_open(simulation, room: str) -> bool:
    return b"window open" in _payload(simulation, room)


def _payload(simulation, room: str) -> bytes:
    payload = simulation.mqtt.newest[f"pems/state/rooms/{room}"].payload
    return payload if isinstance(payload, bytes) else payload.encode()


def test_an_open_window_pauses_its_room_and_no_other() -> None:
    simulation, _ = opened()
    paused: dict[str, list[float]] = {"living": [], "bedroom": [], "bath": []}

    def look(told) -> None:
        minute = (told.runtime.process_s() - told.story.start_s) / 60.0
        for room, minutes in paused.items():
            if told_open(told, room):
                minutes.append(minute)

    until(simulation, OPENED_MIN + 45, look)
    assert paused["living"], "nobody noticed the window"
    assert paused["living"][0] - OPENED_MIN <= 15
    assert paused["bedroom"] == paused["bath"] == []


def test_a_contact_that_says_open_for_ever_is_believed_for_two_hours() -> None:
    simulation, _ = opened()
    noticed, over = [], []

    def look(told) -> None:
        minute = (told.runtime.process_s() - told.story.start_s) / 60.0
        if told_open(told, "living"):
            noticed.append(minute)
        elif noticed and not over:
            over.append(minute)

    until(simulation, OPENED_MIN + BELIEVED_MIN + 30, look)
    assert over[0] - OPENED_MIN == pytest.approx(BELIEVED_MIN, abs=5)


@pytest.mark.slow
def test_the_frost_floor_holds_while_a_window_stays_open_all_night() -> None:
    simulation, _ = opened(shift_k=-15.0, kw_k=0.4)
    witness = Witness()
    until(simulation, 20 * 60, witness)
    found = by_relay(switches(simulation.lines)).get("living", [])
    assert any(turn.on for turn in found if turn.at_s > simulation.story.start_s + 3 * 3600.0)
    others = [witness.coldest_c[room] for room in ("bedroom", "bath")]
    assert min(others) > 16.0


def test_a_window_that_is_closed_again_leaves_nothing_behind() -> None:
    simulation, outages = opened()
    until(simulation, OPENED_MIN + 20)
    simulation.twin.fault("rooms/living", None)
    until(simulation, OPENED_MIN + 120)
    assert not told_open(simulation, "living")
    assert believed(simulation, "living")["quality"] == "good"
    assert set(outages.opened) == set(outages.closed)
