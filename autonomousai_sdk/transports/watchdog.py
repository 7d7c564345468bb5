"""A timer that many waits share: on asyncio, a timer for each costs more than a read."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


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
