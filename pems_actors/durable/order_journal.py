"""The last order to each device, noted before it goes out, so that a restart knows what is ours.

The file is mapped into memory: a note is a copy of some bytes that no disk can hold up, and the
kernel keeps them when this process is killed. Each device has two places, written in turn and each
with a checksum: a note that was cut short leaves the one before.
"""

from __future__ import annotations

import json
import mmap
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pems_actors.control.reconcile import (
    LastOrder,
    Link,
    Look,
    export_text,
    relay_text,
)
from pems_actors.domain.commands import (
    DeviceCommand,
    SetBatteryMode,
    SetHeating,
    SetLoad,
    device_of,
)

NAME = "orders.journal"
MAGIC = b"pems orders 1\n"
PLACE = 512  # bytes of one note, with its checksum
ALL_LOST = "what was ordered before is not known, and writes are counted anew"


def order_text(command: DeviceCommand) -> str:
    """Write what a command orders as plain text, to be compared with what a device shows."""
    match command:
        case SetHeating(on=on) | SetLoad(on=on):
            return relay_text(on)
        case SetBatteryMode(mode=mode):
            return mode.value
        case _:
            return export_text(command.allowed)


class OrderJournal:
    """Last orders by device. Without a file they last as long as the process.

    One writer at a time: the write gate of the core, or `safe_state` when the core is gone.
    """

    def __init__(self, notes: Mapping[str, LastOrder] | None = None, problem: str = "") -> None:
        self.problem = problem  # with what was noted before
        self._notes = dict(notes or {})
        self._map: mmap.mmap | None = None
        self._place: dict[str, int] = {}
        self._turn: dict[str, int] = {}
        self._number = 0
        self._links: dict[str, Link] = {}
        self._lock = threading.RLock()  # a file that is found again late, between two notes

    @classmethod
    def open(cls, state: Path, devices: Iterable[str]) -> OrderJournal:
        """Read the journal of a state directory and go on in a fresh file for these devices.

        Raises: OSError if the disk gives no room for it.
        """
        journal = cls.read(state)
        journal.go_on_in(state, devices)
        return journal

    @classmethod
    def read(cls, state: Path) -> OrderJournal:
        """Read the journal of a state directory, and keep what is noted from now on in hand."""
        return cls(*_read(state / NAME))

    def go_on_in(self, state: Path, devices: Iterable[str]) -> None:
        """Go on in a fresh file, which takes the place of the one before.

        Raises: OSError if the disk gives no room for it; then all stays in hand.
        """
        file = state / NAME
        scratch = file.with_suffix(".new")
        names = sorted({*devices, *list(self._notes)})
        with scratch.open("w+b") as stream:
            stream.write(MAGIC.ljust(PLACE, b"\0") + bytes(2 * PLACE * len(names)))
            stream.flush()
            fresh = mmap.mmap(stream.fileno(), 0)
        with self._lock:  # no disk is waited for in here
            self._map = fresh
            self._place = {name: PLACE * (1 + 2 * k) for k, name in enumerate(names)}
            for device, last in list(self._notes.items()):
                self._put(device, last)
        self.flush()
        scratch.replace(file)

    def last(self, device: str) -> LastOrder | None:
        """Tell the last order to a device, None if none was ever noted."""
        return self._notes.get(device)

    def orders(self, devices: Sequence[str]) -> list[LastOrder | None]:
        """Tell the last order to each of some devices."""
        return list(map(self._notes.get, devices))

    @property
    def writes(self) -> int:
        """How many orders went out since the journal began."""
        return sum(last.writes for last in self._notes.values())

    def note(self, command: DeviceCommand) -> None:
        """Note a command that is about to go out."""
        device, order = device_of(command), order_text(command)
        with self._lock:
            self._put(device, _noted(self._notes.get(device), order, command))

    def link(self, device: str) -> Link:
        """Tell what is known of the link to a device, from all devices of its kind."""
        return self._links.get(_kind(device), Link())

    def watched(self, device: str, order: str, before: Look, after: Look) -> None:
        """Note what a look at a device says about its last order, and about its link."""
        link, last = self.link(device), self._notes.get(device)
        if after.proved_s != before.proved_s:
            link = link._replace(proved_s=after.proved_s)
        if after.doubted_s != before.doubted_s:
            link = link._replace(doubted_s=after.doubted_s)
        self._links[_kind(device)] = link
        if last is not None and last.order == order and after.confirmed and not last.confirmed:
            self._put(device, last._replace(confirmed=True))

    def claimed(self, device: str, at_s: float) -> None:
        """Note that a person is believed to have changed a device, without being sure."""
        self._links[_kind(device)] = self.link(device).claimed(at_s)

    def release(self, device: str, at_s: float) -> None:
        """Note that a device was given back: whatever it does from now on is not by our order."""
        last = self._notes.get(device)
        if last is not None:
            self._put(device, last._replace(lease_until_s=min(last.lease_until_s, at_s)))

    def flush(self) -> None:
        """Bring the file to the disk, against a loss of power; may wait."""
        if self._map is not None:
            self._map.flush()

    def close(self) -> None:
        """Let go of the file."""
        if self._map is not None:
            self._map.close()
            self._map = None

    def _put(self, device: str, last: LastOrder) -> None:
        self._notes[device] = last
        start = self._place.get(device)
        if self._map is None or start is None:
            return
        self._number += 1
        body = json.dumps({"device": device, "number": self._number, **last._asdict()}).encode()
        text = b"%08x %s\n" % (zlib.crc32(body), body)
        if len(text) > PLACE:
            return
        turn = self._turn[device] = 1 - self._turn.get(device, 1)
        start += turn * PLACE
        self._map[start : start + PLACE] = text.ljust(PLACE, b"\0")


def _noted(before: LastOrder | None, order: str, command: DeviceCommand) -> LastOrder:
    """Give the note of an order, after the one before it."""
    at_s, until_s = command.at_s, command.lease_until_s
    if before is None:
        return LastOrder(order, at_s, at_s, until_s)
    if before.order != order:
        return LastOrder(order, at_s, at_s, until_s, before.writes + 1)
    return LastOrder(order, before.since_s, at_s, until_s, before.writes + 1, before.confirmed)


def _kind(device: str) -> str:
    """Relays share one link, the inverter's devices have their own."""
    return device.partition("/")[0]


def _read(file: Path) -> tuple[dict[str, LastOrder], str]:
    """Read the newest sound note of each device; and what is wrong with the others."""
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}, ""
    except OSError as error:
        return {}, f"it cannot be read ({error.strerror}); {ALL_LOST}"
    if not content.startswith(MAGIC):
        return {}, f"it is no journal, or another version's; {ALL_LOST}"
    newest: dict[str, tuple[int, LastOrder]] = {}
    torn = 0
    for start in range(PLACE, len(content), 2 * PLACE):
        places = [content[at : at + PLACE] for at in (start, start + PLACE)]
        notes = [note for note in map(_read_note, places) if note is not None]
        torn += not notes and any(place.strip(b"\0") for place in places)
        for device, number, last in notes:
            if device not in newest or number > newest[device][0]:
                newest[device] = (number, last)
    told = f"the last orders to {torn} devices are torn; they are asked what they do"
    return {device: last for device, (_, last) in newest.items()}, told if torn else ""


def _read_note(place: bytes) -> tuple[str, int, LastOrder] | None:
    checksum, _, body = place.partition(b"\n")[0].partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(body):
            return None
        fields = json.loads(body)
        device, number = str(fields.pop("device")), int(fields.pop("number"))
        return device, number, LastOrder(**fields)
    except (ValueError, TypeError, KeyError):
        return None
