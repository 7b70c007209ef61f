"""EMHASS asked for one plan: run by the peer's own interpreter, as a file, in its own process.

Reads a problem as JSON (see `peers.posed`) and prints the answer as the last line. It knows nothing
of this project, because where it runs nothing of it is installed.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from importlib import import_module
from typing import Any

_WATT = 1000.0


def main() -> None:
    """Answer the problem on standard input."""
    problem = json.load(sys.stdin)
    began, cpu = time.perf_counter(), time.process_time()
    optimiser, data = _posed(problem)
    built, first_cpu = time.perf_counter(), time.process_time()
    table = optimiser.perform_optimization(
        data,
        data["pv"].to_numpy(),
        data["load"].to_numpy(),
        data["unit_load_cost"].to_numpy(),
        data["unit_prod_price"].to_numpy(),
        soc_init=problem["soc_first"],
        soc_final=problem["soc_last"],
    )
    answer = {
        "status": str(optimiser.optim_status),
        "import_s": built - began,
        "wall_s": time.perf_counter() - built,
        "cpu_s": time.process_time() - first_cpu,
        "import_cpu_s": first_cpu - cpu,
        "import_kw": (table["P_grid_pos"] / _WATT).tolist(),
        "export_kw": (-table["P_grid_neg"] / _WATT).tolist(),
        "relays_kw": [
            (table[f"P_deferrable{k}"] / _WATT).tolist() for k in range(len(problem["rooms"]))
        ],
        "soc": table["SOC_opt"].tolist() if "SOC_opt" in table else [],
    }
    print(json.dumps(answer))


def _posed(problem: dict[str, Any]) -> tuple[Any, Any]:
    """Put the problem in the peer's words."""
    pandas = import_module("pandas")
    optimization = import_module("emhass.optimization")
    index = pandas.date_range(
        problem["start"], periods=len(problem["pv_kw"]), freq=f"{problem['minutes']}min", tz="UTC"
    )
    data = pandas.DataFrame(
        {
            "pv": [kw * _WATT for kw in problem["pv_kw"]],
            "load": [kw * _WATT for kw in problem["base_kw"]],
            "unit_load_cost": problem["import_per_kwh"],
            "unit_prod_price": problem["export_per_kwh"],
            "outdoor_temperature_forecast": problem["outdoor_c"],
        },
        index=index,
    )
    retrieve = {
        "optimization_time_step": pandas.to_timedelta(problem["minutes"], "minutes"),
        "time_zone": "UTC",
        "sensor_power_photovoltaics": "pv",
        "sensor_power_load_no_var_loads": "load",
    }
    optimiser = optimization.Optimization(
        retrieve,
        _wishes(problem, pandas),
        _plant(problem),
        "unit_load_cost",
        "unit_prod_price",
        "profit",
        {},
        logging.getLogger("peer"),
        num_timesteps=len(index),
    )
    return optimiser, data


def _wishes(problem: dict[str, Any], pandas: Any) -> dict[str, Any]:
    """Describe the loads: one relay with a thermal model for each room."""
    rooms = problem["rooms"]
    count = len(rooms)
    hours = len(problem["pv_kw"]) * problem["minutes"] / 60.0
    return {
        "delta_forecast_daily": pandas.to_timedelta(hours, "hours"),
        "set_use_pv": True,
        "set_use_battery": True,
        "set_total_pv_sell": False,
        "set_nocharge_from_grid": False,
        "set_nodischarge_to_grid": False,
        "set_battery_first_priority": False,
        "set_battery_dynamic": False,
        "weight_battery_discharge": 0.0,
        "weight_battery_charge": 0.0,
        "number_of_deferrable_loads": count,
        "nominal_power_of_deferrable_loads": [room["power_kw"] * _WATT for room in rooms],
        "minimum_power_of_deferrable_loads": [0.0] * count,
        "operating_hours_of_each_deferrable_load": [0] * count,
        "start_timesteps_of_each_deferrable_load": [0] * count,
        "end_timesteps_of_each_deferrable_load": [0] * count,
        "treat_deferrable_load_as_semi_cont": [True] * count,
        "set_deferrable_load_single_constant": [False] * count,
        "set_deferrable_startup_penalty": [0.0] * count,
        "set_deferrable_max_startups": [0] * count,
        "def_minimum_on_time": [0] * count,
        "def_minimum_off_time": [0] * count,
        "deferrable_load_groups": [],
        "def_current_state": [False] * count,
        "def_load_config": [{"thermal_config": _thermal(room)} for room in rooms],
        "lp_solver": "HIGHS",
        "lp_solver_timeout": problem["limit_s"],
        "lp_solver_mip_rel_gap": problem["gap"],
        "num_threads": 1,
    }


def _thermal(room: dict[str, Any]) -> dict[str, Any]:
    return {
        "heating_rate": room["heating_rate"],
        "cooling_constant": room["cooling_constant"],
        "start_temperature": room["start_c"],
        "min_temperatures": room["low_c"],
        "max_temperatures": room["high_c"],
        "sense": "heat",
    }


def _plant(problem: dict[str, Any]) -> dict[str, Any]:
    battery, grid_w = problem["battery"], problem["grid_kw"] * _WATT
    return {
        "maximum_power_from_grid": grid_w,
        "maximum_power_to_grid": grid_w,
        "inverter_is_hybrid": False,
        "inverter_stress_cost": 0.0,
        "compute_curtailment": False,
        "number_of_batteries": 1,
        "battery_discharge_power_max": battery["power_kw"] / battery["leg_frac"] * _WATT,  # inside
        "battery_charge_power_max": battery["power_kw"] * _WATT,
        "battery_discharge_efficiency": battery["leg_frac"],
        "battery_charge_efficiency": battery["leg_frac"],
        "battery_nominal_energy_capacity": battery["capacity_kwh"] * _WATT,
        "battery_minimum_state_of_charge": battery["min_soc"],
        "battery_maximum_state_of_charge": battery["max_soc"],
        "battery_target_state_of_charge": problem["soc_last"],
        "battery_stress_cost": 0.0,
    }


if __name__ == "__main__":
    main()
