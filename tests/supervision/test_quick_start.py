"""A program that is started fast behaves as it would, and collects its garbage once it runs."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import gc
collected_while_loading = gc.isenabled()

def main(argv):
    print(collected_while_loading, gc.isenabled(), gc.get_freeze_count() > 1000, *argv)
    return 7
"""


def test_a_program_is_loaded_without_collecting_and_runs_with_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "some_program.py").write_text(PROGRAM)
    done = subprocess.run(
        (sys.executable, "-P", "-m", "supervision.quick_start", "some_program", "--a", "b"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "False True True --a b\n")
