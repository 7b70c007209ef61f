"""A core that finds the devices in other hands ends without a write, to be started again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pems_actors.gateways.devices_lock import DevicesLock

IMPATIENT = """
import sys
from pems_actors import core
core.DEVICES_WAIT_S = 0.1
sys.exit(core.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_core_waits_for_the_devices_and_its_guardian_tries_again(tmp_path: Path) -> None:
    lock = DevicesLock.take(tmp_path, "safe_state")
    ours, theirs = socket.socketpair()
    argv = (sys.executable, "-P", "-c", IMPATIENT, "--state", str(tmp_path), "--broker", "x:9")
    with ours, theirs:
        env = {**os.environ, "GUARDIAN_FD": str(theirs.fileno())}
        done = subprocess.run(
            argv, env=env, pass_fds=[theirs.fileno()], capture_output=True, text=True, check=False
        )
        theirs.close()
        heard = ours.recv(100)
    lock.release()
    assert done.returncode == 1
    assert f"in the hands of safe_state, process {os.getpid()}" in done.stderr
    assert heard == b""  # neither ready nor bye
    assert not (tmp_path / "safe_state.json").exists()
