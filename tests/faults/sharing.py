"""Group C: closing what others use, and sharing a caller's client."""

from __future__ import annotations

import gc
import socket
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from importlib import import_module
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest

import autonomousai_sdk as sdk
from autonomousai_sdk import APITimeoutError, StreamError, Timeout
from tests.support.case import Group, Outcome, created, expect, fine, named, owed, streamed, within
from tests.support.certificate import CERTIFICATE, server_context
from tests.support.client_under_test import AWAITING, Client, ClientUnderTest, settled
from tests.support.contestants import Contestant, closed
from tests.support.fault_server import FaultServer
from tests.support.http2_server import HTTP2Server
from tests.support.script import Answer, Hold, Send
from tests.support.wire import BEGUN, CHUNKED, WHOLE, coded, document, failed, head
from tests.transports.test_cancellation import sweep

from .pools import echo

GROUP = Group([])
case = GROUP.case

OPEN: Answer = (Send(CHUNKED + coded(BEGUN)), Hold())
"""A stream that begins, and then keeps silent as long as the client stays."""

AT_ONCE = 1.0
"""Seconds that waking up may take on a busy machine; 0.2 are owed on a quiet one."""

LIMITS = {"connect": 5.0, "read": 5.0, "pool": 5.0, "total": 8.0}
"""Limits that a caller who is not woken runs into."""


async def _woken(
    client_under_test: ClientUnderTest,
    wait: Callable[[], Awaitable[Outcome]],
    close: Callable[[], Awaitable[None]],
) -> Outcome:
    """Wait in one thread or task, and close in another a little later; what the first got."""
    closed_at: list[float] = []
    outcomes: list[Outcome] = []

    async def act(number: int) -> None:
        if number == 0:
            outcomes.append(await wait())
            expect(bool(closed_at), f"ended before it was closed: {outcomes[0].error!r}")
            within(monotonic() - closed_at[0], AT_ONCE, "waking up")
        else:
            await client_under_test.sleep(0.2)
            closed_at.append(monotonic())
            await close()

    await client_under_test.each(2, act)
    return outcomes[0]


def _says_closed(client_under_test: ClientUnderTest, outcome: Outcome, kind: type[Any]) -> None:
    error = owed(outcome, kind)
    expect("closed" in str(error), f"{named(error)} does not say that it was closed: {error}")
    expect("Errno" not in str(error), f"names a descriptor: {error}")


@case("C1", over={"stream": "stream", "client": "client"}, peers=False)
async def close_while_reading(client_under_test: ClientUnderTest, what: str) -> None:
    """Who reads a stream is woken with StreamError when the stream or the client is closed."""
    with FaultServer(OPEN) as server:
        async with client_under_test.client(server.url, limits=LIMITS) as client:
            stream = client.chat.stream("Hello")
            await stream.__anext__()

            async def wait() -> Outcome:
                texts: list[str] = []
                try:
                    async for chunk in stream:
                        texts.append(client_under_test.text(chunk))
                except Exception as error:  # noqa: BLE001  # judged below
                    return Outcome(text="".join(texts), error=error, completion=None, seconds=0)
                return Outcome(text="".join(texts), error=None, completion=None, seconds=0)

            async def close() -> None:
                await (stream.aclose() if what == "stream" else client_under_test.end(client))

            outcome = await _woken(client_under_test, wait, close)
            _says_closed(client_under_test, outcome, StreamError)
            left = await client_under_test.until(lambda: server.open_connections == 0)
            expect(left, "the server does not see the client leave")


WAITS = {
    "for-the-head": (Hold(),),
    "for-the-body": (Send(head(200, "content-length: 99") + b"{"), Hold()),
    "between-tries": failed(503, "retry-after: 5"),
}


@case("C1", over={f"client-waits-{name}": script for name, script in WAITS.items()}, peers=False)
async def close_while_waiting(client_under_test: ClientUnderTest, script: Answer) -> None:
    """Who waits for an answer is woken with an error that says the client was closed."""
    from autonomousai_sdk import AutonomousAIError

    for call, kind in ((created, AutonomousAIError), (streamed, StreamError)):
        with FaultServer(script) as server:
            async with client_under_test.client(server.url, limits=LIMITS) as client:

                async def wait(call: Any = call, client: Any = client) -> Outcome:
                    outcome: Outcome = await call(client_under_test, client)
                    return outcome

                async def close(client: Any = client) -> None:
                    await client_under_test.end(client)

                outcome = await _woken(client_under_test, wait, close)
                _says_closed(client_under_test, outcome, kind)
                expect(len(server.requests) == 1, f"{len(server.requests)} requests")


@case("C1", "client-waits-for-a-slot", peers=False)
async def close_while_queued(client_under_test: ClientUnderTest) -> None:
    """So is who waits for a connection of a full pool."""
    from autonomousai_sdk import AutonomousAIError

    with FaultServer(OPEN) as server:
        async with client_under_test.client(server.url, limits=LIMITS, connections=1) as client:
            stream = client.chat.stream("Hello")
            await stream.__anext__()

            async def wait() -> Outcome:
                return await created(client_under_test, client)

            async def close() -> None:
                await client_under_test.end(client)

            outcome = await _woken(client_under_test, wait, close)
            _says_closed(client_under_test, outcome, AutonomousAIError)


# A caller's client


@asynccontextmanager
async def sharing(
    client_under_test: ClientUnderTest, url: str, **settings: Any
) -> AsyncGenerator[Client]:
    """A client of this SDK on a caller's client of the library, with those settings."""
    backend, transport = client_under_test.backend, client_under_test.transport
    contestant = Contestant(backend, transport, whose="given")
    async with (
        contestant.http_client(**settings) as http_client,
        contestant.chatting(url, http_client, retries=2) as client,
    ):
        yield client


SHARED = {"x-team": "blue", "user-agent": "theirs"}


@case("C3", "headers-and-cookies", peers=False)
async def settings_of_a_client(client_under_test: ClientUnderTest) -> None:
    """A caller's client sends its own headers and cookies too; the call's headers win."""
    cookies = {"session": "abc"}
    async with AsyncExitStack() as stack:
        server = stack.enter_context(FaultServer(document(), WHOLE))
        jar = {} if client_under_test.transport == "aiohttp" else {"cookies": cookies}
        client = await stack.enter_async_context(
            sharing(client_under_test, server.url, headers=SHARED, **jar)
        )
        fine(await created(client_under_test, client), "Hello world")
        fine(await streamed(client_under_test, client), "Hello world")
    for request in server.requests:
        expect(request.headers.get("x-team") == "blue", f"sent: {request.headers}")
        expect(request.headers["user-agent"] != "theirs", "the call's header does not win")
        expect(request.headers["content-type"] == "application/json", f"sent: {request.headers}")
        if jar:
            expect(request.headers.get("cookie") == "session=abc", f"sent: {request.headers}")


@case("C3", "params", peers=False, transports=("httpx", "httpx2"))
async def params_of_a_client(client_under_test: ClientUnderTest) -> None:
    """A caller's client adds its own query parameters; the URL's win."""
    with FaultServer(document()) as server:
        params = {"tenant": "blue", "v": "1"}
        url = server.url + "?v=2"
        async with sharing(client_under_test, server.url, params=params) as client:
            fine(await created(client_under_test, client), "Hello world")
        contestant = Contestant(
            client_under_test.backend, client_under_test.transport, whose="given"
        )
        async with contestant.sender(params=params) as sender:
            await (await sender.send(url)).close()
    targets = [request.line[1].partition("?")[2] for request in server.requests]
    expect(targets == ["tenant=blue&v=1", "tenant=blue&v=2"], f"sent: {targets}")


def _raises_for_status(client_under_test: ClientUnderTest) -> dict[str, Any]:
    if client_under_test.transport == "aiohttp":
        return {"raise_for_status": True}

    def hook(response: Any) -> None:
        response.raise_for_status()

    async def async_hook(response: Any) -> None:
        response.raise_for_status()

    chosen = hook if client_under_test.backend == "sync" else async_hook
    return {"event_hooks": {"response": [chosen]}}


@case("C3", over={"raise-for-401": 401, "raise-for-429": 429}, peers=False)
async def raising_hooks(client_under_test: ClientUnderTest, status: int) -> None:
    """A caller's client that raises for a status leaves it the SDK's error, tried as often."""
    from autonomousai_sdk import AuthenticationError, RateLimitError

    kind = AuthenticationError if status == 401 else RateLimitError
    answers = failed(status, "retry-after-ms: 1")
    for call in (created, streamed):
        with FaultServer(answers) as server:
            settings = _raises_for_status(client_under_test)
            async with sharing(client_under_test, server.url, **settings) as client:
                owed(await call(client_under_test, client), kind)
        tries = 1 if status == 401 else 3
        expect(len(server.requests) == tries, f"{len(server.requests)} tries")


# A caller's HTTP/2 client


@asynccontextmanager
async def shared(client_under_test: ClientUnderTest, server: HTTP2Server) -> AsyncGenerator[Client]:
    """A client of this SDK on a caller's HTTP/2 client."""
    library = import_module(client_under_test.transport)
    blocking = client_under_test.backend == "sync"
    http_client = (library.Client if blocking else library.AsyncClient)(http1=False, http2=True)
    cls: Any = sdk.Client if blocking else sdk.AsyncClient
    made = cls(base_url=f"{server.url}/v1", model="m", http_client=http_client, max_retries=0)
    try:
        yield client_under_test.calls(made)
    finally:
        await settled(made.close())
        await closed(http_client)


async def words(stream: Any, count: int) -> None:
    """Read that many chunks."""
    for _ in range(count):
        await stream.__anext__()


async def leave(client_under_test: ClientUnderTest, client: Client, way: str) -> None:
    """Open a stream beside others, and end it one way."""
    if way == "head-timed-out":
        with pytest.raises(APITimeoutError, match="read"):
            await client.chat.stream("mute", timeout=Timeout(read=0.2)).__anext__()
        return
    prompt = "silent" if way in {"timed-out", "closed-elsewhere"} else "talk"
    stream = client.chat.stream(prompt, timeout=Timeout(idle=0.3))
    await stream.__anext__()
    if way == "left":
        await stream.aclose()
    elif way == "timed-out":
        with pytest.raises(APITimeoutError, match="idle"):
            await words(stream, 99)
    elif way == "dropped":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            del stream
            gc.collect()
    else:

        async def act(number: int) -> None:
            if number == 0:
                with pytest.raises(StreamError, match="closed"):
                    await words(stream, 99)
            else:
                await client_under_test.sleep(0.05)
                await stream.aclose()

        await client_under_test.each(2, act)


WAYS = ("left", "dropped", "timed-out", "head-timed-out", "closed-elsewhere")


@case("C2", over={way: way for way in WAYS}, peers=False, transports=("httpx", "httpx2"))
async def neighbours(client_under_test: ClientUnderTest, way: str) -> None:
    """However one of three streams ends, the server is told at once, and the others go on."""
    with HTTP2Server() as server:
        async with shared(client_under_test, server) as client:
            neighbours = [client.chat.stream("talk") for _ in range(2)]
            for each in neighbours:
                await words(each, 2)
            began = monotonic()
            await leave(client_under_test, client, way)
            within(monotonic() - began, AT_ONCE, "leaving")
            reset = await client_under_test.until(lambda: len(server.resets) == 1, AT_ONCE)
            expect(reset, f"the server was told of {server.reset_prompts}")
            for each in neighbours:
                await words(each, 10)
            late = client.chat.stream("talk")
            await words(late, 3)
            expect(server.connections == 1, f"{server.connections} connections")
            expect(len(server.resets) == 1, f"reset: {server.reset_prompts}")
            for each in [*neighbours, late]:
                await each.aclose()
            reset = await client_under_test.until(lambda: len(server.resets) == 4, AT_ONCE)
            expect(reset, f"reset: {server.reset_prompts}")


# An answer before the request was read


@contextmanager
def refusing_uploads(way: str) -> Generator[list[bytes]]:
    """A server that answers 413 as soon as it has a head; yields its URL, then the heads."""
    heads: list[bytes] = []
    ended = Event()

    is_secured = way.endswith("-tls")
    context = server_context()

    def serve(plain: socket.socket) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(plain, server_side=True) if is_secured else plain as connection,
        ):
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(1024)
            heads.append(data)
            text = b'{"error": {"message": "too large"}}'
            connection.sendall(
                head(413, "content-type: application/json", f"content-length: {len(text)}") + text
            )
            if way.startswith("drains"):
                while connection.recv(65536):
                    pass
            elif way.startswith("stops"):  # keeps the connection open, and reads no more
                ended.wait(20)
            else:  # closes, and lingers as servers do, so that the answer arrives
                connection.shutdown(socket.SHUT_WR)
                ended.wait(0.3)

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        scheme = "https" if is_secured else "http"
        heads.append(f"{scheme}://localhost:{listener.getsockname()[1]}".encode())

        def accept() -> None:
            with suppress(OSError):
                while True:
                    Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        try:
            yield heads
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)


@case(
    "C6",
    over={
        way: way for way in ("drains", "closes", "stops", "drains-tls", "closes-tls", "stops-tls")
    },
    peers=False,
)
async def early_refusal(client_under_test: ClientUnderTest, way: str) -> None:
    """A 413 in the middle of a 6 MB upload is that error, once; the event loop says nothing."""
    from autonomousai_sdk import RequestTooLargeError

    prompt = "x" * 6_000_000
    for call in ("create", "stream"):
        with refusing_uploads(way) as heads:
            url = heads[0].decode()
            limits = {"write": 3.0, "total": 8.0}
            route = {"verify": str(CERTIFICATE)} if url.startswith("https") else {}
            async with client_under_test.client(url, limits=limits, route=route) as client:
                caught: Exception | None = None
                try:
                    if call == "create":
                        await client.chat.create(prompt)
                    else:
                        await client.chat.stream(prompt).__anext__()
                except Exception as error:  # noqa: BLE001  # judged below
                    caught = error
            outcome = Outcome(text="", error=caught, completion=None, seconds=0)
            owed(outcome, RequestTooLargeError, "too large")
            expect(len(heads) == 2, f"{len(heads) - 1} tries")


# Connections that nobody uses


@case("C5", "idle", peers=False)
async def idle_connections(client_under_test: ClientUnderTest) -> None:
    """An idle connection is closed after its 5 seconds, though the client does nothing."""
    with FaultServer(document()) as server:
        async with client_under_test.client(server.url) as client:
            fine(await created(client_under_test, client), "Hello world")
            expect(server.open_connections == 1, "the connection was not kept")
            began = monotonic()
            closed = await client_under_test.until(lambda: server.open_connections == 0, 9)
            expect(closed, "the idle connection stays open")
            expect(monotonic() - began > 3, "it was closed at once")
            fine(await created(client_under_test, client), "Hello world")


@case("C5", "60-proxies", backends=AWAITING, transports=("httpx",), peers=False)
async def many_proxies(client_under_test: ClientUnderTest) -> None:
    """The original interface, called through 60 proxies, keeps 8 clients and their connections."""
    from autonomousai_sdk import AutonomousAI

    most = 0
    with FaultServer(echo) as proxy, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AUTONOMOUSAI_BASE_URL", "http://service.invalid")
        try:
            for number in range(60):
                pieces = [
                    piece
                    async for piece in AutonomousAI.create_async_generator(
                        "llama",
                        [{"role": "user", "content": "Hello"}],
                        proxy=f"http://user{number}:word@127.0.0.1:{proxy.port}",
                        stream=bool(number % 2),
                    )
                ]
                expect("".join(map(str, pieces[:-1])) == "Hello", f"answered {pieces}")
                most = max(most, len(vars(AutonomousAI)["_clients"]))
            left = await client_under_test.until(lambda: proxy.open_connections <= 8)
            expect(left, f"{proxy.open_connections} connections are open")
            expect(most <= 8, f"{most} clients were kept")
        finally:
            await AutonomousAI.aclose()


@case("C4", over={"create": "create", "stream": "stream"}, backends=AWAITING, peers=False)
async def cancel_sweep(client_under_test: ClientUnderTest, kind: str) -> None:
    """A call cancelled at each checkpoint leaves its slot to the next call; see the full sweep.

    `tests/transports/test_cancellation.py` has it for every transport and way to cancel.
    """
    backend, transport = client_under_test.backend, client_under_test.transport
    await sweep(Contestant(backend, transport, whose="own"), kind, "scope")
