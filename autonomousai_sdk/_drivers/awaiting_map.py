"""Many calls at the same time, awaiting: in a task group, as `AsyncClient.chat.map` has it.

The core decides which call may start and how long requests wait (`_core.window`, `_core.pace`).
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from time import monotonic, time
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from anyio import CancelScope, Event, create_task_group, get_cancelled_exc_class, sleep
from attrs import define, field, frozen

from .._core.exchange import Request
from .._core.pace import Pace
from .._core.timeout import Timeout
from .._core.window import Window
from ..transports import AsyncTransport, AsyncTransportResponse
from .awaiting import AsyncCallRunner, AsyncConnections

T = TypeVar("T")


@frozen
class _PacedTransport:
    """A client's transport, whose requests wait together when the service asks for it."""

    client: AsyncConnections
    pace: Pace

    async def send(self, request: Request, timeout: Timeout) -> AsyncTransportResponse:
        await _sleep(self.pace.send(monotonic()))
        await _hold(self.pace)
        response = await (await self.client.transport()).send(request, timeout)
        self.pace.answered(response.status, response.headers, monotonic(), time())
        return response

    async def aclose(self) -> None:
        """Do nothing: the client closes its transport."""


async def _hold(pace: Pace) -> None:
    """Wait until a request may go out."""
    while (wait := pace.wait(monotonic())) > 0:  # noqa: ASYNC110  # waits for a time that may move
        await sleep(wait)


async def _sleep(seconds: float) -> None:
    """Sleep, without a checkpoint for 0 seconds."""
    if seconds:
        await sleep(seconds)


def paced(runner: AsyncCallRunner, pace: Pace) -> AsyncCallRunner:
    """A runner on a client's connections, whose calls slow down together."""
    transport: AsyncTransport = _PacedTransport(runner.connections, pace)
    connections = AsyncConnections(lambda: transport, own=False)
    return AsyncCallRunner(runner.settings, connections, runner.policy)


@define(eq=False)
class _Calls(Generic[T]):
    """The task that makes the calls, without the iterator, so that a dropped one is collected."""

    given: AsyncIterator[object] | Iterator[object]
    call: Callable[[int, Any], Awaitable[T]]
    window: Window[T | BaseException]
    pace: Pace
    scope: CancelScope = field(factory=CancelScope)
    failure: BaseException | None = None
    ended: Event = field(factory=Event)
    _changed: Event = field(factory=Event)

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        changed, self._changed = self._changed, Event()
        changed.set()

    async def change(self) -> None:
        """Wait until something changes."""
        await self._changed.wait()

    async def run(self) -> None:
        """Read the input and make the calls, until all are done or the scope is cancelled."""
        try:
            with self.scope:
                async with create_task_group() as group:
                    while not self.window.exhausted:
                        if not self.window.has_room:
                            await self.change()
                            continue
                        try:
                            given = await self._next()
                        except (StopIteration, StopAsyncIteration):
                            self.window.exhausted = True
                        except Exception as error:  # noqa: BLE001  # raised after the results
                            self.failure = error
                            self.window.exhausted = True
                        else:
                            group.start_soon(self._work, self.window.start(), given)
        finally:
            self.window.exhausted = True
            self.ended.set()
            self.notify()

    async def _next(self) -> object:
        if isinstance(self.given, AsyncIterator):
            return await anext(self.given)
        return _following(self.given)

    async def _work(self, index: int, given: object) -> None:
        # Before the call, whose own time limits do not count the wait.
        await _sleep(self.pace.start(given, monotonic()))
        await _hold(self.pace)
        result: T | BaseException
        try:
            result = await self.call(index, given)
        except get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001  # raised to who takes the results
            result = error
        self.window.finish(index, result)
        self.notify()


class AsyncResultMap(Generic[T]):
    """The results of many calls: an async iterator, and a context manager that ends them.

    The calls run in a task of their own. The input is read only while fewer calls than
    `concurrency` are between their start and the delivery of their result.
    """

    def __init__(
        self,
        given: AsyncIterable[object] | Iterable[object],
        call: Callable[[int, Any], Awaitable[T]],
        window: Window[T | BaseException],
        pace: Pace,
    ) -> None:
        items = aiter(given) if isinstance(given, AsyncIterable) else iter(given)
        self._calls = _Calls(items, call, window, pace)
        self._task: object = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._closed:
            raise StopAsyncIteration
        try:
            if self._task is None:
                self._task = _spawn(self._calls.run)
            result = await self._next()
        except BaseException:
            await self.close()
            raise
        if isinstance(result, BaseException):
            await self.close()
            raise result
        return result

    async def close(self) -> None:
        """End the calls that are running; there are no more results."""
        self._closed = True
        if self._task is not None:
            self._calls.scope.cancel()
            with CancelScope(shield=True):
                await self._calls.ended.wait()

    async def aclose(self) -> None:
        """The same as `close`."""
        await self.close()

    def __del__(self) -> None:
        if getattr(self, "_task", None) is not None and not self._closed:
            warnings.warn(
                "the results of chat.map were dropped before their end; use an async with block, "
                "or close()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )

    async def _next(self) -> T | BaseException:
        """Wait for the next result.

        Raises:
            StopAsyncIteration: all were delivered.
        """
        calls = self._calls
        while (result := calls.window.take()) is None:
            if calls.window.is_done or calls.ended.is_set():
                if calls.failure is not None:
                    raise calls.failure
                raise StopAsyncIteration
            await calls.change()
        calls.notify()  # there is room for another call
        return result


def _following(items: Iterator[object]) -> object:
    """The next item; a coroutine cannot let a StopIteration pass."""
    try:
        return next(items)
    except StopIteration:
        raise StopAsyncIteration from None


def _spawn(run: Callable[[], Awaitable[None]]) -> object:
    """Start a task that belongs to no caller's task group, and return what keeps it alive."""
    trio: Any = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return trio.lowlevel.spawn_system_task(run)
    coroutine: Any = run()
    return asyncio.get_running_loop().create_task(coroutine)
