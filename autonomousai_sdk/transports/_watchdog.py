"""A timer that many waits share, since a timer for each costs more than a read.

On asyncio, and for waits that block, which another thread has to end.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic


class Watchdog:
    """One timer of an asyncio loop for a whole connection.

    A read says until when it waits; the timer looks at that when it fires, and is set
    again if there is time left.

    Args:
        on_expiry: called when something was waited for too long.
    """

    __slots__ = ("_loop", "_on_expiry", "_timer", "_until")

    def __init__(self, on_expiry: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_expiry = on_expiry
        self._timer: asyncio.TimerHandle | None = None
        self._until = math.inf

    def expect_within(self, seconds: float) -> None:
        """Something is waited for from now on, for at most these seconds."""
        self._until = until = self._loop.time() + seconds
        timer = self._timer
        if timer is None or timer.when() > until:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(until, self._look)

    def rest(self) -> None:
        """Nothing is waited for any more."""
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
    """One thread for all the waits of a transport.

    It comes with the first wait, and goes when nothing was waited for in a while.
    """

    __slots__ = ("_looks_at", "_news", "_runs", "_waits")

    _LINGERS = 1.0
    """Seconds after which it looks whether anything is waited for at all."""

    def __init__(self) -> None:
        self._news = Condition()
        self._waits: dict[Callable[[], None], float] = {}
        self._looks_at = math.inf
        self._runs = False

    def expect_within(self, seconds: float, on_expiry: Callable[[], None]) -> None:
        """Something is waited for from now on, for at most these seconds.

        Args:
            seconds: how long.
            on_expiry: ends the wait, from the thread; it may not wait itself.
        """
        with self._news:
            if not self._runs:
                Thread(target=self._run, name="autonomousai-watchdog", daemon=True).start()
                self._runs = True
            self._waits[on_expiry] = until = monotonic() + seconds
            if until < self._looks_at:
                self._news.notify()

    def rest(self, on_expiry: Callable[[], None]) -> None:
        """It is not waited for any more; from here on, `on_expiry` is not called for it."""
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
