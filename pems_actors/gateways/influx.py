"""The way of rows from the local outbox to InfluxDB 2: each at least once, none lost silently.

A batch leaves the outbox only after the server took it. One that it refuses as a whole is halved
until the bad line stands alone; that one goes to the dead letters with the server's reason. A
server that is busy or away is asked again later, with pauses that grow to a minute. Writing a line
twice changes nothing, since series and time are its key. The file is opened anew for each run: the
history may have put a broken one aside.
"""

from __future__ import annotations

import contextlib
import math
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pems_actors.gateways.sqlite_store import SqliteStore

BATCH_LINES = 5000
RUN_S = 10.0
TIMEOUT_S = 10.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0
LONGEST_WISH_S = 3600.0  # a server that asks for more than this is asked again all the same
OUTBOX_LINES = 2_000_000  # about a week of the reference house

Row = tuple[int, str]


@dataclass(frozen=True, slots=True)
class InfluxTarget:
    """Where the rows go."""

    url: str
    org: str
    bucket: str
    token: str = field(repr=False)
    timeout_s: float = TIMEOUT_S


class Refused(Exception):  # noqa: N818 - what a server does, not an error of ours
    """The server said no. `status` is HTTP's; `retry_after_s` what it asked for."""

    def __init__(self, status: int, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.retry_after_s = status, reason, retry_after_s


class LineWriter(Protocol):
    """Writes lines or raises `Refused`, or `OSError` if the server cannot be reached."""

    def write(self, lines: Sequence[str]) -> None:
        """Write all lines; timestamps are in milliseconds."""

    def close(self) -> None:
        """Let go of the connection."""


class InfluxWriter:
    """The real writer: the official client's synchronous write path, without its own retries."""

    def __init__(self, target: InfluxTarget) -> None:
        self._target = target
        self._client: Any = None
        self._api: Any = None

    def write(self, lines: Sequence[str]) -> None:
        """Write all lines.

        Raises: Refused with the server's answer; OSError if there is none.
        """
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - 0.6 s, for those who use it
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        target = self._target
        try:
            self._connected().write(
                bucket=target.bucket,
                org=target.org,
                record="\n".join(lines),
                write_precision="ms",
            )
        except ApiException as error:
            raise Refused(error.status or 0, _reason_of(error), _retry_after_s(error)) from error
        except HTTPError as error:
            raise ConnectionError(f"{type(error).__name__} at {target.url}") from error

    def _connected(self) -> Any:
        if self._api is None:
            from influxdb_client import InfluxDBClient  # noqa: PLC0415
            from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415

            target = self._target
            self._client = InfluxDBClient(
                target.url, target.token, org=target.org, timeout=int(target.timeout_s * 1000)
            )
            self._api = self._client.write_api(write_options=SYNCHRONOUS)
        return self._api

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = self._api = None


def _reason_of(error: Any) -> str:
    """Shorten the server's answer to one line."""
    text = " ".join(str(error.body or error.reason or "no reason given").split())
    return text[:300]


def _retry_after_s(error: Any) -> float | None:
    with contextlib.suppress(TypeError, ValueError, AttributeError):
        return float(error.headers.get("Retry-After"))
    return None


class InfluxExporter:
    """Carries an outbox to a writer. `run_once` is called every few seconds by its one owner."""

    def __init__(
        self,
        path: Path,
        writer: LineWriter,
        *,
        batch_lines: int = BATCH_LINES,
        clock: Callable[[], float] = time.monotonic,
        jitter: random.Random | None = None,
    ) -> None:
        self._path, self._writer, self._batch_lines = path, writer, batch_lines
        self._clock, self._jitter = clock, jitter or random.Random()
        self._not_before_s = -float("inf")
        self._failures = 0
        self._problem = ""
        self.sent_lines = self.dead_lines = self.dropped_lines = 0

    def run_once(self, run_s: float = RUN_S) -> str | None:
        """Send batches until none waits, `run_s` are over or the server does not want more.

        Returns: what is wrong in a sentence, or None if all is well.
        """
        if self._clock() < self._not_before_s:
            return self._problem
        try:
            dropped = self._run(self._clock() + run_s)
        except Refused as refused:
            return self._later(f"InfluxDB {_sentence(refused)}", refused.retry_after_s)
        except (OSError, sqlite3.Error) as error:
            return self._later(f"InfluxDB cannot be reached or read for: {error}", None)
        self._failures, self._problem = 0, ""
        return f"the outbox was full: its {dropped} oldest rows are lost" if dropped else None

    def _run(self, until_s: float) -> int:
        """Send what waits; returns how many rows had to give way to newer ones."""
        with contextlib.closing(SqliteStore(self._path)) as store:
            dropped = store.trim_outbox(OUTBOX_LINES)
            self.dropped_lines += dropped
            while (rows := store.outbox(self._batch_lines)) and self._clock() < until_s:
                self._send(store, rows)
        return dropped

    def _send(self, store: SqliteStore, rows: Sequence[Row]) -> None:
        """Send rows, halving a batch that the server refuses for what is in it."""
        try:
            self._writer.write([text for _, text in rows])
        except Refused as refused:
            if refused.status not in {400, 413, 422}:
                raise
            if len(rows) == 1:
                row, text = rows[0]
                store.settle((), [(row, text, refused.reason)])
                self.dead_lines += 1
                return
            middle = len(rows) // 2
            self._send(store, rows[:middle])
            self._send(store, rows[middle:])
            return
        store.settle(row for row, _ in rows)
        self.sent_lines += len(rows)

    def _later(self, problem: str, retry_after_s: float | None) -> str:
        """Set the next try: when the server asked for it, else after a pause that doubles."""
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self._failures)
        pause_s *= self._jitter.uniform(0.8, 1.2)
        if retry_after_s is not None and math.isfinite(retry_after_s):
            pause_s = min(LONGEST_WISH_S, max(0.0, retry_after_s))
        self._failures = min(self._failures + 1, 10)
        self._not_before_s = self._clock() + pause_s
        self._problem = f"{problem}; rows wait in the outbox"
        return self._problem

    def close(self) -> None:
        """Let go of the server."""
        self._writer.close()


def _sentence(refused: Refused) -> str:
    """Say what to do about a refusal."""
    advice = {
        401: "does not know the token; check INFLUXDB_TOKEN",
        403: "does not let this token write; give it write access to the bucket",
        404: "has no such bucket or organisation; check INFLUXDB_BUCKET and INFLUXDB_ORG",
        429: "asks to write less often",
        503: "is not ready",
    }
    return advice.get(refused.status, f"answered {refused.status}: {refused.reason}")
