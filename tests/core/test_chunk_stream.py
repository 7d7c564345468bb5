"""Streams whose chunks have no choices: complete or an error, however they are cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from attrs import field, frozen

from autonomousai_sdk._core.chunk_stream import ChunkStream
from autonomousai_sdk._core.exchange import Failure, TransportError
from autonomousai_sdk._core.failure import Context
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.operation import StreamShape
from autonomousai_sdk.errors import (
    APITimeoutError,
    AutonomousAIError,
    StreamDecodeError,
    StreamError,
    StreamInterrupted,
)
from tests.support.sample_operation import single_bytes

CONTEXT = Context("GET https://service.example/lines", 1, None)


@frozen(kw_only=True)
class Line:
    """A line of a text."""

    text: str = field(metadata={"wire": "t"})


@frozen(kw_only=True)
class Report:
    """A chunk that has an error of its own."""

    error: str


def new(cls: Any = Line, sentinel: bytes | None = None) -> ChunkStream[Any, Any]:
    """A stream that was just opened."""
    return ChunkStream(StreamShape(chunk=cls, sentinel=sentinel), CONTEXT, Headers(), 2**20)


def read(pieces: Iterable[bytes], state: ChunkStream[Any, Any]) -> list[Any]:
    """The chunks of a stream that is read until it ends."""
    chunks: list[Any] = []
    for piece in (*pieces, b""):
        if not state.ended:
            state.feed(piece)
        chunks += state.ready
        state.ready.clear()
    assert state.ended
    return chunks


def whole(data: bytes) -> list[bytes]:
    """All bytes in one read."""
    return [data]


TWO = b'data: {"t": "a"}\n\n: ping\n\ndata: {"t": "b"}\n\n'


@pytest.mark.parametrize("cut", [whole, single_bytes])
@pytest.mark.parametrize("sentinel", [None, b"END"])
def test_a_stream_is_the_same_however_it_is_cut(
    cut: Callable[[bytes], list[bytes]], sentinel: bytes | None
) -> None:
    """It is complete by its end marker, or by its end if it has none; the result is a tuple."""
    data = TWO if sentinel is None else TWO + b"data: END\n\ndata: more\n\n"
    state = new(sentinel=sentinel)
    lines = [Line(text="a"), Line(text="b")]
    assert read(cut(data), state) == lines
    assert (state.error, state.completion()) == (None, tuple(lines))


def test_a_chunk_with_the_text_of_the_sentinel_is_a_chunk() -> None:
    """Only the sentinel itself ends a stream whose chunks are texts, in any letters."""
    state = new(str, b"END")
    state.feed(b'data: "END"\n\ndata: "end"\n\n')
    assert list(state.ready) == ["END", "end"]
    assert not state.ended
    state.feed(b"data: end\n\n")
    assert state.ended
    assert state.error is None


def test_simple_events_of_one_read_are_taken_up_to_the_end_marker() -> None:
    """What follows the end marker in the same read is left."""
    state = new(sentinel=b"END")
    first, second = b'data: {"t": "a"}\n\n', b'data: {"t": "b"}\n\n'
    lines = [Line(text="a"), Line(text="b")]
    assert read([first, second + b"data: END\n\n" + second], state) == lines
    assert read([first, second + first], new()) == [*lines, Line(text="a")]


def test_any_schema_can_be_a_chunk() -> None:
    """A string, a list or an object with any names."""
    assert read([b'data: "a"\n\n'], new(str)) == ["a"]
    assert read([b"data: [1]\n\n"], new(tuple[int, ...])) == [(1,)]
    assert read([b'data: {"error": 0}\n\n'], new(dict[str, int])) == [{"error": 0}]
    assert read([b'data: {"error": "own"}\n\n'], new(Report)) == [Report(error="own")]
    assert read([b""], new()) == []


@pytest.mark.parametrize(
    ("data", "sentinel", "error", "said"),
    [
        (b'data: {"t": "a"}\n\ndata: {"t"', None, StreamInterrupted, "ended inside an event"),
        (b'data: {"t": "a"}\n\n', b"END", StreamInterrupted, "ended without its end marker"),
        (b'data: {"t": "a"}\n\ndata: 5\n\n', None, StreamDecodeError, "expected an object"),
        (b'data: {"t": "a"}\n\ndata: {"error"\n\n', None, StreamDecodeError, "Expecting"),
        (b'data: {"t": "a"}\n\n{"t": "b"}\n\n', None, StreamDecodeError, "not a field of an event"),
        (
            b'data: {"t": "a"}\n\ndata: {"error": {"message": "busy"}}\n\n',
            None,
            AutonomousAIError,
            "busy",
        ),
        (b'data: {"t": "a"}\n\nevent: error\ndata: busy\n\n', None, AutonomousAIError, "busy"),
        (b'data: {"t": "a"}\n\n{"error": "busy"}', None, AutonomousAIError, "busy"),
    ],
)
def test_anything_else_ends_a_stream_with_an_error(
    data: bytes, sentinel: bytes | None, error: type[Exception], said: str
) -> None:
    """The chunks before it are handed out, and are the error's partial result."""
    state = new(sentinel=sentinel)
    assert read([data], state) == [Line(text="a")]
    assert isinstance(state.error, error)
    assert said in str(state.error)
    partial: object = state.error.partial
    assert partial == (Line(text="a"),)
    with pytest.raises(error):
        state.completion()


@pytest.mark.parametrize(
    ("kind", "error"), [("broken", StreamInterrupted), ("timeout", APITimeoutError)]
)
def test_a_failed_connection_interrupts_a_stream(kind: Any, error: type[Exception]) -> None:
    """Even between two events, unless the stream has ended by then."""
    failure = Failure(
        error=TransportError(kind, "it broke"), limit="read", seconds=5, elapsed=9, duration=9
    )
    state = new()
    state.feed(TWO)
    state.fail(failure)
    assert isinstance(state.error, error)
    ended = new(sentinel=b"END")
    ended.feed(TWO + b"data: END\n\n")
    ended.fail(failure)
    ended.feed(b"")
    assert ended.error is None


def test_there_is_no_result_before_the_end() -> None:
    """The error says to read on."""
    with pytest.raises(StreamError, match="has not ended"):
        new().completion()
