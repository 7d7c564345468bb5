"""Shortcuts on a whole answer."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk import Message
from autonomousai_sdk._core.message import normalised
from autonomousai_sdk._generated import models
from autonomousai_sdk.errors import APIResponseError
from tests.support.sample_operation import (
    Call,
    Choice,
    Chunk,
    Completion,
    Delta,
    Function,
    Piece,
    Said,
    Usage,
)


def answer(*choices: Choice) -> Completion:
    """A whole answer of these choices."""
    return Completion(choices=choices)


FIRST = Choice(index=0, message=Said(content="yes"), finish_reason="stop")
SECOND = Choice(index=1, message=Said(content="no"), finish_reason="length")


@pytest.mark.parametrize("choices", [(FIRST,), (FIRST, SECOND), (SECOND, FIRST)])
def test_the_first_choice_is_the_one_with_index_0(choices: tuple[Choice, ...]) -> None:
    """Wherever it stands among the choices."""
    assert answer(*choices).text == "yes"
    assert answer(*choices).finish_reason == "stop"


@pytest.mark.parametrize("choices", [(), (SECOND,)])
def test_without_a_first_choice_there_is_nothing(choices: tuple[Choice, ...]) -> None:
    """No text and no reason, and never another choice's."""
    assert answer(*choices).text == ""
    assert answer(*choices).finish_reason is None


def test_content_that_is_null_is_no_text() -> None:
    """Engines send null where a message has tool calls only."""
    assert answer(Choice(message=Said(content=None))).text == ""
    assert answer(Choice(message=Said())).finish_reason is None


def test_the_message_of_a_completion_continues_a_conversation() -> None:
    """`.message` is a `Message` that holds all of the answer, as it came on the wire."""
    calls = (models.ToolCall(id="1", function=models.FunctionCall(name="now")),)
    told = models.ChatMessage(content=None, tool_calls=calls, reasoning_content="Hm.")
    message = models.ChatCompletion(choices=(models.Choice(message=told),)).message
    assert isinstance(message, Message)
    assert normalised([message]) == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "now", "arguments": ""}}
            ],
            "reasoning_content": "Hm.",
        }
    ]


def test_without_a_choice_there_is_no_message() -> None:
    """A completion without any choice has no message to continue with, and says so."""
    with pytest.raises(APIResponseError, match="no choices, so it has no message"):
        _ = models.ChatCompletion(choices=()).message


def test_what_a_completion_holds_besides_its_text() -> None:
    """Reasoning, refusal and tool calls of the first choice, and nothing without one."""
    call: Any = Call(id="1", function=Function(name="now", arguments="{}"))
    message = Said(reasoning_content="Hm.", refusal="No.", tool_calls=(call,))
    whole = answer(Choice(message=message))
    assert (whole.reasoning, whole.refusal, whole.tool_calls) == ("Hm.", "No.", (call,))
    for empty in (answer(), answer(Choice(message=Said()))):
        assert (empty.reasoning, empty.refusal, empty.tool_calls) == (None, None, ())


def test_what_a_chunk_adds_to_the_first_choice() -> None:
    """A chunk without choices, such as the one with the usage, adds no text."""
    chunk = Chunk(choices=(Piece(delta=Delta(content="a", reasoning="b")),))
    assert (chunk.text, chunk.reasoning) == ("a", "b")
    assert (Chunk().text, Chunk().reasoning) == ("", None)
    other = Chunk(choices=(Piece(index=1, delta=Delta(content="a")),))
    assert other.text == ""


def call_of(arguments: str) -> Call:
    """A call of `now` with these arguments."""
    return Call(function=Function(name="now", arguments=arguments))


def test_a_tool_calls_arguments_are_parsed() -> None:
    """Arguments become a typed value; no arguments are an empty object."""
    call = call_of('{"prompt_tokens": 5}')
    assert (call.name, call.arguments) == ("now", '{"prompt_tokens": 5}')
    assert call.parsed(Usage) == Usage(prompt_tokens=5)
    assert call.parsed(dict) == {"prompt_tokens": 5}
    assert call_of("").parsed(Usage) == Usage()


@pytest.mark.parametrize("arguments", ["{", "[]", '{"choices": 5}'])
def test_arguments_that_do_not_fit_are_an_error(arguments: str) -> None:
    """The error names the function and keeps the model's text."""
    with pytest.raises(APIResponseError, match="the call of 'now' do not fit") as caught:
        call_of(arguments).parsed(Chunk)
    assert caught.value.body == arguments.encode()
