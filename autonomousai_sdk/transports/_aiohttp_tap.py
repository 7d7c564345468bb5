"""Takes a response's bytes from an aiohttp connection as they arrive, without a task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from aiohttp.connector import Connection


class Tap(asyncio.Protocol):
    """The protocol of a connection while a response's body is read, in front of aiohttp's own.

    aiohttp parses the bytes. While a read waits, the body's bytes are offered to `take`; only
    those that it refuses end the read. At the end of the body, aiohttp's protocol is put back.

    Args:
        connection: the connection, whose transport is open.
        content: the body.
        take: returns whether it has handled the bytes.
    """

    def __init__(
        self, connection: Connection, content: StreamReader, take: Callable[[bytes], bool]
    ) -> None:
        handler, transport = connection.protocol, connection.transport
        if handler is None or transport is None:
            raise AssertionError("unreachable: the connection is open")
        self._handler = handler
        self._transport: asyncio.Transport | None = transport
        self._content = content
        self._take = take
        self._waiter: asyncio.Future[bytes] | None = None
        transport.set_protocol(self)

    async def wait(self) -> bytes:
        """Wait for bytes that `take` refuses; empty if the body ended or failed."""
        if self._transport is None:
            return b""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def wake(self, data: bytes = b"") -> None:
        """End the wait."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(data)

    # asyncio's interface

    def data_received(self, data: bytes) -> None:
        """Parse, and offer what there is of the body."""
        self._handler.data_received(data)
        content = self._content
        if content.is_eof() or content.exception() is not None:
            self._end()
        elif self._waiter is not None and not self._waiter.done():
            body = content.read_nowait(-1)
            if body and not self._take(body):
                self._waiter.set_result(body)

    def eof_received(self) -> None:
        """Pass on."""
        self._handler.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on, and end the wait."""
        self._handler.connection_lost(exc)
        self._end()

    def pause_writing(self) -> None:
        """Pass on."""
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Pass on."""
        self._handler.resume_writing()

    def _end(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.set_protocol(self._handler)
        self.wake()
