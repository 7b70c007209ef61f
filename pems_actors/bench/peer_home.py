"""Where the peer lives: an environment of its own in the user's cache, and a process to ask in.

It comes from PyPI when somebody wants it, and is no dependency of ours. What it says is data.
"""

from __future__ import annotations

import json
import os
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEER = "emhass==0.18.7"
_SCRIPT = Path(__file__).with_name("peer_emhass.py")


@dataclass(frozen=True, slots=True)
class PeerHome:
    """Where the peer lives: an environment of its own in the user's cache."""

    folder: Path

    @classmethod
    def usual(cls) -> PeerHome:
        """Find the place for this version of the peer."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cls(cache / "pems-actors" / "peers" / PEER.replace("==", "-"))

    @property
    def python(self) -> Path:
        """The peer's interpreter."""
        return self.folder / "bin" / "python"

    def is_ready(self) -> bool:
        """Whether the peer was installed to the end."""
        found = self.folder.glob("lib/python*/site-packages/emhass/optimization.py")
        return self.python.exists() and any(found)


def missing() -> str:
    """Say in a sentence that the peer is not there; empty if it is."""
    home = PeerHome.usual()
    if home.is_ready():
        return ""
    return f"{PEER} is not installed, so only our figures are told; add --install to get it"


def installed(home: PeerHome | None = None) -> str:
    """Install the peer from PyPI into its environment.

    Returns: empty if it is there, else a sentence that says why not.
    """
    home = home or PeerHome.usual()
    if home.is_ready():
        return ""
    home.folder.parent.mkdir(parents=True, exist_ok=True)
    venv.create(home.folder, with_pip=True, clear=True)
    command = [str(home.python), "-m", "pip", "install", "--quiet", PEER]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if ran.returncode == 0 and home.is_ready():
        return ""
    last = (ran.stderr.strip().splitlines() or ["no reason was told"])[-1]
    return f"{PEER} could not be installed from PyPI: {last}"


def asked_of_peer(problem: dict[str, Any], limit_s: float) -> dict[str, Any]:
    """Ask the peer in its own process; give its answer, or why there is none as `error`."""
    try:
        ran = subprocess.run(  # noqa: S603 - the peer's interpreter and our own file
            [str(PeerHome.usual().python), str(_SCRIPT)],
            input=json.dumps(problem),
            capture_output=True,
            text=True,
            check=False,
            timeout=10.0 * limit_s + 300.0,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    except (subprocess.TimeoutExpired, OSError) as gone:
        return {"error": f"the peer gave no answer: {type(gone).__name__}"}
    return read_answer(ran.stdout, ran.stderr)


def read_answer(said: str, complained: str) -> dict[str, Any]:
    """Read the peer's last line; where that is no answer, its last complaint is told as `error`."""
    lines = said.strip().splitlines()
    try:
        answer: Any = json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        answer = None
    if isinstance(answer, dict):
        return answer
    return {"error": (complained.strip().splitlines() or ["the peer gave no answer"])[-1]}
