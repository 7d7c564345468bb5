"""The SDK's own connections, on the pools of httpcore or httpcore2.

They are used below the library's `Client`, so without redirects, cookies and decoding.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import anyio
from attrs import define, field, frozen

from .._core.exchange import Request, TransportError
from .._core.settings import Environment
from .._core.timeout import Timeout
from ._asyncio_backend import BufferedBackend
from ._backend import AsyncDeadlineBackend, DeadlineBackend, RequestTimeout
from ._errors import restore_cause, strip_tracebacks, transport_error
from ._library import Library, headers_of
from ._per_loop import PerLoop
from ._pool import Sending, interrupt
from ._pool_options import PoolOptions
from ._proxy import Proxy
from ._reaper import AsyncReaper, Reaper
from ._route import Route
from ._socket import shut_down


@frozen(eq=False)
class _Pool:
    """A library's transport, and the route of its connections."""

    transport: Any
    route: Route


class _Pools:
    """The library's transports, one for each scheme and proxy.

    Args:
        options: how to open connections.
        new: makes a transport for a route.
    """

    def __init__(self, options: PoolOptions, new: Callable[[Route], Any]) -> None:
        self._options = options
        self._new = new
        self._pools: dict[tuple[str, Proxy | None], _Pool] = {}
        self._by_origin: dict[tuple[str, str], _Pool] = {}

    def of(self, url: str) -> _Pool:
        """Return the pool for a URL; the environment's proxy is looked up once per origin."""
        scheme, host, *_ = urlsplit(url)
        pool = self._by_origin.get((scheme, host))
        if pool is None:
            route = self._options.route(url, Environment(os.environ))
            key = (scheme, route.proxy)
            # Two threads may both get here; setdefault keeps one pool, and the other one
            # has not opened a connection yet.
            pool = self._pools.get(key) or self._pools.setdefault(
                key, _Pool(self._new(route), route)
            )
            self._by_origin[scheme, host] = pool
        return pool

    def expired(self) -> tuple[list[Any], bool]:
        """Remove and return expired connections; also return whether any others are left."""
        found: list[Any] = []
        any_left = False
        for each in list(self._pools.values()):
            pool = each.transport._pool  # noqa: SLF001  # our class's
            with pool._optional_thread_lock:  # noqa: SLF001  # as httpcore's own methods do
                closing = pool._assign_requests_to_connections()  # noqa: SLF001  # our class's
            any_left = any_left or bool(pool.connections)
            found.extend(closing)
        return found, any_left

    def take_all(self) -> list[Any]:
        """Remove and return every transport, for the caller to close."""
        pools, self._pools = self._pools, {}
        self._by_origin = {}
        return [pool.transport for pool in pools.values()]


class _LoopPools(_Pools):
    """The pools of one event loop, whose idle connections are closed in time."""

    def __init__(self, options: PoolOptions, new: Callable[[Route], Any]) -> None:
        super().__init__(options, new)
        self.reaper = AsyncReaper(self._reap)

    def _reap(self) -> tuple[Coroutine[Any, Any, None] | None, bool]:
        expired, any_left = self.expired()
        return (_close_all(expired) if expired else None), any_left


async def _close_all(connections: list[Any]) -> None:
    for each in connections:
        await each.aclose()


class PooledConnections:
    """Sends requests on the SDK's own connections, blocking."""

    def __init__(self, library: Library, options: PoolOptions) -> None:
        self._library = library
        self._errors = library.errors()
        self._options = options
        self._pools = _Pools(options, self._new_pool)
        self._sending = Sending()
        self._reaper = Reaper(self._reap)

    def send(self, request: Request, timeout: Timeout) -> PooledResponse:
        """Send a request; see `Transport.send`."""
        limits = RequestTimeout(timeout)
        try:
            pool = self._pools.of(request.url)
            outgoing = self._library.request(request, limits)
            self._sending.begin(request, outgoing)
            if pool.route.proxy is not None:
                _forward(outgoing, request.url, pool.route)
            response = pool.transport.handle_request(outgoing)
            if self._reaper.thread is None:
                self._reaper.start()
        except TransportError as error:
            restore_cause(error)
            raise
        except self._errors as error:
            raise transport_error(error) from error
        finally:
            self._sending.end(request)
        return PooledResponse(response, self._errors, limits)

    def warm(self, url: str) -> None:
        """Make the pool for a URL, with its TLS context, before the first request."""
        self._pools.of(url)

    def interrupt(self, request: Request) -> None:
        """End a request that waits for its response; see `Interruptible`."""
        outgoing = self._sending.interrupt(request)
        if outgoing is not None:
            transport = self._pools.of(request.url).transport
            interrupt(transport._pool, outgoing.extensions)  # noqa: SLF001  # our class's

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.take_all():
            pool.close()

    def _reap(self) -> bool:
        expired, any_left = self._pools.expired()
        for each in expired:
            each.close()
        return any_left

    def _new_pool(self, route: Route) -> Any:
        library = self._library
        return library.transport(
            library.pool(
                **self._options.of_pool(route),
                network_backend=DeadlineBackend(library.core.WriteError, route),
            )
        )


class AsyncPooledConnections:
    """Sends requests on the SDK's own connections, awaiting."""

    def __init__(self, library: Library, options: PoolOptions) -> None:
        self._library = library
        self._errors = library.errors()
        self._options = options
        self._pools = PerLoop(lambda: _LoopPools(options, self._new_pool))

    async def send(self, request: Request, timeout: Timeout) -> AsyncPooledResponse:
        """Send a request; see `AsyncTransport.send`."""
        limits = RequestTimeout(timeout)
        try:
            pools = self._pools.get()
            pool = pools.of(request.url)
            outgoing = self._library.request(request, limits)
            _forward(outgoing, request.url, pool.route)
            response = await pool.transport.handle_async_request(outgoing)
            pools.reaper.start()
        except TransportError as error:
            restore_cause(error)
            raise
        except self._errors as error:
            raise transport_error(error) from error
        return AsyncPooledResponse(response, self._errors, limits)

    async def warm(self, url: str) -> None:
        """Make the pool for a URL; the TLS context, which is slow to make, in a thread."""
        if url.startswith("https:"):
            await anyio.to_thread.run_sync(self._options.new_context)
        self._pools.get().of(url)

    async def aclose(self) -> None:
        """Close every connection of the running loop."""
        pools = self._pools.pop()
        if pools is not None:
            pools.reaper.stop()
            for pool in pools.take_all():
                await pool.aclose()

    def _new_pool(self, route: Route) -> Any:
        library = self._library
        return library.async_transport(
            library.async_pool(
                **self._options.of_pool(route),
                network_backend=_async_backend(library, route),
            )
        )


def _forward(outgoing: Any, url: str, route: Route) -> None:
    """Address a request to a forwarding proxy, if it goes to one (RFC 9112, section 3.2.2)."""
    proxy = route.forwarding_proxy
    if proxy is not None:
        outgoing.extensions["target"] = url.encode("ascii")
        if (authorization := proxy.authorization) is not None:
            outgoing.headers["proxy-authorization"] = authorization


def _async_backend(library: Library, route: Route) -> Any:
    """Make the network backend of the running event loop: asyncio's or trio's."""
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        return BufferedBackend(library.core.WriteError, route)
    return AsyncDeadlineBackend(library.core.TrioBackend(), library.core.WriteError, route)


@define(eq=False)
class LibraryResponse:
    """A library's response, whose raw body is read below the library's decoding."""

    _response: Any
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
        return headers_of(self._response)

    def close(self) -> None:
        """Return the connection to the pool, or close it."""
        self._response.close()

    def abort(self) -> None:
        """Break the connection at once."""
        abort(self._response)


@define(eq=False)
class PooledResponse(LibraryResponse):
    """A response on a connection of our own."""

    _timeout: RequestTimeout

    def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `TransportResponse.read`."""
        self._timeout.limit_reads(timeout)
        try:
            return next(self._pieces, b"")
        except TransportError as error:
            restore_cause(error)
            raise
        except self._errors as error:
            raise transport_error(error) from error


@define(eq=False)
class AsyncLibraryResponse:
    """A library's response, whose raw body is read below the library's decoding."""

    _response: Any
    _errors: tuple[type[Exception], ...]
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
        return headers_of(self._response)

    async def aclose(self) -> None:
        """Return the connection to the pool, or close it.

        Then exhaust the library's nested async generators, which the closed connection ends. Left
        to the garbage collector, each would go to the event loop, which trio warns about.
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
        abort(self._response)


@define(eq=False)
class AsyncPooledResponse(AsyncLibraryResponse):
    """A response on a connection of our own."""

    _timeout: RequestTimeout

    async def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `AsyncTransportResponse.read`."""
        self._timeout.limit_reads(timeout)
        try:
            return await self._pieces.__anext__()
        except StopAsyncIteration:
            return b""
        except TransportError as error:
            restore_cause(error)
            raise
        except self._errors as error:
            raise transport_error(error) from error


def abort(response: Any) -> None:
    """Shut down the socket of a library's response; safe from any thread."""
    stream = response.extensions.get("network_stream")
    connection = None if stream is None else stream.get_extra_info("socket")
    if connection is not None:
        shut_down(connection)
