"""Closing idle connections in time, also when no request comes that would notice.

httpcore closes an expired connection with the next request. Until then the server's side of it
stays open, too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from threading import Event, Lock, Thread
from typing import Any
from weakref import WeakMethod, WeakSet

import anyio

TICK = 0.5
"""Seconds between two looks at the connections of a transport that has some."""


class Reaper:
    """A thread that looks at a blocking transport's connections as long as there are any.

    It does not keep the interpreter or the transport alive, and ends before a fork: a process
    with several threads should not fork. The next request starts it again.

    Args:
        reap: a method that closes expired connections and returns whether any are left.

    Attributes:
        thread: the thread, or None while none runs.
    """

    def __init__(self, reap: Callable[[], bool]) -> None:
        self._reap = WeakMethod(reap)
        self._lock = Lock()
        self.thread: Thread | None = None
        self._stopped = Event()
        _REAPERS.add(self)

    def start(self) -> None:
        """Have the connections looked at, from now on."""
        if self.thread is None:
            with self._lock:
                if self.thread is None:
                    self._stopped = stopped = Event()
                    self.thread = Thread(
                        target=_run,
                        args=(self._reap, stopped, self._end),
                        name="autonomousai-reaper",
                        daemon=True,
                    )
                    self.thread.start()

    def stop(self) -> None:
        """End the thread, and wait for that."""
        self._stopped.set()
        thread = self.thread
        if thread is not None:
            thread.join()

    def _end(self) -> None:
        self.thread = None


def _run(reap: WeakMethod[Callable[[], bool]], stopped: Event, end: Callable[[], None]) -> None:
    try:
        while not stopped.wait(TICK):
            method = reap()
            if method is None or not method():
                return
            del method
    finally:
        end()


_REAPERS: WeakSet[Reaper] = WeakSet()


def _stop_all() -> None:
    for each in list(_REAPERS):
        each.stop()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_stop_all)


class AsyncReaper:
    """A timer of asyncio, or a system task of trio, that looks at a loop's connections.

    Neither keeps the event loop or the connections alive.

    Args:
        reap: a method that returns the closing of expired connections, or None, and whether any
            connections are left.
    """

    def __init__(self, reap: Callable[[], tuple[Coroutine[Any, Any, None] | None, bool]]) -> None:
        self._reap = WeakMethod(reap)
        self._runs = False
        self._timer: asyncio.TimerHandle | None = None
        self._closings: set[asyncio.Future[None]] = set()

    def start(self) -> None:
        """Have the connections looked at, from now on."""
        if self._runs:
            return
        self._runs = True
        if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._look)
        else:
            import trio

            trio.lowlevel.spawn_system_task(self._watch)

    def stop(self) -> None:
        """Take the timer off the loop."""
        self._reap = WeakMethod(_NOTHING.reap)
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        reap = self._reap()
        closing, any_left = (None, False) if reap is None else reap()
        self._runs = any_left
        if any_left:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._look)
        if closing is not None:
            task = asyncio.ensure_future(closing)
            self._closings.add(task)
            task.add_done_callback(self._closings.discard)

    async def _watch(self) -> None:
        any_left = True
        while any_left:
            await anyio.sleep(TICK)
            reap = self._reap()
            closing, any_left = (None, False) if reap is None else reap()
            if closing is not None:
                await closing
            del reap
        self._runs = False


class _Nothing:
    def reap(self) -> tuple[None, bool]:
        return None, False


_NOTHING = _Nothing()
