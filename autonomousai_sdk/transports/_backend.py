"""Network streams with deadlines, for httpcore's blocking and trio pools.

httpcore restarts its read timeout with every byte and fixes it when the request starts. So
a server that drips headers never times out, and the limit cannot change while a response is
read. But httpcore passes the timeout object on to its network stream as it is, so the
transports pass a `MutableTimeout`, and these streams ask it for the time left at every read.

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
from time import monotonic
from typing import Any, Self
from weakref import WeakSet

from attrs import define, field, frozen

from .._core.exchange import TransportError
from .._core.timeout import Timeout
from ._socket import shut_down

_SHORTEST = 0.001
"""Seconds. A socket timeout of 0 would mean non-blocking, not "expire at once"."""


class MutableTimeout(float):
    """A timeout in seconds that can be changed, with a deadline that caps it.

    Its float value is the initial timeout, for code unaware of this class.
    """

    __slots__ = ("seconds", "until")

    seconds: float
    until: float

    def __new__(cls, seconds: float | None, total: float | None) -> Self:
        seconds = math.inf if seconds is None else seconds
        total = math.inf if total is None else total
        timeout = super().__new__(cls, min(seconds, total))
        timeout.seconds = seconds
        timeout.until = monotonic() + total
        return timeout

    def limit(self, seconds: float | None) -> None:
        """Set the seconds each wait may take from now on, None for no limit; drop the deadline."""
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


def seconds_left(timeout: float | None) -> float | None:
    """Seconds the next wait may take, for a plain or mutable timeout; None for no limit."""
    return timeout.left() if isinstance(timeout, MutableTimeout) else timeout


@frozen
class RequestTimeouts:
    """The limits of one request, in httpcore's form; `read` and `write` can change."""

    connect: float | None
    read: MutableTimeout
    write: MutableTimeout
    pool: float | None

    @classmethod
    def of(cls, timeout: Timeout) -> RequestTimeouts:
        """The limits of a `Timeout`, with `total` counted from now."""
        return cls(
            timeout.connect,
            MutableTimeout(timeout.read, timeout.total),
            MutableTimeout(timeout.write, timeout.total),
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


class DeadlineStream:
    """A blocking network stream that asks its timeout for the time left at every read.

    Args:
        inner: httpcore's stream, which does everything except reading.
    """

    __slots__ = ("_inner", "_set", "_socket")

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._set: float | None = None  # the timeout that `read` last set on the socket
        # TLS inside TLS, through an https proxy, has no SSLSocket to read from.
        connection = inner.get_extra_info("socket")
        is_plain = inner.get_extra_info("ssl_object") is None
        readable = is_plain or isinstance(connection, ssl.SSLSocket)
        self._socket: socket.socket | None = connection if readable else None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = seconds_left(timeout)
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
                    raise TransportError("timeout", "no data received in time") from error
                left -= waited
            except OSError as error:
                raise TransportError("broken", str(error)) from error

    def _set_timeout(self, connection: socket.socket, left: float | None) -> float | None:
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
        self._inner.write(buffer, seconds_left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> DeadlineStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, seconds_left(timeout))
        return DeadlineStream(secured)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@define(eq=False)
class DeadlineBackend:
    """Opens connections with the backend it wraps, and puts deadlines on them."""

    inner: Any
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
        inner = self.inner.connect_tcp(
            host, port, seconds_left(timeout), local_address, socket_options
        )
        self._sockets.add(inner.get_extra_info("socket"))
        if self._closed:
            inner.close()
            self._refuse_if_closed()
        return DeadlineStream(inner)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportError("broken", "the transport was closed")


class AsyncDeadlineStream:
    """An async network stream that asks its timeout for the time left at every read.

    Args:
        inner: httpcore's stream.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = await self._inner.read(max_bytes, seconds_left(timeout))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, seconds_left(timeout))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncDeadlineStream:
        left = seconds_left(timeout)
        return AsyncDeadlineStream(await self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@frozen(eq=False)
class AsyncDeadlineBackend:
    """Opens connections with the backend it wraps, and puts deadlines on them."""

    inner: Any

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncDeadlineStream:
        inner = await self.inner.connect_tcp(
            host, port, seconds_left(timeout), local_address, socket_options
        )
        return AsyncDeadlineStream(inner)


def is_readable(connection: socket.socket) -> bool:
    """Whether a read would return at once: on an idle connection, the server closed it."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
