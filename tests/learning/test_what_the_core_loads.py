"""What the core imports of learning brings no data library along."""

from __future__ import annotations

import subprocess
import sys

MODULES = ("card", "champion", "contest", "drift", "jobs", "past", "store", "trust")
MODULES += ("room_jobs", "room_model")


def test_cards_trust_and_jobs_load_neither_pandas_nor_xgboost() -> None:
    program = "import sys\n"
    program += "".join(f"import pems_actors.learning.life.{name}\n" for name in MODULES)
    program += "import pems_actors.actors.learner, pems_actors.actors.room_learner\n"
    heavy = "{'pandas', 'pvlib', 'scipy', 'xgboost', 'statsmodels', 'holidays'}"
    program += f"assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)\n"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
