"""`pems bench supervision`: how fast a crashed or hung actor is back, and what that costs.

Measured on real threads with fifty actors under load, and, for memory, on a demo house started for
the purpose. "Back" is the moment in which the replacement has answered a question.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pems_actors.bench import crowd
from pems_actors.bench.crowd import PATHS, Crash, HangAndAct, Tally, WhichEpoch
from pems_actors.bench.report import Target, report
from pems_actors.gateways.payloads import heartbeat_message
from supervision import ActorSystem

HEARTBEAT_S = 5.0
LIVE_WITHIN_S = 90.0
SETTLE_S = 8.0
TARGETS = {
    "crash_to_ready_ms_p50": Target("<=", 5.0),
    "crash_to_ready_ms_p99": Target("<=", 100.0),
    "hang_to_ready_s_p99": Target("<=", 0.25),
    "kill_all_ms": Target("<=", 250.0),
    "overhead_core_frac": Target("<=", 0.01),
    "core_rss_mb": Target("<=", 120.0),
    "late_effects": Target("<=", 0.0),
}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure everything; about half a minute, `quick` half of that.

    Returns: the report of architecture, `core_rss_mb` with the guardian's share in it.
    """
    tally = Tally()
    system = crowd.started(tally)
    try:
        crashes = [1000.0 * s for s in crash_times(system, 60 if quick else 300)]
        hangs = hang_times(system, 10 if quick else 20, 100 if quick else 500)
        kill_all = [1000.0 * kill_all_time(system) for _ in range(3)]
        _wait_for_zombies(system)
    finally:
        system.stop()
    figures = {
        "crash_to_ready_ms_p50": quantile(crashes, 0.5),
        "crash_to_ready_ms_p99": quantile(crashes, 0.99),
        "hang_to_ready_s_p99": quantile(hangs, 0.99),
        "kill_all_ms": max(kill_all),
        "overhead_core_frac": overhead_frac(6.0 if quick else 16.0),
        "late_effects": tally.accepted,
        "late_effects_injected": tally.accepted + tally.refused,
        **house_memory(),
    }
    return report("supervision", figures, TARGETS)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def crash_times(system: ActorSystem, count: int) -> list[float]:
    """Crash one actor after the other; seconds until each replacement has answered."""
    rng = random.Random("crashes")
    times = []
    for _ in range(count):
        path = rng.choice(PATHS)
        began_s = time.monotonic()
        system.tell(path, Crash())
        system.ask(path, WhichEpoch(), timeout_s=10.0)
        times.append(time.monotonic() - began_s)
        time.sleep(0.01)
    return times


def hang_times(system: ActorSystem, count: int, late: int) -> list[float]:
    """Let actors hang; seconds from the deadline until each replacement has answered."""
    times = []
    for path in random.Random("hangs").sample(PATHS, count):
        began_s = time.monotonic()
        system.tell(path, HangAndAct(late))
        system.ask(path, WhichEpoch(), timeout_s=10.0)
        times.append(time.monotonic() - began_s - crowd.DEADLINE_S)
    return times


def kill_all_time(system: ActorSystem) -> float:
    """Crash all fifty at once; seconds until all replacements have answered."""
    began_s = time.monotonic()
    for path in PATHS:
        system.tell(path, Crash())
    for path in PATHS:
        system.ask(path, WhichEpoch(), timeout_s=10.0)
    return time.monotonic() - began_s


def _wait_for_zombies(system: ActorSystem, longest_s: float = 15.0) -> None:
    """Let the hung lives finish, so that their late effects are counted."""
    due_s = time.monotonic() + longest_s
    while system.counters()["zombies"] and time.monotonic() < due_s:
        time.sleep(0.02)


def overhead_frac(for_s: float) -> float:
    """Share of one core that an idle tree of fifty with its heartbeats takes."""
    system = crowd.started(Tally(), talks=False)
    try:
        began_s, cpu_s = time.monotonic(), time.process_time()
        beats = 0
        while (gone_s := time.monotonic() - began_s) < for_s:
            heartbeat_message(beats, system.runtime.now_s(), system.tree())
            beats += 1
            time.sleep(max(0.0, min(beats * HEARTBEAT_S, for_s) - gone_s))
        return (time.process_time() - cpu_s) / (time.monotonic() - began_s)
    finally:
        system.stop()


# -- memory of a real appliance --------------------------------------------------------------------


def house_memory() -> dict[str, float | None]:
    """Start a demo house of its own, let it plan, and read how much memory it takes [MB].

    None where the house did not get live or the system does not tell.
    """
    with tempfile.TemporaryDirectory(prefix="pems-bench-") as folder:
        state = Path(folder)
        argv = [sys.executable, "-m", "pems_actors", "run", "--house", "twin", "--state", folder]
        guardian = subprocess.Popen(  # noqa: S603 - our own program
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            return _memory_once_live(guardian, state)
        finally:
            _end(guardian)


def _memory_once_live(guardian: subprocess.Popen[str], state: Path) -> dict[str, float | None]:
    if not _wait_for_line(guardian, "control live"):
        return {"core_rss_mb": None, "guardian_rss_mb": None}
    time.sleep(SETTLE_S)
    core = resident_mb(int((state / "core.lock").read_text()))
    watch = resident_mb(guardian.pid)
    both = None if core is None or watch is None else core + watch
    return {"core_rss_mb": both, "guardian_rss_mb": watch}


def _wait_for_line(process: subprocess.Popen[str], words: str) -> bool:
    """Read what it says until `words` come; False if it ends, or is ended for taking too long."""
    impatience = threading.Timer(LIVE_WITHIN_S, process.terminate)
    impatience.start()
    try:
        return any(words in line for line in process.stdout or ())
    finally:
        impatience.cancel()


def _end(process: subprocess.Popen[str]) -> None:
    """Stop it as Ctrl-C would, and read on, so that it can say what it has to say."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=20.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def resident_mb(pid: int) -> float | None:
    """Read the resident memory of a process [MB]; None if the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(sizes[0]) / 1024.0 if sizes else None
