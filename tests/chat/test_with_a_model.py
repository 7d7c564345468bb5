"""`chat.parse` and conversations with a real language model on this machine."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
import pytest
from attrs import frozen

from autonomousai_sdk import Client
from autonomousai_sdk.local import LocalServer
from tests.support.llama_server import llama_server

pytestmark = pytest.mark.model


Short = Annotated[str, msgspec.Meta(max_length=40)]
"""A bound, since a small model may write a text without end."""


@frozen
class Author:
    """An author."""

    name: Short
    born: int


@frozen
class Book:
    """A book and its author."""

    title: Short
    author: Author


class Genre(enum.Enum):
    """Genres of books."""

    NOVEL = "novel"
    PLAY = "play"
    POEM = "poem"


class Person(TypedDict):
    """A person, of whom only the name has to be known."""

    name: Short
    city: NotRequired[Short]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The base URL of a local server with the default model."""
    with LocalServer() as server:
        yield server.base_url


@pytest.fixture(scope="module")
def llama_cpp_url() -> Iterator[str]:
    """The base URL of llama.cpp's own server."""
    with llama_server() as found:
        yield found


@pytest.mark.parametrize("server", ["url", "llama_cpp_url"])
@pytest.mark.parametrize(
    ("into", "question"),
    [
        (Book, "Name a book by Jane Austen."),
        (Annotated[list[Genre], msgspec.Meta(max_length=5)], "Which genres are on this shelf?"),
        (Person, "Describe a person."),
    ],
    ids=["nested-attrs", "list-of-enums", "typed-dict"],
)
def test_a_grammar_makes_every_answer_match(
    request: pytest.FixtureRequest, server: str, into: Any, question: str
) -> None:
    """Even the smallest model answers with a value of the type, at the first attempt."""
    with Client(base_url=request.getfixturevalue(server)) as client:
        parsed = client.chat.parse(question, into=into, repair=0, max_tokens=400, timeout=300)
    assert parsed.attempts[0].problems == ()


def test_a_conversation_of_many_turns(url: str) -> None:
    """Each turn goes out with all earlier ones, so the prompt grows from turn to turn."""
    sizes: list[int] = []
    with Client(base_url=url, timeout=300) as client:
        conversation = client.conversation(system="Answer with one word.")
        for number in range(4):
            completion = conversation.send(f"Name the number {number}.", max_tokens=8)
            assert completion.usage is not None
            assert completion.usage.prompt_tokens is not None
            sizes.append(completion.usage.prompt_tokens)
    assert len(conversation.messages) == 9
    assert sizes == sorted(set(sizes))
