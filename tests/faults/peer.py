"""openai-python as a client under test, on the same servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any, Self

from attrs import field, frozen

from tests.support.case import named
from tests.support.client_under_test import (
    Chat,
    Client,
    ClientUnderTest,
    Errors,
    Options,
    Stream,
    settled,
)


def _errors() -> Errors:
    openai: Any = import_module("openai")
    return Errors(
        base=openai.OpenAIError,
        interrupted=(openai.OpenAIError,),
        stream_decode_error=openai.OpenAIError,
        status=openai.APIError,
        response=openai.OpenAIError,
        connection=openai.APIConnectionError,
        timeout=openai.APITimeoutError,
        configuration=ValueError,
    )


@frozen
class OpenAI(ClientUnderTest):
    """openai-python with its defaults; options that it lacks are omitted."""

    errors: Errors = field(init=False, factory=_errors)
    is_peer: bool = field(init=False, default=True)

    @property
    def name(self) -> str:
        """The library and its version."""
        return f"openai {version('openai')}"

    def make(self, url: str, options: Options) -> Any:
        """Create an `OpenAI` or `AsyncOpenAI` client."""
        openai: Any = import_module("openai")
        blocking = self.backend == "sync"
        arguments: dict[str, Any] = {
            "base_url": url,
            "api_key": "sk-nothing" if options.api_key is None else options.api_key,
            "timeout": min(options.limits.values()),
            "default_headers": options.headers,
        }
        if options.retries is not None:
            arguments["max_retries"] = options.retries
        if options.connections is not None or options.route:
            default = openai.DefaultHttpxClient if blocking else openai.DefaultAsyncHttpxClient
            library: Any = import_module(default.__mro__[1].__module__.partition(".")[0])
            limits = library.Limits(max_connections=options.connections)
            arguments["http_client"] = default(
                limits=limits, timeout=arguments["timeout"], **options.route
            )
        return (openai.OpenAI if blocking else openai.AsyncOpenAI)(**arguments)

    def calls(self, made: Any) -> Client:
        """Return the client with the interface that cases use."""
        return _PeerClient(made)

    async def close(self, made: Any) -> None:
        """Close the client."""
        await settled(made.close())

    def text(self, chunk: Any) -> str:
        """Return the text of a chunk's first choice; empty if it is not a chunk."""
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
        """Do nothing: openai-python keeps no partial completion."""


@frozen
class _PeerClient:
    made: Any

    @property
    def chat(self) -> Chat:
        return _PeerChat(self.made.chat.completions)


@frozen
class _PeerChat:
    completions: Any

    async def create(self, messages: str, **options: Any) -> Any:
        return await settled(self.completions.create(**_arguments(messages, options)))

    def stream(self, messages: str, **options: Any) -> Stream:
        return _PeerStream(self.completions, _arguments(messages, options) | {"stream": True})


def _arguments(prompt: str, options: dict[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "model": options.pop("model", "llama"),
        "messages": [{"role": "user", "content": prompt}],
    }
    if "headers" in options:
        arguments["extra_headers"] = options.pop("headers")
    return arguments | options


class _PeerStream:
    """A stream that is opened on entering or on the first read, like this SDK's."""

    def __init__(self, completions: Any, arguments: dict[str, Any]) -> None:
        self._completions: Any = completions
        self._arguments = arguments
        self._opened: Any = None
        self._chunks: AsyncIterator[Any] | None = None

    async def __aenter__(self) -> Self:
        self._opened = await settled(self._completions.create(**self._arguments))
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
            self._chunks = _awaitable(self._opened)
        return await self._chunks.__anext__()

    async def aclose(self) -> None:
        if self._opened is not None:
            await settled(self._opened.close())

    @property
    def text(self) -> AsyncIterator[str]:
        return self._texts()

    @property
    def completion(self) -> Any:
        return None

    async def _texts(self) -> AsyncIterator[str]:
        async for chunk in self:
            yield chunk.choices[0].delta.content or ""


def _awaitable(stream: Any) -> AsyncIterator[Any]:
    """Wrap a stream's iterator, blocking or not, as an async iterator."""
    if hasattr(stream, "__aiter__"):
        iterator: AsyncIterator[Any] = stream.__aiter__()
        return iterator
    return _Blocking(iter(stream))


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
