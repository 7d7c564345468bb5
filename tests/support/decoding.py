"""Programs that build decoders in threads; a fault of them would end the whole test run.

`python -m tests.support.decoding together` decodes each of many classes for the first time, in
several threads at once. With `forked`, a child is forked while a thread builds a decoder.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from threading import Barrier, Event, Thread
from typing import Any

from attrs import field, make_class

from autonomousai_sdk._core.codec import BUILDING, decode

ROUNDS = 40
THREADS = 6
DOCUMENT = b'{"first": [{"f1": 1, "f2": 3}, {"f3": 3}], "second": {"f5": 3}}'


def together() -> None:
    """Decode new classes in several threads at once."""
    sys.setswitchinterval(1e-6)
    for number in range(ROUNDS):
        barrier = Barrier(THREADS)
        cls = _new_class(number)
        threads = [Thread(target=_decode, args=(cls, barrier)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _decode(cls: Any, barrier: Barrier) -> None:
    barrier.wait()
    decode(DOCUMENT, cls)


def _new_class(number: int) -> Any:
    number_or_none: Any = int | None
    names = {f"f{each}": field(default=None, type=number_or_none) for each in range(20)}
    inner: Any = make_class(f"Inner{number}", names, frozen=True, slots=False)
    fields = {
        "first": field(type=tuple[inner, ...]),
        "second": field(type=inner | None, default=None),
    }
    return make_class(f"Outer{number}", fields, frozen=True, slots=False)


def forked() -> None:
    """Fork while a thread holds the lock; the child must get it."""
    import_module("autonomousai_sdk._drivers")
    holds = Event()

    def hold() -> None:
        with BUILDING:
            holds.set()
            time.sleep(0.1)

    thread = Thread(target=hold)
    thread.start()
    holds.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if BUILDING.acquire(timeout=1) else 1)
    _, status = os.waitpid(child, 0)
    thread.join()
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    {"together": together, "forked": forked}[sys.argv[1]]()
