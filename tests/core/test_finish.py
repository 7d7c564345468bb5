"""Which choices of a stream have ended."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.finish import Finish, brings_content, content_names
from tests.support.sample_operation import CallDelta, Chunk, Delta, Piece


def chunk(
    content: str | None = None, *, index: int = 0, reason: str | None = None, **delta: Any
) -> Chunk:
    """A chunk with a piece of one choice."""
    piece = Piece(index=index, delta=Delta(content=content, **delta), finish_reason=reason)
    return Chunk(choices=(piece,))


OUTER = Chunk(finish_reason="stop")
STOP = chunk(reason="stop")


@pytest.mark.parametrize(
    ("chunks", "reached"),
    [
        ([], False),
        ([chunk("a")], False),
        ([chunk("a", reason="")], False),
        ([chunk("a", reason="stop")], True),
        ([chunk("a"), chunk(reason="odd")], True),
        ([chunk("a", reason="stop"), Chunk()], True),
        ([chunk("a"), chunk("b", index=1), STOP], False),
        ([chunk("a"), chunk("b", index=1), chunk(index=1, reason="stop")], False),
        ([STOP, chunk(index=1, reason="stop")], True),
        ([STOP, chunk("late", index=1)], False),
        ([chunk("a"), OUTER], True),
        ([OUTER], True),
        ([Chunk(finish_reason="")], False),
        ([chunk("b", index=1), OUTER], False),
        # Content opens a choice again, and then only a reason of its own ends it.
        ([chunk("a", reason="stop"), chunk("b")], False),
        ([chunk("a"), STOP, chunk("b")], False),
        ([STOP, chunk(reasoning="hm")], False),
        ([STOP, chunk(refusal="no")], False),
        ([STOP, chunk(tool_calls=(CallDelta(index=0),))], False),
        ([chunk("a", reason="stop"), chunk("b", reason="stop")], False),
        ([chunk("a", reason="stop"), chunk("b"), chunk("c", reason="stop")], False),
        ([chunk("a", reason="stop"), chunk("b", reason="stop"), STOP], True),
        # What is not content leaves a choice as it was.
        ([chunk("a"), STOP, chunk("", role="assistant")], True),
        ([chunk("a"), STOP, chunk(tool_calls=())], True),
        ([chunk("a"), STOP, chunk(reason="stop")], True),
        ([chunk("a"), chunk(reason="length"), chunk(reason="")], True),
    ],
)
def test_a_stream_is_finished_when_every_choice_it_began_is(
    chunks: list[Chunk], reached: bool
) -> None:
    """A reason ends its own choice only, and content after it opens the choice again."""
    finish = Finish()
    for each in chunks:
        finish.take(each)
    assert finish.reached is reached


@pytest.mark.parametrize(
    ("chunks", "settled"),
    [
        ([], False),
        ([chunk("a")], False),
        ([chunk("a"), STOP], True),
        ([chunk("a"), STOP, Chunk()], True),
        ([chunk("a"), OUTER], True),
        ([chunk("a"), chunk("b", index=1), STOP], False),
        ([chunk("a"), STOP, chunk(index=1, reason="stop")], True),
        # The stream may go on after these, so the driver has to wait.
        ([chunk("a", reason="stop")], False),
        ([chunk("a", reason="stop"), STOP], False),
        ([chunk(role="assistant", reason="stop")], False),
        ([chunk("a"), STOP, chunk("b")], False),
        ([chunk("a"), STOP, chunk("b"), STOP], False),
    ],
)
def test_an_end_is_settled_by_one_reason_in_a_chunk_of_its_own(
    chunks: list[Chunk], settled: bool
) -> None:
    """A reason that came with content, before any, or twice may not be the end."""
    finish = Finish()
    for each in chunks:
        finish.take(each)
    assert finish.settled is settled


def test_choices_that_have_not_ended_are_listed() -> None:
    """Their finish reason, if they gave one, does not count."""
    finish = Finish()
    for each in (chunk("a", reason="stop"), chunk("b", index=2), chunk("c"), chunk("d", index=3)):
        finish.take(each)
    finish.take(chunk(index=3, reason="stop"))
    assert finish.unfinished == (0, 2)
    assert finish.has_content
    assert not Finish().has_content


def test_content_is_what_chunks_are_joined_by() -> None:
    """A role alone is not content; text, reasoning, refusals and tool calls are."""
    assert content_names(Delta) == (
        "content",
        "refusal",
        "reasoning_content",
        "reasoning",
        "tool_calls",
    )
    assert not brings_content(Delta(role="assistant", content=""))
    assert brings_content(Delta(reasoning_content="hm"))
