"""What the server needs of an engine: `Engine`, and the two forms of its reply."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from attrs import field, frozen

from .relay import EventRelay
from .request import ParsedRequest

Progress = Callable[[str], None]
"""Called with a few words about the current step of a slow start."""

HeaderList = list[tuple[bytes, bytes]]


class StreamWriter(Protocol):
    """A response whose body is a stream; each method returns whether it took the bytes."""

    def write(self, data: bytes) -> bool:
        """Write a part of the body at once."""
        ...

    def write_chunks(self, data: bytes) -> bool:
        """Write a part of the body that is in chunks of HTTP already."""
        ...


class EventSource(Protocol):
    """An engine's stream: the data of its events, in batches as they arrive."""

    @property
    def done(self) -> bool:
        """Whether the end marker has been read."""
        ...

    async def next(self, seconds: float | None = None) -> list[bytes] | None:
        """The data of the next events; empty for a keep-alive, None at the end.

        Args:
            seconds: how long to wait; None for the source's own limit.

        Raises:
            RequestError: the stream broke.
            TimeoutError: nothing arrived in time.
        """
        ...

    def divert(self, relay: EventRelay, writer: StreamWriter) -> None:
        """Write events as they arrive, while `next` waits; a source need not.

        Args:
            relay: tells which events go to the client as they are; `next` returns the others.
            writer: the response; `next` returns the events that it does not take.
        """
        ...


@frozen
class EngineReply:
    """An engine's reply: a whole document, or a stream of events.

    Attributes:
        headers: passed on to the client.
        document: the JSON document, or None for a stream.
        events: the stream, or None for a document.
    """

    headers: HeaderList = field(factory=list[tuple[bytes, bytes]])
    document: bytes | None = None
    events: EventSource | None = None


class Engine(Protocol):
    """What completes conversations."""

    @property
    def name(self) -> str:
        """Its name, for people."""
        ...

    async def start(self, progress: Progress) -> None:
        """Prepare.

        Raises:
            ConfigurationError: the engine cannot work here; the message says what to do.
        """
        ...

    async def stop(self) -> None:
        """Release everything."""
        ...

    def redact(self, text: str) -> str:
        """A text without the engine's key."""
        ...

    async def check(self) -> None:
        """Find out whether the engine answers.

        Raises:
            RequestError: it does not.
        """
        ...

    async def models(self) -> list[dict[str, Any]]:
        """The models that the engine lists, in OpenAI's form, each with its `id`.

        Raises:
            RequestError: the engine cannot say.
        """
        ...

    def complete(self, request: ParsedRequest) -> AbstractAsyncContextManager[EngineReply]:
        """Complete a conversation; leaving the context stops the work.

        Raises:
            RequestError: the engine refused, or cannot be reached.
            ConnectionAbort: the engine's reply was cut.
        """
        ...

    async def embed(self, body: dict[str, Any]) -> EngineReply:
        """Embed texts.

        Raises:
            RequestError: as `complete`.
        """
        ...
