"""The transport on aiohttp (extra `[aiohttp]`), for asyncio.

The fastest of the three: its HTTP parser is compiled. A caller's session is used as
configured, and never closed. The SDK's own session does not decode or keep cookies.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from math import inf
from time import monotonic
from typing import Any, cast
from urllib.parse import urlsplit

from anyio import CancelScope
from anyio.lowlevel import checkpoint
from attrs import define, field

from .._core.exchange import ErrorKind, Request, TransportError
from .._core.settings import Environment
from .._core.timeout import Timeout
from .._core.verify import Verify
from ..errors import ConfigurationError
from ._per_loop import PerLoop
from ._pool_options import MAX_CONNECTIONS, WRITE_SIZE, pool_options
from ._proxy import Proxy
from ._route import Route
from ._socket import shut_down
from ._watchdog import Watchdog

try:
    import aiohttp
    from yarl import URL

    from ._aiohttp_session import ConnectLimit, new_session
    from ._aiohttp_tap import Tap
except ImportError as _error:
    raise ConfigurationError(
        'This transport needs aiohttp: pip install "autonomousai-sdk[aiohttp]".'
    ) from _error

__all__ = ["AIOHTTPTransport"]

_KINDS: tuple[tuple[type[BaseException], ErrorKind, str], ...] = (
    # The first match counts, so subclasses come before their base classes.
    (aiohttp.ClientSSLError, "tls", "the secure connection was refused"),
    (aiohttp.ServerFingerprintMismatch, "tls", "the certificate fingerprint does not match"),
    (ssl.SSLError, "tls", "the secure connection was refused"),
    (aiohttp.ClientHttpProxyError, "connect", "the proxy refused"),
    (aiohttp.ClientConnectorError, "connect", "the connection was refused"),
    (aiohttp.InvalidURL, "request", "the URL is not valid"),
    (ValueError, "request", "the request is not valid HTTP"),
    (
        aiohttp.ServerDisconnectedError,
        "broken",
        "the server closed the connection without a response",
    ),
    (aiohttp.ClientPayloadError, "broken", "the response body was cut"),
    (aiohttp.ClientError, "broken", "the connection broke"),
    (OSError, "broken", "the connection broke"),
    # From a caller's session that is closed or belongs to another event loop.
    (RuntimeError, "request", "the session cannot send the request"),
)
_ERRORS = (aiohttp.ClientError, OSError, ValueError, RuntimeError)


_TICK = 0.5
"""Seconds between two checks of a waiting read."""


class AIOHTTPTransport:
    """Sends with aiohttp, on asyncio.

    Args:
        session: the caller's own `aiohttp.ClientSession`, or None to open its own.
        proxy: the proxy's URL, or None for the environment's.
        verify: the certificates to trust: True for certifi's (or those of `SSL_CERT_FILE` or
            `SSL_CERT_DIR`), a path, "system", or an `ssl.SSLContext`.
        max_connections: the most connections open at once.

    Examples:
        >>> AsyncClient(http_client=aiohttp.ClientSession())
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        proxy: str | None = None,
        verify: Verify = True,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._given = session
        self._own = PerLoop(dict[Proxy | None, aiohttp.ClientSession])
        self._routes: dict[tuple[str, str], Route] = {}
        self._options = pool_options(
            session, proxy=proxy, verify=verify, max_connections=max_connections
        )

    async def send(self, request: Request, timeout: Timeout) -> AIOHTTPResponse:
        """Send a request; see `AsyncTransport.send`."""
        route = self._route(request.url)
        session = self._session(route)
        content, headers = request.content, request.headers
        scope = CancelScope()
        watchdog = Watchdog(scope.cancel)
        is_long = len(content) > WRITE_SIZE
        if is_long:
            headers = (*headers, ("content-length", str(len(content))))
        connect_limit = ConnectLimit(watchdog, timeout.connect)
        way: Any = {} if route is None else self._way(route, connect_limit)
        response: aiohttp.ClientResponse | None = None
        began = monotonic()
        try:
            with scope:
                response = await session.request(
                    request.method,
                    URL(request.url, encoded=True),
                    data=_pieces(content, watchdog, timeout.write) if is_long else content,
                    headers=headers,
                    allow_redirects=False,
                    raise_for_status=False,  # whatever the caller's session is set to
                    **way,
                    timeout=aiohttp.ClientTimeout(
                        # aiohttp's "connect" is the wait for a connection of the pool, the
                        # connecting included; "sock_connect" is the connecting alone.
                        total=timeout.total,
                        connect=timeout.pool,
                        sock_connect=timeout.connect,
                        sock_read=timeout.read,
                    ),
                )
        except TimeoutError as error:
            phase = _phase(error, monotonic() - began, timeout)
            raise TransportError("timeout", "timed out", phase=phase) from error
        except _ERRORS as error:
            raise _transport_error(error) from error
        finally:
            watchdog.stop()
        if response is None:  # the watchdog cancelled the scope
            if connect_limit.is_running:
                cause = TimeoutError(f"could not connect in {timeout.connect} s")
                raise TransportError("timeout", str(cause), phase="connect") from cause
            cause = TimeoutError(f"could not send {WRITE_SIZE} bytes in {timeout.write} s")
            raise TransportError("timeout", "could not send in time", phase="write") from cause
        if response.connection is not None and response.connection.protocol is not None:
            # aiohttp would apply the read timeout of the head to every read of the body.
            response.connection.protocol.read_timeout = None
            response.connection.protocol.start_timeout()
        return AIOHTTPResponse(response, decoded=session.auto_decompress)

    async def aclose(self) -> None:
        """Close the session that this transport opened on the running loop."""
        sessions = self._own.pop()
        if sessions is not None:
            for session in sessions.values():
                await session.close()
            # aiohttp closes TLS connections in a callback of the event loop.
            await checkpoint()

    def _route(self, url: str) -> Route | None:
        """The route of a request, looked up once per origin; a caller's session has its own."""
        if self._given is not None:
            return None
        scheme, host, *_ = urlsplit(url)
        route = self._routes.get((scheme, host))
        if route is None:
            route = self._options.route(url, Environment(os.environ))
            self._routes[scheme, host] = route
        return route

    def _way(self, route: Route, connect_limit: ConnectLimit) -> dict[str, Any]:
        """The arguments of a request on a session of the SDK's own: how to reach the host."""
        proxy = route.proxy
        way: dict[str, Any] = {"trace_request_ctx": connect_limit}
        if route.scheme == "https" or (proxy is not None and proxy.scheme == "https"):
            way["ssl"] = self._options.new_context()
        if proxy is not None and not proxy.is_socks:
            way["proxy"] = proxy.url
            if proxy.authorization is not None:
                # aiohttp sends it as proxy-authorization, wherever that belongs.
                way["proxy_headers"] = {"authorization": proxy.authorization}
        return way

    def _session(self, route: Route | None) -> aiohttp.ClientSession:
        try:
            asyncio.get_running_loop()
        except RuntimeError as error:
            raise TransportError("request", "aiohttp works with asyncio only") from error
        if route is None:
            return cast("aiohttp.ClientSession", self._given)
        sessions = self._own.get()
        proxy = route.proxy if route.proxy is not None and route.proxy.is_socks else None
        if proxy not in sessions:
            sessions[proxy] = new_session(self._options, proxy)
        return sessions[proxy]


@define(eq=False)
class AIOHTTPResponse:
    """A response whose body is read as it arrives."""

    _response: aiohttp.ClientResponse
    _decoded: bool = field(kw_only=True, alias="decoded")
    _watchdog: Watchdog = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)
    _until: float = field(init=False, default=inf)
    _timeout: float = field(init=False, default=inf)
    _tap: Tap | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._watchdog = Watchdog(self._look)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Header names and values, in the order received."""
        for name, value in self._response.raw_headers:
            # A session that decodes has removed the coding that the header still names.
            if not (self._decoded and name.lower() == b"content-encoding"):
                yield name.decode("ascii"), value.decode("latin-1")

    async def read(self, timeout: float | None) -> bytes:
        """Read the next bytes; see `AsyncTransportResponse.read`."""
        content = self._response.content
        try:
            # The fast path: bytes that have already arrived.
            if data := content.read_nowait(-1):
                return data
            self._timeout = inf if timeout is None else timeout
            self._until = monotonic() + self._timeout
            if self._tap is not None:
                # The tap notices the end of the connection, so only the time has to be checked.
                if timeout is not None:
                    self._watchdog.expect_within(timeout)
                if data := await self._tap.wait():
                    return data
            self._watchdog.expect_within(min(_TICK, self._timeout))
            return await content.readany()
        except TimeoutError as error:
            raise TransportError("timeout", "no data received in time") from error
        except _ERRORS as error:
            raise _transport_error(error) from error
        finally:
            self._watchdog.rest()

    def divert(self, take: Callable[[bytes], bool], take_chunks: Callable[[bytes], bool]) -> None:
        """Offer arriving bytes to functions while a read waits, instead of ending the read.

        This saves a switch of tasks for each piece of the body. Both functions are called by the
        event loop and must not block or raise.

        Args:
            take: handles bytes of the body and returns True, or returns False; then the read
                returns them.
            take_chunks: handles bytes of the connection that start where a chunk starts and
                returns True if they are whole chunks; or returns False, and they are parsed.
        """
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            self._tap = Tap(connection, self._response.content, take, take_chunks)

    async def aclose(self) -> None:
        """Return the connection to the pool, or close it."""
        self._watchdog.stop()
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()
        transport = getattr(self._response, "transport", None)
        if transport is not None and transport.get_write_buffer_size():
            # The server responded to a part of the request. aiohttp closes the connection, but
            # asyncio would first wait until the server has read the rest.
            transport.abort()

    def abort(self) -> None:
        """Break the connection at once."""
        connection = self._response.connection
        transport = None if connection is None else connection.transport
        raw = None if transport is None else transport.get_extra_info("socket")
        if raw is not None:
            shut_down(raw)
        if self._loop.is_closed():
            # Else aiohttp tries to release the connection when the response is dropped.
            self._response.close()

    def _look(self) -> None:
        """End a read that has timed out, or whose connection is closed.

        aiohttp wakes the reader when a body ends, but not on an invalid chunk size.
        """
        content = self._response.content
        connection = self._response.connection
        transport = None if connection is None else connection.transport
        if self._tap is not None:
            self._until = max(self._until, self._tap.active_at + self._timeout)
        left = self._until - monotonic()
        if content.is_eof() or content.exception() is not None:
            return
        if transport is None or transport.is_closing():
            content.set_exception(aiohttp.ClientPayloadError("the body is not valid HTTP"))
        elif left <= 0:
            content.set_exception(TimeoutError())
        else:
            self._watchdog.expect_within(left if self._tap is not None else min(_TICK, left))
            return
        if self._tap is not None:
            self._tap.wake()


async def _pieces(
    content: bytes, watchdog: Watchdog, seconds: float | None
) -> AsyncIterator[bytes]:
    """Yield a long body in pieces, each with its own write timeout.

    aiohttp warns about a long body in one piece, and has no write timeout.
    """
    for start in range(0, len(content), WRITE_SIZE):
        if seconds is not None:
            watchdog.expect_within(seconds)
        yield content[start : start + WRITE_SIZE]
    watchdog.rest()


def _phase(error: BaseException, elapsed: float, timeout: Timeout) -> str:
    """Return which limit expired: aiohttp raises one error for `pool` and `connect`."""
    if isinstance(error, aiohttp.SocketTimeoutError):
        return "read"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        # The limit that expired just now is the one nearest to the elapsed time.
        limits = {"connect": timeout.connect, "pool": timeout.pool}
        return min(
            (abs(elapsed - limit), name) for name, limit in limits.items() if limit is not None
        )[1]
    return "read"


def _transport_error(error: Exception) -> TransportError:
    for cls, kind, default in _KINDS:
        if isinstance(error, cls):
            return TransportError(kind, str(error).rstrip(".") or default)
    raise AssertionError("unreachable: the table ends with what is caught")
