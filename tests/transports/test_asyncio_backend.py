"""Network streams on asyncio, against real sockets: what is read, written, waited for and left."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest

from autonomousai_sdk import Timeout, TransportError
from autonomousai_sdk.transports._asyncio_backend import BufferedBackend, BufferedStream
from autonomousai_sdk.transports._backend import RequestTimeout
from tests.support.certificate import CERTIFICATE, server_context
from tests.support.fault_server import black_hole

MEBIBYTE = 2**20
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class WriteError(Exception):
    """What these streams are told to raise when a write fails."""


@pytest.fixture
def anyio_backend() -> str:
    """These streams are asyncio's."""
    return "asyncio"


pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(
    handler: Handler, *, tls: bool = False, host: str = "127.0.0.1"
) -> AsyncGenerator[int]:
    """A server that treats each connection so; gives its port."""
    tasks: list[asyncio.Task[Any]] = []

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        with suppress(asyncio.CancelledError, ConnectionError):
            await handler(reader, writer)
        writer.transport.abort()

    context = server_context() if tls else None
    server = await asyncio.start_server(handled, host, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(
    handler: Handler, *, tls: bool = False, **options: Any
) -> AsyncGenerator[BufferedStream]:
    """A stream to such a server."""
    async with serving(handler, tls=tls) as port:
        stream = await BufferedBackend(WriteError).connect_tcp("localhost", port, 5, **options)
        if tls:
            context = ssl.create_default_context(cafile=CERTIFICATE)
            stream = await stream.start_tls(context, "localhost", 5)
        try:
            yield stream
        finally:
            await stream.aclose()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, until its end."""
    while data := await reader.read(MEBIBYTE):
        writer.write(data)
        await writer.drain()
    writer.close()


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read and say nothing until the client leaves."""
    await reader.read()
    writer.close()


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read nothing."""
    await asyncio.sleep(9)


def resetting(data: bytes) -> Handler:
    """Send this, then break the connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await asyncio.sleep(0.05)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return handler


@pytest.mark.parametrize("tls", [False, True])
async def test_bytes_go_out_and_come_back(tls: bool) -> None:
    """Many more than any buffer holds, both ways at once, in their order."""
    data = bytes(range(256)) * 4 * 4096
    async with connected(echo, tls=tls) as stream:
        got = bytearray()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.write, data, 10)
            while len(got) < len(data):
                got += await stream.read(65536, 10)
        assert got == data


@pytest.mark.parametrize("tls", [False, True])
async def test_the_end_is_empty_however_often_it_is_read(tls: bool) -> None:
    """What came before it is read first."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"last words")
        writer.close()

    async with connected(handler, tls=tls) as stream:
        await asyncio.sleep(0.05)
        assert await stream.read(65536, 1) == b"last words"
        assert await stream.read(65536, 1) == b""
        assert await stream.read(65536, None) == b""
        assert stream.get_extra_info("is_readable")


async def test_a_broken_connection_is_told_after_what_came() -> None:
    """A reset is an error, never an end."""
    async with connected(resetting(b"so far")) as stream:
        await asyncio.sleep(0.1)
        assert await stream.read(65536, 1) == b"so far"
        with pytest.raises(TransportError, match="[Rr]eset") as caught:
            await stream.read(65536, 1)
        assert caught.value.kind == "broken"
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        with pytest.raises(WriteError):
            await stream.write(b"more", 1)


async def test_a_reader_that_does_not_read_stops_the_sender() -> None:
    """Some hundred kilobytes are read ahead, and no more until they are taken."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 16 * MEBIBYTE)
        await writer.drain()
        writer.close()

    async with connected(handler) as stream:
        await asyncio.sleep(0.1)
        ahead = await stream.read(65536, 1)
        assert 2**18 < len(ahead) <= 2**18 + 2**16
        size = len(ahead)
        while data := await stream.read(65536, 1):
            size += len(data)
        assert size == 16 * MEBIBYTE


@pytest.mark.parametrize("tls", [False, True])
async def test_a_wait_ends_in_time(tls: bool) -> None:
    """A read ends by a plain timeout, and by a request's timeout that was changed."""
    changed = RequestTimeout(Timeout(read=9))
    changed.limit_reads(0.05)
    async with connected(hold, tls=tls) as stream:
        for timeout in (0.05, changed):
            began = asyncio.get_running_loop().time()
            with pytest.raises(TransportError) as caught:
                await stream.read(65536, timeout)
            assert (caught.value.kind, caught.value.phase) == ("timeout", "read")
            assert 0.04 < asyncio.get_running_loop().time() - began < 1


@pytest.mark.parametrize("tls", [False, True])
async def test_a_write_that_is_not_read_ends_in_time(tls: bool) -> None:
    """The limit that is named is the one on writing."""
    async with connected(deaf, tls=tls) as stream:
        with pytest.raises(TransportError) as caught:
            await stream.write(b"x" * 64 * MEBIBYTE, 0.1)
        assert (caught.value.kind, caught.value.phase) == ("timeout", "write")


async def test_a_write_that_breaks_off_is_a_write_error() -> None:
    """While it waits for room, too; what the server had said by then can still be read."""
    async with connected(resetting(b"enough")) as stream:
        await asyncio.sleep(0.02)
        with pytest.raises(WriteError):
            await stream.write(b"x" * 64 * MEBIBYTE, 5)
        assert await stream.read(65536, 1) == b"enough"


async def test_a_read_that_is_cancelled_loses_nothing() -> None:
    """What comes afterwards is there for the next one."""
    async with connected(echo) as stream:
        with anyio.move_on_after(0.02):
            await stream.read(65536, 5)
        await stream.write(b"hello", 1)
        assert await stream.read(65536, 1) == b"hello"


async def test_what_httpcore_asks_of_a_stream() -> None:
    """Both ends' addresses, the socket and whether an idle connection has something to say."""
    async with connected(echo, tls=True) as stream:
        raw = stream.get_extra_info("socket")
        assert raw.getsockname() == stream.get_extra_info("client_addr")
        assert raw.getpeername() == stream.get_extra_info("server_addr")
        assert stream.get_extra_info("ssl_object").version().startswith("TLS")
        assert stream.get_extra_info("unheard-of") is None
        assert not stream.get_extra_info("is_readable")
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_socket_options_and_a_local_address() -> None:
    """Both are set before the connection stands."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    async with connected(echo, local_address="127.0.0.2", socket_options=options) as stream:
        raw = stream.get_extra_info("socket")
        assert raw.getsockname()[0] == "127.0.0.2"
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.parametrize(
    ("handler", "kind"),
    [(hold, "timeout"), (resetting(b""), "connect"), (resetting(b"HTTP/1.1 400 \r\n\r\n"), "tls")],
)
async def test_tls_that_does_not_come_about(handler: Handler, kind: str) -> None:
    """A server that is silent, one that leaves, and one that speaks something else."""
    backend = BufferedBackend(WriteError)
    async with serving(handler) as port:
        stream = await backend.connect_tcp("127.0.0.1", port, 5)
        with pytest.raises(TransportError) as caught:
            await stream.start_tls(ssl.create_default_context(), "localhost", 0.2)
        assert (caught.value.kind, caught.value.phase) in {
            (kind, "connect"),
            (kind, "read"),
        }
        await stream.aclose()


async def test_a_connection_that_is_refused() -> None:
    """With the reason, for each address that was tried."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError, match="111|refused") as caught:
            await BufferedBackend(WriteError).connect_tcp("localhost", unused.getsockname()[1], 5)
    assert caught.value.kind == "connect"


async def test_a_name_that_nobody_has() -> None:
    """It is a connection that could not be made."""
    with pytest.raises(TransportError) as caught:
        await BufferedBackend(WriteError).connect_tcp("nobody.invalid", 80, 5)
    assert caught.value.kind == "connect"


async def test_connecting_ends_in_time() -> None:
    """To an address where nobody answers."""
    with black_hole() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(TransportError) as caught:
            await BufferedBackend(WriteError).connect_tcp("127.0.0.1", port, 0.1)
    assert (caught.value.kind, caught.value.phase) == ("timeout", "connect")


async def test_an_address_that_is_silent_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next one gets its turn beside it; the sockets of those that lost are closed."""
    with black_hole() as url:
        port = int(url.rpartition(":")[2])
        async with serving(echo, host="127.0.0.3") as other:

            def addresses(*_: object, **__: object) -> list[Any]:
                tcp = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
                return [(*tcp, ("127.0.0.1", port)), (*tcp, ("127.0.0.3", other))]

            monkeypatch.setattr(socket, "getaddrinfo", addresses)
            stream = await BufferedBackend(WriteError).connect_tcp("two.test", other, 5)
            assert stream.get_extra_info("server_addr") == ("127.0.0.3", other)
            await stream.aclose()


@pytest.mark.filterwarnings("error::ResourceWarning")
async def test_connecting_that_is_cancelled_leaves_no_socket() -> None:
    """Whenever that is: nothing is left for the collector to complain about."""
    async with serving(hold) as port:
        for after in (0.0, 0.0001, 0.0003, 0.0005, 0.001, 0.002) * 5:
            with anyio.move_on_after(after):
                stream = await BufferedBackend(WriteError).connect_tcp("localhost", port, 5)
                await stream.aclose()
        await asyncio.sleep(0.05)
        gc.collect()
