"""Many calls at the same time, blocking: in threads, as `Client.chat.map` has it.

The core decides which call may start and how long requests wait (`_core.window`, `_core.pace`).
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from time import monotonic, time
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from attrs import define, field, frozen

from .._core.exchange import Request
from .._core.pace import Pace
from .._core.timeout import Timeout
from .._core.window import Window
from ..transports import Transport, TransportResponse
from ..transports._interrupt import Interruptible
from .blocking import CallRunner, Connections

T = TypeVar("T")


@frozen
class _PacedTransport:
    """A client's transport, whose requests wait together when the service asks for it."""

    client: Connections
    pace: Pace
    closing: threading.Event

    def send(self, request: Request, timeout: Timeout) -> TransportResponse:
        self.closing.wait(self.pace.send(monotonic()))
        _hold(self.pace, self.closing)
        response = self.client.transport().send(request, timeout)
        self.pace.answered(response.status, response.headers, monotonic(), time())
        return response

    def interrupt(self, request: Request) -> None:
        transport = None if self.client.closed else self.client.transport()
        if isinstance(transport, Interruptible):
            transport.interrupt(request)

    def close(self) -> None:
        """Do nothing: the client closes its transport."""


def _hold(pace: Pace, closing: threading.Event) -> None:
    """Wait until a request may go out."""
    while (wait := pace.wait(monotonic())) > 0 and not closing.wait(wait):
        pass


def paced(runner: CallRunner, pace: Pace) -> CallRunner:
    """A runner on a client's connections, whose calls end and slow down together."""
    transports: list[Transport] = []
    connections = Connections(lambda: transports[0], own=False)
    transports.append(_PacedTransport(runner.connections, pace, connections.closing))
    return CallRunner(runner.settings, connections, runner.policy)


@define(eq=False)
class _Calls(Generic[T]):
    """What the threads share, without the iterator, so that a dropped one is collected."""

    call: Callable[[int, Any], T]
    window: Window[T | BaseException]
    connections: Connections
    pace: Pace
    queue: SimpleQueue[tuple[int, object] | None] = field(
        factory=SimpleQueue[tuple[int, object] | None]
    )
    changed: threading.Condition = field(factory=threading.Condition)

    def work(self) -> None:
        """Make calls until there are none."""
        while (item := self.queue.get()) is not None:
            index, given = item
            # Before the call, whose own time limits do not count the wait.
            self.connections.closing.wait(self.pace.start(given, monotonic()))
            _hold(self.pace, self.connections.closing)
            result: T | BaseException
            try:
                result = self.call(index, given)
            except BaseException as error:  # noqa: BLE001  # raised to who takes the results
                result = error
            with self.changed:
                self.window.finish(index, result)
                self.changed.notify()


class ResultMap(Generic[T]):
    """The results of many calls: an iterator, and a context manager that ends them.

    The input is read in the thread that asks for the next result, and only while fewer calls than
    `concurrency` are between their start and the delivery of their result.
    """

    def __init__(
        self,
        given: Iterable[object],
        call: Callable[[int, Any], T],
        window: Window[T | BaseException],
        runner: CallRunner,
        pace: Pace,
    ) -> None:
        self._given: Iterator[object] = iter(given)
        self._calls = _Calls(call, window, runner.connections, pace)
        self._threads = 0
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._calls.connections.closed:
            raise StopIteration
        try:
            self._start()
            result = self._next()
        except BaseException:
            self.close()
            raise
        if isinstance(result, BaseException):
            self.close()
            raise result
        return result

    def close(self) -> None:
        """End the calls that are running; there are no more results."""
        calls = self._calls
        calls.connections.close()
        for _ in range(self._threads):
            calls.queue.put(None)
        self._threads = 0

    def __del__(self) -> None:
        calls = getattr(self, "_calls", None)  # absent when __init__ was not reached
        if calls is None or calls.connections.closed or not self._threads:
            return
        warnings.warn(
            "the results of chat.map were dropped before their end; use a with block, or close()",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
        for _ in range(self._threads):
            calls.queue.put(None)

    def _start(self) -> None:
        """Start calls as long as there is room and input."""
        calls = self._calls
        while calls.window.has_room:
            try:
                given = next(self._given)
            except StopIteration:
                calls.window.exhausted = True
                return
            except Exception as error:  # noqa: BLE001  # raised after the results before it
                self._failure = error
                calls.window.exhausted = True
                return
            if self._threads < calls.window.concurrency:
                self._threads += 1
                # Daemons: a call that cannot be interrupted does not keep the program alive.
                threading.Thread(target=calls.work, name="chat.map", daemon=True).start()
            calls.queue.put((calls.window.start(), given))

    def _next(self) -> T | BaseException:
        """Wait for the next result.

        Raises:
            StopIteration: all were delivered.
        """
        calls = self._calls
        with calls.changed:
            while (result := calls.window.take()) is None:
                if calls.window.is_done:
                    if self._failure is not None:
                        raise self._failure
                    raise StopIteration
                calls.changed.wait()
        return result
