"""The transport on aiohttp (extra `[aiohttp]`), for asyncio.

The fastest of the three: its HTTP parser is compiled. A caller's session is used as it is
set up, and never closed; without one, a session that decodes nothing and keeps no cookies.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from math import inf
from socket import SHUT_RDWR
from time import monotonic

from anyio import CancelScope
from anyio.lowlevel import checkpoint
from attrs import define, field

from .._core.exchange import ErrorKind, Request, TransportError
from .._core.timeout import Timeout
from ..errors import ConfigurationError
from ._per_loop import PerLoop
from ._pool_options import KEEPALIVE_EXPIRY, WRITE_SIZE
from ._proxy import proxy_for
from ._watchdog import Watchdog

try:
    import aiohttp
    from yarl import URL
except ImportError as _error:
    raise ConfigurationError(
        'This transport needs aiohttp: pip install "autonomousai-sdk[aiohttp]".'
    ) from _error

__all__ = ["AIOHTTPTransport"]

_KINDS: tuple[tuple[type[BaseException], ErrorKind, str], ...] = (
    # The first that fits counts, so the particular come before the general.
    (aiohttp.ClientSSLError, "tls", "the secure connection was refused"),
    (aiohttp.ServerFingerprintMismatch, "tls", "the certificate is another one"),
    (ssl.SSLError, "tls", "the secure connection was refused"),
    (aiohttp.ClientHttpProxyError, "connect", "the proxy refused"),
    (aiohttp.ClientConnectorError, "connect", "the connection was refused"),
    (aiohttp.InvalidURL, "request", "the URL is not valid"),
    (ValueError, "request", "it is no valid HTTP"),
    (aiohttp.ServerDisconnectedError, "broken", "the server closed without an answer"),
    (aiohttp.ClientPayloadError, "broken", "the body was cut"),
    (aiohttp.ClientError, "broken", "the connection broke"),
    (OSError, "broken", "the connection broke"),
    # Of a caller's session: it was closed, or belongs to another event loop.
    (RuntimeError, "request", "the session cannot send it"),
)
_ERRORS = (aiohttp.ClientError, OSError, ValueError, RuntimeError)


_ADDED = ("accept", "accept-encoding", "content-type", "user-agent")
"""Headers that aiohttp adds to a request without them."""

_TICK = 0.5
"""Seconds after which a wait is looked at."""


class AIOHTTPTransport:
    """Sends with aiohttp, on asyncio.

    Args:
        session: the caller's own `aiohttp.ClientSession`, or None to open one itself.
        proxy: the proxy's URL, or None for what the environment says.
        max_connections: how many connections may be open at once.

    Example:
        >>> AsyncClient(http_client=aiohttp.ClientSession())
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        proxy: str | None = None,
        max_connections: int = 1000,
    ) -> None:
        self._given = session
        self._own = PerLoop(self._new_session)
        self._proxy = proxy
        self._max_connections = max_connections

    async def send(self, request: Request, timeout: Timeout) -> AIOHTTPResponse:
        """Send a request; see `AsyncTransport.send`."""
        session = self._session()
        content, headers = request.content, request.headers
        scope = CancelScope()
        watchdog = Watchdog(scope.cancel)
        is_long = len(content) > WRITE_SIZE
        if is_long:
            headers = (*headers, ("content-length", str(len(content))))
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
                    proxy=None if self._given else proxy_for(request.url, self._proxy),
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
            raise TransportError("timeout", "the time was over", phase=phase) from error
        except _ERRORS as error:
            raise _transport_error(error) from error
        finally:
            watchdog.stop()
        if response is None:  # the watchdog cancelled the scope
            cause = TimeoutError(f"no room for {WRITE_SIZE} more bytes in {timeout.write} s")
            raise TransportError("timeout", "sending took too long", phase="write") from cause
        if response.connection is not None and response.connection.protocol is not None:
            # aiohttp would hold every read of the body to the limit of the head.
            response.connection.protocol.read_timeout = None
            response.connection.protocol.start_timeout()
        return AIOHTTPResponse(response, decoded=session.auto_decompress)

    async def aclose(self) -> None:
        """Close the session that this transport opened on the running loop."""
        session = self._own.pop()
        if session is not None:
            await session.close()
            # aiohttp closes TLS connections in a callback of the event loop.
            await checkpoint()

    def _session(self) -> aiohttp.ClientSession:
        try:
            asyncio.get_running_loop()
        except RuntimeError as error:
            raise TransportError("request", "aiohttp works on asyncio only") from error
        if self._given is not None:
            return self._given
        return self._own.get()

    def _new_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._max_connections, keepalive_timeout=KEEPALIVE_EXPIRY
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_ADDED,
            auto_decompress=False,
            trust_env=False,
        )


@define(eq=False)
class AIOHTTPResponse:
    """An answer read as its bytes come."""

    _response: aiohttp.ClientResponse
    _decoded: bool = field(kw_only=True, alias="decoded")
    _watchdog: Watchdog = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)
    _until: float = field(init=False, default=inf)

    def __attrs_post_init__(self) -> None:
        self._watchdog = Watchdog(self._look)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Names and values, in the order they came."""
        for name, value in self._response.raw_headers:
            # A session that decodes has undone the coding that its header still names.
            if not (self._decoded and name.lower() == b"content-encoding"):
                yield name.decode("ascii"), value.decode("latin-1")

    async def read(self, timeout: float | None) -> bytes:
        """The next bytes; see `AsyncTransportResponse.read`."""
        content = self._response.content
        try:
            # The next line is all that a read costs when the bytes are there already.
            if data := content.read_nowait(-1):
                return data
            self._until = inf if timeout is None else monotonic() + timeout
            self._watchdog.expect_within(min(_TICK, self._until - monotonic()))
            return await content.readany()
        except TimeoutError as error:
            raise TransportError("timeout", "nothing came in time") from error
        except _ERRORS as error:
            raise _transport_error(error) from error
        finally:
            self._watchdog.rest()

    async def aclose(self) -> None:
        """Give the connection back, or close it."""
        self._watchdog.stop()
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()

    def abort(self) -> None:
        """Break the connection at once."""
        connection = self._response.connection
        transport = None if connection is None else connection.transport
        raw = None if transport is None else transport.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):  # it may be closed already, which is what is wanted
                raw.shutdown(SHUT_RDWR)
        if self._loop.is_closed():
            # Else aiohttp tries to give the connection back when the response is dropped.
            self._response.close()

    def _look(self) -> None:
        """End a wait whose time is over, or whose connection is gone without a word.

        aiohttp tells who waits of most ends, but not when a chunk's size cannot be read.
        """
        content = self._response.content
        connection = self._response.connection
        transport = None if connection is None else connection.transport
        left = self._until - monotonic()
        if content.is_eof() or content.exception() is not None:
            return
        if transport is None or transport.is_closing():
            content.set_exception(aiohttp.ClientPayloadError("the body is no valid HTTP"))
        elif left <= 0:
            content.set_exception(TimeoutError())
        else:
            self._watchdog.expect_within(min(_TICK, left))


async def _pieces(
    content: bytes, watchdog: Watchdog, seconds: float | None
) -> AsyncIterator[bytes]:
    """A long body, piece by piece, each with the time it may take to go out.

    In one piece, aiohttp would warn of it; and it has no limit of its own for writing.
    """
    for start in range(0, len(content), WRITE_SIZE):
        if seconds is not None:
            watchdog.expect_within(seconds)
        yield content[start : start + WRITE_SIZE]
    watchdog.rest()


def _phase(error: BaseException, elapsed: float, timeout: Timeout) -> str:
    """Which limit it was: aiohttp raises the same error for the pool's and for connecting."""
    if isinstance(error, aiohttp.SocketTimeoutError):
        return "read"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        # The limit that was reached just now is the one nearest to the time that passed.
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
