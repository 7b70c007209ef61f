"""A plant in thirty lines: a flat of three rooms, to be run beside a co-simulated house.

pems run --house cosim --config flat3
python -m pems_actors.examples.plant 127.0.0.1 1883
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from queue import Empty, Queue
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

ROOMS = {"living": (1.5, 0.033), "bedroom": (0.8, 0.016), "bath": (0.5, 0.010)}  # kW, kW/K


def main(host: str, port: int, steps: int = 96) -> None:
    """Live through a cold day, a quarter of an hour at a time."""
    answers: Queue[dict[str, Any]] = Queue()
    link = Client(CallbackAPIVersion.VERSION2)
    link.on_message = lambda _client, _data, message: answers.put(json.loads(message.payload))
    link.connect(host, port)
    link.subscribe("pems/cosim/commands", qos=1)
    link.loop_start()
    temps, on = dict.fromkeys(ROOMS, 20.0), dict.fromkeys(ROOMS, False)
    for seq in range(steps):
        time = datetime(2023, 1, 16, tzinfo=UTC) + seq * timedelta(minutes=15)
        rooms = {name: {"temp_c": temps[name], "relay_on": on[name]} for name in ROOMS}
        seen = {"seq": seq, "time": time.isoformat(), "rooms": rooms, "outdoor_c": -5.0}
        commands = ask(link, answers, seen)
        on = commands["relays"]
        for name, (power_kw, loss_kw_k) in ROOMS.items():
            left_kw = power_kw * on[name] - loss_kw_k * (temps[name] + 5.0)
            temps[name] += 0.25 * left_kw / power_kw  # kWh per K: as much as its power is
        print(f"{time:%H:%M}", *(f"{n} {t:.1f}{'*' if on[n] else ''}" for n, t in temps.items()))


def ask(link: Client, answers: Queue[dict[str, Any]], seen: dict[str, Any]) -> dict[str, Any]:
    """Say what is seen each second until the answer to it comes, for half a minute."""
    for _ in range(30):
        link.publish("pems/cosim/step", json.dumps(seen), qos=1)
        try:
            while (told := answers.get(timeout=1.0))["seq"] != seen["seq"]:
                pass
        except Empty:
            continue
        if "error" in told:
            raise SystemExit(told["error"])
        return told
    raise SystemExit("no answer within 30 s; start it with `pems run --house cosim`")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
