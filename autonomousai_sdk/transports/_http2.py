"""A caller's client with HTTP/2: the streams of a connection share its socket.

So a stream ends by a reset of its own (RST_STREAM), never by the socket. httpcore does not send
one when a response is closed early, and a read timeout in it ends every stream of the connection.
Here the limits are kept outside of it: an awaiting read by a cancel scope, a blocking read by a
worker thread, which a caller waits for as long as the limit lets it.

httpcore has no public way to a stream's connection: the private names are those that httpcore
1.0 and httpcore2 2.x share. Without them a stream ends when the server ends it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Condition, Thread
from time import monotonic
from types import SimpleNamespace
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
from attrs import define, field

from .._core.exchange import TransportError
from ._send_limit import PlainTimeouts
from ._shield import shielded

T = TypeVar("T")

CANCEL = 8
"""The error code of a stream that is not needed any more (RFC 9113, section 7)."""

WRITE_TIMEOUT = 1.0
"""Seconds that sending a reset may take."""


@define(eq=False)
class Exchange:
    """A request on a pool with HTTP/2, and the stream that it becomes.

    Attributes:
        pool: the pool of the caller's client.
        outgoing: the library's request.
        read: seconds that the head of the response may take once the request is sent.
        on_sent: called with those seconds when the request is sent.
    """

    pool: Any
    outgoing: Any
    read: float | None
    on_sent: Callable[[float], None] = field(kw_only=True)
    _connection: Any = field(init=False, default=None)
    _stream_id: int = field(init=False, default=0)
    _timeouts: PlainTimeouts = field(init=False)
    _ended: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        extensions = self.outgoing.extensions
        # Without a limit for reads, which would apply to the whole connection.
        self._timeouts = PlainTimeouts(extensions["timeout"] | {"read": None})
        extensions["timeout"] = self._timeouts

    @property
    def is_http2(self) -> bool:
        """Whether the connection is shared; on an HTTP/2 pool it may still be HTTP/1.1."""
        return self._connection is not None

    def trace(self, name: str, info: dict[str, Any]) -> None:
        """Note the stream; httpcore calls this for each step of the request."""
        if name == "http2.send_request_headers.started":
            self._stream_id = info["stream_id"]
            self._connection = self._find_connection()
        elif name.endswith("send_request_body.complete") and self.read is not None:
            self.on_sent(self.read)

    async def atrace(self, name: str, info: dict[str, Any]) -> None:
        """The awaiting form of `trace`."""
        self.trace(name, info)

    def end(self) -> None:
        """Reset the stream, blocking."""
        if self._reset(ping=True):
            with suppress(Exception):  # the connection is broken, and the stream with it
                self._connection._write_outgoing_data(_FLUSH)  # noqa: SLF001  # see the module

    async def aend(self) -> None:
        """Reset the stream, awaiting."""
        if self._reset(ping=False):
            with suppress(Exception):  # the connection is broken, and the stream with it
                await self._connection._write_outgoing_data(_FLUSH)  # noqa: SLF001  # as above

    def finished(self) -> None:
        """Note that the stream has ended by itself."""
        self._ended = True

    def _reset(self, *, ping: bool) -> bool:
        """Put a reset into the connection's buffer; whether there is one to send.

        A `ping` makes the server answer, which wakes a worker thread that still reads.
        """
        if self._ended or self._connection is None:
            return False
        self._ended = self._timeouts.ended = True
        state = self._connection._h2_state  # noqa: SLF001  # see the module
        with suppress(Exception):  # it has ended already, or the connection has
            for received in self._connection._events.get(self._stream_id, ()):  # noqa: SLF001
                if length := getattr(received, "flow_controlled_length", 0):
                    state.acknowledge_received_data(length, self._stream_id)
            state.reset_stream(self._stream_id, CANCEL)
            if ping:
                state.ping(bytes(8))
        return True

    def _find_connection(self) -> Any:
        for each in list(self.pool._requests):  # noqa: SLF001  # see the module
            if each.request.extensions is self.outgoing.extensions:
                inner = each.connection
                while inner is not None and not hasattr(inner, "_h2_state"):
                    inner = getattr(inner, "_connection", None)
                return inner
        return None


_FLUSH = SimpleNamespace(extensions={"timeout": {"write": WRITE_TIMEOUT}})
"""Stands for a request where httpcore asks one for its write timeout."""


def speaks_http2(pool: Any) -> bool:
    """Whether a pool of a caller's client may use HTTP/2."""
    return bool(getattr(pool, "_http2", False))


class Worker:
    """A thread that does the blocking work of one exchange, and that a caller can stop awaiting."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._until = math.inf
        self._interrupted = False
        context = copy_context()
        Thread(
            target=lambda: context.run(self._work), name="autonomousai-http2", daemon=True
        ).start()

    def run(self, act: Callable[[], T], timeout: float | None) -> T:
        """Run a function in the thread and wait for it.

        Raises:
            TimeoutError: it takes longer; it goes on.
            TransportError: interrupted.
        """
        results: list[T] = []
        errors: list[BaseException] = []

        def job() -> None:
            try:
                results.append(act())
            except BaseException as error:  # noqa: BLE001  # raised in the caller's thread
                errors.append(error)
            with self._changed:
                self._changed.notify_all()

        self._until = math.inf
        if timeout is not None:
            self.limit(timeout)
        self._jobs.put(job)
        with self._changed:
            while not results and not errors:
                if self._interrupted:
                    raise TransportError("broken", "the request was interrupted")
                left = self._until - monotonic()
                if left <= 0:
                    raise TimeoutError("no data received in time")
                self._changed.wait(None if left == math.inf else left)
        if errors:
            raise errors[0]
        return results[0]

    def limit(self, seconds: float) -> None:
        """Set how long the function that runs may still take."""
        with self._changed:
            self._until = monotonic() + seconds
            self._changed.notify_all()

    def interrupt(self) -> None:
        """End the wait for a function; safe from any thread and from a finalizer."""
        self._interrupted = True
        with self._changed:
            self._changed.notify_all()

    def later(self, act: Callable[[], None]) -> None:
        """Run a function in the thread without waiting; safe from a finalizer."""
        self._jobs.put(act)

    def stop(self) -> None:
        """End the thread after what it does now."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


@define(eq=False)
class AsyncReads:
    """The reads of an awaiting exchange, each in a cancel scope of its own."""

    exchange: Exchange
    _scope: anyio.CancelScope | None = field(init=False, default=None)
    _token: Any = field(init=False, factory=anyio.lowlevel.current_token)
    _aborted: bool = field(init=False, default=False)

    async def read(self, pieces: Any, timeout: float | None) -> bytes:
        """Read the next bytes, at most for these seconds; none at the end of the body."""
        with anyio.CancelScope(deadline=_deadline(timeout)) as scope:
            self._scope = scope
            try:
                data: bytes = await pieces.__anext__()
            except StopAsyncIteration:
                self.exchange.finished()
                return b""
            finally:
                self._scope = None
            return data
        if self._aborted:
            return b""
        raise TimeoutError("no data received in time")

    def abort(self, close: Callable[[], Any]) -> None:
        """End the stream from any thread, or from a finalizer: wake who reads, else close it."""
        self._aborted = True
        act: Any = self._scope.cancel if self._scope is not None else _closing(close)
        native = self._token.native_token
        with suppress(RuntimeError):  # the loop is closed, and its connections with it
            if isinstance(native, asyncio.AbstractEventLoop):
                native.call_soon_threadsafe(act)
            else:
                native.run_sync_soon(act)


def _deadline(timeout: float | None) -> float:
    return math.inf if timeout is None else anyio.current_time() + timeout


_CLOSINGS: set[Any] = set()
"""The closings of dropped streams; asyncio holds its tasks by weak references only."""


def _closing(close: Callable[[], Any]) -> Callable[[], None]:
    def start() -> None:
        if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
            task = asyncio.ensure_future(shielded(close()))
            _CLOSINGS.add(task)
            task.add_done_callback(_CLOSINGS.discard)
        else:
            import trio

            trio.lowlevel.spawn_system_task(shielded, close())

    return start
