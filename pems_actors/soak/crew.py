"""Many tales on a few processes, in order, without waiting for the slowest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context

from pems_actors.simulate import garbage
from pems_actors.soak.stories import Tale
from pems_actors.soak.telling import Told, tell

WAITING = 3  # stories in line for each worker


def tell_all(tales: Iterable[Tale], workers: int) -> Iterator[tuple[int, Told]]:
    """Tell tales, with the number of the process that told each; in the order they are done.

    `tales` is read as far as needed, so that it may be endless: close the iterator to stop.
    """
    if workers <= 1:
        for tale in tales:
            yield os.getpid(), tell(tale)
        return
    coming = iter(tales)
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=garbage.rarely) as pool:
        running = {pool.submit(_tell, tale) for tale in islice(coming, workers * WAITING)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
                running |= {pool.submit(_tell, tale) for tale in islice(coming, len(done))}
        finally:
            _drop(running)


def _tell(tale: Tale) -> tuple[int, Told]:
    return os.getpid(), tell(tale)


def _drop(running: Iterable[Future[tuple[int, Told]]]) -> None:
    for future in running:
        future.cancel()
