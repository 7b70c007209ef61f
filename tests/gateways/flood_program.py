"""A stranger with a grudge: sends broken orders to a broker as fast as it takes them.

Run as `python -m tests.gateways.flood_program PORT COUNT SEED`; says `sent` when all is delivered.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.gateways.mutants import CONTROL, Mutants

STALE = {"id": "old", "verb": "boost", "expires_at": "2001-01-01T00:00:00Z"}
HUGE_BYTES = 100_000


def messages(count: int, seed: int) -> Iterator[tuple[str, bytes, bool]]:
    """Nine in ten are malformed, the others stale, retained or huge."""
    mutants = Mutants(seed, tuple((f"pems/control/{tail}", body) for tail, body in CONTROL))
    for number, mutant in enumerate(mutants.take(count)):
        if number % 100 == 0:
            yield "pems/control/rooms/bath", b"x" * HUGE_BYTES, False
        elif number % 20 == 0:
            yield (
                "pems/control/rooms/bath",
                json.dumps({**STALE, "id": str(number)}).encode(),
                False,
            )
        elif number % 10 == 0:
            yield f"pems/control/left/{number % 50}", mutant.payload[:1000], True
        else:
            topic = mutant.topic if mutant.topic.startswith("pems/control/") else "pems/control/x"
            safe = topic.translate(str.maketrans("+#\0", "___"))
            yield safe, mutant.payload, False


def main(port: int, count: int, seed: int) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="stranger")
    there, done, acknowledged = threading.Event(), threading.Event(), 0

    def on_publish(*_args: object) -> None:
        nonlocal acknowledged
        acknowledged += 1
        if acknowledged == count:
            done.set()

    client.on_connect = lambda *_args: there.set()
    client.on_publish = on_publish
    client.max_inflight_messages_set(200)
    client.connect("127.0.0.1", port)
    client.loop_start()
    there.wait(10.0)
    print("begins", flush=True)
    for topic, payload, retain in messages(count, seed):
        client.publish(topic, payload, qos=1, retain=retain)
    done.wait(60.0)
    print("sent" if done.is_set() else f"only {acknowledged}", flush=True)
    client.loop_stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
