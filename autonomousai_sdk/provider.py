"""The original provider's interface, on top of `AsyncClient`.

For code written against the small async provider class by which AutonomousAI was first
reachable: the same class attributes with the same values, and the same generator, without
its faults. Connections are kept from one call to the next.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import ClassVar

from attrs import define, frozen

from ._async_client import AsyncClient
from ._core.catalog import Catalog
from ._core.timeout import Timeout
from ._generated.catalog import BASE_URL, DEFAULT_MODEL, MODELS
from ._generated.params import MessageParam
from .transports._shield import shielded

MAX_CLIENTS = 8
"""The most clients that are kept between calls: one for each base URL and proxy."""


@frozen
class FinishReason:
    """The last thing the generator yields: why the answer ended, such as `stop`."""

    reason: str


@define(eq=False)
class _KeptClient:
    """A client that is kept between calls, and how many calls use it now."""

    client: AsyncClient
    calls: int = 0


class _Endpoints:
    """`api_endpoints`, on the base URL that the environment names when they are asked for."""

    def __get__(self, instance: object, owner: type) -> dict[str, str]:
        return _endpoints(os.environ.get("AUTONOMOUSAI_BASE_URL") or BASE_URL)


@cache
def _endpoints(base_url: str) -> dict[str, str]:
    return {model.id: base_url.rstrip("/") + model.path for model in MODELS}


class AutonomousAI:
    """The original provider, by its own names.

    Attributes:
        api_endpoints: each model's URL. An entry may be replaced, to go elsewhere.

    Examples:
        >>> async for piece in AutonomousAI.create_async_generator(
        ...     "llama", [{"role": "user", "content": "Hello"}], stream=True
        ... ):
        ...     print(piece)
    """

    url: ClassVar[str] = "https://www.autonomous.ai/anon/"
    api_endpoints: ClassVar[_Endpoints] = _Endpoints()
    working: ClassVar[bool] = True
    supports_stream: ClassVar[bool] = True
    supports_system_message: ClassVar[bool] = True
    supports_message_history: ClassVar[bool] = True
    default_model: ClassVar[str] = DEFAULT_MODEL
    models: ClassVar[list[str]] = [model.id for model in MODELS]
    model_aliases: ClassVar[dict[str, str]] = {
        alias: model.id for model in MODELS for alias in model.aliases
    }
    _clients: ClassVar[dict[tuple[str, str | None], _KeptClient]] = {}

    @classmethod
    async def create_async_generator(
        cls,
        model: str,
        messages: str | Sequence[MessageParam],
        proxy: str | None = None,
        stream: bool = False,  # noqa: FBT001, FBT002  # the original's own signature
        timeout: Timeout | float | None = None,
        **kwargs: object,  # noqa: ARG003  # as the original: accepted and not used
    ) -> AsyncIterator[str | FinishReason]:
        """The answer's text, piece by piece, then why it ended.

        Args:
            model: a model's name or alias; empty for the default.
            messages: the conversation, as `chat.create` takes it.
            proxy: a proxy's URL.
            stream: whether to ask for a stream; without it the text comes in one piece.
            timeout: seconds the whole call may take, or a `Timeout`.
            **kwargs: accepted and not used, as the original does.

        Yields:
            Text, never empty, and at the end a `FinishReason`.

        Raises:
            AutonomousAIError: as `chat.create` and `chat.stream`.
        """
        name = Catalog(MODELS).get(model or cls.default_model).id
        base_url, _, path = cls.api_endpoints[name].rpartition("/")
        async with cls._client(base_url, proxy) as kept:
            client = kept.with_options(models={name: f"/{path}"})
            if not stream:
                completion = await client.chat.create(messages, model=name, timeout=timeout)
                if completion.text:
                    yield completion.text
            else:
                async with client.chat.stream(messages, model=name, timeout=timeout) as answer:
                    async for text in answer.text:
                        yield text
                completion = answer.completion
        if completion.finish_reason is not None:
            yield FinishReason(completion.finish_reason)

    @classmethod
    async def aclose(cls) -> None:
        """Close the connections kept from earlier calls, which the original never kept."""
        while cls._clients:
            _, kept = cls._clients.popitem()
            await kept.client.aclose()

    @classmethod
    @asynccontextmanager
    async def _client(cls, base_url: str, proxy: str | None) -> AsyncGenerator[AsyncClient]:
        """Lend a client for one call; then close the least recently used ones over the limit."""
        key = (base_url, proxy)
        kept = cls._clients.pop(key, None)
        if kept is None:
            client = AsyncClient(base_url=base_url, protocol="autonomousai", proxy=proxy)
            kept = _KeptClient(client)
        cls._clients[key] = kept  # the most recently used is the last
        kept.calls += 1
        try:
            yield kept.client
        finally:
            kept.calls -= 1
            await shielded(cls._close_surplus())

    @classmethod
    async def _close_surplus(cls) -> None:
        idle = [key for key, kept in cls._clients.items() if not kept.calls]
        for key in idle[: max(0, len(cls._clients) - MAX_CLIENTS)]:
            await cls._clients.pop(key).client.aclose()
