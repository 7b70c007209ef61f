"""A child of the guardian that does what its arguments say, one after the other."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from supervision.guardian_link import GuardianLink

link = GuardianLink.from_env()
for act in sys.argv[1:]:
    match act.split("=", 1):
        case ["ready"]:
            link.ready()
        case ["bye"]:
            link.bye()
        case ["ping"]:  # until the guardian is gone
            while not link.parent_is_gone():
                link.ping()
                time.sleep(0.02)
        case ["freeze"]:  # ping, until one word of C keeps every thread waiting
            long_word = threading.Timer(0.3, lambda: sum(itertools.repeat(1, 10**11)))
            long_word.daemon = True
            long_word.start()
            while True:
                link.ping()
                time.sleep(0.02)
        case ["pause"]:
            signal.pause()
        case ["deaf"]:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case ["orderly"]:
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        case ["note", path]:
            with Path(path).open("a") as file:
                file.write(f"{os.getpid()}\n")
        case ["once", path]:  # go on only at the first run
            if Path(path).exists():
                signal.pause()
            Path(path).touch()
        case ["group"]:
            print(subprocess.Popen(["/bin/sleep", "60"]).pid, file=sys.stderr)
        case ["exit", code]:
            sys.exit(int(code))
