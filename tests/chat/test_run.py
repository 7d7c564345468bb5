"""`chat.run` against a scripted server: which functions are called, and when a run stops."""

from __future__ import annotations

import asyncio
import threading
from time import monotonic, sleep
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from autonomousai_sdk import (
    APITimeoutError,
    AsyncClient,
    ConfigurationError,
    Message,
    ToolLoopError,
)
from tests.support.backends import awaiting, on_backends, on_each_backend
from tests.support.client_under_test import SDK
from tests.support.fault_server import FaultServer
from tests.support.wire import failed

from .answers import answered, asked, called, messages_of


def get_weather(city: str, days: int = 1) -> dict[str, Any]:
    """Look up the weather.

    Args:
        city: the city.
        days: how many days.
    """
    return {"city": city, "days": days}


PARIS = '{"city": "Paris"}'


@on_each_backend
async def test_a_function_is_called_and_its_result_goes_back(client_under_test: SDK) -> None:
    """The run returns the final answer and the whole conversation, call and result included."""
    with FaultServer(called("get_weather", PARIS), answered("Sunny.")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            run = await chat.run("Paris?", tools=[get_weather])
    assert run.completion.text == "Sunny."
    assert run.rounds == 2
    user, call, result, answer = run.messages
    assert user == {"role": "user", "content": "Paris?"}
    assert isinstance(call, Message)
    assert call.tool_calls
    assert result["content"] == '{"city":"Paris","days":1}'
    assert answer.content == "Sunny."
    assert [tool["function"]["name"] for tool in asked(server)["tools"]] == ["get_weather"]
    assert messages_of(server) == [
        {"role": "user", "content": "Paris?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_0",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": PARIS},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_0", "content": '{"city":"Paris","days":1}'},
    ]


@on_each_backend
async def test_a_tool_choice_applies_to_the_first_round(client_under_test: SDK) -> None:
    """A required call is asked for once, so that the model can answer after it."""
    with FaultServer(called("get_weather", PARIS), answered("Sunny.")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            await chat.run("Go!", tools=[get_weather], tool_choice="required", max_tokens=9)
    assert asked(server, 0)["tool_choice"] == "required"
    assert "tool_choice" not in asked(server, 1)
    assert asked(server, 0)["max_tokens"] == asked(server, 1)["max_tokens"] == 9


@on_each_backend
async def test_a_run_can_be_continued(client_under_test: SDK) -> None:
    """The messages of a run are the history of the next call."""
    answers = (called("get_weather", PARIS), answered("Sunny."), answered("Yes."))
    with FaultServer(*answers) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            run = await chat.run([Message.user("Paris?")], tools=[get_weather])
            await chat.create([*run.messages, Message.user("Warm?")])
    assert [message["role"] for message in messages_of(server)] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


@on_each_backend
async def test_an_exception_goes_back_as_text(client_under_test: SDK) -> None:
    """The model reads which exception a function raised, and can go on."""

    def broken() -> None:
        raise RuntimeError("out of order")

    with FaultServer(called("broken"), answered("Sorry.")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            run = await chat.run("Go!", tools=[broken])
    assert run.completion.text == "Sorry."
    assert messages_of(server)[-1]["content"] == "Error: RuntimeError: out of order"


@on_each_backend
async def test_an_exception_is_raised_if_asked_for(client_under_test: SDK) -> None:
    """With `on_tool_error="raise"` the caller gets the function's own exception."""

    def broken() -> None:
        raise RuntimeError("out of order")

    with FaultServer(called("broken")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(RuntimeError, match="out of order"):
                await chat.run("Go!", tools=[broken], on_tool_error="raise")
    assert len(server.requests) == 1


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@on_each_backend
async def test_no_function_is_called_from_a_cut_answer(client_under_test: SDK, reason: str) -> None:
    """An answer that was cut while it asked for tools is an error, and calls nothing."""
    made: list[str] = []

    def note(text: str) -> None:
        made.append(text)

    answer = answered(calls=(("note", '{"text": "a"}'),), reason=reason)
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(ToolLoopError, match=reason):
                await chat.run("Go!", tools=[note])
    assert made == []


@on_each_backend
async def test_a_run_stops_at_its_last_round(client_under_test: SDK) -> None:
    """A model that asks for tools without end is stopped, with the conversation on the error."""
    answers = [called("get_weather", f'{{"city": "{number}"}}') for number in range(3)]
    with FaultServer(*answers) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(ToolLoopError, match="after 3 rounds") as caught:
                await chat.run("Go!", tools=[get_weather], max_rounds=3)
    assert caught.value.rounds == 3
    assert len(caught.value.messages) == 6
    assert len(server.requests) == 3


@on_each_backend
async def test_a_run_in_circles_stops(client_under_test: SDK) -> None:
    """The same call with the same result is made three times, and then is an error."""
    with FaultServer(*[called("get_weather", PARIS)] * 3) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(ToolLoopError, match="called get_weather 3 times"):
                await chat.run("Go!", tools=[get_weather])
    assert len(server.requests) == 3


@on_each_backend
async def test_the_timeout_bounds_all_rounds(client_under_test: SDK) -> None:
    """The time that functions take counts, and the error names the whole limit."""
    names = iter("abcdefgh")

    def slow() -> str:
        sleep(0.3)
        return next(names)

    with FaultServer(*[called("slow")] * 8) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            began = monotonic()
            with pytest.raises(APITimeoutError, match="all rounds together.* 0.8 s") as caught:
                await chat.run("Go!", tools=[slow], timeout=0.8)
    assert monotonic() - began < 1.6
    assert (caught.value.limit, caught.value.seconds) == ("total", 0.8)


@on_each_backend
async def test_a_round_is_retried_like_any_call(client_under_test: SDK) -> None:
    """An error that a retry may fix does not end the run."""
    busy = failed(503, "retry-after-ms: 1")
    with FaultServer(called("get_weather", PARIS), busy, answered("Sunny.")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            run = await chat.run("Go!", tools=[get_weather])
    assert run.completion.text == "Sunny."


@on_each_backend
async def test_wrong_tools_are_refused_before_anything_is_sent(client_under_test: SDK) -> None:
    """A mapping among the tools is an error, since it names no function to call."""
    with FaultServer() as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(ConfigurationError, match="chat.run"):
                await chat.run("Go!", tools=[{"type": "function", "function": {"name": "a"}}])
    assert server.requests == []


async def later(number: int) -> int:
    """Give it later."""
    await anyio.lowlevel.checkpoint()
    return number


@awaiting
async def test_async_functions_are_awaited(client_under_test: SDK) -> None:
    """On `AsyncClient` async functions are tools, as are functions that return an awaitable."""

    def soon(number: int) -> Any:
        return later(number)

    first = answered(calls=(("later", '{"number": 1}'), ("soon", '{"number": 2}')))
    with FaultServer(first, answered("Done.")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            await chat.run("Go!", tools=[later, soon])
    assert [message["content"] for message in messages_of(server)[-2:]] == ["1", "2"]


@awaiting
async def test_parallel_calls_run_at_the_same_time(client_under_test: SDK) -> None:
    """The calls of one answer run together, off the event loop, and keep their order."""
    both = threading.Barrier(2, timeout=5)

    def meet(name: str) -> str:
        both.wait()
        return name

    first = answered(calls=(("meet", '{"name": "a"}'), ("meet", '{"name": "b"}')))
    with FaultServer(first, answered("Done.")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            await chat.run("Go!", tools=[meet])
    assert [message["content"] for message in messages_of(server)[-2:]] == ["a", "b"]


@awaiting
async def test_the_timeout_ends_an_async_function(client_under_test: SDK) -> None:
    """A function that never returns does not outlive the timeout."""

    async def never() -> None:
        await anyio.sleep_forever()

    with FaultServer(called("never")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(APITimeoutError, match="all rounds together"):
                await chat.run("Go!", tools=[never], timeout=0.4)


@awaiting
async def test_one_failure_ends_the_other_calls(client_under_test: SDK) -> None:
    """With `on_tool_error="raise"`, the first exception cancels the calls beside it."""

    async def never() -> None:
        await anyio.sleep_forever()

    async def broken() -> None:
        raise RuntimeError("out of order")

    with FaultServer(answered(calls=(("never", ""), ("broken", "")))) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(RuntimeError, match="out of order"):
                await chat.run("Go!", tools=[never, broken], on_tool_error="raise")


@on_backends("sync")
async def test_the_blocking_client_refuses_async_functions(client_under_test: SDK) -> None:
    """An async function is refused at once, and an awaitable result when it comes."""

    def hidden() -> Any:
        return later(1)

    with FaultServer(called("hidden")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(ConfigurationError, match="'later' is asynchronous: use AsyncCl"):
                await chat.run("Go!", tools=[later])
            assert server.requests == []
            with pytest.raises(ConfigurationError, match="'hidden' returned an awaitable"):
                await chat.run("Go!", tools=[hidden])


def test_a_tool_that_is_cancelled_from_within_is_an_error_for_the_model() -> None:
    """An asynchronous tool that awaits a cancelled task does not count as one that returned ''."""

    async def wait() -> str:
        task = asyncio.create_task(asyncio.sleep(1))
        task.cancel()
        await task
        return "not reached"

    async def go(url: str) -> None:
        async with AsyncClient(base_url=url) as client:
            await client.chat.run("Go!", tools=[wait])

    with FaultServer(called("wait"), answered("Sunny.")) as server:
        asyncio.run(go(server.url))
        assert messages_of(server)[2]["content"] == "Error: the tool 'wait' was cancelled."


@on_each_backend
async def test_a_run_sends_the_response_format(client_under_test: SDK) -> None:
    """Every round of a run carries its response format."""
    form = {"type": "json_object"}
    with FaultServer(called("get_weather", PARIS), answered("{}")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            await chat.run("Go!", tools=[get_weather], response_format=form)
    assert [asked(server, number)["response_format"] for number in (0, 1)] == [form, form]
