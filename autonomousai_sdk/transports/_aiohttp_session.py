"""The SDK's own aiohttp sessions: how they look up names, connect, and limit the time of both."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import define, field

from ._asyncio_backend import connected
from ._connect import connecting
from ._lookup import lookup_async
from ._pool_options import KEEPALIVE_EXPIRY, PoolOptions
from ._proxy import Proxy
from ._tunnel import handshake, shake_hands_async
from ._watchdog import Watchdog

if TYPE_CHECKING:
    from aiohttp.connector import Connection

_ADDED = ("accept", "accept-encoding", "content-type", "user-agent")
"""Headers that aiohttp would add to a request without them."""


@define(eq=False)
class ConnectLimit:
    """The limit for opening the connection of one request, all steps together.

    aiohttp limits each step by itself, and neither the lookup nor a proxy's response to CONNECT.

    Attributes:
        is_running: whether a connection is being opened.
    """

    _watchdog: Watchdog
    _seconds: float | None
    is_running: bool = field(init=False, default=False)

    async def begin(self) -> None:
        """A connection is being opened from now on."""
        self.is_running = True
        if self._seconds is not None:
            self._watchdog.expect_within(self._seconds)

    async def end(self) -> None:
        """The connection is open."""
        self.is_running = False
        self._watchdog.rest()


def new_session(options: PoolOptions, socks_proxy: Proxy | None) -> aiohttp.ClientSession:
    """A session that decodes nothing and keeps no cookies.

    Its requests need a `ConnectLimit` as their `trace_request_ctx`.

    Args:
        options: how many connections it may hold.
        socks_proxy: the SOCKS proxy of every request, or None. aiohttp itself speaks to HTTP
            proxies, which are an argument of each request.
    """
    cls = aiohttp.TCPConnector if socks_proxy is None else _SOCKSConnector
    connector = cls(
        resolver=_Resolver() if socks_proxy is None else _NoLookup(),
        use_dns_cache=socks_proxy is None,
        limit=options.max_connections,
        keepalive_timeout=KEEPALIVE_EXPIRY,
    )
    if isinstance(connector, _SOCKSConnector) and socks_proxy is not None:
        connector.socks_proxy = socks_proxy
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_ADDED,
        auto_decompress=False,
        trust_env=False,
        trace_configs=[_connect_trace()],
        response_class=Response,
    )


class Response(aiohttp.ClientResponse):
    """A response that keeps its network transport, which aiohttp lets go at the body's end."""

    transport: asyncio.Transport | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Wait for the response's head."""
        self.transport = connection.transport
        return await super().start(connection)


def _connect_trace() -> aiohttp.TraceConfig:
    """Tell the `ConnectLimit` of a request when its connection is being opened."""

    async def begin(_: object, context: SimpleNamespace, __: object) -> None:
        await context.trace_request_ctx.begin()

    async def end(_: object, context: SimpleNamespace, __: object) -> None:
        await context.trace_request_ctx.end()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(begin)
    trace.on_connection_create_end.append(end)
    return trace


class _Resolver(AbstractResolver):
    """Looks names up in threads that no event loop waits for."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await lookup_async(host, port)
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
            if family in (socket.AF_UNSPEC, kind)
        ]

    async def close(self) -> None:
        """Do nothing: a lookup is not kept open."""


class _NoLookup(AbstractResolver):
    """Looks nothing up: the proxy does."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Do nothing."""


class _SOCKSConnector(aiohttp.TCPConnector):
    """Opens connections through a SOCKS proxy.

    It overrides the method by which aiohttp connects to an address, as the package aiohttp-socks
    does: there is no public way.
    """

    socks_proxy: Proxy

    async def _wrap_create_connection(
        self, *args: Any, addr_infos: list[Any], **options: Any
    ) -> Any:
        proxy = self.socks_proxy
        host, port = addr_infos[0][4][:2]
        with connecting():
            tunnel = await connected(proxy.host, proxy.port, None)
            try:
                await shake_hands_async(_SocketStream(tunnel), handshake(proxy, host, port))
                loop = asyncio.get_running_loop()
                return await loop.create_connection(
                    *args,
                    sock=tunnel,
                    ssl=options["ssl"],
                    server_hostname=options["server_hostname"],
                )
            except BaseException:
                tunnel.close()
                raise


@define(eq=False)
class _SocketStream:
    """A socket, as a handshake needs it."""

    _socket: socket.socket

    async def read(self, max_bytes: int) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, max_bytes)

    async def write(self, buffer: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, buffer)
