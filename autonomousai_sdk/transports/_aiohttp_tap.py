"""Takes a response's bytes from an aiohttp connection as they arrive, without a task."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from aiohttp.connector import Connection


class Tap(asyncio.Protocol):
    """The protocol of a connection while a response's body is read, in front of aiohttp's own.

    aiohttp parses the bytes. While a read waits, the body's bytes are offered to `take`; only
    those that it refuses end the read. Before that, a read from the socket that starts where a
    chunk starts is offered to `take_chunks` as it is: aiohttp's parser costs more than all the
    rest. At the end of the body, aiohttp's protocol is put back.

    Args:
        connection: the connection, whose transport is open.
        content: the body.
        take: returns whether it has handled bytes of the body.
        take_chunks: returns whether the bytes were whole chunks, and it has handled them.

    Attributes:
        active_at: the time of the last bytes, by `monotonic`.
    """

    def __init__(
        self,
        connection: Connection,
        content: StreamReader,
        take: Callable[[bytes], bool],
        take_chunks: Callable[[bytes], bool],
    ) -> None:
        handler, transport = connection.protocol, connection.transport
        if handler is None or transport is None:
            raise AssertionError("unreachable: the connection is open")
        self._handler = handler
        self._transport: asyncio.Transport | None = transport
        self._content = content
        self._take = take
        self._take_chunks = take_chunks
        self._waiter: asyncio.Future[bytes] | None = None
        self._is_between_chunks = False
        self.active_at = monotonic()
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
        self.active_at = monotonic()
        waiter = self._waiter
        is_awaited = waiter is not None and not waiter.done()
        if is_awaited and self._is_between_chunks and self._take_chunks(data):
            return  # aiohttp's parser need not see whole chunks: it is where it was before
        self._handler.data_received(data)
        content = self._content
        self._is_between_chunks = False
        if content.is_eof() or content.exception() is not None:
            self._end()
        elif is_awaited and (body := content.read_nowait(-1)):
            # aiohttp has removed just what frames the chunks, so it has reached the last one's end.
            self._is_between_chunks = body == _content_of_chunks(data)
            if not self._take(body):
                self.wake(body)

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


def _content_of_chunks(data: bytes) -> bytes:
    """The content of whole chunks in the usual form; empty if the data is something else."""
    pieces: list[bytes] = []
    start = 0
    while start < len(data):
        line_end = data.find(b"\r\n", start, start + 9)
        size = data[start:line_end].lower() if line_end > start else b"0"
        if not _SIZE.fullmatch(size):
            return b""
        content_start = line_end + 2
        start = content_start + int(size, 16) + 2
        if data[start - 2 : start] != b"\r\n":
            return b""
        pieces.append(data[content_start : start - 2])
    return b"".join(pieces)


_SIZE = re.compile(rb"[1-9a-f][0-9a-f]{0,6}")
