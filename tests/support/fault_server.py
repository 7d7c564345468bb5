"""A scripted server for faults: raw sockets on loopback, controlled byte by byte.

It parses HTTP only to separate requests, records everything it receives, and runs in its own
thread, so that a test's thread is free for any client.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import struct
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Any, Literal, Self, cast

from attrs import define, field, frozen

from .script import Action, Answer, Drip, Fin, Gate, Hold, Pace, Repeat, Reset, Send, Wait

LIFETIME = 30.0
"""The default lifetime of a server, in seconds."""

End = Literal["fin", "reset", "server"]
Answers = Answer | Callable[["Received"], Answer]


@frozen(kw_only=True)
class Received:
    """A received request."""

    number: int
    connection: int
    at: float
    head: bytes = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def line(self) -> tuple[str, str]:
        """The method and the target."""
        method, target, _ = self.head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        return method, target

    @property
    def headers(self) -> dict[str, str]:
        """Header values by lower-case name; of repeated names, the last."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    @property
    def prompt(self) -> str:
        """The text of the last message, in either protocol."""
        messages: Any = json.loads(self.body)["messages"]
        if isinstance(messages, str):
            messages = json.loads(base64.b64decode(messages))
        text: str = messages[-1]["content"]
        return text


@define(eq=False)
class Connection:
    """The state of a connection.

    Attributes:
        number: from 1, in the order of acceptance.
        sent: the number of bytes sent so far.
        ended: how the connection ended.
        ended_at: the monotonic time of the end.
    """

    number: int
    sent: int = 0
    ended: End | None = None
    ended_at: float = 0.0


class FaultServer:
    """Serves the n-th script to the n-th request; the last script repeats.

    Args:
        answers: the script per request: actions, or a function from a request to actions.
        reads: how it reads: at once, at a pace, or not at all (None).
        accepts: whether it accepts connections; if not, the kernel keeps them open.
        tls: the TLS context to serve with.
        host: the address to listen on.
        lifetime: seconds after which it closes every connection, so that no client hangs.

    Attributes:
        requests: the requests in order of arrival, over all connections.
        connections: the connections in order of acceptance.
    """

    def __init__(
        self,
        *answers: Answers,
        reads: Pace | None = Pace(2**16, 0),  # noqa: B008  # a frozen value
        accepts: bool = True,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        lifetime: float = LIFETIME,
    ) -> None:
        self._lifetime = lifetime
        self.requests: list[Received] = []
        self.connections: list[Connection] = []
        self._answers = answers
        self._reads = reads
        self._accepts = accepts
        self._tls = tls
        self._host = host
        self._loop = asyncio.new_event_loop()
        self._gate = asyncio.Event()
        # The event loop keeps no reference to a paused connection, so the collector would close it.
        self._serving: list[asyncio.Task[Any] | None] = []
        self._thread = Thread(target=self._loop.run_forever, name="fault-server", daemon=True)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio sets TCP_NODELAY only for this protocol number.
        self._listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if reads is None or reads.size < 2**16:
            # Otherwise the kernel buffers more than a whole request.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind((host, 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The server's base URL."""
        scheme = "http" if self._tls is None else "https"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self.port}"

    @property
    def open_connections(self) -> int:
        """The number of open connections."""
        return sum(connection.ended is None for connection in self.connections)

    def open_gate(self) -> None:
        """Open the gate for all scripts that wait at a `Gate`, now and later."""
        self._loop.call_soon_threadsafe(self._gate.set)

    def __enter__(self) -> Self:
        self._listener.listen(1024)
        self._thread.start()
        if self._accepts:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._listener.close()

    async def _start(self) -> None:
        self._loop.call_later(self._lifetime, lambda: self._loop.create_task(self._stop()))
        limit = 2**16 if self._reads is None else self._reads.size
        self._server = await asyncio.start_server(
            self._serve, sock=self._listener, ssl=self._tls, limit=limit
        )

    async def _stop(self) -> None:
        if self._accepts:
            self._server.close()
        # A connection that is being accepted becomes another task, hence the loop; and a task
        # that is cancelled before its first step never gets to say that this is no error.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.sleep(0)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.append(asyncio.current_task())
        connection = Connection(len(self.connections) + 1)
        self.connections.append(connection)
        talk = _Talk(reader, writer, connection, self._reads, self._gate)
        pump = asyncio.ensure_future(talk.pump())
        try:
            while (read := await talk.next_request()) is not None:
                request = Received(
                    number=len(self.requests) + 1,
                    connection=connection.number,
                    at=monotonic(),
                    head=read[0],
                    body=read[1],
                )
                self.requests.append(request)
                for action in self._answer(request):
                    await talk.perform(action)
        except OSError:
            talk.note_end("reset")  # the client left during a write
        except ValueError:
            pass  # garbled, as when two processes write to one socket
        except asyncio.CancelledError:
            pass  # the server stops; some versions of asyncio.streams log exceptions from here
        finally:
            pump.cancel()
            writer.transport.abort()

    def _answer(self, request: Received) -> Answer:
        answer = self._answers[min(request.number, len(self._answers)) - 1]
        return answer(request) if callable(answer) else answer


@define(eq=False)
class _Talk:
    """A connection that is being served."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    connection: Connection
    reads: Pace | None
    gate: asyncio.Event
    _buffer: bytearray = field(init=False, factory=bytearray)
    _news: asyncio.Event = field(init=False, factory=asyncio.Event)
    _left: asyncio.Event = field(init=False, factory=asyncio.Event)

    async def pump(self) -> None:
        """Read continuously, also while the script runs, to notice when the client leaves."""
        if self.reads is None:
            cast("asyncio.Transport", self.writer.transport).pause_reading()
            return
        try:
            while data := await self.reader.read(self.reads.size):
                self._buffer += data
                self._news.set()
                if self.reads.every:
                    await asyncio.sleep(self.reads.every)
            self.note_end("fin")
        except OSError:
            self.note_end("reset")

    async def next_request(self) -> tuple[bytes, bytes] | None:
        """Return head and body of the next request, or None when the client has left."""
        while b"\r\n\r\n" not in self._buffer:
            if not await self._more():
                return None
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(self._buffer) < len(head) + 4 + length:
            if not await self._more():
                return None
        rest = bytes(self._buffer[len(head) + 4 : len(head) + 4 + length])
        del self._buffer[: len(head) + 4 + length]
        return head, rest

    async def perform(self, action: Action) -> None:
        """Run one action of a script."""
        match action:
            case Send(data):
                await self._send(data)
            case Drip():
                await self._drip(action)
            case Repeat():
                await self._repeat(action)
            case Wait(seconds):
                await self._rest(seconds)
            case Gate():
                await self.gate.wait()
            case Hold():
                await self._left.wait()
            case Fin() | Reset():
                await self._end(action)

    async def _drip(self, action: Drip) -> None:
        for start in range(0, len(action.data), action.size):
            await self._send(action.data[start : start + action.size])
            await self._rest(action.every)

    async def _repeat(self, action: Repeat) -> None:
        for _ in range(action.times):
            await self._send(action.data)
            if action.every:
                await self._rest(action.every)

    async def _end(self, action: Fin | Reset) -> None:
        self.note_end("server")
        if isinstance(action, Fin):
            self.writer.close()
            await self.writer.wait_closed()
        else:
            raw = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        raise ConnectionAbortedError

    async def _send(self, data: bytes) -> None:
        if self._left.is_set():
            raise ConnectionAbortedError
        self.writer.write(data)
        await self.writer.drain()
        self.connection.sent += len(data)

    async def _rest(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._left.wait(), seconds)

    async def _more(self) -> bool:
        if self._left.is_set():
            return False
        self._news.clear()
        await self._news.wait()
        return not self._left.is_set()

    def note_end(self, how: End) -> None:
        """Record how the connection ended, unless it is recorded already."""
        if self.connection.ended is None:
            self.connection.ended = how
            self.connection.ended_at = monotonic()
        self._left.set()
        self._news.set()


@contextmanager
def black_hole() -> Generator[str]:
    """A base URL on loopback where connecting never completes, because the backlog is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for filler in (first, second):
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(address)
        yield f"http://127.0.0.1:{address[1]}"


@contextmanager
def refused() -> Generator[str]:
    """A base URL on loopback with a closed port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
