"""What `HTTPXTransport` and `HTTPX2Transport` share: on own connections, or a caller's client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core.exchange import Request
from .._core.timeout import Timeout
from . import AsyncTransportResponse, TransportResponse
from ._httpcore import AsyncPooledConnections, PooledConnections
from ._library import Library
from ._pool_options import PoolOptions

if TYPE_CHECKING:
    # Imported when a client is given: most programs give none, and then start faster.
    from ._borrowed import AsyncBorrowedClient, BorrowedClient


class LibraryTransport:
    """Sends with httpx or httpx2, blocking."""

    def __init__(self, library: Library, client: Any, options: PoolOptions) -> None:
        self._sender: BorrowedClient | PooledConnections
        if client is None:
            self._sender = PooledConnections(library, options)
        else:
            from ._borrowed import BorrowedClient

            self._sender = BorrowedClient(library, client)

    def send(self, request: Request, timeout: Timeout) -> TransportResponse:
        """Send a request; see `Transport.send`."""
        return self._sender.send(request, timeout)

    def warm(self, url: str) -> None:
        """Make what the first request to a URL would; a caller's client is the caller's."""
        if isinstance(self._sender, PooledConnections):
            self._sender.warm(url)

    def interrupt(self, request: Request) -> None:
        """End a request that waits for its response; see `Interruptible`."""
        self._sender.interrupt(request)

    def close(self) -> None:
        """Close every connection this transport opened."""
        self._sender.close()


class AsyncLibraryTransport:
    """Sends with httpx or httpx2, awaiting."""

    def __init__(self, library: Library, client: Any, options: PoolOptions) -> None:
        self._sender: AsyncBorrowedClient | AsyncPooledConnections
        if client is None:
            self._sender = AsyncPooledConnections(library, options)
        else:
            from ._borrowed import AsyncBorrowedClient

            self._sender = AsyncBorrowedClient(library, client)

    async def send(self, request: Request, timeout: Timeout) -> AsyncTransportResponse:
        """Send a request; see `AsyncTransport.send`."""
        return await self._sender.send(request, timeout)

    async def warm(self, url: str) -> None:
        """Make what the first request to a URL would; a caller's client is the caller's."""
        if isinstance(self._sender, AsyncPooledConnections):
            await self._sender.warm(url)

    async def aclose(self) -> None:
        """Close every connection this transport opened on the running loop."""
        await self._sender.aclose()
