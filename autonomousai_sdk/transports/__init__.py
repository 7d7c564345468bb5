"""Transports: what sends a request and reads its answer, behind one small protocol.

A transport knows HTTP and nothing else: no retries, no JSON, no events. The SDK brings
`HTTPXTransport` and `AsyncHTTPXTransport` (the default); any object with these methods
can stand in, passed as `Client(transport=…)`:

    class MyTransport:
        def send(self, request, timeout): ...   # → an object with status, headers, read(), close()
        def close(self): ...

The rules for one: redirects are not followed, content codings are not undone (say so by
leaving `content-encoding` in the headers), and every failure is a `TransportError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from .._core.exchange import ErrorKind, Request, TransportError
from .._core.timeout import Timeout

__all__ = [
    "AsyncTransport",
    "AsyncTransportResponse",
    "ErrorKind",
    "Request",
    "Timeout",
    "Transport",
    "TransportError",
    "TransportResponse",
]


class TransportResponse(Protocol):
    """An answer whose body is still to be read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Names and values, in the order they came."""
        ...

    def read(self, timeout: float | None) -> bytes:
        """The next bytes of the body as they came, at least one; empty at its end.

        Args:
            timeout: seconds these bytes may take; None for no limit.

        Raises:
            TransportError: the connection broke, or the time was over.
        """
        ...

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        ...

    def abort(self) -> None:
        """Break the connection at once, without waiting and without taking a lock.

        Called when a stream is dropped unread, perhaps by the garbage collector in the
        middle of anything; `close` follows when it is safe.
        """
        ...


@runtime_checkable
class Transport(Protocol):
    """Sends requests for a `Client`. One is used by many threads at once."""

    def send(self, request: Request, timeout: Timeout) -> TransportResponse:
        """Send a request and wait for the head of its answer.

        Args:
            request: complete: method, absolute URL, headers, content.
            timeout: `connect`, `read`, `write` and `pool`, in seconds, and in `total`
                what is left of the whole call; each may be None.

        Raises:
            TransportError: no answer came.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class AsyncTransportResponse(Protocol):
    """An answer whose body is still to be read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Names and values, in the order they came."""
        ...

    async def read(self, timeout: float | None) -> bytes:
        """The next bytes of the body as they came, at least one; empty at its end.

        Args:
            timeout: seconds these bytes may take; None for no limit.

        Raises:
            TransportError: the connection broke, or the time was over.
        """
        ...

    async def aclose(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        ...

    def abort(self) -> None:
        """Break the connection at once, without waiting and without taking a lock.

        Called when a stream is dropped unread, perhaps by the garbage collector in the
        middle of anything; `aclose` follows when it is safe.
        """
        ...


@runtime_checkable
class AsyncTransport(Protocol):
    """Sends requests for an `AsyncClient`, from many tasks of one event loop."""

    async def send(self, request: Request, timeout: Timeout) -> AsyncTransportResponse:
        """Send a request and wait for the head of its answer.

        Args:
            request: complete: method, absolute URL, headers, content.
            timeout: `connect`, `read`, `write` and `pool`, in seconds, and in `total`
                what is left of the whole call; each may be None.

        Raises:
            TransportError: no answer came.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
