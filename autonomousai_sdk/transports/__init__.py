"""Transports: send a request and read its response, behind one small protocol.

A transport does HTTP only: no retries, no JSON, no events. The SDK ships `HTTPXTransport`
and `AsyncHTTPXTransport` (the default). Any object with these methods can replace them,
passed as `Client(transport=…)`:

    class MyTransport:
        def send(self, request, timeout): ...   # → an object with status, headers, read(), close()
        def close(self): ...

A transport does not follow redirects, does not undo content codings (it leaves
`content-encoding` in the headers), and raises a `TransportError` for every failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .._core.exchange import ErrorKind, Request, TransportError
from .._core.timeout import Timeout

if TYPE_CHECKING:
    from ._http_client import AsyncHTTPClient, HTTPClient

__all__ = [
    "AsyncHTTPClient",
    "AsyncTransport",
    "AsyncTransportResponse",
    "ErrorKind",
    "HTTPClient",
    "Request",
    "Timeout",
    "Transport",
    "TransportError",
    "TransportResponse",
]


class TransportResponse(Protocol):
    """A response whose body has not been read yet."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Header names and values, in the order received."""
        ...

    def read(self, timeout: float | None) -> bytes:
        """Read the next bytes of the body: at least one, or none at the end of the body.

        Args:
            timeout: seconds to wait for these bytes; None for no limit.

        Raises:
            TransportError: the connection broke, or the read timed out.
        """
        ...

    def close(self) -> None:
        """Return the connection to the pool if the body was read to its end, else close it."""
        ...

    def abort(self) -> None:
        """Break the connection at once, without waiting and without taking a lock.

        Called when an unread stream is dropped, possibly by the garbage collector at any
        point of the program; `close` follows as soon as it is safe to wait.
        """
        ...


@runtime_checkable
class Transport(Protocol):
    """Sends requests for a `Client`, from many threads at once."""

    def send(self, request: Request, timeout: Timeout) -> TransportResponse:
        """Send a request and wait for the head of its response.

        Args:
            request: complete: method, absolute URL, headers, content.
            timeout: `connect`, `read`, `write` and `pool`, in seconds, and in `total`
                the seconds left for the whole call; each may be None.

        Raises:
            TransportError: no response arrived.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class AsyncTransportResponse(Protocol):
    """A response whose body has not been read yet."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Header names and values, in the order received."""
        ...

    async def read(self, timeout: float | None) -> bytes:
        """Read the next bytes of the body: at least one, or none at the end of the body.

        Args:
            timeout: seconds to wait for these bytes; None for no limit.

        Raises:
            TransportError: the connection broke, or the read timed out.
        """
        ...

    async def aclose(self) -> None:
        """Return the connection to the pool if the body was read to its end, else close it."""
        ...

    def abort(self) -> None:
        """Break the connection at once, without waiting and without taking a lock.

        Called when an unread stream is dropped, possibly by the garbage collector at any
        point of the program; `aclose` follows as soon as it is safe to wait.
        """
        ...


@runtime_checkable
class AsyncTransport(Protocol):
    """Sends requests for an `AsyncClient`, from many tasks of one event loop."""

    async def send(self, request: Request, timeout: Timeout) -> AsyncTransportResponse:
        """Send a request and wait for the head of its response.

        Args:
            request: complete: method, absolute URL, headers, content.
            timeout: `connect`, `read`, `write` and `pool`, in seconds, and in `total`
                the seconds left for the whole call; each may be None.

        Raises:
            TransportError: no response arrived.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


def __getattr__(name: str) -> Any:
    """Load the types of `http_client=`, which import the HTTP libraries, when one is asked for."""
    if name not in ("AsyncHTTPClient", "HTTPClient"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _http_client

    return getattr(_http_client, name)
