"""The guardian's process: runs the children that `STATE/run.json` lists, until told to stop.

`pems run` becomes this process, so that what stays for weeks is small: it loads no configuration
and nothing of the house. Ctrl-C stops all children in order.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pems_actors.cli.run_file import Child, RunFile, read
from supervision.guardian import Backoff, ChildProcess, Guardian

STOP_WITHIN_S = 30.0  # seldom more than five; the rest is for a core that has to be killed


def children_of(facts: RunFile) -> tuple[ChildProcess, ...]:
    """Turn the run file's children into the guardian's."""
    return tuple(_process(child) for child in facts.children)


def _process(child: Child) -> ChildProcess:
    return ChildProcess(
        name=child.name,
        argv=child.argv,
        env=child.env,
        ready_timeout_s=child.ready_timeout_s,
        ping_timeout_s=child.ping_timeout_s,
        on_give_up=child.on_give_up,
        stop_timeout_s=child.stop_timeout_s,
        significant=child.significant,
        backoff=Backoff(quiet_s=child.quiet_s),
        nice=child.nice,
    )


def _stop_later(after_s: float) -> None:
    """Stop as if asked to, once the time of `--until` has come."""
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, after_s)


def say(line: str) -> None:
    """Print one line of the guardian at once."""
    print(f"pems: {line}", flush=True)


def main(argv: list[str]) -> int:
    """Guard the children of one run file.

    Returns: 0 after an orderly stop, else the code of the child that ended it.
    """
    facts = read(Path(argv[0]))
    if facts.stop_after_s is not None:
        _stop_later(facts.stop_after_s)
    return Guardian(children_of(facts), say, stop_within_s=STOP_WITHIN_S).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
