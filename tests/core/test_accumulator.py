"""Chunks put together."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from autonomousai_sdk._core.accumulator import accumulate, text_of
from autonomousai_sdk._core.finish import Finish
from tests.support.sample_operation import (
    ACCUMULATOR,
    Choice,
    Chunk,
    Completion,
    Delta,
    Piece,
    Said,
    Usage,
)


def chunk(
    content: str | None = None, *, index: int = 0, reason: str | None = None, **delta: Any
) -> Chunk:
    """A chunk with a piece of one choice."""
    piece = Piece(index=index, delta=Delta(content=content, **delta), finish_reason=reason)
    return Chunk(choices=(piece,))


def test_pieces_are_joined_by_choice() -> None:
    """Each choice has its own text, in order, and the choices stand by their index."""
    chunks = [
        chunk(role="assistant"),
        chunk("no", index=1, role="assistant"),
        chunk("Hel"),
        chunk("!", index=1),
        chunk("lo", reason="stop"),
        chunk(index=1, reason="length"),
    ]
    assert accumulate(ACCUMULATOR, chunks).choices == (
        Choice(message=Said(role="assistant", content="Hello"), finish_reason="stop"),
        Choice(index=1, message=Said(role="assistant", content="no!"), finish_reason="length"),
    )


def test_several_choices_in_one_chunk() -> None:
    """An engine may send pieces of all choices together, in any order."""
    both = Chunk(
        choices=(Piece(index=1, delta=Delta(content="b")), Piece(delta=Delta(content="a")))
    )
    choices = accumulate(ACCUMULATOR, [both, both]).choices
    assert [choice.message.content for choice in choices] == ["aa", "bb"]


def test_what_never_came_is_none_and_what_came_empty_is_empty() -> None:
    """Null content is no text; an empty piece is one."""
    assert accumulate(ACCUMULATOR, [chunk()]).choices[0].message == Said()
    assert accumulate(ACCUMULATOR, [chunk("")]).choices[0].message.content == ""
    assert accumulate(ACCUMULATOR, [chunk(reasoning="hm"), chunk(reasoning=".")]).choices[
        0
    ].message == Said(reasoning="hm.")


def test_no_chunks_are_an_empty_answer() -> None:
    """A stream may be its end mark alone."""
    assert accumulate(ACCUMULATOR, []) == Completion(choices=())


def test_the_last_value_that_says_something_counts() -> None:
    """Ids, times and usage are carried over, whichever chunk had them."""
    chunks = [
        Chunk(id="a", created=5, choices=(), timings={"prompt": 1, "kept": 2}),
        Chunk(id="b", choices=(), usage=Usage(prompt_tokens=1)),
        Chunk(choices=(), usage=Usage(prompt_tokens=2), timings={"prompt": 3}),
        Chunk(choices=(), temperature=0.5),
    ]
    assert accumulate(ACCUMULATOR, chunks) == Completion(
        id="b",
        created=5,
        choices=(),
        usage=Usage(prompt_tokens=2),
        temperature=0.5,
        timings={"prompt": 3, "kept": 2},
    )


def test_what_the_class_names_itself_is_not_carried_over() -> None:
    """A whole answer is no chunk, whatever the chunks called themselves."""
    chunks = [Chunk(object="chat.completion.chunk", choices=())]
    assert accumulate(ACCUMULATOR, chunks).object == "completion"
    assert accumulate(evolve(ACCUMULATOR, fixed=()), chunks).object == "chat.completion.chunk"


def test_free_form_objects_are_merged_and_their_lists_joined() -> None:
    """Log probabilities come token by token."""
    pieces: list[dict[str, Any] | None] = [
        {"content": [1, 2], "refusal": None, "note": "a"},
        None,
        {"content": [3], "refusal": None, "note": None},
        {"content": None, "more": [4]},
    ]
    chunks = [Chunk(choices=(Piece(logprobs=logprobs),)) for logprobs in pieces]
    assert accumulate(ACCUMULATOR, chunks).choices[0].logprobs == {
        "content": [1, 2, 3],
        "refusal": None,
        "note": "a",
        "more": [4],
    }


def test_a_reason_beside_the_choices_is_the_first_choices() -> None:
    """The original client looked for it there too; it fills in and never overrides."""
    outside = Chunk(choices=(), finish_reason="length")
    whole = accumulate(ACCUMULATOR, [chunk("a"), chunk("b", index=1), outside])
    assert [choice.finish_reason for choice in whole.choices] == ["length", None]
    assert accumulate(ACCUMULATOR, [chunk("a", reason="stop"), outside]).finish_reason == "stop"
    assert accumulate(ACCUMULATOR, [chunk("a", reason=""), outside]).finish_reason == "length"
    assert accumulate(ACCUMULATOR, [outside]).finish_reason == "length"
    assert accumulate(ACCUMULATOR, [outside]).text == ""


@pytest.mark.parametrize(
    ("chunks", "reached"),
    [
        ([], False),
        ([chunk("a")], False),
        ([chunk("a", reason="")], False),
        ([chunk("a", reason="stop")], True),
        ([chunk("a"), chunk(reason="odd")], True),
        ([chunk("a", reason="stop"), Chunk(choices=())], True),
        ([chunk("a"), chunk("b", index=1), chunk(reason="stop")], False),
        ([chunk("a"), chunk("b", index=1), chunk(index=1, reason="stop")], False),
        ([chunk(reason="stop"), chunk(index=1, reason="stop")], True),
        ([chunk(reason="stop"), chunk("late", index=1)], False),
        ([chunk("a"), Chunk(choices=(), finish_reason="stop")], True),
        ([Chunk(choices=(), finish_reason="stop")], True),
        ([Chunk(choices=(), finish_reason="")], False),
        ([chunk("b", index=1), Chunk(choices=(), finish_reason="stop")], False),
    ],
)
def test_a_stream_is_finished_when_every_choice_it_began_is(
    chunks: list[Chunk], reached: bool
) -> None:
    """One choice's reason does not end another, and an empty reason is none."""
    finish = Finish()
    for each in chunks:
        finish.take(each)
    assert finish.reached is reached


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (chunk("a"), "a"),
        (chunk(), ""),
        (chunk("a", index=1), ""),
        (Chunk(choices=()), ""),
        (
            Chunk(
                choices=(
                    Piece(index=1, delta=Delta(content="b")),
                    Piece(delta=Delta(content="a")),
                )
            ),
            "a",
        ),
    ],
)
def test_the_text_of_a_chunk_is_the_first_choices(one: Chunk, text: str) -> None:
    """Wherever it stands among the choices, and never another's."""
    assert text_of(one) == text
