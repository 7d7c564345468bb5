"""The rounds of a run: what is called, what goes back to the model, and the stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen

from autonomousai_sdk._core.codec import is_object
from autonomousai_sdk._core.tool_loop import Invocation, ToolLoop
from autonomousai_sdk.errors import ConfigurationError, ToolLoopError


def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def fail() -> None:
    """Raise an error."""
    raise RuntimeError("out of order")


async def later() -> None:
    """Do something, but not at once."""


@frozen
class Call:
    """A tool call, as far as the loop reads it."""

    name: str
    arguments: str = "{}"
    id: str = "1"


@frozen
class Answer:
    """A completion, as far as the loop reads it."""

    tool_calls: tuple[Call, ...] = ()
    finish_reason: str | None = "tool_calls"

    @property
    def message(self) -> Any:
        """The message that becomes history."""
        return self


DOUBLE = Answer((Call("double", '{"number": 2}'),))
HI = {"role": "user", "content": "Hi"}


def begun(
    messages: object = "Hi",
    *,
    tools: Any = (double, fail),
    max_rounds: Any = 8,
    on_error: Any = "return",
    may_await: bool = False,
) -> ToolLoop:
    """A loop with two tools."""
    return ToolLoop.of(messages, tools, max_rounds, on_error, may_await=may_await)


def made(invocation: Invocation) -> Invocation:
    """An invocation with its outcome, as a driver makes it."""
    if invocation.failure is not None:
        return invocation
    try:
        return invocation.returned(invocation.call())
    except Exception as error:  # noqa: BLE001  # as drivers do
        return invocation.raised(error)


def turn(loop: ToolLoop, answer: Answer) -> list[str]:
    """Make an answer's calls, and tell what goes back to the model."""
    loop.returned([made(each) for each in loop.answered(answer)], answer)
    return [each["content"] for each in loop.messages if is_object(each)][1:]


def test_calls_are_made_and_answered_in_order() -> None:
    """Several calls in one answer bring one result each, in order and under their ids."""
    loop = begun()
    answer = Answer((Call("double", '{"number": 2}', "a"), Call("fail", "", "b")))
    turn(loop, answer)
    assert loop.messages == [
        HI,
        answer,
        {"role": "tool", "tool_call_id": "a", "content": "4"},
        {"role": "tool", "tool_call_id": "b", "content": "Error: RuntimeError: out of order"},
    ]


def test_an_answer_without_calls_is_final() -> None:
    """An answer that asks for no tool ends the run, and is part of the conversation."""
    loop = begun([HI])
    final = Answer(finish_reason="length")
    assert loop.answered(final) == []
    assert loop.messages == [HI, final]
    assert loop.rounds == 1


def test_an_answer_without_a_choice_leaves_the_conversation_as_it_is() -> None:
    """A completion without any choice adds no message."""

    class Empty(Answer):
        @property
        def message(self) -> Any:
            return None

    loop = begun([HI])
    assert loop.answered(Empty()) == []
    assert loop.messages == [HI]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (Call("halve"), "Error: there is no tool 'halve'; there are: double, fail."),
        (
            Call("double", '{"number": "2"}'),
            'Error: Wrong arguments: $.number: expected int, got "2".',
        ),
        (Call("double", "{"), "Error: The arguments are not valid JSON: "),
    ],
)
def test_a_call_that_cannot_be_made_goes_back_as_text(call: Call, text: str) -> None:
    """An unknown tool or a wrong argument calls nothing, and the model reads why."""
    (said,) = turn(begun(), Answer((call,)))
    assert said.startswith(text)


@pytest.mark.parametrize("reason", ["length", "content_filter", "something_new"])
def test_nothing_is_called_from_a_cut_answer(reason: str) -> None:
    """Calls in an answer that was cut are not made, since their arguments may be cut too."""
    with pytest.raises(ToolLoopError, match=f"cut .finish reason '{reason}'.* none was called"):
        begun().answered(Answer(DOUBLE.tool_calls, reason))


@pytest.mark.parametrize("reason", [None, "", "stop", "COMPLETE", "tool_calls", "function_call"])
def test_calls_are_made_whatever_a_whole_answer_says(reason: str | None) -> None:
    """Engines end an answer with calls by several reasons, or by none."""
    assert begun().answered(Answer(DOUBLE.tool_calls, reason))


def test_a_function_that_did_not_end_is_an_error_for_the_model() -> None:
    """A call without an outcome, whose function was cancelled, goes back as an error."""
    loop = begun()
    answer = Answer((Call("double", '{"number": 1}'),))
    loop.returned(loop.answered(answer), answer)
    assert loop.messages[-1]["content"] == "Error: the tool 'double' was cancelled."


def test_the_last_round_calls_nothing() -> None:
    """At the limit the run stops before any function is called in vain."""
    loop = begun(max_rounds=2)
    turn(loop, DOUBLE)
    with pytest.raises(ToolLoopError, match="after 2 rounds: double. Raise max_rounds") as caught:
        loop.answered(DOUBLE)
    error = caught.value
    assert error.rounds == 2
    assert error.messages == tuple(loop.messages)
    assert vars(error)["partial"] is DOUBLE


@pytest.mark.parametrize(
    "texts", [('{"number": 2}', '{ "number":2 }', '{"number": 2}'), ("{",) * 3]
)
def test_the_same_result_three_times_stops(texts: tuple[str, ...]) -> None:
    """The same call with the same result is made three times, however it is written."""
    loop = begun()
    for text in texts[:2]:
        turn(loop, Answer((Call("double", text),)))
    with pytest.raises(ToolLoopError, match="called double 3 times with the same arguments"):
        turn(loop, Answer((Call("double", texts[2]),)))


def test_the_same_call_with_new_results_goes_on() -> None:
    """A call whose result changes, such as a poll, does not stop the run."""
    numbers = iter(range(9))

    def poll() -> int:
        return next(numbers)

    loop = begun(tools=[poll])
    for _ in range(5):
        turn(loop, Answer((Call("poll"),)))
    assert loop.rounds == 5


def test_the_tools_go_out_as_definitions() -> None:
    """A request carries the definitions of the tools."""
    assert [each["function"]["name"] for each in begun().definitions] == ["double", "fail"]


def test_the_callers_messages_stay_as_they_are() -> None:
    """The caller's list is not changed, and its messages go out as they were given."""
    given = [{"role": "user", "content": "Hi", "cache": True}]
    loop = begun(given)
    turn(loop, DOUBLE)
    assert len(given) == 1
    assert loop.messages[0] is given[0]


Wrong = Callable[[], ToolLoop]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: begun(max_rounds=0), "max_rounds= is a number of rounds, 1 or more; got 0"),
        (lambda: begun(max_rounds=True), "max_rounds="),
        (lambda: begun(max_rounds="8"), "max_rounds="),
        (lambda: begun(on_error="ignore"), "on_tool_error= is 'return' or 'raise'; got 'ignore'"),
        (lambda: begun(tools=[]), "tools= is empty"),
        (lambda: begun(tools=[{"type": "function", "function": {"name": "a"}}]), "calls functions"),
        (lambda: begun([]), "messages is empty"),
        (lambda: begun(tools=[later]), "The tool 'later' is asynchronous: use AsyncClient"),
    ],
)
def test_wrong_arguments_are_refused(wrong: Wrong, message: str) -> None:
    """What cannot work is an error before anything is sent."""
    with pytest.raises(ConfigurationError, match=message):
        wrong()


def test_async_functions_are_taken_where_they_can_be_awaited() -> None:
    """A driver that awaits takes functions of both kinds."""
    assert list(begun(tools=[later, double], may_await=True).tools) == ["later", "double"]
