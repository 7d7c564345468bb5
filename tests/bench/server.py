"""The benchmark's server: a separate process that sends prepared bytes.

It parses as little of a request as possible and computes nothing while it responds, so that only
the client is measured. The first segment of the path selects the response:

    /whole/…                                       one document
    /stream-CHUNKS-FRAMED-WRITTEN-PACE-TOGETHER/…  an event stream

`FRAMED` events form one HTTP chunk, and `WRITTEN` of those are written at once, with TCP_NODELAY.
`PACE` is 0 to write at full speed, or 1 for ping-pong: after each write the server yields the
processor that it shares with the client, so the client reads that one chunk, handles it and waits
before the next is written. This needs no clock, is exact for slow and fast clients alike, and keeps
the processor awake; waking it would cost more than most clients do. The client counts its waits to
verify this (see `measures`). `TOGETHER` streams start at the same moment: the server waits for that
many requests, then writes to all in turn. The rest of the path selects the wire format.

Prints its port, and exits when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache

from attrs import frozen

from . import wire

_OK = b"HTTP/1.1 200 OK\r\ncontent-type: "


@frozen
class Script:
    """The content and pacing of one stream; see the module's docstring."""

    chunks: int
    framed: int = 1
    written: int = 1
    paced: bool = False
    together: int = 1

    @property
    def path(self) -> str:
        """Return the first segment of its path."""
        numbers = (self.chunks, self.framed, self.written, int(self.paced), self.together)
        return "/stream-" + "-".join(map(str, numbers))

    @classmethod
    def of(cls, part: bytes) -> Script:
        """Parse the first segment of a path."""
        chunks, framed, written, paced, together = map(int, part.split(b"-")[1:])
        return cls(chunks, framed, written, bool(paced), together)


WHOLE = "/whole"
"""The first segment of a document's path."""


def share_processor(*, with_server: bool) -> None:
    """Pin this process to the server's processor or to another one, where supported.

    The server uses the first available processor, a client by itself the last.
    """
    if hasattr(os, "sched_setaffinity"):
        allowed = range(os.cpu_count() or 1)
        os.sched_setaffinity(0, {allowed[0] if with_server else allowed[-1]})


@contextmanager
def running() -> Generator[str]:
    """Run the server in a process and yield its root URL."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("unreachable: both are pipes")
        port = int(process.stdout.readline())
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.stdin.close()
            process.wait(10)


@cache
def stream_pieces(kind: bytes, script: Script) -> list[bytes]:
    """Return the writes of a stream; the first has the head, the last the end."""
    make, content_type = _STREAMS[kind]
    frames = [
        b"%x\r\n%s\r\n" % (len(bundle), bundle)
        for bundle in wire.joined(make(script.chunks), script.framed)
    ]
    frames[0] = _OK + content_type + b"\r\ntransfer-encoding: chunked\r\n\r\n" + frames[0]
    frames[-1] += b"0\r\n\r\n"
    return list(wire.joined(frames, script.written))


@cache
def whole_answer(kind: bytes) -> bytes:
    """Return a document with its head."""
    body = _WHOLES[kind]()
    return _OK + b"application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def kind_of(path: bytes) -> bytes:
    """Return the wire format for the end of a path."""
    return next(kind for kind in _STREAMS if path.endswith(kind))


_STREAMS: dict[bytes, tuple[Callable[[int], list[bytes]], bytes]] = {
    # The first match counts.
    b"/api/chat": (wire.ollama_lines, b"application/x-ndjson"),
    b"/v1/messages": (wire.anthropic_events, b"text/event-stream"),
    b"/chat/completions": (wire.openai_events, b"text/event-stream"),
    b"/chat": (wire.openai_events, b"text/event-stream"),
}
_WHOLES: dict[bytes, Callable[[], bytes]] = {
    b"/api/chat": wire.ollama_whole,
    b"/v1/messages": wire.anthropic_whole,
    b"/chat/completions": wire.openai_whole,
    b"/chat": wire.openai_whole,
}


class _Connection(asyncio.Protocol):
    """Reads requests and responds to each."""

    waiting: dict[Script, list[tuple[asyncio.Transport, list[bytes]]]] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise AssertionError("unreachable: TCP is read and written")
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        _, _, length = head.lower().partition(b"content-length:")
        if len(body) < int(length.split(b"\r\n")[0] or 0):
            return
        self._received = b""
        self._answer(head.split(b" ", 2)[1])

    def _answer(self, path: bytes) -> None:
        kind, first = kind_of(path), path.split(b"/")[1]
        if first == WHOLE[1:].encode():
            self._transport.write(whole_answer(kind))
            return
        script = Script.of(first)
        pieces = stream_pieces(kind, script)
        if script.together == 1:
            for piece in pieces:
                self._transport.write(piece)
                if script.paced:
                    os.sched_yield()
            return
        waiting = self.waiting.setdefault(script, [])
        waiting.append((self._transport, pieces))
        if len(waiting) == script.together:
            del self.waiting[script]
            for number in range(len(pieces)):
                for transport, its_pieces in waiting:
                    transport.write(its_pieces[number])


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    share_processor(with_server=True)
    asyncio.run(_serve())
