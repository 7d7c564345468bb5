"""A conversation as callers give it, checked and encoded."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomousai_sdk._core.message import checked_messages, encoded, normalised
from autonomousai_sdk._generated import models
from autonomousai_sdk.errors import ConfigurationError
from tests.support.sample_operation import Choice, Completion, Note, Part, Said

HI = {"role": "user", "content": "hi"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}


def sent(messages: object, *, accepts_images: bool | None = None) -> Any:
    """What a service finds in the request, read as WIRE has it: base64 of UTF-8 JSON."""
    text = encoded(messages, model="llama", accepts_images=accepts_images)
    return json.loads(base64.b64decode(text, validate=True).decode("utf-8"))


def test_a_string_is_one_user_message() -> None:
    """The shortest way to ask."""
    assert sent("hi") == [HI]


def test_messages_can_stay_a_list() -> None:
    """`checked_messages` checks messages as `encoded` does and returns them as a list."""
    assert checked_messages("hi", model="m", accepts_images=None) == [HI]
    with pytest.raises(ConfigurationError, match="takes none"):
        checked_messages(
            [{"role": "user", "content": [IMAGE]}], model="llama", accepts_images=False
        )


@pytest.mark.parametrize(
    "messages",
    [
        [HI],
        (HI,),
        [Note(role="user", content="hi")],
        [{"role": "user", "content": "hi", "name": None}],
    ],
)
def test_mappings_and_objects_are_the_same(messages: object) -> None:
    """Typed or plain, in a list or a tuple; what was left unset is not sent."""
    assert sent(messages) == normalised(messages) == [HI]


def test_fields_and_parts_nobody_announced_are_sent_on() -> None:
    """The engine may know more than the spec, and roles are open."""
    messages = [
        {"role": "tool", "content": "", "tool_call_id": "7"},
        {"role": "user", "content": [{"type": "audio", "input_audio": {"data": "x"}}]},
    ]
    assert sent(messages) == messages


def test_parts_lose_what_was_left_unset() -> None:
    """Objects and mappings alike, also inside an image."""
    parts = [
        Part(type="text", text="What is this?"),
        Part(type="image_url", image_url={"url": "data:image/png;base64,AA==", "detail": None}),
        {"type": "text", "text": "", "note": None},
    ]
    assert sent([{"role": "user", "content": parts}], accepts_images=True) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                {"type": "text", "text": ""},
            ],
        }
    ]


def test_what_the_caller_gave_is_not_changed() -> None:
    """A conversation is used again for the next turn."""
    messages = [{"role": "user", "content": [dict(IMAGE)], "name": None}]
    before = json.dumps(messages)
    normalised(messages)
    assert json.dumps(messages) == before


@given(st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])), min_size=1))
def test_any_text_arrives_as_it_was(text: str) -> None:
    """Emoji, controls and lone surrogates, in the standard alphabet with its padding."""
    assert sent(text) == [{"role": "user", "content": text}]


@pytest.mark.parametrize("accepts_images", [True, None])
def test_images_go_to_models_that_may_take_them(accepts_images: bool | None) -> None:
    """A model of which nothing is known gets the benefit of the doubt."""
    messages = [{"role": "user", "content": [IMAGE]}]
    assert sent(messages, accepts_images=accepts_images) == messages


def test_an_image_for_a_model_that_takes_none_is_refused() -> None:
    """The message says which one it is, and which model would take it."""
    with pytest.raises(
        ConfigurationError,
        match=r"^messages\[1\] has an image, and the model 'llama' takes none: use model='vision'",
    ):
        encoded([HI, {"role": "user", "content": [IMAGE]}], model="llama", accepts_images=False)
    text = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert sent(text, accepts_images=False) == text


@pytest.mark.parametrize(
    "message",
    [{"content": "4"}, {"role": "", "content": "4"}, {"role": None, "content": "4"}],
)
def test_history_without_a_role_is_the_assistants(message: dict[str, Any]) -> None:
    """A message without a role, or with an empty one, is the assistant's if others follow it."""
    assert sent([HI, message, HI]) == [HI, {"role": "assistant", "content": "4"}, HI]


ADVICE = r"a string, or a list of Message objects and \{'role': …, 'content': …\} mappings"


REFUSED: list[tuple[Any, str]] = [
    ("", "messages is an empty string: there is nothing to answer"),
    ([], "messages is empty: give at least one message"),
    (HI, f"messages is a single message: put it in a list. It is {ADVICE}"),
    (Note(role="user", content="hi"), "messages is a single message: put it in a list"),
    (None, f"messages is {ADVICE}; got NoneType"),
    (b"hi", f"messages is {ADVICE}; got bytes"),
    (5, f"messages is {ADVICE}; got int"),
    ({"hi"}, "got set"),
    (iter([HI]), "got list_iterator"),
    (["hi"], r"messages\[0\] is a Message or a \{.*\} mapping, not str"),
    ([HI, 5], r"messages\[1\] is a Message .*, not int"),
    ([{"role": "user"}], r"messages\[0\] has no 'content'"),
    ([{"role": "user", "content": "hi"}, {"content": "hi"}], r"messages\[1\] has no 'role'"),
    ([{"content": "hi"}], r"messages\[0\] has no 'role'"),
    ([{"role": 5, "content": "hi"}], r"messages\[0\]: role is a string such as 'user'.*got 5"),
    ([{"role": "", "content": "hi"}], "role is a string such as .*got ''"),
    ([{"role": None, "content": "hi"}], "role is a string such as .*got None"),
    ([{"role": "user", "content": None}], r"content is a string or a list of parts .*NoneType"),
    ([{"role": "user", "content": b"hi"}], "content is a string or a list .*not bytes"),
    ([{"role": "user", "content": {"type": "text"}}], "content is a string .*not dict"),
    ([{"role": "user", "content": 5}], "content is a string or a list .*not int"),
    ([{"role": "user", "content": []}], r"messages\[0\]: content is an empty list of parts"),
    ([{"role": "user", "content": ["hi"]}], r"messages\[0\]\.content\[0\] is a TextPart.*str"),
    ([{"role": "user", "content": [{}]}], r"content\[0\] has no type, such as 'text'"),
    ([{"role": "user", "content": [{"type": 5}]}], r"content\[0\] has no type"),
    ([{"role": "user", "content": [{"type": "text"}]}], "has a string under 'text'"),
    ([{"role": "user", "content": [{"type": "text", "text": 5}]}], "a string under 'text'"),
    (
        [{"role": "user", "content": [{"type": "image_url", "image_url": "https://x"}]}],
        r"a part of type 'image_url' has \{'url': …\} under 'image_url'",
    ),
    (
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 5}}]}],
        r"has \{'url': …\} under",
    ),
    ([{"role": "user", "content": [{"type": "image_url"}]}], r"has \{'url': …\} under"),
    ([{**HI, "extra": b"x"}], "messages cannot be written as JSON: .*bytes"),
    ([{**HI, "extra": math.nan}], "messages cannot be written as JSON"),
]


@pytest.mark.parametrize(("messages", "said"), REFUSED)
def test_what_is_no_conversation_is_refused(messages: object, said: str) -> None:
    """Each mistake is named by its place, with what belongs there."""
    with pytest.raises(ConfigurationError, match=said):
        encoded(messages, model="llama", accepts_images=None)


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}, None),
        ({"role": "assistant", "tool_calls": [{"id": "1"}]}, None),
        ({"role": "assistant", "content": None, "function_call": {"name": "now"}}, None),
        ({"role": "assistant", "content": None}, ""),
        ({"role": "assistant", "content": "Hm.", "tool_calls": [{"id": "1"}]}, "Hm."),
    ],
)
def test_an_answer_without_text_is_history(message: dict[str, Any], content: str | None) -> None:
    """An answer with tool calls has null for content, and an empty one the empty string."""
    (plain,) = normalised([message])
    assert plain == {**message, "content": content}
    assert sent([message], accepts_images=False) == [plain]


def test_a_conversation_that_contains_itself_is_refused() -> None:
    """So is one that is nested too deeply to be written."""
    loop: dict[str, Any] = dict(HI)
    loop["self"] = loop
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    for message in (loop, {**HI, "deep": deep}):
        with pytest.raises(ConfigurationError, match="messages cannot be written as JSON"):
            encoded([message], model="llama", accepts_images=None)


@pytest.mark.parametrize(
    "answer",
    [Choice(message=Said(content="Hi")), Completion(choices=(Choice(message=Said(content="Hi")),))],
)
def test_an_answer_in_place_of_its_message_is_named(answer: object) -> None:
    """A completion or a choice among messages gets an error that says what to pass."""
    with pytest.raises(ConfigurationError, match=r"messages\[1\] is a \w+, .*pass its \.message"):
        normalised([{"role": "user", "content": "Hi"}, answer])


def test_half_an_emoji_is_sent_escaped() -> None:
    """A lone surrogate anywhere in a message reaches the wire as a JSON escape."""
    text = "\ud83d"
    for content in (text, [{"type": "text", "text": text}]):
        message = {"role": "user", "content": content, "name": text}
        body = base64.b64decode(encoded([message], model="m", accepts_images=None))
        assert body.isascii()
        assert body.count(b"\\ud83d") == 2
        assert json.loads(body) == [message]


@pytest.mark.parametrize("calls", [5, "abc", [5], [{"id": "1"}]])
def test_a_typed_message_with_a_field_of_the_wrong_type_is_refused(calls: Any) -> None:
    """A `Message` checks no types when it is made, so the call names the message."""
    message = models.Message(role="assistant", content="x", tool_calls=calls)
    with pytest.raises(ConfigurationError, match=r"messages\[0\]: a field of this Message has"):
        sent([message, HI])
