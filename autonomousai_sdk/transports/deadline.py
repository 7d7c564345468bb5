"""Network streams that keep to a deadline: one each for httpcore's two kinds of I/O.

httpcore, under httpx, restarts its read timeout with every byte and fixes it when the
request starts, so a server that drips headers is never timed out, and a limit that
changes while an answer is read cannot be said. It hands the timeout it was given through
to its network stream untouched, though: so the transports give it an `Allowance`, which
knows the time left, and these streams ask it at every read.

A read is also where a stream's time goes when chunks come one by one, so reads do without
what httpcore's own streams do each time: a system call to set the timeout again, a cancel
scope, a table of exceptions. What fails in one is a `TransportError` at once, which
httpcore lets through.

Typed by shape, not by httpcore's classes: the same streams serve httpx and httpx2.
"""

from __future__ import annotations

import asyncio
import math
import select
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSStream
from attrs import frozen

from .._core.exchange import TransportError
from .._core.timeout import Timeout

if TYPE_CHECKING:
    from typing_extensions import Self

_SHORTEST = 0.001
"""Seconds; 0 would mean "do not block" to a socket, not "time out"."""


class Allowance(float):
    """A timeout in seconds that can be changed, with a point in time none of it goes past.

    As a float it is what it was at first, for code that knows no better.
    """

    __slots__ = ("seconds", "until")

    seconds: float
    until: float

    def __new__(cls, seconds: float | None, total: float | None) -> Self:
        bounds = [bound for bound in (seconds, total) if bound is not None]
        allowance = super().__new__(cls, min(bounds, default=math.inf))
        allowance.seconds = math.inf if seconds is None else seconds
        allowance.until = math.inf if total is None else monotonic() + total
        return allowance

    def limit(self, seconds: float | None) -> None:
        """Set what each wait from now on may take, in seconds; None for no limit."""
        self.seconds = math.inf if seconds is None else seconds
        self.until = math.inf

    def left(self) -> float | None:
        """Seconds the next wait may take; None for no limit."""
        left = self.seconds
        if self.until != math.inf:
            left = min(left, self.until - monotonic())
        if left == math.inf:
            return None
        return max(_SHORTEST, left)


def _left(timeout: float | None) -> float | None:
    return timeout.left() if isinstance(timeout, Allowance) else timeout


@frozen
class Limits:
    """The limits of one request, in httpcore's form: reading and writing are allowances."""

    connect: float | None
    read: Allowance
    write: Allowance
    pool: float | None

    @classmethod
    def of(cls, timeout: Timeout) -> Limits:
        """The limits a `Timeout` sets, with `total` counted from now."""
        return cls(
            timeout.connect,
            Allowance(timeout.read, timeout.total),
            Allowance(timeout.write, timeout.total),
            timeout.pool,
        )

    def as_extension(self) -> dict[str, float | None]:
        """The value of a request's `timeout` extension."""
        return {
            "connect": self.connect,
            "read": self.read,
            "write": self.write,
            "pool": self.pool,
        }


class Watchdog:
    """One timer of an asyncio loop for a whole connection.

    A read says until when it waits; the timer looks at that when it fires, and is set
    again if there is time left. A timer for each read would cost more than the read.
    """

    __slots__ = ("_loop", "_on_expiry", "_timer", "_until", "expired")

    def __init__(self, on_expiry: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_expiry = on_expiry
        self._timer: asyncio.TimerHandle | None = None
        self._until = math.inf
        self.expired: bool = False

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
            self.expired = True
            self._on_expiry()


class DeadlineStream:
    """A blocking network stream that asks the allowance at every read.

    Args:
        inner: httpcore's stream, which does all but the reading.
    """

    __slots__ = ("_inner", "_set", "_socket")

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._set: float | None = None  # the socket's timeout, as long as it is set from here
        # TLS inside TLS, through an https proxy, has no socket of its own to read from.
        connection = inner.get_extra_info("socket")
        is_plain = inner.get_extra_info("ssl_object") is None
        readable = is_plain or isinstance(connection, ssl.SSLSocket)
        self._socket: socket.socket | None = connection if readable else None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _left(timeout)
        connection = self._socket
        if connection is None:
            data: bytes = self._inner.read(max_bytes, left)
            return data
        while True:
            waited = self._set_timeout(connection, left)
            try:
                return connection.recv(max_bytes)
            except TimeoutError as error:
                if left is None or waited is None or waited >= left:
                    raise TransportError("timeout", "nothing came in time") from error
                left -= waited
            except OSError as error:
                raise TransportError("broken", str(error)) from error

    def _set_timeout(self, connection: socket.socket, left: float | None) -> float | None:
        """Have the socket time out in `left` seconds or a little before; returns when.

        Setting it is a system call, and from one read to the next the time left hardly
        changes. So it is set to a little less, and left alone while that is near enough.
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
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> DeadlineStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, _left(timeout))
        return DeadlineStream(secured)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@frozen(eq=False)
class DeadlineBackend:
    """Opens connections as the backend it wraps does, with deadlines on them."""

    inner: Any

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> DeadlineStream:
        inner = self.inner.connect_tcp(host, port, _left(timeout), local_address, socket_options)
        return DeadlineStream(inner)


class AsyncDeadlineStream:
    """An awaiting network stream, on asyncio or trio, that asks the allowance at every read.

    Args:
        stream: anyio's stream.
        write_error: what httpcore expects of a write that fails: it then reads on, since a
            server may answer before it has read everything.
    """

    __slots__ = ("_stream", "_watchdog", "_write_error")

    def __init__(self, stream: ByteStream, write_error: type[Exception]) -> None:
        self._stream = stream
        self._write_error = write_error
        is_asyncio = anyio.get_cancelled_exc_class() is asyncio.CancelledError
        self._watchdog = Watchdog(self._shut_down) if is_asyncio else None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _left(timeout)
        watchdog = self._watchdog
        try:
            if watchdog is None:
                with anyio.fail_after(left):
                    return await self._stream.receive(max_bytes)
            if left is not None:
                watchdog.expect_within(left)
            data = await self._stream.receive(max_bytes)
            watchdog.rest()
        except (anyio.EndOfStream, TimeoutError) as error:
            if isinstance(error, TimeoutError) or (watchdog is not None and watchdog.expired):
                raise TransportError("timeout", "nothing came in time") from error
            return b""
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
            if watchdog is not None and watchdog.expired:
                raise TransportError("timeout", "nothing came in time") from error
            raise TransportError("broken", str(error.__cause__ or error)) from error
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            with anyio.fail_after(_left(timeout)):
                await self._stream.send(buffer)
        except TimeoutError as error:
            raise TransportError("timeout", "sending took too long", phase="write") from error
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
            raise self._write_error(str(error.__cause__ or error)) from error

    async def aclose(self) -> None:
        if self._watchdog is not None:
            self._watchdog.stop()
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncDeadlineStream:
        try:
            with anyio.fail_after(_left(timeout)):
                secured = await TLSStream.wrap(
                    self._stream,
                    ssl_context=ssl_context,
                    hostname=server_hostname,
                    standard_compatible=False,
                    server_side=False,
                )
        except TimeoutError as error:
            raise TransportError("timeout", "TLS took too long", phase="connect") from error
        except ssl.SSLError as error:
            raise TransportError("tls", str(error)) from error
        except (anyio.EndOfStream, anyio.BrokenResourceError, OSError) as error:
            raise TransportError("connect", str(error) or "TLS was cut short") from error
        return AsyncDeadlineStream(secured, self._write_error)

    def get_extra_info(self, info: str) -> Any:
        attribute = _ATTRIBUTES.get(info)
        if attribute is not None:
            return self._stream.extra(attribute, None)
        if info == "is_readable":
            connection = self._stream.extra(SocketAttribute.raw_socket, None)
            return connection is None or is_readable(connection)
        return None

    def _shut_down(self) -> None:
        """End the connection below a read that waits, which wakes it."""
        connection = self._stream.extra(SocketAttribute.raw_socket, None)
        if connection is not None:
            with suppress(OSError):  # it may be closed already, which is what is wanted
                connection.shutdown(socket.SHUT_RDWR)


_ATTRIBUTES: dict[str, Any] = {
    "ssl_object": TLSAttribute.ssl_object,
    "client_addr": SocketAttribute.local_address,
    "server_addr": SocketAttribute.remote_address,
    "socket": SocketAttribute.raw_socket,
}


@frozen(eq=False)
class AsyncDeadlineBackend:
    """Opens connections by anyio, with deadlines on them."""

    write_error: type[Exception]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncDeadlineStream:
        try:
            with anyio.fail_after(_left(timeout)):
                stream = await anyio.connect_tcp(host, port, local_host=local_address)
        except TimeoutError as error:
            raise TransportError("timeout", "connecting took too long", phase="connect") from error
        except OSError as error:
            raise TransportError("connect", str(error.__cause__ or error)) from error
        connection = stream.extra(SocketAttribute.raw_socket)
        for option in socket_options or ():
            connection.setsockopt(*option)
        return AsyncDeadlineStream(stream, self.write_error)


def is_readable(connection: socket.socket) -> bool:
    """Whether a read would not wait: on an idle connection, that its server closed it."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
