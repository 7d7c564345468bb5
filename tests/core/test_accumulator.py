"""Chunks put together."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from autonomousai_sdk._core.accumulator import accumulate, text_of
from autonomousai_sdk._core.finish import Finish
from tests.support.sample_operation import (
    ACCUMULATOR,
    Call,
    CallDelta,
    Choice,
    Chunk,
    Completion,
    Delta,
    Function,
    FunctionDelta,
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


def test_a_choice_that_goes_on_has_no_finish_reason() -> None:
    """The reason of a choice that has not ended is left out of what is put together."""
    chunks = [chunk("a", reason="stop"), chunk("b", index=1, reason="stop")]
    whole = accumulate(ACCUMULATOR, chunks, unfinished=(1,))
    assert [choice.finish_reason for choice in whole.choices] == ["stop", None]


def test_pieces_of_tool_calls_make_calls() -> None:
    """Arguments are joined call by call, and other fields keep what was said."""
    deltas = [
        CallDelta(index=0, id="a", function=FunctionDelta(name="get", arguments="{")),
        CallDelta(index=0, id="", type="function", function=FunctionDelta(name="", arguments="}")),
        CallDelta(index=1, id="b"),
    ]
    chunks = [chunk(tool_calls=(delta,)) for delta in deltas]
    (choice,) = accumulate(ACCUMULATOR, chunks).choices
    assert choice.message.tool_calls == (
        Call(id="a", function=Function(name="get", arguments="{}")),
        Call(id="b", function=Function()),
    )


def test_reasoning_keeps_the_name_it_came_under() -> None:
    """Each name is joined by itself, so that history has what the engine sent."""
    for name in ("reasoning", "reasoning_content"):
        pieces: list[dict[str, Any]] = [{name: "We "}, {name: "add."}]
        (choice,) = accumulate(ACCUMULATOR, [chunk(**piece) for piece in pieces]).choices
        owed: dict[str, Any] = {name: "We add."}
        assert choice.message == Said(**owed)


def test_usage_is_merged_count_by_count() -> None:
    """A count that one chunk brings is not lost to a later chunk without it."""
    chunks = [
        Chunk(usage=Usage(prompt_tokens=4)),
        Chunk(usage=Usage(completion_tokens=1)),
        Chunk(usage=Usage(completion_tokens=2)),
    ]
    assert accumulate(ACCUMULATOR, chunks).usage == Usage(prompt_tokens=4, completion_tokens=2)


def test_an_empty_text_does_not_replace_what_was_said() -> None:
    """An engine may repeat the role or the id as an empty text."""
    chunks = [chunk("a", role="model"), chunk("b", role=""), Chunk(id="x"), Chunk(id="")]
    whole = accumulate(ACCUMULATOR, chunks)
    assert (whole.id, whole.choices[0].message.role) == ("x", "model")


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


@pytest.mark.parametrize(
    ("pieces", "name"),
    [
        (["get_weather"], "get_weather"),
        (["get_", "weather"], "get_weather"),
        (["get_weather", "get_weather"], "get_weather"),
        (["get_", "get_weather", ""], "get_weather"),
    ],
)
def test_a_name_is_joined_unless_it_is_repeated(pieces: list[str], name: str) -> None:
    """The name of a function comes whole, whole again, or in pieces."""
    deltas = [
        chunk(tool_calls=(CallDelta(index=0, function=FunctionDelta(name=piece)),))
        for piece in pieces
    ]
    (call,) = accumulate(ACCUMULATOR, deltas).tool_calls
    assert call.name == name


def test_objects_in_free_form_objects_are_merged() -> None:
    """Fields of an object inside another are kept when later chunks send others."""
    first, second = {"prompt": {"n": 1, "ms": [1]}}, {"prompt": {"ms": [2]}, "rate": 5}
    chunks = [Chunk(timings=first), Chunk(timings=second)]
    assert accumulate(ACCUMULATOR, chunks).timings == {
        "prompt": {"n": 1, "ms": [1, 2]},
        "rate": 5,
    }
