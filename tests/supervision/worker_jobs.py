"""What the workers of the tests do: well, badly, or never."""

import ctypes
import os
import signal
import subprocess
import sys

LITTERED: list[bytearray] = []


def calculator():
    """A worker whose job is (name, argument)."""
    return lambda job: globals()[job[0]](*job[1:])


def double(number):
    return 2 * number


def pid():
    return os.getpid()


def facts():
    return {"threads": os.environ["OMP_NUM_THREADS"], "nice": os.nice(0), "group": os.getpgrp()}


def raise_error():
    raise ValueError("no such room")


def leave():
    sys.exit(3)


def segfault():
    ctypes.string_at(0)


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def freeze():
    os.kill(os.getpid(), signal.SIGSTOP)


def spin():
    while True:
        pass


def eat():
    return len(bytearray(4 << 30))


def litter(megabytes):
    LITTERED.append(bytearray(os.urandom(1 << 20) * megabytes))
    return os.getpid()


def echo(data):
    return data


def return_a_lambda():
    return lambda: None


class Trap:
    """A result that can be written down, but raises when it is read."""

    def __reduce__(self):
        return (raise_error, ())


def return_a_trap():
    return Trap()


def start_grandchild():
    return subprocess.Popen(["/bin/sleep", "60"]).pid


def broken():
    raise RuntimeError("no licence")


def dying():
    os._exit(7)


def slow_start():
    signal.pause()
