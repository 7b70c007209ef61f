"""Plain data that outlives the process: two generations, a checksum, never a torn file.

A snapshot is written beside the old one, synced, and then renamed; the old one stays as the
generation before. What cannot be trusted is not loaded but put aside for people, and the reason
is told.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Restored:
    """What `load` found. `data` is None where nothing could be trusted; `reason` says why.

    `reason` is empty if the current generation was good, or if there never was one.
    """

    data: Any
    at_s: float | None
    generation: str | None  # current, previous or None
    reason: str

    @property
    def told(self) -> str:
        """What is wrong, and what stands instead; empty if nothing is wrong."""
        stands = "the generation before stands" if self.generation else "it begins anew"
        return f"{self.reason}; {stands}" if self.reason else ""


class SnapshotStore:
    """Snapshots by name in one folder, all of one schema version.

    Raises: OSError if the folder cannot be made.
    """

    def __init__(self, folder: Path, schema: int = 1) -> None:
        self._folder = folder
        self._schema = schema
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, name: str, data: object, at_s: float) -> None:
        """Store JSON-ready data as the new current generation, durably.

        Raises: TypeError if the data is not JSON-ready; OSError if the disk refuses.
        """
        body = json.dumps({"schema": self._schema, "at_s": at_s, "data": data}).encode()
        current, previous, fresh = self._files(name)
        with fresh.open("wb") as file:
            file.write(_checksum(body) + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        if self._read(current, _as_it_is).reason == "":
            _keep_as(current, previous)  # a broken one must not push out the good one before it
        elif current.exists():
            current.replace(current.with_suffix(".refused"))
        fresh.replace(current)
        self._sync_folder()

    def load(self, name: str, read: Reader | None = None) -> Restored:
        """Read the newest generation that can be trusted.

        read: turns the data into what it stands for; where it raises a ValueError, the generation
        is not trusted either.
        """
        read = read or _as_it_is
        current, previous, _ = self._files(name)
        first = self._read(current, read)
        if first.reason == "":
            return Restored(first.data, first.at_s, "current", "")
        second = self._read(previous, read)
        if second.reason == "":
            return Restored(second.data, second.at_s, "previous", f"current: {first.reason}")
        if not current.exists() and not previous.exists():
            return _untrusted("")
        reason = f"current: {first.reason}; previous: {second.reason}"
        return Restored(None, None, None, reason)

    def _files(self, name: str) -> tuple[Path, Path, Path]:
        stem = name.replace("/", ".")
        current, previous, fresh = (
            self._folder / f"{stem}.{ending}" for ending in ("json", "previous.json", "tmp")
        )
        return current, previous, fresh

    def _read(self, file: Path, read: Reader) -> Restored:
        """Read one generation; an empty reason means that it can be trusted."""
        try:
            checksum, _, body = file.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return _untrusted("there is none")
        except OSError as error:
            return _untrusted(f"it cannot be read ({error.strerror})")
        if checksum != _checksum(body):
            return _untrusted("its checksum is wrong")
        try:
            return self._understood(body, read)
        except ValueError as problem:
            return _untrusted(f"it cannot be understood ({problem})")

    def _understood(self, body: bytes, read: Reader) -> Restored:
        """Raises: ValueError if this is no snapshot, or `read` does not know what to do with it."""
        try:
            content = json.loads(body)
            schema, at_s, data = content["schema"], float(content["at_s"]), content["data"]
        except (TypeError, KeyError) as problem:
            raise ValueError("it is no snapshot") from problem
        if schema != self._schema:
            return _untrusted(f"it has schema {schema}, wanted {self._schema}")
        return Restored(read(data), at_s, None, "")

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _keep_as(current: Path, previous: Path) -> None:
    """Make the current generation the previous one, so that at each moment there is a current."""
    previous.unlink(missing_ok=True)
    try:
        os.link(current, previous)
    except OSError:  # a file system without links
        current.replace(previous)


def _as_it_is(data: Any) -> Any:
    return data


def _untrusted(reason: str) -> Restored:
    return Restored(None, None, None, reason)


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
