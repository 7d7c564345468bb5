"""A caller's own client of httpx or httpx2: used as configured, and never closed.

Its connections do not check the SDK's deadlines: a watchdog thread (blocking) or a cancel scope
(awaiting) enforces the read timeouts.
"""

from __future__ import annotations

from typing import Any

import anyio
from attrs import define, field

from .._core.exchange import Request, TransportError
from .._core.timeout import Timeout
from ._errors import transport_error
from ._http2 import AsyncReads, Exchange, Worker, speaks_http2
from ._httpcore import AsyncLibraryResponse, LibraryResponse
from ._library import Library
from ._pool import Sending, interrupt, take_orphans
from ._send_limit import AsyncSendLimit, BlockingSendLimit, PlainTimeouts
from ._shield import shielded
from ._watchdog import BlockingWatchdog


class BorrowedClient:
    """Sends requests with a caller's client, blocking."""

    def __init__(self, library: Library, client: Any) -> None:
        self._library = library
        # RuntimeError: the client is closed.
        self._errors = library.errors(RuntimeError)
        self._client = client
        self._watchdog = BlockingWatchdog()
        self._sending = Sending()

    def send(self, request: Request, timeout: Timeout) -> BorrowedResponse | HTTP2Response:
        """Send a request; see `Transport.send`."""
        timeouts = PlainTimeouts.of(timeout)
        try:
            outgoing = self._library.request_of(self._client, request, timeouts)
            if speaks_http2(pool := _pool_of(self._client, outgoing.url)):
                return self._send_http2(pool, request, outgoing, timeout)
            self._sending.begin(request, outgoing)
            limit = BlockingSendLimit(self._watchdog, timeout, lambda: self.interrupt(request))
            outgoing.extensions["trace"] = limit.trace
            with limit:
                response = self._client.send(outgoing, stream=True, follow_redirects=False)
        except self._library.http.HTTPStatusError as error:
            response = self._library.response_in(error)
        except self._errors as error:
            raise transport_error(error) from error
        finally:
            self._sending.end(request)
        timeouts["read"] = None  # it was that of the head; each read of the body has its own
        return BorrowedResponse(response, self._errors, self._watchdog)

    def interrupt(self, request: Request) -> None:
        """End a request that waits for its response; see `Interruptible`."""
        outgoing = self._sending.interrupt(request)
        if isinstance(outgoing, Worker):
            outgoing.interrupt()
        elif outgoing is not None:
            pool = _pool_of(self._client, outgoing.url)
            if pool is not None:
                interrupt(pool, outgoing.extensions)

    def close(self) -> None:
        """Do nothing: the client is the caller's to close."""

    def _send_http2(
        self, pool: Any, request: Request, outgoing: Any, timeout: Timeout
    ) -> HTTP2Response:
        worker = Worker()
        exchange = Exchange(pool, outgoing, timeout.read, on_sent=worker.limit)
        outgoing.extensions["trace"] = exchange.trace

        def send() -> Any:
            try:
                return self._client.send(outgoing, stream=True, follow_redirects=False)
            except self._library.http.HTTPStatusError as error:
                return self._library.response_in(error)

        try:
            self._sending.begin(request, worker)
            response = worker.run(send, timeout.total)
        except BaseException as error:
            exchange.end()
            worker.stop()
            if isinstance(error, TimeoutError):
                raise TransportError("timeout", "no response received in time") from error
            raise
        return HTTP2Response(response, self._errors, exchange, worker)


class AsyncBorrowedClient:
    """Sends requests with a caller's client, awaiting."""

    def __init__(self, library: Library, client: Any) -> None:
        self._library = library
        # RuntimeError: the client, or the event loop of its connections, is closed.
        self._errors = library.errors(RuntimeError)
        self._client = client

    async def send(self, request: Request, timeout: Timeout) -> AsyncBorrowedResponse:
        """Send a request; see `AsyncTransport.send`."""
        timeouts = PlainTimeouts.of(timeout)
        try:
            outgoing = self._library.request_of(self._client, request, timeouts)
            if speaks_http2(pool := _pool_of(self._client, outgoing.url)):
                return await self._send_http2(pool, outgoing, timeout)
            limit = AsyncSendLimit(timeout)
            outgoing.extensions["trace"] = limit.trace
            async with limit:
                response = await self._send(outgoing)
        except self._errors as error:
            raise transport_error(error) from error
        timeouts["read"] = None  # it was that of the head; each read of the body has its own
        return AsyncBorrowedResponse(response, self._errors)

    async def aclose(self) -> None:
        """Do nothing: the client is the caller's to close."""

    async def _send_http2(self, pool: Any, outgoing: Any, timeout: Timeout) -> AsyncHTTP2Response:
        with anyio.CancelScope() as scope:

            def limit(seconds: float) -> None:
                scope.deadline = anyio.current_time() + seconds

            exchange = Exchange(pool, outgoing, timeout.read, on_sent=limit)
            outgoing.extensions["trace"] = exchange.atrace
            try:
                response = await self._send(outgoing)
            except BaseException:
                await shielded(exchange.aend())
                raise
            return AsyncHTTP2Response(response, self._errors, AsyncReads(exchange))
        cause = TimeoutError("no data received in time")
        raise TransportError("timeout", "no response received in time") from cause

    async def _send(self, outgoing: Any) -> Any:
        try:
            return await self._client.send(outgoing, stream=True, follow_redirects=False)
        except self._library.http.HTTPStatusError as error:
            return self._library.response_in(error)
        except BaseException:
            await shielded(_close_orphans(self._client, outgoing.url))
            raise


@define(eq=False)
class BorrowedResponse(LibraryResponse):
    """A response on a caller's connection; a watchdog thread enforces its read timeouts."""

    _watchdog: BlockingWatchdog
    _expired: bool = field(init=False, default=False)

    def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `TransportResponse.read`."""
        if timeout is not None:
            self._watchdog.expect_within(timeout, self._expire)
        cause: Exception = TimeoutError(f"no data received in {timeout} s")
        try:
            data = next(self._pieces, b"")
        except self._errors as error:
            if not self._expired:
                raise transport_error(error) from error
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
class AsyncBorrowedResponse(AsyncLibraryResponse):
    """A response on a caller's connection; a cancel scope enforces its read timeouts."""

    async def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `AsyncTransportResponse.read`."""
        try:
            with anyio.fail_after(timeout):
                return await self._pieces.__anext__()
        except StopAsyncIteration:
            return b""
        except TimeoutError as error:
            raise TransportError("timeout", "no data received in time") from error
        except self._errors as error:
            raise transport_error(error) from error


@define(eq=False)
class HTTP2Response(LibraryResponse):
    """A response on a connection that it may share; a worker thread reads it."""

    _exchange: Exchange
    _worker: Worker

    def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `TransportResponse.read`."""
        try:
            data = self._worker.run(lambda: next(self._pieces, b""), timeout)
        except TimeoutError as error:
            raise TransportError("timeout", "no data received in time") from error
        except self._errors as error:
            raise transport_error(error) from error
        if not data:
            self._exchange.finished()
        return data

    def close(self) -> None:
        """End the stream and return the connection to the pool, or close it."""
        self._exchange.end()
        super().close()
        self._worker.stop()

    def abort(self) -> None:
        """End the stream, or break a connection that is not shared."""
        self._worker.interrupt()
        if self._exchange.is_http2:
            self._worker.later(self._exchange.end)
        else:
            super().abort()


@define(eq=False)
class AsyncHTTP2Response(AsyncBorrowedResponse):
    """A response on a connection that it may share."""

    _reads: AsyncReads

    async def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `AsyncTransportResponse.read`."""
        try:
            return await self._reads.read(self._pieces, timeout)
        except TimeoutError as error:
            raise TransportError("timeout", "no data received in time") from error
        except self._errors as error:
            raise transport_error(error) from error

    async def aclose(self) -> None:
        """End the stream and return the connection to the pool, or close it."""
        await self._reads.exchange.aend()
        await super().aclose()

    def abort(self) -> None:
        """End the stream, or break a connection that is not shared."""
        if self._reads.exchange.is_http2:
            self._reads.abort(self.aclose)
        else:
            super().abort()


def _pool_of(client: Any, url: Any) -> Any:
    """Return the pool of a caller's client for a URL, or None if it has none.

    A client does not show its pools; a transport of the caller's own class may have none.
    """
    pool: Any = getattr(client._transport_for_url(url), "_pool", None)  # noqa: SLF001  # see above
    return pool if hasattr(pool, "_assign_requests_to_connections") else None


async def _close_orphans(client: Any, url: Any) -> None:
    """Close the orphans that a cancelled request left in the pool of a caller's client."""
    pool = _pool_of(client, url)
    if pool is not None:
        orphans = take_orphans(pool)
        for each in [*orphans, *pool._assign_requests_to_connections()]:  # noqa: SLF001  # public to it
            await each.aclose()
