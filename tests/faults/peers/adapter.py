"""What the adapters of all peers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from importlib import import_module
from typing import Any, Self

from attrs import field, frozen

from tests.support.case import named
from tests.support.client_under_test import (
    Chat,
    Client,
    ClientUnderTest,
    DoesNotApply,
    Options,
    Stream,
    settled,
)

KEY = "sk-nothing"
"""The key of clients that require one, where a case sets none."""

OTHER_WIRE = [
    "D1",
    "D2",
    "D3",
    "D4",
    "D5",
    "D6",
    "D8",
    "M3",
    "S6",
    "S7",
    "S1-one-choice-of-two",
    "S1-usage-without-finish",
    "S9-wrong-types",
    "S9-delta-is-text",
    "S9-content-is-number",
    "S10-in-a-text",
    "S13-marker-without-blank-line",
    "S13-marker-without-line-end",
]
"""The faults and cases whose bytes are those of the OpenAI wire."""


@frozen
class PeerUnderTest(ClientUnderTest):
    """A library with its defaults; options that it lacks are omitted.

    Attributes:
        excluded: the faults and cases that do not apply to it.
    """

    is_peer: bool = field(init=False, default=True)
    excluded: tuple[str, ...] = field(init=False, default=())

    def applies(self, fault: str, case: str) -> bool:
        """Return whether a case applies to the library."""
        return not {fault, case} & set(self.excluded)

    @abstractmethod
    def send(self, made: Any, prompt: str, stream: bool, options: dict[str, Any]) -> Any:
        """Make a call; return its result, or an awaitable of it."""

    def calls(self, made: Any) -> Client:
        """Return the client with the interface that cases use."""
        return _PeerClient(self, made)

    async def close(self, made: Any) -> None:
        """Close the client."""
        await settled(made.close())

    def text(self, chunk: Any) -> str:
        """Return the text of a chunk's first choice; its type's name if it is not a chunk."""
        try:
            return chunk.choices[0].delta.content or ""
        except (AttributeError, IndexError, TypeError):
            return f"<{named(chunk)}>" if not hasattr(chunk, "choices") else ""

    def answer(self, completion: Any) -> str:
        """Return the text of a completion; empty if it is not a completion."""
        try:
            return completion.choices[0].message.content or ""
        except (AttributeError, IndexError, TypeError):
            return ""

    def check_partial(self, error: BaseException, text: str) -> None:
        """Do nothing: peers keep no partial completion."""


def stainless(library: str, blocking: bool, url: str, options: Options) -> dict[str, Any]:
    """Return the arguments of a client of the `openai` or `anthropic` package."""
    arguments: dict[str, Any] = {
        "base_url": url,
        "api_key": KEY if options.api_key is None else options.api_key,
        "timeout": min(options.limits.values()),
        "default_headers": options.headers,
    }
    if options.retries is not None:
        arguments["max_retries"] = options.retries
    if options.connections is not None or options.route:
        module: Any = import_module(library)
        default = module.DefaultHttpxClient if blocking else module.DefaultAsyncHttpxClient
        http: Any = import_module(default.__mro__[1].__module__.partition(".")[0])
        arguments["http_client"] = default(
            limits=http.Limits(max_connections=options.connections),
            timeout=arguments["timeout"],
            **options.route,
        )
    return arguments


def openai_arguments(prompt: str, stream: bool, options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call in the form of the OpenAI API."""
    arguments = {"model": "llama", "messages": [{"role": "user", "content": prompt}], **options}
    if "headers" in arguments:
        arguments["extra_headers"] = arguments.pop("headers")
    return arguments | ({"stream": True} if stream else {})


def only_basic(options: Options) -> None:
    """Raise `DoesNotApply` for options of a library whose connections cannot be set."""
    if options.connections is not None or options.route:
        raise DoesNotApply("the library has no setting for its connections")


def default_headers(options: Options) -> Mapping[str, str]:
    """Return the headers of an `Options`, as a mapping."""
    return options.headers or {}


@frozen
class _PeerClient:
    peer: PeerUnderTest
    made: Any

    @property
    def chat(self) -> Chat:
        return _PeerChat(self.peer, self.made)


@frozen
class _PeerChat:
    peer: PeerUnderTest
    made: Any

    async def create(self, messages: str, **options: Any) -> Any:
        return await settled(self.peer.send(self.made, messages, False, options))

    def stream(self, messages: str, **options: Any) -> Stream:
        return _PeerStream(self.peer, self.made, messages, options)


class _PeerStream:
    """A stream that is opened on entering or on the first read, like this SDK's."""

    def __init__(
        self, peer: PeerUnderTest, made: Any, prompt: str, options: dict[str, Any]
    ) -> None:
        self._peer = peer
        self._made: Any = made
        self._prompt = prompt
        self._options = options
        self._opened: Any = None
        self._chunks: AsyncIterator[Any] | None = None

    async def __aenter__(self) -> Self:
        opened = self._peer.send(self._made, self._prompt, True, self._options)
        self._opened = await settled(opened)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        self._chunks = None
        return self

    async def __anext__(self) -> Any:
        if self._opened is None:
            await self.__aenter__()
        if self._chunks is None:
            self._chunks = _awaitable(self._opened, self._peer.backend == "sync")
        return await self._chunks.__anext__()

    async def aclose(self) -> None:
        names = ("close",) if self._peer.backend == "sync" else ("aclose", "close")
        ways = (getattr(self._opened, name, None) for name in names)
        close = next((way for way in ways if way is not None), None)
        if close is not None:
            await settled(close())

    @property
    def text(self) -> AsyncIterator[str]:
        return self._texts()

    @property
    def completion(self) -> Any:
        return None

    async def _texts(self) -> AsyncIterator[str]:
        async for chunk in self:
            yield self._peer.text(chunk)


def _awaitable(stream: Any, blocking: bool) -> AsyncIterator[Any]:
    """Return a stream's iterator, blocking or not, as an async iterator."""
    if blocking:
        return _Blocking(iter(stream))
    iterator: AsyncIterator[Any] = stream.__aiter__()
    return iterator


@frozen
class _Blocking:
    iterator: Iterator[Any]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self.iterator)
        except StopIteration:
            raise StopAsyncIteration from None
