"""Structured answers: the schema that goes out, the value found, and the turns that repair."""

from __future__ import annotations

import enum
import json
from typing import Any, Literal

import pytest
from attrs import field, frozen

from autonomousai_sdk._core.failure import Context, status_error
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.parse_attempt import ParseAttempt
from autonomousai_sdk._core.schema import Schema, SchemaError
from autonomousai_sdk._core.structured import AnswerSchema, ParseLoop, documents
from autonomousai_sdk.errors import AnswerParseError, APIStatusError, ConfigurationError


class Mood(enum.Enum):
    """Two moods."""

    GOOD = "good"
    BAD = "bad"


@frozen
class Book:
    """A book."""

    title: str
    year: int


@frozen
class Shelf:
    """Books, at least none."""

    books: list[Book] = field(factory=list[Book])


@frozen
class Answer:
    """A completion, as far as these loops read it."""

    text: str
    finish_reason: str | None = "stop"
    refusal: str | None = None


BOOK = '{"title": "Emma", "year": 1815}'
EMMA = Book("Emma", 1815)


def test_the_schema_of_an_object_travels_as_it_is() -> None:
    """An object's schema is the response format, strict if every property is required."""
    form = AnswerSchema.of(Book).response_format
    assert form["type"] == "json_schema"
    assert form["json_schema"]["name"] == "Book"
    assert form["json_schema"]["strict"] is True
    assert form["json_schema"]["schema"]["required"] == ["title", "year"]
    assert AnswerSchema.of(Shelf).response_format["json_schema"]["strict"] is False


def test_a_schema_without_a_type_is_used_unchanged() -> None:
    """A `Schema` of the caller's own, with a name as its type, is the response format."""
    own = Schema("book", {"type": "object", "title": "A book"})
    form = AnswerSchema.of(own).response_format["json_schema"]

    assert (form["name"], form["schema"]) == ("book", own.json)


@pytest.mark.parametrize(
    ("type_", "inner", "name"),
    [
        (list[int], {"type": "array", "items": {"type": "integer"}}, "list"),
        (Literal["a"], {"enum": ["a"]}, "Literal"),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "answer"),
    ],
)
def test_other_schemas_are_wrapped_in_an_object(type_: Any, inner: Any, name: str) -> None:
    """A list, literal or union travels as the only property of an object, which engines require."""
    schema = AnswerSchema.of(type_)
    assert schema.json == {
        "type": "object",
        "properties": {"value": inner},
        "required": ["value"],
        "additionalProperties": False,
    }
    if name != "answer":
        assert schema.response_format["json_schema"]["name"] == name


def test_definitions_of_a_wrapped_schema_stay_at_the_top() -> None:
    """References in a wrapped schema find their definitions, which are at the top."""
    assert set(AnswerSchema.of(list[Book]).json["$defs"]) == {"Book"}


FOUND: list[tuple[str, list[Any]]] = [
    ('{"title": "Em\nma"}', [{"title": "Em\nma"}]),
    ('See: {"title": "Em\nma"}', [{"title": "Em\nma"}]),
    (BOOK, [{"title": "Emma", "year": 1815}]),
    (f"  {BOOK}\n", [{"title": "Emma", "year": 1815}]),
    (f"Here it is:\n```json\n{BOOK}\n```\nEnjoy {{it}}!", [{"title": "Emma", "year": 1815}]),
    (f"```\n{BOOK}\n```", [{"title": "Emma", "year": 1815}]),
    (f"```json\n{BOOK}", [{"title": "Emma", "year": 1815}]),
    ("```python\nprint()\n```\n" + BOOK, [{"title": "Emma", "year": 1815}]),
    ('Sure! {"a": "}"} and [1, 2] too.', [{"a": "}"}, [1, 2]]),
    ("{'a': 'it\\'s', 'b': True, 'c': None,}", [{"a": "it's", "b": True, "c": None}]),
    ("The answer is {'a': true, 'b': 'null}', 'c': null}.", [{"a": True, "b": "null}", "c": None}]),
    ("So: {'a': [1], 'b': {'c': 2}}!", [{"a": [1], "b": {"c": 2}}]),
    ('{"a": [1, 2,], "b": "true",}', [{"a": [1, 2], "b": "true"}]),
    (
        r"{'a': 'x\ud83d\ude00 \x41 \d \n \\', 'b': 'http:\/\/x',}",
        [
            {"a": "x😀 A \\d \n \\", "b": "http://x"},
        ],
    ),
    (
        "{'a': 'say \"x\"', 'b': \"it's\", 'c': 'x\ny'}",
        [{"a": 'say "x"', "b": "it's", "c": "x\ny"}],
    ),
    ('{"a": 1, // it\'s\n "b": "x // y", /* { */ "c": 2 # }\n}', [{"a": 1, "b": "x // y", "c": 2}]),
    (
        "{title: 'Emma', 1: [+1, (2, 3,)], b: undefined}",
        [
            {"title": "Emma", "1": [1, [2, 3]], "b": None},
        ],
    ),
    ('{“a”: “say "x"”,\xa0“b”: 1}', [{"a": 'say "x"', "b": 1}]),
    ('{"a": "of, ]", "b": [1,],}', [{"a": "of, ]", "b": [1]}]),
    ('{{"a": 1}}', [{"a": 1}]),
    ("{'a', 'b'}", []),
    ("{'a': b'x'}", []),
    ('["a" "b"]', []),
    ('{"a": "open', []),
    ("42", [42]),
    ("null", [None]),
    ('"text"', ["text"]),
    ('{not json} but {"a": 1}', [{"a": 1}]),
    ("an open { bracket", []),
    ("no json at all", []),
    ("", []),
    ("[" * 100_000, []),
    ("x " + "[" * 2_000, []),
]


@pytest.mark.parametrize(("text", "found"), FOUND, ids=lambda each: str(each)[:30])
def test_json_is_found_in_an_answer(text: str, found: list[Any]) -> None:
    """JSON is found alone, in fences or in prose, in Python's and JavaScript's notation as well.

    What is neither a JSON value nor close to one, such as a set, is not found.
    """
    assert list(documents(text)) == found


def test_the_last_value_that_matches_is_the_answer() -> None:
    """Where several values match, as with a draft before the answer, the last one counts."""
    text = f'First {{"title": "A", "year": 1}}, no: {BOOK}. Unlike {{"x": 1}}.'
    assert AnswerSchema.of(Book).read(text) == EMMA


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (list[Mood], '{"value": ["good"]}', [Mood.GOOD]),
        (list[Mood], '["good", "bad"]', [Mood.GOOD, Mood.BAD]),
        (Mood, '{"value": "bad"}', Mood.BAD),
        (Mood, " bad\n", Mood.BAD),
        (Literal["yes", "no"], '"yes"', "yes"),
        (Literal["yes", "no"], "**yes**.", "yes"),
        (Mood, "```text\ngood\n```", Mood.GOOD),
        (Mood, "'bad'", Mood.BAD),
        (bool, "True", True),
        (int | None, "None", None),
        (int, "**7**", 7),
        (str, "7", "7"),
        (Literal["7", "8"], "7", "7"),
        (int, "7", 7),
        (dict[str, int], '{"value": 1}', {"value": 1}),
    ],
)
def test_a_wrapped_value_is_taken_bare_too(type_: Any, text: str, value: Any) -> None:
    """A value that is not an object is taken with and without the object around it."""
    assert AnswerSchema.of(type_).read(text) == value


@pytest.mark.parametrize(
    ("type_", "text", "problem"),
    [
        (Book, "I cannot say.", "$: the answer contains no JSON"),
        (Book, '{"title": "Emma", "year": "1815"}', '$.year: expected int, got "1815"'),
        (Mood, "fine", '$: expected one of "good", "bad", got "fine"'),
        (str, '{"text": "a"}', '$: expected str, got {"text": "a"}'),
    ],
)
def test_an_answer_that_does_not_match_is_an_error(type_: Any, text: str, problem: str) -> None:
    """An answer without matching JSON is an error with what is wrong, never a value."""
    with pytest.raises(SchemaError) as caught:
        AnswerSchema.of(type_).read(text)
    assert caught.value.problems == (problem,)


def begun(repair: int = 1, *, instruct: bool = False, messages: Any = "A book?") -> ParseLoop:
    """A loop that parses books."""
    return ParseLoop.of(messages, Book, repair, instruct=instruct)


def refusal(said: str, status: int = 400) -> APIStatusError:
    """The error for a refused request."""
    return status_error(Context("POST x", 1, None), status, Headers(), said.encode(), "")


@pytest.mark.parametrize("instruct", [False, True])
def test_a_refused_format_becomes_a_system_message(instruct: bool) -> None:
    """A server that refuses the response format gets one system message with the schema."""
    loop = begun(instruct=instruct)
    assert loop.response_format is not None
    assert not loop.refused(refusal("response_format", 500))
    assert not loop.refused(refusal("too long"))
    assert loop.refused(refusal("response_format is not supported"))
    assert loop.response_format is None
    assert loop.takes_no_schema
    assert [message["role"] for message in loop.messages] == ["system", "user"]
    assert not loop.refused(refusal("response_format is not supported"))


def test_a_refused_schema_does_not_count_for_other_types() -> None:
    """An error about this schema does not mean that the server refuses all schemas."""
    loop = begun()
    assert loop.refused(refusal("Invalid schema for response_format 'Book'"))
    assert not loop.takes_no_schema


def test_a_known_refusal_is_not_provoked_again() -> None:
    """A loop for a server that is known to refuse the format begins with the system message."""
    loop = ParseLoop.of("A book?", Book, 1, instruct=False, without_schema=True)
    assert loop.response_format is None
    assert [message["role"] for message in loop.messages] == ["system", "user"]


def test_a_matching_answer_ends_the_loop() -> None:
    """The first answer that matches gives the value, and is the only attempt."""
    loop = begun()
    assert loop.messages == [{"role": "user", "content": "A book?"}]
    assert loop.answered(Answer(BOOK))
    assert loop.value == EMMA
    assert loop.attempts == [ParseAttempt(BOOK)]


def test_a_wrong_answer_is_shown_to_the_model() -> None:
    """The next turn has the wrong answer and all its problems; the value comes from the second."""
    loop = begun()
    assert not loop.answered(Answer('{"year": "x"}'))
    assert [message["role"] for message in loop.messages] == ["user", "assistant", "user"]
    assert loop.messages[1]["content"] == '{"year": "x"}'
    assert "- $.title: required, but missing\n- $.year: expected int" in loop.messages[2]["content"]
    assert loop.answered(Answer(BOOK))
    assert loop.value == EMMA
    assert [len(attempt.problems) for attempt in loop.attempts] == [2, 0]


def test_the_last_wrong_answer_is_an_error() -> None:
    """After the allowed turns the error has every attempt, and the last completion."""
    loop = begun()
    loop.answered(Answer("no"))
    last = Answer('{"year": "x"}')
    with pytest.raises(AnswerParseError) as caught:
        loop.answered(last)
    error = caught.value
    assert "after 2 attempts: $.title: required, but missing (and 1 more)" in str(error)
    assert error.problems == ("$.title: required, but missing", '$.year: expected int, got "x"')
    assert [attempt.text for attempt in error.attempts] == ["no", '{"year": "x"}']
    assert vars(error)["partial"] is last


def test_without_repair_the_first_wrong_answer_is_an_error() -> None:
    """`repair=0` asks the model once."""
    with pytest.raises(AnswerParseError, match="after 1 attempt: .* contains no JSON"):
        begun(0).answered(Answer("no"))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(BOOK, "length"), "cut at the length limit; raise max_tokens"),
        (Answer(BOOK, "content_filter"), r"was cut \(finish reason 'content_filter'\)"),
        (Answer(BOOK, refusal="I will not."), "the model refused: I will not."),
    ],
)
def test_a_cut_or_refused_answer_is_never_parsed(answer: Answer, message: str) -> None:
    """An answer that the model did not end is an error, even if its text would match."""
    with pytest.raises(AnswerParseError, match=message):
        begun().answered(answer)


@pytest.mark.parametrize("reason", [None, "", "stop", "STOP", "tool_calls", "stop_sequence"])
def test_an_answer_that_the_model_ended_is_parsed(reason: str | None) -> None:
    """An answer is whole by any engine's word for it, and without a finish reason."""
    assert begun().answered(Answer(BOOK, reason))


SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "A book?"}


def test_instructions_become_the_system_message() -> None:
    """A service that may not read the response format gets the schema in words."""
    first, *others = begun(instruct=True).messages
    assert first["role"] == "system"
    assert json.dumps(AnswerSchema.of(Book).json) in first["content"]
    assert others == [USER]


def test_instructions_join_a_system_message() -> None:
    """A conversation keeps one system message, which has the caller's text first."""
    first, *others = begun(instruct=True, messages=[SYSTEM, USER]).messages
    assert first["content"].startswith("Be brief.\n\nAnswer with a JSON object only")
    assert others == [USER]


def test_instructions_leave_a_system_message_of_parts_alone() -> None:
    """A system message that is a list of parts keeps its form, after the instructions."""
    parts = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    assert begun(instruct=True, messages=[parts, USER]).messages[1:] == [parts, USER]


def test_none_is_not_a_type() -> None:
    """A type that is None is refused: a caller forgot it."""
    with pytest.raises(ConfigurationError, match="into= is a type, such as a dataclass; got None"):
        AnswerSchema.of(None)


@pytest.mark.parametrize("repair", [-1, 1.5, True, "1"])
def test_a_wrong_number_of_repairs_is_refused(repair: Any) -> None:
    """`repair` is a whole number, 0 or more."""
    with pytest.raises(ConfigurationError, match="repair= is a number of turns"):
        begun(repair)
