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
    those that it refuses end the read. A read from the socket that is exactly one chunk, as
    nearly all of an event stream are, does not need aiohttp's parser, which costs more than all
    the rest. At the end of the body, aiohttp's protocol is put back.

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
        self._is_between_chunks = False
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
        waiter = self._waiter
        is_awaited = waiter is not None and not waiter.done()
        if is_awaited and self._is_between_chunks and (body := _whole_chunk(data)):
            self._offer(body)  # aiohttp's parser need not see it: it is where it was before
            return
        self._is_between_chunks = False
        self._handler.data_received(data)
        content = self._content
        if content.is_eof() or content.exception() is not None:
            self._end()
        elif is_awaited and (body := content.read_nowait(-1)):
            # aiohttp has removed what frames a chunk, so it has reached the chunk's end.
            self._is_between_chunks = body == _whole_chunk(data)
            self._offer(body)

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

    def _offer(self, body: bytes) -> None:
        if not self._take(body):
            self.wake(body)

    def _end(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.set_protocol(self._handler)
        self.wake()


def _whole_chunk(data: bytes) -> bytes:
    """The content of a chunk if the data is exactly one, in the usual form; else empty."""
    line = data.find(b"\r\n", 0, 9)
    size = len(data) - line - 4
    if line > 0 and size > 0 and data.endswith(b"\r\n"):
        given = data[:line]
        if given == b"%x" % size or given == b"%X" % size:
            return data[line + 2 : -2]
    return b""
