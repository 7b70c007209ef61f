"""A foreign flat is identified from its own records, and then controlled by what was found."""

from __future__ import annotations

import csv
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pems_actors.cli.learn_rooms import trained_from_csv, write_model
from pems_actors.cosimulation import CoSimulation
from pems_actors.learning.life.store import ModelStore
from tests.cosimulation.foreign_flat import START_S, STEP_S, ForeignFlat, blocked, flat

STEPS_PER_DAY = 96


def recorded(plant: ForeignFlat, days: int, file: Path) -> None:
    """Live by the rules, and write down what the flat says of itself."""
    house, rows = CoSimulation(flat(), planning=False), []
    for seq in range(days * STEPS_PER_DAY):
        seen = plant.observation(seq)
        told = house.step(seen)
        free = not blocked(plant.at_s)
        row = {name: seen[name] for name in ("time", "outdoor_c", "ghi_w_m2")}
        for relay in house.house.relays:
            row[f"temp_c_{relay.name}"] = seen["rooms"][relay.name]["temp_c"]
            row[f"heat_kw_{relay.name}"] = relay.power_kw * (told["relays"][relay.name] and free)
        rows.append({**row, "blocked": int(not free)})
        plant.live(told)
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def lived_on(plant: ForeignFlat, days: int, **known: Any) -> ForeignFlat:
    """Go on from there with a plan; `known` is what is told of the flat besides."""
    after, house = deepcopy(plant), CoSimulation({**flat(), **known})
    first = round((plant.at_s - START_S) / STEP_S)
    for seq in range(first, first + days * STEPS_PER_DAY):
        after.live(house.step(after.observation(seq)))
    return after


@pytest.mark.long
@pytest.mark.timeout(300)
def test_ten_days_of_its_own_records_make_a_foreign_flat_warmer(tmp_path) -> None:
    plant, file, out = ForeignFlat(), tmp_path / "flat.csv", tmp_path / "rooms.json"
    recorded(plant, 10, file)
    believed, store = CoSimulation(flat(), planning=False).house, ModelStore(tmp_path / "models")
    said = write_model(store, trained_from_csv(file, believed, store, "UTC", {}), out)
    assert "living" not in said.partition("without")[2]
    guessed, found = lived_on(plant, 4), lived_on(plant, 4, house_model=str(out))
    warmer_kh = (guessed.cold_kh - found.cold_kh) / (guessed.cold_kh - plant.cold_kh)
    assert warmer_kh > 0.3
    dearer = found.settled_cost() - guessed.settled_cost()
    assert dearer < 0.05 * (guessed.settled_cost() - plant.settled_cost())
