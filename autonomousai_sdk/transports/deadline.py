"""Network streams that keep to a deadline: one wrapper each for httpcore's two kinds of I/O.

httpcore, under httpx, restarts its read timeout with every byte and fixes it when the
request starts, so a server that drips headers is never timed out, and a limit that
changes while an answer is read cannot be said. It hands the timeout it was given through
to its network stream untouched, though: so the transports give it an `Allowance`, which
knows the time left, and these wrappers ask it at every read.

Typed by shape, not by httpcore's classes: the same wrappers serve httpx and httpx2.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, cast

from attrs import frozen

from .._core.timeout import Timeout

if TYPE_CHECKING:
    from typing_extensions import Self

SocketOption = tuple[int, int, "int | bytes | bytearray"]

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
        left = min(self.seconds, self.until - monotonic())
        return None if left == math.inf else max(left, _SHORTEST)


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


class Stream(Protocol):
    """The shape of httpcore's blocking network stream."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    def write(self, buffer: bytes, timeout: float | None = None) -> None: ...
    def close(self) -> None: ...
    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Any: ...
    def get_extra_info(self, info: str) -> Any: ...


class AsyncStream(Protocol):
    """The shape of httpcore's awaiting network stream."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    async def write(self, buffer: bytes, timeout: float | None = None) -> None: ...
    async def aclose(self) -> None: ...
    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Any: ...
    def get_extra_info(self, info: str) -> Any: ...


@frozen(eq=False)
class DeadlineStream:
    """A blocking network stream that asks the allowance at every read and write."""

    inner: Stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> DeadlineStream:
        secured = self.inner.start_tls(ssl_context, server_hostname, _left(timeout))
        return DeadlineStream(cast("Stream", secured))

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


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
        socket_options: Iterable[SocketOption] | None = None,
    ) -> DeadlineStream:
        return DeadlineStream(
            self.inner.connect_tcp(host, port, _left(timeout), local_address, socket_options)
        )


@frozen(eq=False)
class AsyncDeadlineStream:
    """An awaiting network stream that asks the allowance at every read and write."""

    inner: AsyncStream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self.inner.read(max_bytes, _left(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self.inner.write(buffer, _left(timeout))

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncDeadlineStream:
        secured = await self.inner.start_tls(ssl_context, server_hostname, _left(timeout))
        return AsyncDeadlineStream(cast("AsyncStream", secured))

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


@frozen(eq=False)
class AsyncDeadlineBackend:
    """Opens connections as the backend it wraps does, with deadlines on them."""

    inner: Any

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> AsyncDeadlineStream:
        return AsyncDeadlineStream(
            await self.inner.connect_tcp(host, port, _left(timeout), local_address, socket_options)
        )
