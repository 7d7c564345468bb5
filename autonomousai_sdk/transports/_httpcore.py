"""The transports on httpx and httpx2, apart from the library's name.

Without a caller's client they use the library's transports, the layer below its `Client`:
the same connections, without redirects, cookies and decoding. A caller's client is used as
configured, and never closed.

httpx2 continues httpx: the same classes, on a connection layer of the same interface. So
the library is an untyped argument here; the modules that name one restore the types.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache, lru_cache
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import urlsplit

import anyio
from attrs import define, field, frozen

from .._core.exchange import Request, TransportError
from .._core.settings import Environment
from .._core.timeout import Timeout
from ._asyncio_backend import BufferedBackend
from ._backend import AsyncDeadlineBackend, DeadlineBackend, MutableTimeout, RequestTimeouts
from ._errors import restore_cause, strip_tracebacks, transport_error
from ._per_loop import PerLoop
from ._pool_options import WRITE_SIZE, PoolOptions
from ._proxy import Proxy, proxy_for
from ._watchdog import BlockingWatchdog


@frozen(eq=False)
class Library:
    """An HTTP library: httpx with httpcore, or httpx2 with httpcore2."""

    http: Any
    core: Any

    def errors_of(self, client: object) -> tuple[type[Exception], ...]:
        """Return the errors the library raises; some TLS failures escape it as OSError.

        A caller's client raises RuntimeError when it, or its event loop, is closed.
        """
        own: tuple[type[Exception], ...] = (self.http.HTTPError, self.http.InvalidURL, OSError)
        return own if client is None else (*own, RuntimeError)

    def transport(self, scheme: str, proxy: Proxy | None, options: PoolOptions) -> Any:
        """Make the library's blocking transport on connections with deadlines."""
        pool = self.core.ConnectionPool(
            **options.of_pool(scheme, proxy, self.core),
            network_backend=DeadlineBackend(self.core.SyncBackend()),
        )
        return _over(self.http.HTTPTransport, pool)

    def async_transport(self, scheme: str, proxy: Proxy | None, options: PoolOptions) -> Any:
        """Make the library's awaiting transport on connections with deadlines."""
        pool = self.core.AsyncConnectionPool(
            **options.of_pool(scheme, proxy, self.core),
            network_backend=self._async_backend(),
        )
        return _over(self.http.AsyncHTTPTransport, pool)

    def _async_backend(self) -> Any:
        """Make the network backend of the running event loop: asyncio's or trio's."""
        if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
            return BufferedBackend(self.core.WriteError)
        return AsyncDeadlineBackend(self.core.TrioBackend())

    def request(self, request: Request, limits: RequestTimeouts) -> Any:
        """Make the library's request."""
        outgoing = self.http.Request(
            request.method,
            _parsed(self.http, request.url),
            headers=request.headers,
            content=request.content,
            extensions={"timeout": limits.as_extension()},
        )
        outgoing.stream = _body_class(self.http)(request.content)
        return outgoing


@lru_cache(maxsize=128)
def _parsed(http: Any, url: str) -> Any:
    """Parse a URL with the library; cached, because a client has few and parsing is slow."""
    return http.URL(url)


def _over(cls: Any, pool: Any) -> Any:
    """A transport of the library over a pool it did not make.

    Its initialiser makes the pool, and has no argument for the network backend that the
    layer below documents; so the initialiser is passed over.
    """
    transport = cls.__new__(cls)
    transport._pool = pool  # noqa: SLF001  # see the docstring
    return transport


class _Body:
    """A request body as a stream that is not an async generator.

    The library's own is one, and trio warns about it when sending is cut short. The body is
    sent in pieces, because on trio the write timeout applies to a whole write.
    """

    def __init__(self, content: bytes) -> None:
        self._pieces = [content[at : at + WRITE_SIZE] for at in range(0, len(content), WRITE_SIZE)]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def __aiter__(self) -> _Pieces:
        return _Pieces(iter(self._pieces))


@frozen(eq=False)
class _Pieces:
    """An iterator of a body's pieces; a caller's client iterates anew when it has to log in."""

    rest: Iterator[bytes]

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        for piece in self.rest:
            return piece
        raise StopAsyncIteration


@cache
def _body_class(http: Any) -> Any:
    """Return `_Body` as a subclass of a library's streams, which the library requires."""
    return type("Body", (_Body, http.SyncByteStream, http.AsyncByteStream), {})


class _Pools:
    """The library's transports, one for each scheme and proxy.

    Args:
        proxy: the proxy of every request, or None for the environment's.
        new: makes a transport for a scheme and a proxy.
    """

    def __init__(self, proxy: Proxy | None, new: Callable[[str, Proxy | None], Any]) -> None:
        self._proxy = proxy
        self._new = new
        self._pools: dict[tuple[str, Proxy | None], Any] = {}
        self._routes: dict[tuple[str, str], Any] = {}

    def of(self, url: str) -> Any:
        """Return the pool for a URL; the environment's proxy is looked up once per origin."""
        scheme, host, *_ = urlsplit(url)
        pool = self._routes.get((scheme, host))
        if pool is None:
            key = (scheme, proxy_for(url, self._proxy, Environment(os.environ)))
            # Two threads may both get here; setdefault keeps one pool, and the other one
            # has not opened a connection yet.
            pool = self._pools.get(key) or self._pools.setdefault(key, self._new(*key))
            self._routes[scheme, host] = pool
        return pool

    def take_all(self) -> list[Any]:
        """Remove and return every pool, for the caller to close."""
        pools, self._pools = self._pools, {}
        self._routes = {}
        return list(pools.values())


class PooledTransport:
    """Sends with httpx or httpx2, blocking."""

    def __init__(self, library: Library, client: Any, options: PoolOptions) -> None:
        self._library = library
        self._errors = library.errors_of(client)
        self._client = client
        self._pools = _Pools(
            options.proxy, lambda scheme, proxy: library.transport(scheme, proxy, options)
        )
        self._watchdog = BlockingWatchdog()

    def send(self, request: Request, timeout: Timeout) -> PooledResponse:
        """Send a request; see `Transport.send`."""
        limits = RequestTimeouts.of(timeout)
        try:
            outgoing = self._library.request(request, limits)
            if self._client is None:
                response = self._pools.of(request.url).handle_request(outgoing)
            else:
                response = self._client.send(outgoing, stream=True, follow_redirects=False)
        except TransportError as error:
            restore_cause(error)
            raise
        except self._errors as error:
            raise transport_error(error) from error
        if self._client is None:
            return PooledResponse(response, limits.read, self._errors)
        _end_limit(outgoing)
        return BorrowedResponse(response, limits.read, self._errors, watchdog=self._watchdog)

    def close(self) -> None:
        """Close every connection this transport opened."""
        for pool in self._pools.take_all():
            pool.close()


class AsyncPooledTransport:
    """Sends with httpx or httpx2, awaiting."""

    def __init__(self, library: Library, client: Any, options: PoolOptions) -> None:
        self._library = library
        self._errors = library.errors_of(client)
        self._client = client
        self._options = options
        self._pools = PerLoop(lambda: _Pools(options.proxy, self._new_pool))

    async def send(self, request: Request, timeout: Timeout) -> AsyncPooledResponse:
        """Send a request; see `AsyncTransport.send`."""
        limits = RequestTimeouts.of(timeout)
        try:
            outgoing = self._library.request(request, limits)
            if self._client is None:
                response = await self._handle(self._pools.get().of(request.url), outgoing)
            else:
                response = await self._client.send(outgoing, stream=True, follow_redirects=False)
                _end_limit(outgoing)
        except TransportError as error:
            restore_cause(error)
            raise
        except self._errors as error:
            raise transport_error(error) from error
        return AsyncPooledResponse(
            response, limits.read, self._errors, bounded=self._client is None
        )

    def _new_pool(self, scheme: str, proxy: Proxy | None) -> Any:
        return self._library.async_transport(scheme, proxy, self._options)

    async def _handle(self, pool: Any, outgoing: Any) -> Any:
        try:
            return await pool.handle_async_request(outgoing)
        except BaseException:
            _remove_orphans(pool)
            raise

    async def aclose(self) -> None:
        """Close every connection this transport opened on the running loop."""
        pools = self._pools.pop()
        for pool in [] if pools is None else pools.take_all():
            await pool.aclose()


@define(eq=False)
class PooledResponse:
    """A response whose raw body is read below the library's decoding."""

    _response: Any
    _timeout: MutableTimeout
    _errors: tuple[type[Exception], ...]
    _pieces: Iterator[bytes] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pieces = iter(self._response.stream)

    @property
    def status(self) -> int:
        """The HTTP status."""
        status: int = self._response.status_code
        return status

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Header names and values, in the order received."""
        return _headers(self._response)

    def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `TransportResponse.read`."""
        self._timeout.limit(timeout)
        try:
            return next(self._pieces, b"")
        except TransportError as error:
            restore_cause(error)
            raise
        except self._errors as error:
            raise transport_error(error) from error

    def close(self) -> None:
        """Return the connection to the pool, or close it."""
        self._response.close()

    def abort(self) -> None:
        """Break the connection at once."""
        _shut_down(self._response)


@define(eq=False)
class BorrowedResponse(PooledResponse):
    """A response on a connection we did not open; a watchdog thread enforces its read timeouts."""

    _watchdog: BlockingWatchdog = field(kw_only=True, alias="watchdog")
    _expired: bool = field(init=False, default=False)

    def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `TransportResponse.read`."""
        if timeout is not None:
            self._watchdog.expect_within(timeout, self._expire)
        cause: Exception = TimeoutError(f"no data received in {timeout} s")
        try:
            data = super().read(timeout)
        except TransportError as error:
            if not self._expired:
                raise
            data, cause = b"", error
        finally:
            self._watchdog.rest(self._expire)
        if not data and self._expired:
            raise TransportError("timeout", "no data received in time") from cause
        return data

    def _expire(self) -> None:
        self._expired = True
        self.abort()


@define(eq=False)
class AsyncPooledResponse:
    """A response whose raw body is read below the library's decoding.

    `bounded` is true if the connection checks the timeout at every read. The connections of a
    caller's client do not, so each read needs a cancel scope.
    """

    _response: Any
    _timeout: MutableTimeout
    _errors: tuple[type[Exception], ...]
    _bounded: bool = field(kw_only=True, alias="bounded")
    _pieces: AsyncIterator[bytes] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pieces = self._response.stream.__aiter__()

    @property
    def status(self) -> int:
        """The HTTP status."""
        status: int = self._response.status_code
        return status

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Header names and values, in the order received."""
        return _headers(self._response)

    async def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `AsyncTransportResponse.read`."""
        self._timeout.limit(timeout)
        try:
            if self._bounded:
                return await self._pieces.__anext__()
            with anyio.fail_after(timeout):
                return await self._pieces.__anext__()
        except StopAsyncIteration:
            return b""
        except TimeoutError as error:
            raise TransportError("timeout", "no data received in time") from error
        except TransportError as error:
            restore_cause(error)
            raise
        except self._errors as error:
            raise transport_error(error) from error

    async def aclose(self) -> None:
        """Return the connection to the pool, or close it.

        Then exhaust the library's nested async generators, which the closed connection ends.
        Left to the garbage collector, each would go to the event loop, which trio warns about.
        """
        await self._response.aclose()
        ends: tuple[type[Exception], ...] = (StopAsyncIteration, RuntimeError, TransportError)
        try:
            while True:
                await self._pieces.__anext__()
        except (*ends, *self._errors) as error:
            strip_tracebacks(error)

    def abort(self) -> None:
        """Break the connection at once."""
        _shut_down(self._response)


def _end_limit(outgoing: Any) -> None:
    """Remove the read timeout of the head: each read of the body has its own.

    The connection layer reads the timeout again when it begins with the body.
    """
    outgoing.extensions["timeout"]["read"] = None


def _remove_orphans(transport: Any) -> None:
    """Remove connections that no request will ever open from a pool.

    A request that is cancelled just as it is assigned a new connection leaves it behind,
    unopened and unowned, yet still occupying a pool slot (httpcore issues 830, 1093, 1099).
    """
    pool = transport._pool  # noqa: SLF001  # there is no public way to see a pool's inside
    wanted = {id(request.connection) for request in pool._requests}  # noqa: SLF001
    for connection in list(pool.connections):
        if id(connection) not in wanted and connection.info() == "CONNECTING":
            pool._connections.remove(connection)  # noqa: SLF001


def _shut_down(response: Any) -> None:
    """Shut down the socket of a response; safe from any thread."""
    stream = response.extensions.get("network_stream")
    connection = None if stream is None else stream.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):  # it may be closed already
            connection.shutdown(SHUT_RDWR)


def _headers(response: Any) -> Iterable[tuple[str, str]]:
    for name, value in response.headers.raw:
        yield name.decode("ascii"), value.decode("latin-1")
