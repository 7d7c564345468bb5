"""The clients that faults run against: the SDK or a peer, on one backend and transport.

The SDK also has a protocol: the original or the OpenAI-compatible one.

Each case is one coroutine function, written as for `AsyncClient`. A blocking client is wrapped so
that awaiting it blocks; the coroutine then runs to its end without an event loop.
"""

from __future__ import annotations

import asyncio
import gc
from abc import ABC, abstractmethod
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from inspect import isawaitable
from time import monotonic, sleep
from typing import Any, Literal, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import anyio
from attrs import Factory, field, frozen

import autonomousai_sdk as sdk

T = TypeVar("T")
Backend = Literal["sync", "asyncio", "trio"]
BACKENDS: tuple[Backend, ...] = ("sync", "asyncio", "trio")
AWAITING: tuple[Backend, ...] = ("asyncio", "trio")
ASYNCIO: tuple[Backend, ...] = ("asyncio",)
SYNC: tuple[Backend, ...] = ("sync",)

WireProtocol = Literal["autonomousai", "openai"]
PROTOCOLS: tuple[WireProtocol, ...] = ("autonomousai", "openai")

ENDPOINTS: dict[WireProtocol, str] = {"autonomousai": "/chat", "openai": "/chat/completions"}

SAFETY = 15.0
"""The limit of calls that set none, in seconds, so that no test hangs."""


class FaultNotHandled(AssertionError):  # noqa: N818  # not an error of the SDK
    """A client did not behave as required."""


class DoesNotApply(Exception):  # noqa: N818  # not an error of the SDK
    """A peer lacks the setting that a case needs."""


@frozen(kw_only=True)
class Errors:
    """A library's error classes by their purpose."""

    base: type[Exception]
    interrupted: tuple[type[Exception], ...]
    stream_decode_error: type[Exception]
    status: type[Exception]
    response: type[Exception]
    connection: type[Exception]
    timeout: type[Exception]
    configuration: type[Exception]


@frozen(kw_only=True)
class Options:
    """The options of a client that cases set, independent of the library.

    Attributes:
        limits: seconds by the names of `Timeout`; a peer gets the shortest as its timeout.
        retries: the number of retries; None for the library's default.
        connections: the size of the pool; None for the library's default.
        bound: the bound on an event or document in bytes; peers have none.
        api_key: the key, or None.
        headers: sent with every request.
        route: how to reach the server: the arguments `proxy` and `verify`.
    """

    limits: Mapping[str, float] = field(factory=lambda: {"total": SAFETY})
    retries: int | None = None
    connections: int | None = None
    bound: int | None = None
    api_key: str | None = None
    headers: Mapping[str, str] | None = None
    route: Mapping[str, Any] = field(factory=dict[str, Any])


class Stream(Protocol):
    """The interface of streams in cases."""

    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *exc_info: object) -> None: ...
    def __aiter__(self) -> Any: ...
    async def __anext__(self) -> Any: ...
    async def aclose(self) -> None: ...
    @property
    def text(self) -> AsyncIterator[str]: ...
    @property
    def completion(self) -> Any: ...


class Chat(Protocol):
    """The interface of calls in cases."""

    async def create(self, messages: str, **options: Any) -> Any: ...
    def stream(self, messages: str, **options: Any) -> Stream: ...


class Client(Protocol):
    """The interface of clients in cases."""

    @property
    def chat(self) -> Chat: ...


@frozen
class ClientUnderTest(ABC):
    """One library on one backend and transport.

    Attributes:
        backend: sync, asyncio or trio.
        transport: the HTTP library below it, or the name of a peer.
        protocol: the wire protocol of the SDK; peers have their own.
        endpoint: the path of a chat completion after the base URL.
    """

    backend: Backend
    transport: str
    protocol: WireProtocol = field(default="autonomousai", kw_only=True)

    errors: Errors = field(init=False)
    is_peer: bool = field(init=False, default=False)
    endpoint: str = field(init=False, default="/chat/completions")

    def applies(self, fault: str, case: str) -> bool:
        """Return whether a case applies to the library."""
        return True

    def base_url(self, url: str) -> str:
        """Return the base URL for a server, with a path if the protocol requires one."""
        return url

    def code(self, error: BaseException) -> str | None:
        """Return the code of an API error."""
        return getattr(error, "code", None)

    @abstractmethod
    def make(self, url: str, options: Options) -> Any:
        """Create the library's client."""

    @abstractmethod
    def calls(self, made: Any) -> Client:
        """Return the client with the interface that cases use."""

    @abstractmethod
    async def close(self, made: Any) -> None:
        """Close a client from `make` and everything opened for it."""

    async def end(self, client: Client) -> None:
        """Close the client in the middle of a case; peers are not put to that."""
        raise NotImplementedError

    @abstractmethod
    def text(self, chunk: Any) -> str:
        """Return the text of a chunk's first choice."""

    @abstractmethod
    def answer(self, completion: Any) -> str:
        """Return the text of a completion."""

    @abstractmethod
    def check_partial(self, error: BaseException, text: str) -> None:
        """Raise `FaultNotHandled` unless the error has the preceding chunks as `partial`."""

    def __str__(self) -> str:
        name = f"{self.backend}-{self.transport}"
        return name if self.protocol == "autonomousai" else f"{name}-{self.protocol}"

    def client(self, url: str, **options: Any) -> AbstractAsyncContextManager[Client]:
        """Create a client with these `Options` and close it at the end of the block."""
        return self._client(url, Options(**options))

    @asynccontextmanager
    async def _client(self, url: str, options: Options) -> AsyncGenerator[Client]:
        made = self.make(url, options)
        try:
            yield self.calls(made)
        finally:
            await self.close(made)

    def run(self, act: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function on this backend.

        Raises:
            FaultNotHandled: it left an unhandled exception to the event loop.
        """
        if self.backend == "sync":
            return at_once(act())
        return anyio.run(
            _looked_after, act, backend=self.backend, backend_options=self.backend_options
        )

    @property
    def backend_options(self) -> dict[str, Any]:
        """Options of anyio's backend, such as another event loop for asyncio."""
        return {}

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        if self.backend == "sync":
            sleep(seconds)  # noqa: ASYNC251  # the blocking backend
        else:
            await anyio.sleep(seconds)

    async def until(self, condition: Callable[[], bool], within: float = 3.0) -> bool:
        """Wait for a condition; return whether it became true in time."""
        end = monotonic() + within
        while not condition():
            if monotonic() > end:
                return False
            await self.sleep(0.005)
        return True

    async def each(self, count: int, act: Callable[[int], Coroutine[Any, Any, T]]) -> Sequence[T]:
        """Run `act` with each number below `count` concurrently, in threads or tasks."""
        if self.backend == "sync":

            def thread(number: int) -> T:
                return at_once(act(number))

            with ThreadPoolExecutor(count) as pool:
                return list(pool.map(thread, range(count)))

        results: dict[int, T] = {}

        async def one(number: int) -> None:
            results[number] = await act(number)

        async with anyio.create_task_group() as tasks:
            for number in range(count):
                tasks.start_soon(one, number)
        return [results[number] for number in range(count)]


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise AssertionError("a blocking case has awaited something")


async def _looked_after(act: Callable[[], Coroutine[Any, Any, T]]) -> T:
    complaints: list[str] = []
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return await act()
    loop.set_exception_handler(
        lambda _, context: complaints.append(f"{context['message']} {context.get('exception')!r}")
    )
    result = await act()
    gc.collect()
    await asyncio.sleep(0)
    if complaints:
        raise FaultNotHandled(f"left to the event loop: {complaints[0]}")
    return result


async def settled(value: T | Awaitable[T]) -> T:
    """Await a result if it is awaitable."""
    if isawaitable(value):
        awaited: T = await value
        return awaited
    return value


SDK_ERRORS = Errors(
    base=sdk.AutonomousAIError,
    interrupted=(sdk.StreamInterrupted,),
    stream_decode_error=sdk.StreamDecodeError,
    status=sdk.APIStatusError,
    response=sdk.APIResponseError,
    connection=sdk.APIConnectionError,
    timeout=sdk.APITimeoutError,
    configuration=sdk.ConfigurationError,
)


@frozen
class SDK(ClientUnderTest):
    """This SDK."""

    errors: Errors = field(init=False, default=SDK_ERRORS)

    endpoint: str = field(
        init=False, default=Factory(lambda self: ENDPOINTS[self.protocol], takes_self=True)
    )

    def base_url(self, url: str) -> str:
        """Return the base URL for a server, which ends with `/v1` for OpenAI's protocol."""
        bare = self.protocol == "openai" and urlsplit(url).path in ("", "/")
        return f"{url.removesuffix('/')}/v1" if bare else url

    def make(self, url: str, options: Options) -> Any:
        """Create a `Client` or `AsyncClient`, on the default transport where possible."""
        arguments: dict[str, Any] = {
            "base_url": self.base_url(url),
            "protocol": self.protocol,
            "model": "llama",
            "api_key": options.api_key,
            "headers": options.headers,
            "timeout": sdk.Timeout(**options.limits),
        }
        if options.retries is not None:
            arguments["max_retries"] = options.retries
        if options.bound is not None:
            arguments["max_event_bytes"] = options.bound
        if self.transport != "httpx" or options.connections is not None:
            arguments["transport"] = self.new_transport(options.connections, **options.route)
        else:
            arguments |= options.route
        return (sdk.Client if self.backend == "sync" else sdk.AsyncClient)(**arguments)

    def new_transport(self, connections: int | None = None, **route: Any) -> Any:
        """Create the transport alone; `route` is that of `Options`."""
        limits = {} if connections is None else {"max_connections": connections}
        return _transport_class(self)(**limits, **route)

    def calls(self, made: Any) -> Client:
        """Return the client, wrapped if it is blocking."""
        calls: Client = _BlockingClient(made) if self.backend == "sync" else made
        return calls

    async def end(self, client: Client) -> None:
        """Close the client, but not a transport that was made for it."""
        made: Any = client.made if isinstance(client, _BlockingClient) else client
        await settled(made.close())

    async def close(self, made: Any) -> None:
        """Close the client, and the transport that was made for it."""
        await settled(made.close() if self.backend == "sync" else made.aclose())
        connections = made._runner.connections
        if not connections.own:
            transport = connections._new()
            await settled(transport.close() if self.backend == "sync" else transport.aclose())

    def text(self, chunk: Any) -> str:
        """Return the text of a chunk's first choice."""
        pieces = (piece.delta.content for piece in chunk.choices if piece.index == 0)
        return next(pieces, None) or ""

    def answer(self, completion: Any) -> str:
        """Return the text of a completion."""
        text: str = completion.text
        return text

    def check_partial(self, error: BaseException, text: str) -> None:
        """Check that the error's `partial` has the text so far."""
        partial: Any = getattr(error, "partial", None)
        found = None if partial is None else partial.text
        if (found or "") != text:
            raise FaultNotHandled(f".partial has {found!r}, and {text!r} came")


def _transport_class(client_under_test: SDK) -> Any:
    blocking = client_under_test.backend == "sync"
    if client_under_test.transport == "httpx2":
        from autonomousai_sdk.transports import httpx2

        return httpx2.HTTPX2Transport if blocking else httpx2.AsyncHTTPX2Transport
    if client_under_test.transport == "aiohttp":
        from autonomousai_sdk.transports import aiohttp

        return aiohttp.AIOHTTPTransport
    return sdk.HTTPXTransport if blocking else sdk.AsyncHTTPXTransport


@frozen
class _BlockingClient:
    """A blocking client with awaitable methods."""

    made: Any

    @property
    def chat(self) -> Chat:
        return _BlockingChat(self.made.chat)


@frozen
class _BlockingChat:
    chat: Any

    async def create(self, messages: Any, **options: Any) -> Any:
        return self.chat.create(messages, **options)

    def stream(self, messages: str, **options: Any) -> Stream:
        return BlockingStream(self.chat.stream(messages, **options))

    def map(self, prompts: Any, **options: Any) -> BlockingStream:
        return BlockingStream(self.chat.map(prompts, **options))

    async def parse(self, messages: Any, **options: Any) -> Any:
        return self.chat.parse(messages, **options)

    async def run(self, messages: Any, **options: Any) -> Any:
        return self.chat.run(messages, **options)


@frozen
class BlockingStream:
    """A blocking stream with awaitable methods."""

    made: Any

    async def __aenter__(self) -> Self:
        self.made.__enter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.made.__exit__(*exc_info)

    def __aiter__(self) -> BlockingStream:
        iter(self.made)
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self.made)
        except StopIteration:
            raise StopAsyncIteration from None

    async def until_done(self) -> Any:
        return self.made.until_done()

    async def aclose(self) -> None:
        self.made.close()

    @property
    def text(self) -> AsyncIterator[str]:
        return self._texts(self.made.text)

    @property
    def completion(self) -> Any:
        return self.made.completion

    async def _texts(self, texts: Any) -> AsyncIterator[str]:
        for text in texts:
            yield text


def clients_under_test() -> tuple[ClientUnderTest, ...]:
    """Return this SDK on every backend and installed transport."""
    transports: list[tuple[str, tuple[Backend, ...]]] = [
        ("httpx", BACKENDS),
        ("httpx2", BACKENDS),
        ("aiohttp", ASYNCIO),
    ]
    return tuple(
        SDK(backend, transport)
        for transport, backends in transports
        if find_spec(transport) is not None
        for backend in backends
    )


def clients_of_both_protocols() -> tuple[ClientUnderTest, ...]:
    """Return the clients under test, and those of the OpenAI-compatible protocol.

    A protocol does not depend on the transport, so the latter have the default transport.
    """
    others = (SDK(backend, "httpx", protocol="openai") for backend in BACKENDS)
    return (*clients_under_test(), *others)
