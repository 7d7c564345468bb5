"""Streams recorded from a real model, replayed through both clients with every kind of cut.

`core/test_stream.py` tries every single cut on the stream state alone. Here the cuts pass through
the clients, on a custom transport, on asyncio and trio as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from autonomousai_sdk import (
    AsyncClient,
    AsyncTransport,
    ChatCompletion,
    ChatCompletionChunk,
    Client,
    Timeout,
    Transport,
)
from autonomousai_sdk._core.exchange import Request

FILES = sorted((Path(__file__).parent / "data" / "recordings").glob("*.sse"))
RECORDINGS = [pytest.param(path.read_bytes(), id=path.stem) for path in FILES]
STEP = 53  # a prime, so that the cuts fall everywhere within the similar events


class Replay:
    """A response whose body is the given pieces."""

    status = 200
    headers = (("content-type", "text/event-stream"),)

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def _next(self) -> bytes:
        return next(self._pieces, b"")

    def abort(self) -> None:
        """Do nothing: there is no connection."""


class BlockingReplay(Replay):
    """The blocking response."""

    def read(self, timeout: float | None) -> bytes:
        """Return the next piece."""
        return self._next()

    def close(self) -> None:
        """Do nothing: there is no connection."""


class AwaitingReplay(Replay):
    """The awaiting response."""

    async def read(self, timeout: float | None) -> bytes:
        """Return the next piece."""
        return self._next()

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


class ReplayTransport:
    """A blocking transport that replays."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def send(self, request: Request, timeout: Timeout) -> BlockingReplay:
        """Respond with the pieces."""
        return BlockingReplay(self._pieces)

    def close(self) -> None:
        """Do nothing: there is no connection."""


class AsyncReplayTransport:
    """An awaiting transport that replays."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def send(self, request: Request, timeout: Timeout) -> AwaitingReplay:
        """Respond with the pieces."""
        return AwaitingReplay(self._pieces)

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


def splits(data: bytes) -> Iterator[list[bytes]]:
    """Yield the bytes whole, one by one, and cut in two at regular positions."""
    yield [data]
    yield [data[start : start + 1] for start in range(len(data))]
    for cut in range(1, len(data), STEP):
        yield [data[:cut], data[cut:]]


def expected(data: bytes) -> tuple[str, str, int]:
    """Read text, finish reason and number of chunks without the SDK."""
    documents = [
        json.loads(line[6:])
        for line in data.decode().split("\n")
        if line.startswith("data: ") and line != "data: [DONE]"
    ]
    choices = [choice for document in documents for choice in document["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    reason = next(choice["finish_reason"] for choice in choices if choice["finish_reason"])
    return text, reason, len(documents)


def check(data: bytes, chunks: list[ChatCompletionChunk], completion: ChatCompletion) -> None:
    """Check chunks and completion against the recording."""
    text, reason, count = expected(data)
    assert len(chunks) == count
    assert (completion.text, completion.finish_reason) == (text, reason)


@pytest.mark.parametrize("data", RECORDINGS)
def test_blocking(data: bytes) -> None:
    """The blocking client returns the same chunks and completion however the bytes are cut."""
    seen: list[tuple[list[ChatCompletionChunk], ChatCompletion]] = []
    for pieces in splits(data):
        transport: Transport = ReplayTransport(pieces)
        with Client(transport=transport) as client, client.chat.stream("?") as stream:
            seen.append((list(stream), stream.completion))
    check(data, *seen[0])
    assert all(each == seen[0] for each in seen)


@pytest.mark.anyio
@pytest.mark.parametrize("data", RECORDINGS)
async def test_awaiting(data: bytes) -> None:
    """The async client returns the same chunks and completion however the bytes are cut."""
    seen: list[tuple[list[ChatCompletionChunk], ChatCompletion]] = []
    for pieces in splits(data):
        transport: AsyncTransport = AsyncReplayTransport(pieces)
        async with (
            AsyncClient(transport=transport) as client,
            client.chat.stream("?") as stream,
        ):
            seen.append(([chunk async for chunk in stream], stream.completion))
    check(data, *seen[0])
    assert all(each == seen[0] for each in seen)
