"""The default transport, on httpx.

Without a client of the caller's it uses httpx's own transports, the layer below
`httpx.Client`: the same connections, without the redirects, cookies and decoding that
the SDK does not want. A caller's client is used as it is set up, and never closed.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import suppress
from socket import SHUT_RDWR
from typing import cast
from urllib.parse import urlsplit

import anyio
import httpcore
import httpx
from attrs import define, field

from .._core.exchange import Request, TransportError
from .._core.timeout import Timeout
from .deadline import Allowance, AsyncDeadlineBackend, DeadlineBackend, Limits
from .fault import transport_error
from .pool import PoolLimits, pool_options
from .proxy import proxy_for

__all__ = ["AsyncHTTPXTransport", "HTTPXTransport"]

_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError)
"""What httpx raises; an OSError gets through it when TLS fails in an unforeseen way."""


class HTTPXTransport:
    """Sends with httpx, blocking.

    Args:
        client: the caller's own `httpx.Client`, or None to open connections itself.
        proxy: the proxy's URL, or None for what the environment says.
        max_connections: how many connections may be open at once.
        max_keepalive_connections: how many idle ones are kept.

    Example:
        >>> Client(transport=HTTPXTransport(max_connections=10))
    """

    def __init__(
        self,
        *,
        client: httpx.Client | None = None,
        proxy: str | None = None,
        max_connections: int = 1000,
        max_keepalive_connections: int = 100,
    ) -> None:
        self._client = client
        self._proxy = proxy
        self._limits = PoolLimits(
            max_connections=max_connections,
            max_keepalive_connections=max_keepalive_connections,
        )
        self._pools: dict[tuple[str, str | None], httpx.HTTPTransport] = {}

    def send(self, request: Request, timeout: Timeout) -> HTTPXResponse:
        """Send a request; see `Transport.send`."""
        limits = Limits.of(timeout)
        try:
            outgoing = _outgoing(request, limits)
            if self._client is None:
                response = self._pool(request.url).handle_request(outgoing)
            else:
                response = self._client.send(outgoing, stream=True, follow_redirects=False)
        except _ERRORS as error:
            raise transport_error(error) from error
        return HTTPXResponse(response, limits.read)

    def close(self) -> None:
        """Close every connection this transport opened."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def _pool(self, url: str) -> httpx.HTTPTransport:
        key = (urlsplit(url).scheme, proxy_for(url, self._proxy))
        pool = self._pools.get(key)
        if pool is None:
            # Two threads may both get here; setdefault lets one of their pools win, and
            # the other has no connection yet.
            pool = self._pools.setdefault(key, _Pool(*key, self._limits))
        return pool


class AsyncHTTPXTransport:
    """Sends with httpx, awaiting: on asyncio or trio.

    Args:
        client: the caller's own `httpx.AsyncClient`, or None to open connections itself.
        proxy: the proxy's URL, or None for what the environment says.
        max_connections: how many connections may be open at once.
        max_keepalive_connections: how many idle ones are kept.

    Example:
        >>> AsyncClient(transport=AsyncHTTPXTransport(max_connections=10))
    """

    def __init__(
        self,
        *,
        client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        max_connections: int = 1000,
        max_keepalive_connections: int = 100,
    ) -> None:
        self._client = client
        self._proxy = proxy
        self._limits = PoolLimits(
            max_connections=max_connections,
            max_keepalive_connections=max_keepalive_connections,
        )
        self._pools: dict[tuple[str, str | None], httpx.AsyncHTTPTransport] = {}

    async def send(self, request: Request, timeout: Timeout) -> AsyncHTTPXResponse:
        """Send a request; see `AsyncTransport.send`."""
        limits = Limits.of(timeout)
        try:
            outgoing = _outgoing(request, limits)
            if self._client is None:
                response = await self._pool(request.url).handle_async_request(outgoing)
            else:
                response = await self._client.send(outgoing, stream=True, follow_redirects=False)
        except _ERRORS as error:
            raise transport_error(error) from error
        return AsyncHTTPXResponse(response, limits.read, bounded=self._client is None)

    async def aclose(self) -> None:
        """Close every connection this transport opened."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    def _pool(self, url: str) -> httpx.AsyncHTTPTransport:
        key = (urlsplit(url).scheme, proxy_for(url, self._proxy))
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools.setdefault(key, _AsyncPool(*key, self._limits))
        return pool


@define(eq=False)
class HTTPXResponse:
    """An answer read as its bytes come, below httpx's own decoding."""

    _response: httpx.Response
    _allowance: Allowance
    _pieces: Iterator[bytes] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pieces = iter(cast("Iterable[bytes]", self._response.stream))

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        return _headers(self._response)

    def read(self, timeout: float | None) -> bytes:
        """The next bytes; see `TransportResponse.read`."""
        self._allowance.limit(timeout)
        try:
            return next(self._pieces, b"")
        except _ERRORS as error:
            raise transport_error(error) from error

    def close(self) -> None:
        """Give the connection back, or close it."""
        self._response.close()

    def abort(self) -> None:
        """Break the connection at once."""
        _shut_down(self._response)


@define(eq=False)
class AsyncHTTPXResponse:
    """An answer read as its bytes come, below httpx's own decoding.

    `bounded` says that the connection asks the allowance at every read; a caller's own
    client opened its connections without, so each read needs a scope of its own.
    """

    _response: httpx.Response
    _allowance: Allowance
    _bounded: bool = field(kw_only=True)
    _pieces: AsyncIterator[bytes] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pieces = cast("AsyncIterable[bytes]", self._response.stream).__aiter__()

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        return _headers(self._response)

    async def read(self, timeout: float | None) -> bytes:
        """The next bytes; see `AsyncTransportResponse.read`."""
        self._allowance.limit(timeout)
        try:
            if self._bounded:
                return await self._pieces.__anext__()
            with anyio.fail_after(timeout):
                return await self._pieces.__anext__()
        except StopAsyncIteration:
            return b""
        except TimeoutError as error:
            raise TransportError("timeout", "nothing came in time") from error
        except _ERRORS as error:
            raise transport_error(error) from error

    async def aclose(self) -> None:
        """Give the connection back, or close it."""
        await self._response.aclose()

    def abort(self) -> None:
        """Break the connection at once."""
        _shut_down(self._response)


class _Pool(httpx.HTTPTransport):
    """httpx's transport over a pool whose connections keep to deadlines.

    httpx makes the pool in its initialiser and has no argument for the network backend
    that httpcore, its own layer below, documents; so this initialiser stands in for it.
    """

    def __init__(self, scheme: str, proxy: str | None, limits: PoolLimits) -> None:
        backend = DeadlineBackend(httpcore.SyncBackend())
        self._pool = httpcore.ConnectionPool(
            **pool_options(
                httpcore,
                scheme=scheme,
                proxy=proxy,
                limits=limits,
                new_context=httpx.create_ssl_context,
            ),
            network_backend=cast("httpcore.NetworkBackend", backend),
        )


class _AsyncPool(httpx.AsyncHTTPTransport):
    """The awaiting twin of `_Pool`."""

    def __init__(self, scheme: str, proxy: str | None, limits: PoolLimits) -> None:
        backend = AsyncDeadlineBackend(httpcore.AnyIOBackend())
        self._pool = httpcore.AsyncConnectionPool(
            **pool_options(
                httpcore,
                scheme=scheme,
                proxy=proxy,
                limits=limits,
                new_context=httpx.create_ssl_context,
            ),
            network_backend=cast("httpcore.AsyncNetworkBackend", backend),
        )


def _outgoing(request: Request, limits: Limits) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        content=request.content,
        extensions={"timeout": limits.as_extension()},
    )


def _shut_down(response: httpx.Response) -> None:
    """End the socket below a response, from wherever this is called."""
    stream = response.extensions.get("network_stream")
    connection = None if stream is None else stream.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):  # it may be closed already, which is what is wanted
            connection.shutdown(SHUT_RDWR)


def _headers(response: httpx.Response) -> Iterable[tuple[str, str]]:
    for name, value in response.headers.raw:
        yield name.decode("ascii"), value.decode("latin-1")
