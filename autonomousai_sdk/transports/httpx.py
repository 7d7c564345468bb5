"""The default transport, on httpx."""

from __future__ import annotations

import httpcore
import httpx

from .._core.verify import Verify
from ._base import AsyncLibraryTransport, LibraryTransport
from ._library import Library
from ._pool import ClosesOrphans, WakesRequests
from ._pool_options import KEEPALIVE_CONNECTIONS, MAX_CONNECTIONS, pool_options

__all__ = ["AsyncHTTPXTransport", "HTTPXTransport"]


class _Pool(WakesRequests, httpcore.ConnectionPool):
    """A pool that closes orphans, and ends its requests when it is closed."""


class _AsyncPool(ClosesOrphans, httpcore.AsyncConnectionPool):
    """A pool that closes orphans."""


class _Transport(httpx.HTTPTransport):
    """httpx's transport on a pool of ours: its own pool does not take a network backend."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool


class _AsyncTransport(httpx.AsyncHTTPTransport):
    """httpx's transport on a pool of ours: its own pool does not take a network backend."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool


LIBRARY = Library(
    http=httpx,
    core=httpcore,
    pool=_Pool,
    async_pool=_AsyncPool,
    transport=_Transport,
    async_transport=_AsyncTransport,
)


class HTTPXTransport(LibraryTransport):
    """Sends with httpx, blocking.

    Args:
        client: the caller's own `httpx.Client`, or None to open its own connections.
        proxy: the proxy's URL, or None for the environment's.
        verify: the certificates to trust: True for certifi's (or those of `SSL_CERT_FILE` or
            `SSL_CERT_DIR`), a path, "system", or an `ssl.SSLContext`.
        max_connections: the most connections open at once.
        max_keepalive_connections: the most idle connections kept.

    Examples:
        >>> Client(transport=HTTPXTransport(max_connections=10))
    """

    def __init__(
        self,
        *,
        client: httpx.Client | None = None,
        proxy: str | None = None,
        verify: Verify = True,
        max_connections: int = MAX_CONNECTIONS,
        max_keepalive_connections: int = KEEPALIVE_CONNECTIONS,
    ) -> None:
        options = pool_options(
            client,
            proxy=proxy,
            verify=verify,
            max_connections=max_connections,
            max_keepalive_connections=max_keepalive_connections,
        )
        super().__init__(LIBRARY, client, options)


class AsyncHTTPXTransport(AsyncLibraryTransport):
    """Sends with httpx, awaiting: on asyncio or trio.

    Args:
        client: the caller's own `httpx.AsyncClient`, or None to open its own connections.
        proxy: the proxy's URL, or None for the environment's.
        verify: the certificates to trust: True for certifi's (or those of `SSL_CERT_FILE` or
            `SSL_CERT_DIR`), a path, "system", or an `ssl.SSLContext`.
        max_connections: the most connections open at once.
        max_keepalive_connections: the most idle connections kept.

    Examples:
        >>> AsyncClient(transport=AsyncHTTPXTransport(max_connections=10))
    """

    def __init__(
        self,
        *,
        client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        verify: Verify = True,
        max_connections: int = MAX_CONNECTIONS,
        max_keepalive_connections: int = KEEPALIVE_CONNECTIONS,
    ) -> None:
        options = pool_options(
            client,
            proxy=proxy,
            verify=verify,
            max_connections=max_connections,
            max_keepalive_connections=max_keepalive_connections,
        )
        super().__init__(LIBRARY, client, options)
