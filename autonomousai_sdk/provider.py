"""The original provider's interface, on top of both clients.

For code written against the small async provider class by which AutonomousAI was first
reachable: the same class attributes with the same values, and the same generator, without
its faults. Connections are kept from one call to the next.

The class also has what the library g4f, of which the original was a part, asks of a provider,
so its clients take it as `provider=`. This module does not import g4f.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from threading import Lock
from typing import Any, ClassVar, cast

from attrs import define, frozen

from ._async_client import AsyncClient
from ._client import Client
from ._core.catalog import Catalog
from ._core.codec import is_object
from ._core.secret import Secret
from ._core.timeout import Timeout
from ._generated.catalog import BASE_URL, DEFAULT_MODEL, MODELS
from ._generated.models import ChatCompletion, ChatCompletionChunk
from ._generated.operations import CHAT_CREATE
from ._generated.params import MessageParam
from ._message import Message
from .errors import ConfigurationError
from .transports._shield import shielded

MAX_CLIENTS = 8
"""The most clients that are kept between calls: one for each base URL, proxy and key."""

_OPTIONS = frozenset(argument.name for argument in CHAT_CREATE.routes["autonomousai"].arguments)
_OWN = frozenset({"extra_body", "headers", "max_retries"})
_NOT_SENT = frozenset(
    {
        # g4f's clients pass these to every provider; they steer g4f itself.
        "conversation", "cookies", "ignore_stream", "ignored", "provider", "return_conversation",
        "stream_timeout", "tool_emulation", "web_search",
    }
)  # fmt: skip


@frozen(slots=False, eq=False)
class FinishReason:
    """The last thing the generator yields: why the answer ended, such as `stop`."""

    reason: str

    def __eq__(self, other: object) -> bool:
        # One that is g4f's as well is equal, too.
        return isinstance(other, FinishReason) and other.reason == self.reason

    def __hash__(self) -> int:
        return hash(self.reason)


Piece = str | FinishReason
"""What the generators yield; where g4f is imported, also its `Reasoning`, `Usage`, `ToolCalls`."""


@define(eq=False)
class _KeptClient:
    """A client that is kept between calls, and how many calls use it now."""

    client: Any
    calls: int = 0


@frozen
class _Call:
    """One call, ready for either client."""

    key: tuple[str, str | None, Secret | None]
    path: str
    messages: list[Any]
    arguments: dict[str, Any]

    def client(self, kind: Callable[..., Any]) -> Any:
        """A new client for the call's base URL, proxy and key."""
        base_url, proxy, secret = self.key
        key = None if secret is None else secret.reveal()
        return kind(base_url=base_url, protocol="autonomousai", proxy=proxy, api_key=key)

    @property
    def models(self) -> dict[str, str]:
        """The call's model with its path, for the client."""
        return {str(self.arguments["model"]): self.path}


class _Endpoints:
    """`api_endpoints`, on the base URL that the environment names when they are asked for."""

    def __get__(self, instance: object, owner: type) -> dict[str, str]:
        return _endpoints(os.environ.get("AUTONOMOUSAI_BASE_URL") or BASE_URL)


@cache
def _endpoints(base_url: str) -> dict[str, str]:
    return {model.id: base_url.rstrip("/") + model.path for model in MODELS}


class _Params:
    """`params`, which g4f shows to its users."""

    def __get__(self, instance: object, owner: type[AutonomousAI]) -> str:
        return owner.get_params()


class AutonomousAI:
    """The original provider, by its own names, and a provider for g4f's clients.

    Attributes:
        api_endpoints: each model's URL. An entry may be replaced, to go elsewhere.
        params: the arguments of a call, as text.

    Examples:
        >>> async for piece in AutonomousAI.create_async_generator(
        ...     "llama", [{"role": "user", "content": "Hello"}], stream=True
        ... ):
        ...     print(piece)
    """

    url: ClassVar[str] = "https://www.autonomous.ai/anon/"
    label: ClassVar[str] = "AutonomousAI"
    api_endpoints: ClassVar[_Endpoints] = _Endpoints()
    working: ClassVar[bool] = True
    active_by_default: ClassVar[bool] = True
    needs_auth: ClassVar[bool] = False
    supports_stream: ClassVar[bool] = True
    supports_system_message: ClassVar[bool] = True
    supports_message_history: ClassVar[bool] = True
    use_stream_timeout: ClassVar[bool] = True
    live: ClassVar[int] = 0
    default_model: ClassVar[str] = DEFAULT_MODEL
    models: ClassVar[list[str]] = [model.id for model in MODELS]
    vision_models: ClassVar[list[str]] = [model.id for model in MODELS if model.accepts_images]
    image_models: ClassVar[list[str]] = []
    video_models: ClassVar[list[str]] = []
    audio_models: ClassVar[dict[str, list[str]]] = {}
    models_count: ClassVar[dict[str, int]] = {}
    models_loaded: ClassVar[bool] = True
    model_aliases: ClassVar[dict[str, str]] = {
        alias: model.id for model in MODELS for alias in model.aliases
    }
    params: ClassVar[_Params] = _Params()
    _clients: ClassVar[dict[Any, _KeptClient]] = {}
    _blocking_clients: ClassVar[dict[Any, _KeptClient]] = {}
    _lock: ClassVar[Lock] = Lock()

    @classmethod
    async def create_async_generator(
        cls,
        model: str,
        messages: str | Sequence[MessageParam],
        proxy: str | None = None,
        stream: bool = False,  # noqa: FBT001, FBT002  # the original's own signature
        timeout: Timeout | float | None = None,
        media: Iterable[Any] | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Piece]:
        """The answer's text, piece by piece, then why it ended.

        Args:
            model: a model's name or alias; empty or `auto` for the default.
            messages: the conversation, as `chat.create` takes it.
            proxy: a proxy's URL.
            stream: whether to ask for a stream; without it the text comes in one piece.
            timeout: seconds the whole call may take, or a `Timeout`.
            media: images for the last message, each as itself or with its name.
            api_key: the service's key, where it needs one.
            base_url: another service than that of `api_endpoints`.
            **kwargs: what steers the answer, as `chat.create` takes it; any other goes to the
                engine as it is.

        Yields:
            Text, never empty, and at the end a `FinishReason`.

        Raises:
            AutonomousAIError: as `chat.create` and `chat.stream`.
        """
        call = cls._call(model, messages, proxy, timeout, media, api_key, base_url, kwargs)
        async with cls._client(call) as kept:
            client = kept.with_options(models=call.models)
            if not stream:
                completion = await client.chat.create(call.messages, **call.arguments)
                for piece in _all_of(completion):
                    yield piece
            else:
                async with client.chat.stream(call.messages, **call.arguments) as answer:
                    async for chunk in answer:
                        for piece in _pieces(chunk):
                            yield piece
                completion = answer.completion
        for piece in _last_of(completion):
            yield piece

    @classmethod
    def create_completion(
        cls,
        model: str,
        messages: str | Sequence[MessageParam],
        proxy: str | None = None,
        stream: bool = False,  # noqa: FBT001, FBT002  # g4f's own signature
        timeout: Timeout | float | None = None,
        media: Iterable[Any] | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        **kwargs: Any,
    ) -> Iterator[Piece]:
        """The same as `create_async_generator`, for code without an event loop.

        Args:
            model: a model's name or alias; empty or `auto` for the default.
            messages: the conversation, as `chat.create` takes it.
            proxy: a proxy's URL.
            stream: whether to ask for a stream; without it the text comes in one piece.
            timeout: seconds the whole call may take, or a `Timeout`.
            media: images for the last message, each as itself or with its name.
            api_key: the service's key, where it needs one.
            base_url: another service than that of `api_endpoints`.
            **kwargs: what steers the answer, as for `create_async_generator`.

        Yields:
            Text, never empty, and at the end a `FinishReason`.

        Raises:
            AutonomousAIError: as `chat.create` and `chat.stream`.
        """
        call = cls._call(model, messages, proxy, timeout, media, api_key, base_url, kwargs)
        with cls._blocking_client(call) as kept:
            client = kept.with_options(models=call.models)
            if not stream:
                completion = client.chat.create(call.messages, **call.arguments)
                yield from _all_of(completion)
            else:
                with client.chat.stream(call.messages, **call.arguments) as answer:
                    for chunk in answer:
                        yield from _pieces(chunk)
                completion = answer.completion
        yield from _last_of(completion)

    @classmethod
    async def create_async(
        cls, model: str, messages: str | Sequence[MessageParam], **kwargs: Any
    ) -> str:
        """The whole text of an answer.

        Args:
            model: a model's name or alias; empty or `auto` for the default.
            messages: the conversation, as `chat.create` takes it.
            **kwargs: as for `create_async_generator`.

        Raises:
            AutonomousAIError: as `chat.create` and `chat.stream`.
        """
        pieces = cls.create_async_generator(model, messages, **kwargs)
        return "".join([piece async for piece in pieces if isinstance(piece, str)])

    @classmethod
    def get_model(cls, model: str, **kwargs: Any) -> str:  # noqa: ARG003  # g4f's own signature
        """The protocol's name of a model, for its name, its alias, or nothing.

        Raises:
            ConfigurationError: the model is unknown; the message lists the known ones.
        """
        asked = cls.default_model if not model or model == "auto" else model
        return Catalog(MODELS).get(asked).id

    @classmethod
    def get_models(cls, api_key: str | None = None, **kwargs: Any) -> list[str]:  # noqa: ARG003  # g4f's own signature
        """The names of all models."""
        return list(cls.models)

    @classmethod
    def get_parameters(cls, as_json: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  # g4f's own signature
        """The arguments of a call.

        Args:
            as_json: whether to give an example of each, instead of its `inspect.Parameter`.
        """
        own = inspect.signature(cls.create_async_generator).parameters
        parameters: dict[str, Any] = {
            name: each
            for name, each in own.items()
            if each.kind is not inspect.Parameter.VAR_KEYWORD and name != "base_url"
        }
        for name in sorted(_OPTIONS - parameters.keys()):
            kind = inspect.Parameter.KEYWORD_ONLY
            parameters[name] = inspect.Parameter(name, kind, default=None)
        if not as_json:
            return parameters
        known = {
            "provider": cls.__name__,
            "model": cls.default_model,
            "messages": [{"role": "user", "content": ""}],
            "stream": True,
        }
        return {name: known.get(name) for name in ("provider", *parameters)}

    @classmethod
    def get_params(cls) -> str:
        """The arguments of a call, as text."""
        names = "".join(f"\n    {name}," for name in cls.get_parameters())
        return f"{cls.__name__} supports: ({names}\n)"

    @classmethod
    def get_dict(cls) -> dict[str, str]:
        """The provider's name, URL and label."""
        return {"name": cls.__name__, "url": cls.url, "label": cls.label}

    @classmethod
    def get_parent(cls) -> str:
        """The name under which g4f keeps a key for the provider."""
        return cls.__name__

    @classmethod
    async def aclose(cls) -> None:
        """Close the connections kept from earlier calls, which the original never kept."""
        while cls._clients:
            _, kept = cls._clients.popitem()
            await kept.client.aclose()
        cls.close()

    @classmethod
    def close(cls) -> None:
        """Close the connections kept from calls of `create_completion`."""
        with cls._lock:
            surplus = [kept.client for kept in cls._blocking_clients.values()]
            cls._blocking_clients.clear()
        for client in surplus:
            client.close()

    @classmethod
    def _call(
        cls,
        model: str,
        messages: str | Sequence[MessageParam],
        proxy: str | None,
        timeout: Timeout | float | None,
        media: Iterable[Any] | None,
        api_key: str | None,
        base_url: str | None,
        options: Mapping[str, Any],
    ) -> _Call:
        name = cls.get_model(model)
        base, _, path = cls.api_endpoints[name].rpartition("/")
        given = {
            option: value
            for option, value in options.items()
            if value is not None and option not in _NOT_SENT
        }
        known = {option: given.pop(option) for option in list(given) if option in _OPTIONS | _OWN}
        if given:
            known["extra_body"] = {**given, **known.get("extra_body", {})}
        return _Call(
            (base_url or base, proxy, None if api_key is None else Secret(api_key)),
            f"/{path}",
            _with_media(messages, media),
            {**known, "model": name, "timeout": timeout},
        )

    @classmethod
    @asynccontextmanager
    async def _client(cls, call: _Call) -> AsyncGenerator[AsyncClient]:
        """Lend a client for one call; then close the least recently used ones over the limit."""
        kept = _taken(cls._clients, call, AsyncClient)
        try:
            yield kept.client
        finally:
            kept.calls -= 1
            await shielded(cls._close_surplus())

    @classmethod
    async def _close_surplus(cls) -> None:
        for client in _surplus(cls._clients):
            await client.aclose()

    @classmethod
    @contextmanager
    def _blocking_client(cls, call: _Call) -> Generator[Client]:
        """Lend a client for one call, as `_client` does; calls may be in several threads."""
        with cls._lock:
            kept = _taken(cls._blocking_clients, call, Client)
        try:
            yield kept.client
        finally:
            with cls._lock:
                kept.calls -= 1
                surplus = _surplus(cls._blocking_clients)
            for client in surplus:
                client.close()


def _taken(clients: dict[Any, _KeptClient], call: _Call, kind: Callable[..., Any]) -> _KeptClient:
    kept = clients.pop(call.key, None)
    if kept is None:
        kept = _KeptClient(call.client(kind))
    clients[call.key] = kept  # the most recently used is the last
    kept.calls += 1
    return kept


def _surplus(clients: dict[Any, _KeptClient]) -> list[Any]:
    """Take the least recently used clients over the limit, if no call uses them."""
    idle = [key for key, kept in clients.items() if not kept.calls]
    return [clients.pop(key).client for key in idle[: max(0, len(clients) - MAX_CLIENTS)]]


def _with_media(messages: str | Sequence[MessageParam], media: Iterable[Any] | None) -> list[Any]:
    """The messages, with images added to the last one."""
    given: list[Any] = (
        [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
    )
    if not media:
        return given
    images: list[Any] = [_image(each) for each in media]
    last: Any = given[-1] if given else None
    text = last.get("content") if is_object(last) else None
    if not isinstance(text, str):
        raise ConfigurationError("media belongs to a last message whose content is a string.")
    return [*given[:-1], Message.user(text, images=images)]


def _image(media: object) -> Any:
    """An image that g4f gives as itself, as an open file, or in a pair with its name."""
    if isinstance(media, (tuple, list)):
        media = cast("Sequence[object]", media)[0]
    read = getattr(media, "read", None)
    return media if read is None else read()


def _all_of(completion: ChatCompletion) -> Iterator[Piece]:
    """The reasoning and the text of a whole answer."""
    yield from _reasoning(completion.reasoning)
    if completion.text:
        yield completion.text


def _pieces(chunk: ChatCompletionChunk) -> Iterator[Piece]:
    yield from _reasoning(chunk.reasoning)
    if chunk.text:
        yield chunk.text


def _last_of(completion: ChatCompletion) -> Iterator[Piece]:
    """What comes after the text: g4f's own pieces where g4f is imported, and the reason."""
    tool_calls, usage = _g4f("ToolCalls"), _g4f("Usage")
    if tool_calls is not None and completion.tool_calls:
        yield tool_calls(
            [
                {
                    "id": call.id,
                    "type": call.type,
                    "function": {
                        "name": call.function.name,
                        "arguments": call.function.arguments,
                    },
                }
                for call in completion.tool_calls
            ]
        )
    if usage is not None and completion.usage is not None:
        counts = {
            name: count
            for name in ("prompt_tokens", "completion_tokens", "total_tokens")
            if (count := getattr(completion.usage, name)) is not None
        }
        yield usage(**counts)
    if completion.finish_reason is not None:
        theirs = _g4f("FinishReason")
        kind = FinishReason if theirs is None else _joined(theirs)
        yield kind(completion.finish_reason)


def _reasoning(text: str | None) -> Iterator[Piece]:
    kind = _g4f("Reasoning")
    if text and kind is not None:
        yield kind(text)


def _g4f(name: str) -> Any:
    """A class of g4f's, if the program has imported g4f."""
    return getattr(sys.modules.get("g4f.providers.response"), name, None)


@cache
def _joined(theirs: type) -> type[FinishReason]:
    """A finish reason that is g4f's as well: its clients look for their own class."""
    return cast("type[FinishReason]", type("FinishReason", (FinishReason, theirs), {}))
