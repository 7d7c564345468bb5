"""The fields that the spec does not have: of documents, of chunks, and of what chunks make."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from autonomousai_sdk import APIResponseError
from autonomousai_sdk._core.codec import decode, linked
from autonomousai_sdk._core.failure import Context
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.stream import StreamState
from tests.support.sample_operation import (
    DONE,
    SHAPE,
    Chunk,
    Completion,
    Renamed,
    Usage,
    chunk,
    event,
)

DOCUMENT = {
    "id": "a",
    "provider": "x",
    "usage": {"prompt_tokens": 3, "cost": 0.5},
    "choices": [
        {
            "index": 0,
            "native_finish_reason": "eos",
            "message": {
                "content": "Hi",
                "annotations": [1],
                "tool_calls": [
                    {"id": "1", "function": {"name": "f", "strict": True}, "extra_content": {}},
                    {"id": "2", "function": {"name": "g"}},
                ],
            },
        },
        {"index": 1, "message": {"content": "Ho"}},
    ],
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "itself": lambda value: value,
    "copied": copy.copy,
    "deeply copied": copy.deepcopy,
    "pickled": lambda value: pickle.loads(pickle.dumps(value)),
}
copied = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)


def stream_of(*documents: object) -> tuple[list[Chunk], Completion]:
    """The chunks of a stream, sent one by one, and the completion that they make."""
    state = StreamState[Chunk, Completion](SHAPE, Context("POST x", 1, None), Headers(), 2**20)
    chunks: list[Chunk] = []
    for each in (*map(event, documents), DONE):
        state.feed(each)
        chunks += [state.ready.popleft() for _ in range(len(state.ready))]
    return chunks, state.completion()


def extras(*objects: Any) -> list[Any]:
    """The `extra` of each object."""
    return [each.extra for each in objects]


@copied
def test_each_object_of_a_document_has_its_own_unknown_fields(
    copied: Callable[[Any], Any],
) -> None:
    """Every object of a document has its unknown fields, also when copied or pickled."""
    body = json.dumps(DOCUMENT).encode()
    completion = copied(linked(decode(body, Completion), body))
    first, second = completion.choices
    one, two = first.message.tool_calls
    assert extras(completion, completion.usage) == [{"provider": "x"}, {"cost": 0.5}]
    assert extras(first, first.message) == [
        {"native_finish_reason": "eos"},
        {"annotations": [1]},
    ]
    assert extras(one, one.function, two) == [{"extra_content": {}}, {"strict": True}, {}]
    assert extras(second, second.message) == [{}, {}]
    assert copied(first.message).extra == {"annotations": [1]}
    assert completion == decode(body, Completion)


@copied
def test_each_object_of_a_plain_chunk_has_its_own_unknown_fields(
    copied: Callable[[Any], Any],
) -> None:
    """A chunk of the fast path, its choice and its delta have their unknown fields."""
    piece = {"index": 0, "token_ids": [5], "delta": {"content": "Hi", "phase": "final"}}
    (first, *_), _ = stream_of({"choices": [piece], "provider": "x"}, chunk(reason="stop"))
    first = copied(first)
    assert first.extra == {"provider": "x"}
    assert first.choices[0].extra == {"token_ids": [5]}
    assert first.choices[0].delta.extra == {"phase": "final"}


def test_the_parts_of_a_chunk_that_is_not_plain_have_their_unknown_fields() -> None:
    """Chunks with tool calls, a finish reason, usage or a `message` have their unknown fields."""
    nothing: dict[str, object] = {}
    call: dict[str, object] = {"id": "1", "function": {"name": "f", "k": 1}, "thought": "t"}
    chunks, _ = stream_of(
        {"choices": [{"delta": {"tool_calls": [call]}, "a": 1}]},
        {"choices": [{"delta": nothing, "finish_reason": "stop", "b": 2}]},
        {"choices": [{"message": {"content": "!", "c": 3}, "finish_reason": "null"}]},
        {"choices": [], "usage": {"prompt_tokens": 1, "cost": 4}, "d": 5},
    )
    made = chunks[0].choices[0].delta.tool_calls
    assert made is not None
    assert extras(*made, made[0].function, chunks[0].choices[0]) == [
        {"thought": "t"},
        {"k": 1},
        {"a": 1},
    ]
    assert chunks[1].choices[0].extra == {"b": 2}
    assert chunks[2].choices[0].delta.extra == {"c": 3}
    assert extras(chunks[3], chunks[3].usage) == [{"d": 5}, {"cost": 4}]


@copied
def test_the_completion_of_a_stream_has_the_unknown_fields_of_all_chunks(
    copied: Callable[[Any], Any],
) -> None:
    """The unknown fields of chunks are put together: the last value counts, lists are joined."""
    calls = (
        {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{"}, "sign": "x"},
        {"index": 0, "function": {"arguments": "}", "k": 1}},
        {"index": 1, "id": "2"},
    )
    _, completion = stream_of(
        {"provider": "x", "choices": [{"index": 1, "delta": {"content": "b", "n": 1}}]},
        {"provider": None, "choices": [{"delta": {"content": "a", "details": [1]}}]},
        {"choices": [{"delta": {"details": [2], "tool_calls": calls[:1]}, "native": "eos"}]},
        {"choices": [{"delta": {"tool_calls": calls[1:]}, "finish_reason": "null"}]},
        {"choices": None, "usage": {"prompt_tokens": 1, "cost": 4}},
    )
    completion = copied(completion)
    first, second = completion.choices
    assert extras(completion, completion.usage) == [{"provider": "x"}, {"cost": 4}]
    assert extras(first, first.message) == [{"native": "eos"}, {"details": [1, 2]}]
    assert extras(second, second.message) == [{}, {"n": 1}]
    assert extras(*first.message.tool_calls) == [{"sign": "x"}, {}]
    assert first.message.tool_calls[0].function.extra == {"k": 1}


def test_a_choice_that_only_a_finish_reason_made_counts() -> None:
    """A finish reason beside the choices makes choice 0, after which the others are found."""
    _, completion = stream_of(
        {"choices": [{"index": 1, "delta": {"content": "b"}, "k": 1}]},
        {"choices": [], "finish_reason": "stop", "usage": {}},
    )
    assert [(each.index, each.extra) for each in completion.choices] == [(0, {}), (1, {"k": 1})]


def test_what_the_caller_made_has_no_unknown_fields() -> None:
    """An object that did not come from a server has an empty `extra`."""
    made = Completion(choices=(), usage=Usage())
    assert extras(made, made.usage) == [{}, {}]
    assert Completion(choices=(), usage=None).extra == {}
    for other in (5, Renamed(thread="t")):
        linked(other, b"{}")


def _unknown(body: Iterable[bytes]) -> Any:
    data = b"".join(body)
    return linked(decode(data, Usage), data).extra


def test_a_document_that_cannot_be_read_again_is_an_error() -> None:
    """An unknown field that only the fast decoder can skip raises an error of the SDK."""
    with pytest.raises(APIResponseError, match="extra fields cannot be decoded"):
        _unknown([b'{"x": ', b"9" * 5000, b"}"])


def test_an_object_that_is_not_in_the_document_has_no_unknown_fields() -> None:
    """A default, or a position that the document does not have, has an empty `extra`."""
    body = b'{"choices": [{"text": "Hi", "message": null}]}'
    completion = linked(decode(body, Completion), body)
    assert completion.choices[0].message.content == "Hi"
    assert completion.choices[0].message.extra == {}
    other = linked(completion, b'{"choices": []}')
    assert extras(*other.choices, other.choices[0].message) == [{}, {}]
    assert linked(Usage(), (b"[]", b'{"x": 1, "choices": [{"delta": 5}]}')).extra["x"] == 1


def test_parts_that_are_not_text_are_extra() -> None:
    """A reference or an image beside the text is under the field's name."""
    reference = {"type": "reference", "reference_ids": [1]}
    content: list[object] = [{"type": "text", "text": "Hi"}, reference]
    body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
    message = linked(decode(body, Completion), body).choices[0].message
    assert message.content == "Hi"
    assert message.extra == {"content": [reference]}
    body = json.dumps({"choices": [{"message": {"content": content[:1]}}]}).encode()
    assert linked(decode(body, Completion), body).choices[0].message.extra == {}


def test_objects_in_other_forms_of_an_array_have_their_unknown_fields() -> None:
    """An array sent as one object, or with a null in it, is searched as it was decoded."""
    call = {"function": {"name": "f"}, "sign": "x"}
    for calls in (call, {"3": call}, [None, call]):
        chunks, completion = stream_of(
            {"choices": {"delta": {"tool_calls": calls}, "k": 1}}, chunk(reason="stop")
        )
        made = chunks[0].choices[0].delta.tool_calls
        assert made is not None
        assert extras(chunks[0].choices[0], made[0]) == [{"k": 1}, {"sign": "x"}]
        assert extras(*completion.tool_calls) == [{"sign": "x"}]
