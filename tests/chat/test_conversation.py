"""Conversations against a scripted server: what enters the history, and what goes out."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import UUID

import pytest

from autonomousai_sdk import (
    AsyncConversation,
    BadRequestError,
    ConfigurationError,
    Conversation,
    InternalServerError,
    Message,
    StreamInterrupted,
)
from tests.support.backends import on_each_backend
from tests.support.client_under_test import SDK, BlockingStream, settled
from tests.support.fault_server import FaultServer
from tests.support.wire import (
    DONE,
    FINISH,
    TEXTS,
    body,
    closing,
    deltas,
    failed,
    problem,
    said,
    stream,
)

from .answers import answered, asked, called, messages_of


def conversation_of(client: Any, **options: Any) -> Any:
    """A conversation of the client below the one under test."""
    return getattr(client, "made", client).conversation(**options)


def streamed(client_under_test: SDK, made: Any) -> Any:
    """A stream of either kind, to be awaited."""
    return BlockingStream(made) if client_under_test.backend == "sync" else made


@on_each_backend
async def test_a_conversation_remembers_its_turns(client_under_test: SDK) -> None:
    """Each request carries the system message, all earlier turns, the model and the thread."""
    with FaultServer(answered("Mars."), answered("Two.")) as server:
        async with client_under_test.client(server.url) as client:
            talk = conversation_of(client, model="hermes", system="Be brief.")
            assert (await settled(talk.send("Name a planet."))).text == "Mars."
            assert (await settled(talk.send("How many moons?"))).text == "Two."
    assert [(each["role"], each["content"]) for each in messages_of(server)] == [
        ("system", "Be brief."),
        ("user", "Name a planet."),
        ("assistant", "Mars."),
        ("user", "How many moons?"),
    ]
    assert [message.content for message in talk.messages][-2:] == ["How many moons?", "Two."]
    first, second = asked(server, 0), asked(server, 1)
    assert first["aiAgent"] == "hermes"
    assert first["threadId"] == second["threadId"] == talk.thread_id
    assert UUID(talk.thread_id).version == 7


@on_each_backend
async def test_a_failed_turn_leaves_the_history(client_under_test: SDK) -> None:
    """After an error the conversation goes on from where it was."""
    answers = (answered("Mars."), failed(500), answered("Two."))
    with FaultServer(*answers) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            talk = conversation_of(client)
            await settled(talk.send("Name a planet."))
            before = talk.messages
            with pytest.raises(InternalServerError):
                await settled(talk.send("How many moons?"))
            assert talk.messages == before
            await settled(talk.send("How many moons?"))
    assert len(talk.messages) == 4


@on_each_backend
async def test_a_stream_enters_the_history_at_its_end(client_under_test: SDK) -> None:
    """The turn of a stream is added once the whole answer has been read."""
    with FaultServer(said("Mars.")) as server:
        async with client_under_test.client(server.url) as client:
            talk = conversation_of(client)
            async with streamed(client_under_test, talk.stream("Name a planet.")) as answer:
                async for _ in answer.text:
                    assert talk.messages == ()
                assert len(talk.messages) == 2
                await settled(answer.until_done())
    assert [message.content for message in talk.messages] == ["Name a planet.", "Mars."]


@on_each_backend
async def test_until_done_ends_a_turn(client_under_test: SDK) -> None:
    """A stream that is read by `until_done` enters the history once."""
    with FaultServer(said("Mars.")) as server:
        async with client_under_test.client(server.url) as client:
            talk = conversation_of(client)
            async with streamed(client_under_test, talk.stream("Name a planet.")) as answer:
                await answer.__anext__()
                assert (await settled(answer.until_done())).text == "Mars."
    assert [message.content for message in talk.messages] == ["Name a planet.", "Mars."]


@on_each_backend
async def test_an_abandoned_stream_leaves_the_history(client_under_test: SDK) -> None:
    """A stream that is left before its end adds nothing."""
    with FaultServer(stream(deltas(*TEXTS), FINISH, DONE)) as server:
        async with client_under_test.client(server.url) as client:
            talk = conversation_of(client)
            async with streamed(client_under_test, talk.stream("Name a planet.")) as answer:
                await answer.__anext__()
    assert talk.messages == ()


@on_each_backend
async def test_an_interrupted_stream_leaves_the_history(client_under_test: SDK) -> None:
    """A stream that breaks off adds nothing, not even the question."""
    with FaultServer(closing(deltas(*TEXTS[:2]))) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            talk = conversation_of(client)
            async with streamed(client_under_test, talk.stream("Name a planet.")) as answer:
                with pytest.raises(StreamInterrupted):
                    await settled(answer.until_done())
    assert talk.messages == ()


@on_each_backend
async def test_tool_calls_are_part_of_the_history(client_under_test: SDK) -> None:
    """Calls enter the history with their answer, and a turn can be their results."""
    with FaultServer(called("get_weather", "{}"), answered("Sunny.")) as server:
        async with client_under_test.client(server.url) as client:
            talk = conversation_of(client)
            (call,) = (await settled(talk.send("Paris?"))).tool_calls
            await settled(talk.send([Message.tool(call.id, "21 °C")]))
            with pytest.raises(ConfigurationError, match="images= needs a text"):
                await settled(talk.send(Message.user("Hm."), images=["a.png"]))
            with pytest.raises(ConfigurationError, match="A turn is a text, a Message or a list"):
                await settled(talk.send([]))
            with pytest.raises(ConfigurationError, match="A turn is a text, a Message or a list"):
                await settled(talk.send(cast("Any", 5)))
    roles = [message.role for message in talk.messages]
    assert roles == ["user", "assistant", "tool", "assistant"]
    assert messages_of(server)[1]["tool_calls"][0]["id"] == "call_0"


def ends(messages: list[Message]) -> list[Message]:
    """Keep the first message and the last."""
    return [messages[0], messages[-1]]


@on_each_backend
async def test_trim_chooses_what_goes_out(client_under_test: SDK) -> None:
    """The request carries what `trim` leaves, and the history keeps everything."""
    with FaultServer(*[answered(str(number)) for number in range(3)]) as server:
        async with client_under_test.client(server.url) as client:
            talk = conversation_of(client, system="Be brief.", trim=ends)
            for number in range(3):
                await settled(talk.send(f"Question {number}"))
    assert [each["content"] for each in messages_of(server)] == ["Be brief.", "Question 2"]
    assert len(talk.messages) == 7


@on_each_backend
@pytest.mark.parametrize("trimmed", [None, "text"])
async def test_a_trim_without_messages_is_refused(client_under_test: SDK, trimmed: Any) -> None:
    """A `trim` that returns no list is an error that names what it returned; nothing is sent."""

    def trim(messages: list[Message]) -> Any:
        return trimmed

    with FaultServer() as server:
        async with client_under_test.client(server.url) as client:
            talk = conversation_of(client, trim=trim)
            with pytest.raises(ConfigurationError, match="trim= must return a list of messages"):
                await settled(talk.send("Hi"))
        assert not server.requests
    assert talk.messages == ()


OVERFLOW = "request (2050 tokens) exceeds the available context size (2048 tokens)"


@on_each_backend
async def test_an_overflow_says_by_how_much(client_under_test: SDK) -> None:
    """An error of the context says how much too long the conversation is, and what to do."""
    answer = body(400, problem(OVERFLOW).encode())
    with FaultServer(answer, answer) as server:
        async with client_under_test.client(server.url) as client:
            talk = conversation_of(client)
            with pytest.raises(BadRequestError, match="2 more than .* 2048. Pass trim="):
                await settled(talk.send("Hello"))
            with pytest.raises(BadRequestError, match="2 more than .* 2048. Pass trim="):
                async with streamed(client_under_test, talk.stream("Hello")):
                    pass
    assert talk.messages == ()


@on_each_backend
async def test_an_error_event_says_by_how_much_too(client_under_test: SDK) -> None:
    """An error that comes in the stream, after its first events, is explained as well."""
    event = f"data: {problem(OVERFLOW, 'context_length_exceeded')}\n\n".encode()
    with FaultServer(stream(deltas("Hm"), event)) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            talk = conversation_of(client)
            async with streamed(client_under_test, talk.stream("Hello")) as answer:
                with pytest.raises(BadRequestError, match="2 more than .* 2048"):
                    await settled(answer.until_done())


@on_each_backend
async def test_a_conversation_is_saved_and_continued(client_under_test: SDK) -> None:
    """`to_dict` gives what JSON holds, and `from_dict` continues with the same history."""
    sync = client_under_test.backend == "sync"
    kind: Any = Conversation if sync else AsyncConversation
    with FaultServer(called("get_weather", "{}"), answered("Sunny.")) as server:
        async with client_under_test.client(server.url) as client:
            made = getattr(client, "made", client)
            talk = conversation_of(client, model="vision", system="Be brief.")
            await settled(talk.send("Where?", images=["data:image/png;base64,AA=="]))
            saved = json.loads(json.dumps(talk.to_dict()))
            again = kind.from_dict(saved, made)
            assert again.messages == talk.messages
            assert again.to_dict() == talk.to_dict()
            await settled(again.send([Message.tool("call_0", "21 °C")]))
    assert asked(server)["aiAgent"] == "vision"
    assert asked(server)["threadId"] == talk.thread_id
    assert [each["role"] for each in messages_of(server)] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ([], "is a mapping with model, thread_id, messages"),
        ({"model": None, "thread_id": "1"}, "is a mapping with model, thread_id, messages"),
        ({"model": None, "thread_id": "1", "messages": {}}, "has a list under 'messages'"),
        ({"model": None, "thread_id": 1, "messages": []}, "expected str, got 1"),
        (
            {"model": None, "thread_id": "1", "messages": [{"role": "user", "content": 5}]},
            r"\$\.content",
        ),
    ],
)
@on_each_backend
async def test_what_was_not_saved_by_us_is_refused(
    client_under_test: SDK, saved: Any, message: str
) -> None:
    """A saved conversation that is not one is an error that says what is wrong."""
    kind: Any = Conversation if client_under_test.backend == "sync" else AsyncConversation
    async with client_under_test.client("http://127.0.0.1:9") as client:
        with pytest.raises(ConfigurationError, match=message):
            kind.from_dict(saved, getattr(client, "made", client))


@on_each_backend
async def test_the_other_protocol_has_no_threads(client_under_test: SDK) -> None:
    """In the OpenAI-compatible protocol a conversation sends its messages and no thread."""
    with FaultServer(answered("Hi.")) as server:
        other = SDK(client_under_test.backend, client_under_test.transport, protocol="openai")
        async with other.client(server.url) as client:
            talk = conversation_of(client, model="any")
            await settled(talk.send("Hello"))
            assert repr(talk).endswith("messages=2>")
    assert asked(server)["messages"] == [{"role": "user", "content": "Hello"}]
    assert "threadId" not in asked(server)
