"""Network streams on asyncio that share one read buffer per pool.

asyncio's own streams, and anyio's on top of them, allocate 256 KiB for each read and pause
and resume reading around it, which makes a read of one small chunk two to three times as
expensive. Here the event loop reads into a permanent buffer and wakes the waiting reader.

The streams implement httpcore's (and httpcore2's) network stream interface.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Iterable
from typing import Any

import anyio

from .._core.exchange import TransportError
from ._backend import (
    STALLED,
    connect_until,
    is_readable,
    open_route,
    seconds_to_read,
    seconds_to_write,
    time_left,
)
from ._connect import HAPPY_EYEBALLS_DELAY, connecting
from ._lookup import Address, in_order, lookup_async
from ._route import DIRECT, Route
from ._watchdog import Watchdog

_AT_ONCE = 64 * 1024
"""The most bytes that one read takes."""

HIGH_WATER = 256 * 1024
"""The most bytes that are buffered, in each direction."""


class _Connection(asyncio.BufferedProtocol):
    """The event loop's side of a connection: buffers data for the reader and wakes it."""

    def __init__(self, buffer: memoryview) -> None:
        self.transport: asyncio.Transport | None = None
        self.received: list[bytes] = []
        self.ended: bool = False
        self.error: Exception | None = None
        self.reader: asyncio.Future[None] | None = None
        self.writable: asyncio.Future[None] | None = None
        self._buffer = buffer
        self._waiting = 0
        self._is_paused = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        # So `write()` returns only once the kernel has the data. A limit of 0 would make
        # asyncio's TLS pause a writer that has nothing left to send.
        transport.set_write_buffer_limits(1, 0)

    def get_buffer(self, sizehint: int) -> memoryview:
        # The event loop fills it and calls buffer_updated() in one step, so all connections
        # can share it.
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.received.append(bytes(self._buffer[:nbytes]))
        self._waiting += nbytes
        if self._waiting > HIGH_WATER and self.transport is not None:
            self._is_paused = True
            self.transport.pause_reading()
        self.wake()

    def eof_received(self) -> None:
        self.ended = True
        self.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.error = self.error or exc
        self.wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        self.writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self.writable is not None:
            if not self.writable.done():
                self.writable.set_result(None)
            self.writable = None

    def wake(self) -> None:
        """Wake the reader."""
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    def take_all(self) -> bytes:
        """Return the buffered data and resume reading."""
        received = self.received
        data = received[0] if len(received) == 1 else b"".join(received)
        received.clear()
        self._waiting = 0
        if self._is_paused and self.transport is not None:
            self._is_paused = False
            self.transport.resume_reading()
        return data


class BufferedStream:
    """One connection whose reads and writes have deadlines.

    Args:
        connection: the event loop's side of the connection.
        transport: the event loop's transport, with or without TLS.
        write_error: the class httpcore expects for a failed write: it then still reads, since
            a server may respond before it has read the whole request.
        until: when the connection must be open, TLS included, by the monotonic clock.
    """

    __slots__ = (
        "_connection",
        "_expired",
        "_loop",
        "_transport",
        "_until",
        "_watchdog",
        "_write_error",
    )

    def __init__(
        self,
        connection: _Connection,
        transport: asyncio.Transport,
        write_error: type[Exception],
        until: float = math.inf,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._transport = transport
        self._write_error = write_error
        self._until = until
        self._expired = False
        self._watchdog = Watchdog(self._expire)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        connection = self._connection
        if not connection.received and not connection.ended:
            connection.reader = self._loop.create_future()
            if (left := seconds_to_read(timeout)) is not None:
                self._watchdog.expect_within(left)
            try:
                await connection.reader
            finally:
                self._watchdog.rest()
        if connection.received:
            return connection.take_all()
        if connection.error is not None:
            raise self._failure(connection.error)
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        connection = self._connection
        # In pieces: asyncio's TLS accepts one write of any length and pauses only the next.
        for start in range(0, len(buffer), HIGH_WATER):
            if connection.ended:
                said = str(connection.error or "the connection was closed")
                raise self._write_error(said) from connection.error
            self._transport.write(buffer[start : start + HIGH_WATER])
            if connection.writable is None:
                continue
            try:
                await self._drain(connection.writable, seconds_to_write(timeout))
            except TimeoutError as error:
                raise TransportError("timeout", "could not send in time", phase="write") from error

    async def _drain(self, writable: asyncio.Future[None], seconds: float | None) -> None:
        """Wait until the kernel has the data.

        Raises:
            TimeoutError: it takes too long.
        """
        until = math.inf if seconds is None else self._loop.time() + seconds
        while not writable.done():
            left = min(STALLED, until - self._loop.time())
            await asyncio.wait([writable], timeout=max(0, left))
            if writable.done():
                return
            if self._connection.received:
                raise self._write_error("the server responded before it read the request")
            if self._loop.time() >= until:
                raise TimeoutError

    async def aclose(self) -> None:
        self._watchdog.stop()
        self._transport.close()
        # close() alone waits for unsent data and, over TLS, for the server's close_notify.
        # Our own close_notify goes out at once; abort() then skips both waits.
        self._loop.call_soon(self._transport.abort)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> BufferedStream:
        until = min(self._until, connect_until(timeout))
        with connecting(), anyio.fail_after(time_left(until)):
            secured = await self._loop.start_tls(
                self._transport, self._connection, ssl_context, server_hostname=server_hostname
            )
        if secured is None:
            raise TransportError("connect", "the connection was closed", phase="connect")
        self._watchdog.stop()
        self._connection.connection_made(secured)
        return BufferedStream(self._connection, secured, self._write_error, until)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            connection = self._connection
            return (
                connection.ended
                or bool(connection.received)
                or is_readable(self._transport.get_extra_info("socket"))
            )
        return self._transport.get_extra_info(_NAMES.get(info, info))

    def _failure(self, cause: Exception) -> TransportError:
        error = TransportError("timeout" if self._expired else "broken", str(cause))
        # As if raised where the cause was caught; see `_errors.restore_cause`.
        error.__cause__ = error.__context__ = cause
        return error

    def _expire(self) -> None:
        self._expired = True
        self._connection.error = TimeoutError("no data received in time")
        self._connection.wake()


_NAMES = {"client_addr": "sockname", "server_addr": "peername", "ssl_object": "ssl_object"}
"""asyncio's names of httpcore's extra info."""


class BufferedBackend:
    """Opens connections on the running asyncio loop.

    Args:
        write_error: see `BufferedStream`.
        route: how to reach a host.
    """

    def __init__(self, write_error: type[Exception], route: Route = DIRECT) -> None:
        self._write_error = write_error
        self._route = route
        self._buffer = memoryview(bytearray(_AT_ONCE))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> BufferedStream:
        until = connect_until(timeout)
        with connecting(), anyio.fail_after(time_left(until)):
            opened = await connected(*self._route.first_hop(host, port), local_address)
            stream = await self._opened(opened, socket_options, until)
            return await open_route(self._route, stream, host, port)

    async def _opened(
        self, connected: socket.socket, socket_options: Iterable[Any] | None, until: float
    ) -> BufferedStream:
        try:
            for option in ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *(socket_options or ())):
                connected.setsockopt(*option)
            transport, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self._buffer), sock=connected
            )
        except BaseException:
            connected.close()
            raise
        return BufferedStream(connection, transport, self._write_error, until)


async def connected(host: str, port: int, local_address: str | None) -> socket.socket:
    """Return a socket connected to the first address of a host that accepts."""
    addresses = in_order(await lookup_async(host, port))
    if len(addresses) == 1:
        return await _attempt(*addresses[0], local_address)
    found: list[socket.socket] = []
    errors: list[OSError] = []

    async def attempt(address: Address, failed: anyio.Event) -> None:
        try:
            found.append(await _attempt(*address, local_address))
        except OSError as error:
            errors.append(error)
            failed.set()
        else:
            tasks.cancel_scope.cancel()

    try:
        async with anyio.create_task_group() as tasks:
            for address in addresses:
                failed = anyio.Event()
                tasks.start_soon(attempt, address, failed)
                with anyio.move_on_after(HAPPY_EYEBALLS_DELAY):
                    await failed.wait()
    except BaseException:
        _close(found)
        raise
    if not found:
        raise OSError("; ".join(map(str, errors)))
    _close(found[1:])
    return found[0]


def _close(sockets: list[socket.socket]) -> None:
    for each in sockets:
        each.close()


async def _attempt(family: int, address: Any, local_address: str | None) -> socket.socket:
    attempted = socket.socket(family, socket.SOCK_STREAM)
    try:
        attempted.settimeout(0)
        if local_address is not None:
            attempted.bind((local_address, 0))
        await asyncio.get_running_loop().sock_connect(attempted, address)
    except BaseException:
        attempted.close()
        raise
    return attempted
