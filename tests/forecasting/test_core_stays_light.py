"""What the core imports of forecasting and estimation brings no heavy library along."""

from __future__ import annotations

import subprocess
import sys

MODULES = (
    "base_load",
    "climatology",
    "predictor",
    "prices",
    "pv",
    "pv_job",
    "scores",
    "thermal",
    "weather",
)


def test_the_core_part_loads_neither_pandas_nor_pvlib_nor_scipy() -> None:
    program = "import sys\n"
    program += "".join(f"import pems_actors.forecasting.{name}\n" for name in MODULES)
    program += "import pems_actors.estimation.house_state\n"
    program += (
        "heavy = {'pandas', 'pvlib', 'scipy', 'xgboost', 'casadi', 'pykka'} & set(sys.modules)\n"
    )
    program += "assert not heavy, heavy"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
