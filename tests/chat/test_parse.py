"""`chat.parse` against a scripted server: what is sent, and the value that comes back."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import msgspec
import pydantic
import pytest
from attrs import frozen

from autonomousai_sdk import (
    AnswerParseError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    Message,
)
from tests.support.backends import on_each_backend, put_to
from tests.support.client_under_test import BACKENDS, SDK
from tests.support.fault_server import FaultServer
from tests.support.script import Hold
from tests.support.wire import failed

from .answers import answered, asked, messages_of


@frozen
class Book:
    """A book."""

    title: str
    year: int


@dataclass(frozen=True)
class BookDataclass:
    """A book."""

    title: str
    year: int


class BookStruct(msgspec.Struct):
    """A book."""

    title: str
    year: int


class BookModel(pydantic.BaseModel):
    """A book."""

    title: str
    year: int


class BookDict(TypedDict):
    """A book."""

    title: str
    year: int
    author: NotRequired[str]


class Genre(enum.Enum):
    """Two genres."""

    NOVEL = "novel"
    PLAY = "play"


SECOND_TURN = ("system", "user", "assistant", "user")
EMMA = '{"title": "Emma", "year": 1815}'
KINDS: list[tuple[Any, str, Any]] = [
    (Book, EMMA, Book("Emma", 1815)),
    (BookDataclass, EMMA, BookDataclass("Emma", 1815)),
    (BookStruct, EMMA, BookStruct("Emma", 1815)),
    (BookModel, EMMA, BookModel(title="Emma", year=1815)),
    (BookDict, EMMA, {"title": "Emma", "year": 1815}),
    (list[Book], f'{{"value": [{EMMA}]}}', [Book("Emma", 1815)]),
    (list[Genre], '{"value": ["play"]}', [Genre.PLAY]),
]


@pytest.mark.parametrize(("into", "text", "value"), KINDS, ids=lambda each: str(each)[:40])
@on_each_backend
async def test_an_answer_becomes_a_value(
    client_under_test: SDK, into: Any, text: str, value: Any
) -> None:
    """Each kind of type takes the model's answer, at the first attempt."""
    with FaultServer(answered(text)) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            parsed = await chat.parse("A book?", into=into)
    assert parsed.value == value
    assert parsed.completion.text == text
    assert [attempt.problems for attempt in parsed.attempts] == [()]


@on_each_backend
async def test_the_schema_goes_out_twice_in_the_original_protocol(client_under_test: SDK) -> None:
    """The request has the schema as its response format, and in the system message."""
    with FaultServer(answered(EMMA)) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            await chat.parse([Message.system("Be brief."), Message.user("A book?")], into=Book)
    form = asked(server)["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["schema"]["required"] == ["title", "year"]
    system, user = messages_of(server)
    assert system["content"].startswith("Be brief.\n\nAnswer with a JSON object only")
    assert user == {"role": "user", "content": "A book?"}


@on_each_backend
async def test_a_wrong_answer_is_repaired(client_under_test: SDK) -> None:
    """The model sees every wrong field, and the value comes from its second answer."""
    wrong = '{"title": 1, "year": "x"}'
    with FaultServer(answered(wrong), answered(f"Sorry: ```json\n{EMMA}\n```")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            parsed = await chat.parse("A book?", into=Book)
    assert parsed.value == Book("Emma", 1815)
    assert parsed.attempts[0].problems == (
        "$.title: expected str, got 1",
        '$.year: expected int, got "x"',
    )
    *_, answer, correction = messages_of(server)
    assert answer == {"role": "assistant", "content": wrong}
    assert "- $.title: expected str, got 1\n- $.year: expected int" in correction["content"]


@on_each_backend
async def test_an_answer_that_stays_wrong_is_an_error(client_under_test: SDK) -> None:
    """The error has the wrong fields, every attempt and the last completion."""
    with FaultServer(answered("No."), answered('{"title": "Emma"}')) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(
                AnswerParseError, match=r"\$\.year: required, but missing"
            ) as caught:
                await chat.parse("A book?", into=Book)
    assert [attempt.text for attempt in caught.value.attempts] == ["No.", '{"title": "Emma"}']
    assert caught.value.partial is not None
    assert len(server.requests) == 2


@on_each_backend
async def test_a_cut_answer_is_never_parsed(client_under_test: SDK) -> None:
    """An answer that reached the length limit is an error without another turn."""
    with FaultServer(answered(EMMA, reason="length")) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(AnswerParseError, match="raise max_tokens"):
                await chat.parse("A book?", into=Book, repair=3)
    assert len(server.requests) == 1


@on_each_backend
async def test_the_timeout_bounds_all_turns(client_under_test: SDK) -> None:
    """A server that falls silent in the second turn ends the call at the whole limit."""
    with FaultServer(answered("No."), (Hold(),)) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(APITimeoutError, match="together took longer than 0.5 s"):
                await chat.parse("A book?", into=Book, timeout=0.5)


@on_each_backend
async def test_other_options_reach_every_turn(client_under_test: SDK) -> None:
    """Options of `create` are passed on, `extra_body` included."""
    with FaultServer(answered("No."), answered(EMMA)) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            await chat.parse(
                "A book?", into=Book, model="hermes", extra_body={"grammar": "root ::= object"}
            )
    for number in (0, 1):
        assert asked(server, number)["aiAgent"] == "hermes"
        assert asked(server, number)["grammar"] == "root ::= object"


REFUSALS = {
    "OpenAI": (400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported"),
    "DeepSeek": (400, "This response_format type is unavailable now"),
    "Groq": (400, "This model does not support response format `json_schema`."),
    "validation": (422, "body.response_format: Extra inputs are not permitted"),
}


@pytest.mark.parametrize(("status", "said"), REFUSALS.values(), ids=REFUSALS)
@put_to([SDK(each, "httpx", protocol="openai") for each in BACKENDS])
async def test_a_server_without_response_formats_gets_the_schema_in_words(
    client_under_test: SDK, status: int, said: str
) -> None:
    """A refused `response_format` is left out, from then on; the system message has the schema."""
    refusal = failed(status, message=said)
    with FaultServer(refusal, answered(EMMA), answered("No."), answered(EMMA)) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            for _ in range(2):
                parsed = await chat.parse("A book?", into=Book)
                assert parsed.value == Book("Emma", 1815)
    formats = ["response_format" in asked(server, number) for number in range(4)]
    assert formats == [True, False, False, False]
    roles = [[each["role"] for each in asked(server, number)["messages"]] for number in range(4)]
    assert roles == [["user"], ["system", "user"], ["system", "user"], [*SECOND_TURN]]


@put_to([SDK(each, "httpx", protocol="openai") for each in BACKENDS])
async def test_a_refused_schema_of_one_type_is_not_remembered(client_under_test: SDK) -> None:
    """A server that refuses the schema of one type still gets those of other types."""
    said = "Invalid schema for response_format 'Book': 'title' is not permitted."
    with FaultServer(failed(400, message=said), answered(EMMA)) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            await chat.parse("A book?", into=Book)
            await chat.parse("A book?", into=BookDict)
    formats = ["response_format" in asked(server, number) for number in range(3)]
    assert formats == [True, False, True]


@on_each_backend
async def test_another_refusal_is_that_error(client_under_test: SDK) -> None:
    """A 400 for another reason, or without a format to leave out, is raised."""
    refusals = [
        failed(400, message=said) for said in ("too long", "response_format", "json_schema")
    ]
    with FaultServer(*refusals) as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            for said, count in (("too long", 1), ("json_schema", 3)):
                with pytest.raises(BadRequestError, match=said):
                    await chat.parse("A book?", into=Book)
                assert len(server.requests) == count
    assert [each["role"] for each in messages_of(server)] == ["system", "user"]


@on_each_backend
async def test_a_type_without_a_schema_is_refused(client_under_test: SDK) -> None:
    """A type that JSON has no form for is an error before anything is sent."""
    with FaultServer() as server:
        async with client_under_test.client(server.url) as client:
            chat: Any = client.chat
            with pytest.raises(ConfigurationError, match="into= complex has no JSON schema"):
                await chat.parse("A book?", into=complex)
    assert server.requests == []
