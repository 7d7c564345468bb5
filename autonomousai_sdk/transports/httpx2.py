"""The transport on httpx2 (extra `[httpx2]`)."""

from __future__ import annotations

from .._core.verify import Verify
from ..errors import ConfigurationError
from ._base import AsyncLibraryTransport, LibraryTransport
from ._library import Library
from ._pool import ClosesOrphans, WakesRequests
from ._pool_options import KEEPALIVE_CONNECTIONS, MAX_CONNECTIONS, pool_options

try:
    import httpcore2
    import httpx2
except ImportError as _error:
    raise ConfigurationError(
        'This transport needs httpx2: pip install "autonomousai-sdk[httpx2]".'
    ) from _error

__all__ = ["AsyncHTTPX2Transport", "HTTPX2Transport"]


class _Pool(WakesRequests, httpcore2.ConnectionPool):
    """A pool that closes orphans, and ends its requests when it is closed."""


class _AsyncPool(ClosesOrphans, httpcore2.AsyncConnectionPool):
    """A pool that closes orphans."""


class _Transport(httpx2.HTTPTransport):
    """httpx2's transport on a pool of ours: its own pool does not take a network backend."""

    def __init__(self, pool: httpcore2.ConnectionPool) -> None:
        self._pool = pool


class _AsyncTransport(httpx2.AsyncHTTPTransport):
    """httpx2's transport on a pool of ours: its own pool does not take a network backend."""

    def __init__(self, pool: httpcore2.AsyncConnectionPool) -> None:
        self._pool = pool


LIBRARY = Library(
    http=httpx2,
    core=httpcore2,
    pool=_Pool,
    async_pool=_AsyncPool,
    transport=_Transport,
    async_transport=_AsyncTransport,
)


class HTTPX2Transport(LibraryTransport):
    """Sends with httpx2, blocking.

    Args:
        client: the caller's own `httpx2.Client`, or None to open its own connections.
        proxy: the proxy's URL, or None for the environment's.
        verify: the certificates to trust: True for certifi's (or those of `SSL_CERT_FILE` or
            `SSL_CERT_DIR`), a path, "system", or an `ssl.SSLContext`.
        max_connections: the most connections open at once.
        max_keepalive_connections: the most idle connections kept.

    Examples:
        >>> Client(transport=HTTPX2Transport(max_connections=10))
    """

    def __init__(
        self,
        *,
        client: httpx2.Client | None = None,
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


class AsyncHTTPX2Transport(AsyncLibraryTransport):
    """Sends with httpx2, awaiting: on asyncio or trio.

    Args:
        client: the caller's own `httpx2.AsyncClient`, or None to open its own connections.
        proxy: the proxy's URL, or None for the environment's.
        verify: the certificates to trust: True for certifi's (or those of `SSL_CERT_FILE` or
            `SSL_CERT_DIR`), a path, "system", or an `ssl.SSLContext`.
        max_connections: the most connections open at once.
        max_keepalive_connections: the most idle connections kept.

    Examples:
        >>> AsyncClient(transport=AsyncHTTPX2Transport(max_connections=10))
    """

    def __init__(
        self,
        *,
        client: httpx2.AsyncClient | None = None,
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
