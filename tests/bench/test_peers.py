"""Both peers get the same problem, and what the peer says is read as it is."""

import json
from pathlib import Path

import numpy as np
import pytest

from pems_actors.bench import peers
from pems_actors.bench.peer_home import PeerHome, read_answer
from pems_actors.bench.peers import posed, posed_to_us
from pems_actors.domain.plan import Plan
from pems_actors.optimisation.solver import Planner, SolveOptions
from pems_actors.physics.house_model import HouseDynamics


@pytest.fixture(scope="module")
def plan() -> Plan:
    answer = Planner(SolveOptions(binary_h=48.0)).solve(posed_to_us(1))
    assert isinstance(answer, Plan)
    return answer


def test_the_peer_s_euler_step_follows_our_rooms_through_two_days(plan: Plan) -> None:
    problem = posed_to_us(1)
    asked = posed(problem, plan, 1, 10.0)
    (room,) = asked["rooms"]
    dynamics = HouseDynamics(problem.model)
    temps, theirs, apart = dynamics.pack(problem.state.rooms), room["start_c"], []
    for k, slot in enumerate(plan.slots):
        kw = slot.heat_kw[problem.relays[0].name]
        outdoor = problem.outdoor_c[k]
        temps = dynamics.step(temps, np.array([kw]), outdoor, 0.0, 900.0)
        theirs += kw * room["heating_rate"] * 0.25 / room["power_kw"] - room[
            "cooling_constant"
        ] * 0.25 * (theirs - outdoor)
        apart.append(abs(theirs - temps[1]))
    assert max(apart) < 0.05


def test_the_peer_may_do_what_we_did_and_must_end_as_we_do(plan: Plan) -> None:
    problem = posed_to_us(1)
    asked = posed(problem, plan, 1, 10.0)
    name = problem.relays[0].name
    lows = asked["rooms"][0]["low_c"]
    ours = [slot.temps_c[name] for slot in plan.slots]
    assert len(lows) == len(asked["pv_kw"]) == 193
    assert all(low <= temp_c for low, temp_c in zip(lows[1:], ours, strict=True))
    assert lows[-1] == pytest.approx(ours[-1], abs=0.05)
    assert asked["soc_last"] == plan.slots[-1].soc_frac


def test_our_relays_with_a_free_battery_cost_no_more_than_by_modes(plan: Plan) -> None:
    free = peers.powers_cost(posed_to_us(1), plan)
    assert free is not None
    assert free <= plan.totals["cost"] + 0.05


def test_a_house_without_heating_is_a_problem_too() -> None:
    told = peers.compared(0, 10.0, ask=False)
    assert told["ours_cost"] > 0.0
    assert told["ours_powers_cost"] <= told["ours_cost"] + 0.05
    assert "peer_s" not in told


def test_sixteen_rooms_are_the_relays_of_the_shipped_house() -> None:
    problem = posed_to_us(16)
    assert len(problem.relays) == len(problem.model.rooms) == 16
    assert sum(relay.power_kw for relay in problem.relays) == pytest.approx(18.12, abs=0.01)


def test_without_the_peer_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told = peers.run(rooms=("0",))
    assert "add --install to get it" in told["figures"]["peer_note"]
    assert told["met"] == {"worse_than_peer_frac": False, "slower_than_peer": False}
    assert not PeerHome.usual().is_ready()


def test_a_number_of_rooms_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="give some of 0,1,2,4,8,16"):
        peers.run(rooms=("3",))


def test_the_peer_s_last_line_is_its_answer_and_else_its_complaint_is_told() -> None:
    assert read_answer('chatter\n{"status": "Optimal"}\n', "") == {"status": "Optimal"}
    assert read_answer("chatter", "Traceback\nKeyError: 'x'") == {"error": "KeyError: 'x'"}
    assert read_answer("", "") == {"error": "the peer gave no answer"}
    assert read_answer(json.dumps([1]), "odd") == {"error": "odd"}


def test_relays_that_are_neither_on_nor_off_are_counted() -> None:
    rooms = [{"power_kw": 2.0}, {"power_kw": 1.0}]
    assert peers._fractional(rooms, [[0.0, 2.0], [0.5, 1.0]]) == 0.25
    assert peers._fractional([], []) == 0.0
