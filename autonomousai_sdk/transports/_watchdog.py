"""Timers shared by many waits: one timer for each wait would cost more than the read itself.

`Watchdog` runs on an asyncio loop. `BlockingWatchdog` ends blocking waits from a thread.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic


class Watchdog:
    """One asyncio timer for all reads of a connection.

    A read only sets the time it expires at. When the timer fires, it checks that time and is
    set again if there is time left.

    Args:
        on_expiry: called when a wait has expired.
    """

    __slots__ = ("_loop", "_on_expiry", "_timer", "_until")

    def __init__(self, on_expiry: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_expiry = on_expiry
        self._timer: asyncio.TimerHandle | None = None
        self._until = math.inf

    def expect_within(self, seconds: float) -> None:
        """Arm the timer: a wait begins that may take this many seconds."""
        self._until = until = self._loop.time() + seconds
        timer = self._timer
        if timer is None or timer.when() > until:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(until, self._look)

    def rest(self) -> None:
        """Disarm the timer."""
        self._until = math.inf

    def stop(self) -> None:
        """Take the timer off the loop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._until == math.inf:
            return
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look)
        else:
            self._on_expiry()


class BlockingWatchdog:
    """One thread that ends the expired waits of a transport.

    The first wait starts it; it exits after a second without waits.
    """

    __slots__ = ("_looks_at", "_news", "_runs", "_waits")

    _LINGERS = 1.0
    """Seconds between checks whether the thread is still needed."""

    def __init__(self) -> None:
        self._news = Condition()
        self._waits: dict[Callable[[], None], float] = {}
        self._looks_at = math.inf
        self._runs = False

    def expect_within(self, seconds: float, on_expiry: Callable[[], None]) -> None:
        """Register a wait that may take this many seconds.

        Args:
            seconds: the limit.
            on_expiry: ends the wait; called from the thread, so it must not block.
        """
        with self._news:
            if not self._runs:
                Thread(target=self._run, name="autonomousai-watchdog", daemon=True).start()
                self._runs = True
            self._waits[on_expiry] = until = monotonic() + seconds
            if until < self._looks_at:
                self._news.notify()

    def rest(self, on_expiry: Callable[[], None]) -> None:
        """Remove a wait: `on_expiry` is not called after this."""
        with self._news:
            self._waits.pop(on_expiry, None)

    def _run(self) -> None:
        with self._news:
            while True:
                now = monotonic()
                for on_expiry in [each for each, until in self._waits.items() if until <= now]:
                    del self._waits[on_expiry]
                    on_expiry()
                self._looks_at = min([now + self._LINGERS, *self._waits.values()])
                if not self._news.wait(self._looks_at - now) and not self._waits:
                    self._runs = False
                    return
