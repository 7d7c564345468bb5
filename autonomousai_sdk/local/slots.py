"""How many completions run at once, and how many may wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from attrs import define, field

from .wire import RequestError


@define(eq=False)
class Slots:
    """A bounded number of places, and a bounded queue for them.

    Attributes:
        limit: how many completions run at once.
        queue: how many more wait for their turn.
    """

    limit: int
    queue: int
    _used: int = field(init=False, default=0)
    _waiting: deque[asyncio.Future[None]] = field(init=False, factory=deque["asyncio.Future[None]"])

    @asynccontextmanager
    async def hold(self) -> AsyncGenerator[None, None]:
        """Hold a place inside the block, after waiting for one where the queue has room.

        Raises:
            RequestError: 429; every place is taken, and so is the queue.
        """
        await self._acquire()
        try:
            yield
        finally:
            self._release()

    async def _acquire(self) -> None:
        if self._used < self.limit:
            self._used += 1
            return
        if len(self._waiting) >= self.queue:
            raise RequestError(
                429,
                f"{self.limit} completions are running already: try again in a moment.",
                "too_many_requests",
                headers={"retry-after": "1"},
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._release()  # the place was given as the client left
            else:
                with suppress(ValueError):
                    self._waiting.remove(turn)
            raise

    def _release(self) -> None:
        """Pass the place to the first that waits, or free it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._used -= 1
