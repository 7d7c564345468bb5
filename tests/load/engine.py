"""The scripted engine: it sends the same paced stream to everyone."""

from __future__ import annotations

import asyncio

from .wire import CHUNK, DONE, END, LAST, MODELS, coded

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LISTED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(MODELS),
    MODELS,
)


async def serve(chunks: int, batch: int, pace: float) -> None:
    """Serve; writes the port first.

    Args:
        chunks: the chunks of a stream.
        batch: how many of them are written at a time.
        pace: seconds between two writes.
    """
    piece = coded(CHUNK) * batch
    last = coded(LAST + DONE)[:-2] + END

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            if head.startswith(b"get"):
                writer.write(LISTED)
                continue
            writer.write(HEAD)
            for _ in range(chunks // batch):
                writer.write(piece)
                await asyncio.sleep(pace)
            writer.write(last)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of the next request, whose body is read too; empty at the end."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        for line in head.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.partition(b":")[2]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    return head
