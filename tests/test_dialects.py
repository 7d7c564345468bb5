"""Engines' dialects, read by the core into the generated classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from autonomousai_sdk import AutonomousAIError, ChatCompletion, ChatCompletionChunk
from autonomousai_sdk._core.failure import Context
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.response import ResponseReader
from autonomousai_sdk._core.stream import StreamState
from autonomousai_sdk._generated.operations import CHAT_CREATE
from tests.support.dialects import DOCUMENTS, STREAMS, Dialect
from tests.support.sample_operation import cuts, single_bytes

CONTEXT = Context("POST https://service.example/chat", 1, None)
MAX_BYTES = 2**20

State = StreamState[ChatCompletionChunk, ChatCompletion]


def read(pieces: Iterable[bytes]) -> tuple[list[ChatCompletionChunk], State]:
    """The chunks of a stream whose body arrives in these pieces and then ends."""
    state: State = StreamState(CHAT_CREATE.stream, CONTEXT, Headers(), MAX_BYTES)
    chunks: list[ChatCompletionChunk] = []
    for piece in (*filter(None, pieces), b""):
        if state.ended:
            break
        state.feed(piece)
        while state.ready:
            chunks.append(state.ready.popleft())
    return chunks, state


def completion_of(state: State) -> Any:
    """The completion of a stream, or what came before its error."""
    return state.completion() if state.error is None else state.error.partial


@pytest.mark.parametrize("dialect", STREAMS, ids=str)
def test_a_stream_gives_what_is_owed(dialect: Dialect) -> None:
    """Read whole, byte by byte, and cut in two at every point, a stream gives the same."""
    chunks, state = read([dialect.body])
    assert dialect.difference(completion_of(state), state.error) is None
    assert "".join(chunk.text for chunk in chunks) == dialect.owed["text"]
    for pieces in (single_bytes(dialect.body), *cuts(dialect.body)):
        again, other = read(pieces)
        assert again == chunks
        assert type(other.error) is type(state.error)
        assert completion_of(other) == completion_of(state)


@pytest.mark.parametrize("dialect", STREAMS, ids=str)
def test_a_cut_stream_is_interrupted_or_has_the_text_so_far(dialect: Dialect) -> None:
    """A stream cut between two events never passes for more than what had arrived."""
    ends = [at + 2 for at in range(len(dialect.body)) if dialect.body.startswith(b"\n\n", at)]
    for end in ends:
        chunks, state = read([dialect.body[:end]])
        completion = completion_of(state)
        assert "".join(chunk.text for chunk in chunks) == (completion.text if completion else "")
        assert (
            state.error is not None
            or completion.finish_reason
            or b"[DONE]" in dialect.body[:end].upper()
        )


@pytest.mark.parametrize("dialect", DOCUMENTS, ids=str)
def test_a_document_gives_what_is_owed(dialect: Dialect) -> None:
    """A whole answer gives the same as a stream of the same dialect."""
    reader = ResponseReader(CONTEXT, MAX_BYTES, None)
    reader.start(200, Headers([("content-type", "application/json")]))
    reader.feed(dialect.body)
    reader.feed(b"")
    assert reader.error() is None
    completion: Any = None
    caught: AutonomousAIError | None = None
    try:
        completion = reader.document(ChatCompletion)
    except AutonomousAIError as error:
        completion, caught = error.partial, error
    assert dialect.difference(completion, caught) is None
