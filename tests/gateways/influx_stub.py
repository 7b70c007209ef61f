"""A strict InfluxDB 2 for tests: the write path of its API, with a real line-protocol parser.

It refuses what the real one refuses (a bad line refuses its whole batch, a field that changes its
type is a conflict) and can be told to be busy, slow, gone or to cut the connection.
"""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

Tags = tuple[tuple[str, str], ...]
PRECISION_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


@dataclass(frozen=True)
class Point:
    measurement: str
    tags: Tags
    fields: tuple[tuple[str, object], ...]
    at_ns: int


def parse_line(line: str, precision: str = "ns") -> Point:
    """Read one line; raises ValueError with what is wrong."""
    head, rest = _until(line, " ", quotes=False)
    body, stamp = _until(rest, " ")
    if not body:
        raise ValueError("missing fields")
    name, *pairs = _split(head, ",", quotes=False)
    if not name:
        raise ValueError("missing measurement")
    tags = tuple(sorted(_pair(pair, quotes=False) for pair in pairs))
    fields = tuple((key, _value(value)) for key, value in map(_pair, _split(body, ",")))
    if stamp and not stamp.lstrip("-").isdigit():
        raise ValueError(f"bad timestamp {stamp!r}")
    return Point(_plain(name), tags, fields, int(stamp or 0) * PRECISION_NS[precision])


def _until(text: str, mark: str, *, quotes: bool = True) -> tuple[str, str]:
    parts = _split(text, mark, limit=1, quotes=quotes)
    return parts[0], parts[1] if len(parts) > 1 else ""


def _split(text: str, mark: str, limit: int = -1, *, quotes: bool = True) -> list[str]:
    """Split at marks that are not escaped; nor quoted, where quotes mean anything (in fields)."""
    parts, start, quoted, k = [], 0, False, 0
    while k < len(text):
        if text[k] == "\\":
            k += 2
            continue
        if quotes and text[k] == '"':
            quoted = not quoted
        elif text[k] == mark and not quoted and limit != 0:
            parts.append(text[start:k])
            start, limit = k + 1, limit - 1
        k += 1
    return [*parts, text[start:]]


def _pair(text: str, *, quotes: bool = True) -> tuple[str, str]:
    key, value = _until(text, "=", quotes=quotes)
    if not key or not value:
        raise ValueError(f"bad pair {text!r}")
    return _plain(key), value if quotes and value.startswith('"') else _plain(value)


def _plain(text: str) -> str:
    return text.replace("\\,", ",").replace("\\ ", " ").replace("\\=", "=")


def _value(text: str) -> object:
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return text[1:-1].replace('\\"', '"')
    if text in {"t", "T", "true", "True", "f", "F", "false", "False"}:
        return text[0] in "tT"
    if text.endswith(("i", "u")):
        return int(text[:-1])
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no field value")
    return value


@dataclass
class InfluxStub:
    """One server. `moods` are taken one per request: a status, "slow" or "cut"."""

    token: str = "secret"
    org: str = "loxone"
    buckets: tuple[str, ...] = ("solar",)
    largest: int = 1_000_000
    points: dict[tuple[str, Tags, str, int], object] = field(default_factory=dict)
    moods: deque[Any] = field(default_factory=deque)
    requests: int = 0
    retry_after: str | None = None
    awake: threading.Event = field(default_factory=threading.Event)

    def start(self) -> str:
        stub = self

        class Handler(_Handler):
            server_stub = stub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self.awake.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def write(self, query: dict[str, list[str]], auth: str, body: bytes) -> tuple[int, str]:
        """Judge one write request; nothing of a refused batch is kept."""
        if auth != f"Token {self.token}":
            return 401, "unauthorized access"
        if query.get("org") != [self.org] or query.get("bucket", [""])[0] not in self.buckets:
            return 404, f"bucket {query.get('bucket')} not found"
        if len(body) > self.largest:
            return 413, "request too large"
        try:
            found = self._parsed(body.decode("utf-8"), query.get("precision", ["ns"])[0])
        except (ValueError, KeyError) as error:
            return 400, f"unable to parse: {error}"
        self.points.update(found)
        return 204, ""

    def _parsed(self, text: str, precision: str) -> dict[tuple[str, Tags, str, int], object]:
        found: dict[tuple[str, Tags, str, int], object] = {}
        types = {(m, name): type(value) for (m, _, name, _), value in self.points.items()}
        for line in filter(None, text.split("\n")):
            point = parse_line(line, precision)
            for name, value in point.fields:
                before = types.setdefault((point.measurement, name), type(value))
                if before is not type(value):
                    raise ValueError(f"field {name!r} is {before.__name__}")
                found[point.measurement, point.tags, name, point.at_ns] = value
        return found


class _Handler(BaseHTTPRequestHandler):
    server_stub: InfluxStub

    def do_POST(self) -> None:
        stub, url = self.server_stub, urlparse(self.path)
        stub.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mood = stub.moods.popleft() if stub.moods else None
        if mood == "cut":
            self.close_connection = True
            return
        if mood == "slow":
            stub.awake.wait(5.0)
        if isinstance(mood, int):
            self._answer(mood, "told so")
        elif url.path != "/api/v2/write":
            self._answer(404, "no such path")
        else:
            auth = self.headers.get("Authorization", "")
            self._answer(*stub.write(parse_qs(url.query), auth, body))

    def _answer(self, status: int, message: str) -> None:
        body = b"" if status == 204 else json.dumps({"message": message}).encode()
        self.send_response(status)
        if self.server_stub.retry_after is not None and status in {429, 503}:
            self.send_header("Retry-After", self.server_stub.retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""
