"""Network streams with deadlines, for httpcore's blocking and trio pools.

httpcore restarts its read timeout with every byte and fixes it when the request starts. So
a server that drips headers never times out, and the limit cannot change while a response is
read. But httpcore passes the timeout object on to its network stream as it is, so the
transports pass a `RequestTimeout`, and these streams ask it for the time left at every wait.

Most of the time of a stream of small chunks is spent in blocking reads. So they skip two
things that httpcore's own reads do: setting the socket's timeout each time (a system call)
and mapping exceptions. They raise `TransportError` directly, which httpcore does not catch.
For asyncio, see `_asyncio_backend`.

The httpcore objects are typed `Any`, because the same streams serve httpx and httpx2.
"""

from __future__ import annotations

import math
import select
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol, Self, TypeVar
from weakref import WeakSet

import anyio
from attrs import define, field, frozen

from .._core.exchange import TransportError
from .._core.timeout import Timeout
from ._connect import connect, connecting
from ._nested_tls import Connection, TLSInTLS, secure
from ._pool_options import WRITE_SIZE
from ._route import DIRECT, Route
from ._socket import shut_down
from ._tunnel import AwaitingStream, Handshake, shake_hands, shake_hands_async

StreamT = TypeVar("StreamT", bound="OpeningStream")

_NO_LIMITS = Timeout(connect=None, read=None, write=None, pool=None)

STALLED = 1.0
"""Seconds after which a write without progress looks for a response: a server may refuse a request
before it has read it, and stop reading."""

_READ_SIZE = 64 * 1024

_SHORTEST = 0.001
"""Seconds. A socket timeout of 0 would mean non-blocking, not "expire at once"."""


class RequestTimeout(float):
    """The limits of one request on our own connections.

    It is the `timeout` extension of the request and, for httpcore, the limit of each step. Its
    float value is the limit on the wait for the pool, which httpcore enforces itself.

    Attributes:
        connect: seconds to open the connection, infinite for no limit.
        read: seconds that each read may take.
        write: seconds that each write may take.
        until: when the request must have its response, by the monotonic clock.
        ended: whether another thread has ended the request.
    """

    __slots__ = ("connect", "ended", "read", "until", "write")

    connect: float
    read: float
    write: float
    until: float
    ended: bool

    def __new__(cls, timeout: Timeout) -> Self:
        total = math.inf if timeout.total is None else timeout.total
        made = super().__new__(cls, total if timeout.pool is None else min(timeout.pool, total))
        made.connect = math.inf if timeout.connect is None else timeout.connect
        made.read = math.inf if timeout.read is None else timeout.read
        made.write = math.inf if timeout.write is None else timeout.write
        made.until = monotonic() + total
        made.ended = False
        return made

    def get(self, step: str, default: object = None) -> Self:
        """Return the limit of a step; httpcore calls this before each one.

        Raises:
            TransportError: the request was ended.
        """
        if self.ended:
            raise TransportError("broken", "the request was interrupted")
        return self

    def limit_reads(self, seconds: float | None) -> None:
        """Set the seconds each read may take from now on, which then is the only limit."""
        self.read = math.inf if seconds is None else seconds
        self.until = math.inf

    def left(self, seconds: float) -> float | None:
        """Return the seconds that a wait with this limit may take; None for no limit."""
        if self.until != math.inf:
            seconds = min(seconds, self.until - monotonic())
        if seconds == math.inf:
            return None
        return max(_SHORTEST, seconds)


def seconds_to_read(timeout: float | None) -> float | None:
    """Return the seconds that a read may take; None for no limit."""
    return timeout.left(timeout.read) if isinstance(timeout, RequestTimeout) else timeout


def seconds_to_write(timeout: float | None) -> float | None:
    """Return the seconds that a write may take; None for no limit."""
    return timeout.left(timeout.write) if isinstance(timeout, RequestTimeout) else timeout


def connect_until(timeout: float | None) -> float:
    """Return when a connection that is opened now must be open, by the monotonic clock."""
    left = timeout.left(timeout.connect) if isinstance(timeout, RequestTimeout) else timeout
    return math.inf if left is None else monotonic() + left


def time_left(until: float) -> float | None:
    """Return the seconds left until a point in time; None for infinity."""
    return None if until == math.inf else max(_SHORTEST, until - monotonic())


class DeadlineStream:
    """A blocking network stream that asks its timeout for the time left at every read.

    Args:
        connection: the socket, with TLS or without.
        write_error: what httpcore expects of a write that fails: it then reads on, since a
            server may respond before it has read everything.
        until: when the connection must be open, TLS included, by the monotonic clock.
        sockets: where to put the socket, so that another thread can shut it down.
    """

    __slots__ = ("_early", "_set", "_socket", "_sockets", "_until", "_write_error")

    def __init__(
        self,
        connection: Connection,
        write_error: type[Exception],
        until: float,
        sockets: WeakSet[socket.socket],
    ) -> None:
        self._socket = connection
        self._write_error = write_error
        self._until = until
        self._sockets = sockets
        sockets.add(self.get_extra_info("socket"))
        self._set: float | None = None  # the timeout that `read` last set on the socket
        self._early = b""  # what arrived of a response while a write was stalled

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = timeout.left(timeout.read) if isinstance(timeout, RequestTimeout) else timeout
        connection = self._socket
        if self._early:
            early, self._early = self._early, b""
            return early
        while True:
            waited = self._set_timeout(connection, left)
            try:
                return connection.recv(max_bytes)
            except TimeoutError as error:
                if left is None or waited is None or waited >= left:
                    raise TransportError("timeout", "no data received in time") from error
                left -= waited
            except OSError as error:
                raise TransportError("broken", str(error)) from error

    def _set_timeout(self, connection: Connection, left: float | None) -> float | None:
        """Set the socket's timeout to `left` seconds or a little less; return it.

        Setting it is a system call, and the time left hardly changes between two reads. So
        set a little less than is left, and keep it while it is close enough.
        """
        if left is None:
            connection.settimeout(None)
            self._set = None
        elif self._set is None or not left * 0.8 <= self._set <= left:
            self._set = left if left < 1 else left * 0.9
            connection.settimeout(self._set)
        return self._set

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._set = None
        rest = memoryview(buffer)
        try:
            while rest:
                rest = rest[self._send(rest, seconds_to_write(timeout)) :]
        except TimeoutError as error:
            raise TransportError("timeout", "could not send in time", phase="write") from error
        except OSError as error:
            raise self._write_error(str(error)) from error

    def _send(self, data: memoryview, seconds: float | None) -> int:
        """Send some of the data; return how much.

        Raises:
            TimeoutError: nothing could be sent in time.
            OSError: the connection broke, or the server has responded and does not read on.
        """
        until = math.inf if seconds is None else monotonic() + seconds
        while True:
            self._socket.settimeout(max(_SHORTEST, min(STALLED, until - monotonic())))
            try:
                return self._socket.send(data)
            except TimeoutError:
                if self._responded():
                    raise OSError("the server responded before it read the request") from None
                if monotonic() >= until:
                    raise

    def _responded(self) -> bool:
        """Receive what has arrived of a response; return whether anything has, or the end."""
        connection = self._socket
        if isinstance(connection, TLSInTLS):
            return False
        connection.settimeout(0)
        try:
            self._early = connection.recv(_READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        return True

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> DeadlineStream:
        until = min(self._until, connect_until(timeout))
        try:
            with connecting():
                secured = secure(self._socket, ssl_context, server_hostname, until)
        except BaseException:
            self.close()
            raise
        return DeadlineStream(secured, self._write_error, until, self._sockets)

    def shake_hands(self, steps: Handshake) -> None:
        """Run the handshake of a proxy, in the time for connecting.

        Raises:
            TransportError: the proxy refused, or timed out.
        """
        timeout = RequestTimeout(_NO_LIMITS)
        timeout.until = self._until
        try:
            shake_hands(self, steps, timeout)
        except TransportError as error:
            error.phase = "connect"
            raise
        except self._write_error as error:
            raise TransportError("connect", str(error)) from error

    def get_extra_info(self, info: str) -> Any:
        connection = self._socket
        raw = connection.outer if isinstance(connection, TLSInTLS) else connection
        match info:
            case "ssl_object":
                return connection if isinstance(raw, ssl.SSLSocket) else None
            case "socket":
                return raw
            case "is_readable":
                return is_readable(raw)
            case _:
                return None


@define(eq=False)
class DeadlineBackend:
    """Opens blocking connections, each within one time limit for all its steps.

    Args:
        write_error: see `DeadlineStream`.
        route: how to reach a host.
    """

    write_error: type[Exception]
    route: Route = DIRECT
    _sockets: WeakSet[socket.socket] = field(init=False, factory=WeakSet[socket.socket])
    _closed: bool = field(init=False, default=False)

    def close(self) -> None:
        """Shut down every connection, which wakes the threads that read from them."""
        self._closed = True
        for connection in list(self._sockets):
            shut_down(connection)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> DeadlineStream:
        self._refuse_if_closed()
        until = connect_until(timeout)
        with connecting():
            connection = connect(*self.route.first_hop(host, port), until, local_address)
        stream = DeadlineStream(connection, self.write_error, until, self._sockets)
        try:
            self._refuse_if_closed()
            for option in socket_options or ():
                connection.setsockopt(*option)
            if (tls := self.route.proxy_tls()) is not None:
                stream = stream.start_tls(*tls)
            if (steps := self.route.handshake(host, port)) is not None:
                stream.shake_hands(steps)
        except BaseException:
            stream.close()
            raise
        return stream

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportError("broken", "the transport was closed")


class AsyncDeadlineStream:
    """An async network stream that asks its timeout for the time left at every read.

    Args:
        inner: httpcore's stream.
        write_error: see `DeadlineStream`.
        until: when the connection must be open, TLS included, by the monotonic clock.
    """

    __slots__ = ("_early", "_inner", "_until", "_write_error")

    def __init__(self, inner: Any, write_error: type[Exception], until: float = math.inf) -> None:
        self._inner = inner
        self._write_error = write_error
        self._until = until
        self._early = b""  # what arrived of a response during a write

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._early:
            early, self._early = self._early, b""
            return early
        data: bytes = await self._inner.read(max_bytes, seconds_to_read(timeout))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        seconds = seconds_to_write(timeout)
        if len(buffer) < WRITE_SIZE:  # fits into the socket's buffer
            await self._inner.write(buffer, seconds)
        else:
            await self._write_or_give_up(buffer, seconds)

    async def _write_or_give_up(self, buffer: bytes, seconds: float | None) -> None:
        """Write, until a response has arrived and the write is stalled."""
        failure: Exception | None = None
        scope = anyio.CancelScope()

        async def give_up() -> None:
            if self._inner.get_extra_info("ssl_object") is None:
                await anyio.wait_readable(self._inner.get_extra_info("socket"))
                await anyio.sleep(STALLED)
            else:
                await self._read_early()
            scope.cancel()

        async with anyio.create_task_group() as tasks:
            with scope:
                tasks.start_soon(give_up)
                try:
                    await self._inner.write(buffer, seconds)
                except Exception as error:  # noqa: BLE001  # raised below, outside of the group
                    failure = error
            tasks.cancel_scope.cancel()
        if scope.cancelled_caught:
            raise self._write_error("the server responded before it read the request")
        if failure is not None:
            raise failure

    async def _read_early(self) -> None:
        """Read what arrives of a response, until `STALLED` after its first bytes.

        A readable socket does not mean that a response arrived, since TLS sends messages of its
        own. A TLS stream cannot be read after its write was cancelled, so this reads all before.
        """
        with suppress(Exception):  # a broken connection fails the write, too
            self._early += await self._inner.read(_READ_SIZE)
            with anyio.move_on_after(STALLED):
                while data := await self._inner.read(_READ_SIZE):
                    self._early += data
                await anyio.sleep_forever()

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncDeadlineStream:
        until = min(self._until, connect_until(timeout))
        try:
            secured = await self._inner.start_tls(ssl_context, server_hostname, time_left(until))
        except BaseException:  # httpcore closes the connection on an Exception only
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise
        return AsyncDeadlineStream(secured, self._write_error, until)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@frozen(eq=False)
class AsyncDeadlineBackend:
    """Opens connections with the backend it wraps, each within one limit for all its steps.

    Args:
        inner: httpcore's backend.
        write_error: see `DeadlineStream`.
        route: how to reach a host.
    """

    inner: Any
    write_error: type[Exception]
    route: Route = DIRECT

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncDeadlineStream:
        until = connect_until(timeout)
        with connecting():
            with anyio.fail_after(time_left(until)):
                inner = await self.inner.connect_tcp(
                    *self.route.first_hop(host, port), None, local_address, socket_options
                )
                stream = AsyncDeadlineStream(inner, self.write_error, until)
                return await open_route(self.route, stream, host, port)


class OpeningStream(AwaitingStream, Protocol):
    """What opening a route needs of a connection to a proxy."""

    async def aclose(self) -> None: ...
    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Self: ...


async def open_route(route: Route, stream: StreamT, host: str, port: int) -> StreamT:
    """Open the way from a proxy to a host, on a connection to the proxy.

    Returns:
        The stream to use; the connection is closed if the way cannot be opened.
    """
    try:
        if (tls := route.proxy_tls()) is not None:
            stream = await stream.start_tls(*tls)
        if (steps := route.handshake(host, port)) is not None:
            await shake_hands_async(stream, steps)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await stream.aclose()
        raise
    return stream


def is_readable(connection: socket.socket) -> bool:
    """Whether a read would return at once: on an idle connection, the server closed it."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
