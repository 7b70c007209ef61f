"""A guardian as its own process: children as JSON on the command line, events on stdout."""

import json
import sys

from supervision.guardian import Backoff, ChildProcess, Guardian


def child(data):
    fields = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
    }
    return ChildProcess(**{**fields, "backoff": Backoff(**fields.get("backoff", {}))})


def say(line):
    print(line, flush=True)


sys.exit(Guardian([child(data) for data in json.loads(sys.argv[1])], say, stop_within_s=5.0).run())
