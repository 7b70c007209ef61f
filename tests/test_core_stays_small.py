"""What lives for weeks is small: core and guardian load nothing that a worker can load for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"casadi", "influxdb_client", "pandas", "pvlib", "rich", "scipy", "statsmodels", "typer"}
HEAVY |= {"h5py", "iotcore", "xgboost"}
MOST_BEFORE_START_MB = 85.0  # leaves room for the guardian, sixty threads and their queues
OURS = ("MQTT_", "PEMS_", "INFLUX")
ENV = {
    **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def rss_mb(pid: int | str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024.0


def printed_by(program: str, *arguments: str) -> str:
    argv = (sys.executable, "-P", "-c", program, *arguments)
    done = subprocess.run(argv, env=ENV, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


FEEDS = """
import os, sys, time
from pathlib import Path
import config
from pems_actors.core import Core, parse
from pems_actors.domain.time_grid import TimeGrid

house, state = sys.argv[1:]
clock = ("--origin-wall", repr(time.time()), "--origin-house", "1673845200")
core = Core(
    parse(("--state", state, "--house", house, "--broker", "127.0.0.1:9", *clock)), config.load()
)
doors, now_s = core.appliance.surroundings, core.clock.now_s()
if house == "twin":
    grid = TimeGrid.planning(now_s)
    assert len(doors.weather.forecast(grid, now_s).ghi_w_m2) == len(grid)
    assert len(doors.prices.spot_eur_mwh(grid, now_s)) == len(grid)
status = Path("/proc/self/status").read_text()
print(int(status.split("VmRSS:")[1].split()[0]) / 1024.0, *sys.modules, flush=True)
os._exit(0)
"""


@pytest.mark.parametrize("house", ["twin", "mqtt"])
def test_the_core_with_its_weather_and_prices_loads_nothing_heavy(
    house: str, tmp_path: Path
) -> None:
    size_mb, *modules = printed_by(FEEDS, house, str(tmp_path)).split()
    assert HEAVY.isdisjoint(modules)
    assert "pems_actors.simulation.scenario" in modules or house != "twin"
    assert float(size_mb) < MOST_BEFORE_START_MB


def test_the_guardians_program_loads_only_itself_and_the_standard_library() -> None:
    program = (
        "import sys; before = set(sys.modules); import pems_actors.cli.guard;"
        "print(*sorted(set(sys.modules) - before))"
    )
    loaded = {
        name
        for name in printed_by(program).split()
        if name.split(".")[0] not in sys.stdlib_module_names
    }
    ours = {name for name in loaded if name.startswith("pems_actors")}
    cli = "pems_actors.cli"
    assert ours == {"pems_actors", cli, f"{cli}.guard", f"{cli}.run_file"}
    assert {name.split(".")[0] for name in loaded - ours} == {"supervision"}
    assert not {"supervision.system", "supervision.actor", "supervision.worker"} & loaded


def packages_mapped_by(pid: int) -> set[str]:
    """Name the packages whose compiled parts a process has loaded."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"/site-packages/(\w+)", maps))
