"""JSON schemas of users' types, and values structured strictly into those types."""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar
from uuid import UUID

import annotated_types
import attrs
import msgspec
import pydantic
import pytest
from attrs import define, frozen
from typing_extensions import TypeAliasType

from autonomousai_sdk._core.codec import is_array, is_object
from autonomousai_sdk._core.schema import Schema, SchemaError, json_schemas, requires_all
from autonomousai_sdk.errors import ConfigurationError

T = TypeVar("T")


class Colour(enum.Enum):
    """Two colours."""

    RED = "red"
    BLUE = "blue"


@frozen
class Point:
    """A point."""

    x: int
    y: Annotated[float, msgspec.Meta(ge=0)] = 0.0


@define
class Line:
    """Points of one colour."""

    points: list[Point]
    colour: Colour
    label: str | None = None
    weights: dict[str, int] = attrs.field(factory=dict[str, int])


@dataclass
class Page:
    """A dataclass that holds another."""

    number: int
    lines: list[Line] = field(default_factory=list[Line])


@frozen
class Tree:
    """An attrs class that refers to itself."""

    branches: list[Tree] = attrs.field(factory=list["Tree"])


class Person(TypedDict):
    """A TypedDict with an optional key."""

    name: str
    age: NotRequired[Annotated[int, msgspec.Meta(ge=0)]]


class Account(msgspec.Struct, rename="camel"):
    """A Struct with names of its own on the wire."""

    account_id: int
    owner: Person
    tags: list[str] = []


class Cat(msgspec.Struct, tag="cat"):
    """A tagged Struct."""

    lives: int


class Dog(msgspec.Struct, tag="dog"):
    """Another tagged Struct."""

    lives: int


class Row(msgspec.Struct, array_like=True, tag="row"):
    """A Struct whose fields are the items of an array."""

    number: int
    text: str = ""


class Column(msgspec.Struct, array_like=True):
    """The same without a tag."""

    number: int


class Closed(msgspec.Struct, forbid_unknown_fields=True, tag="closed"):
    """A tagged Struct that refuses unknown fields."""

    number: int


class Level(enum.IntEnum):
    """Two numbers."""

    LOW = 1
    HIGH = 2


class Event(pydantic.BaseModel):
    """A pydantic model that refers to itself."""

    name: str
    day: date
    seats: int = pydantic.Field(default=1, ge=1)
    parts: list[Event] = []


class Labelled(TypedDict, Generic[T]):
    """A generic TypedDict."""

    content: T


class Rights(enum.Flag):
    """An enum of flags."""

    READ = 1


class Pair(NamedTuple):
    """A NamedTuple."""

    left: int
    right: str = ""


@frozen
class Box(Generic[T]):
    """A generic attrs class."""

    content: T
    others: list[T] | None = None


Numbers = TypeAliasType("Numbers", list[int])


@frozen
class Bounded:
    """An attrs class with the bounds of other libraries."""

    low: Annotated[int, pydantic.Field(ge=1), "words"] = 1
    short: Annotated[str, annotated_types.MaxLen(2)] = ""


def _refuse_odd(_: object, __: object, value: int) -> None:
    if value % 2:
        error = ValueError(f"{value} is odd")
        error.add_note("A note of the user's own.")
        raise error


@frozen
class Even:
    """An attrs class with a validator of the user's own."""

    number: int = attrs.field(validator=_refuse_odd)


GOOD: list[tuple[Any, Any, Any]] = [
    (str, "a", "a"),
    (int, 5, 5),
    (float, 5, 5.0),
    (bool, True, True),
    (None, None, None),
    (Any, {"a": [1]}, {"a": [1]}),
    (datetime, "2026-11-25T10:00:00Z", datetime(2026, 11, 25, 10, tzinfo=UTC)),
    (UUID, "00000000-0000-0000-0000-000000000001", UUID(int=1)),
    (bytes, "AQI=", b"\x01\x02"),
    (Colour, "red", Colour.RED),
    (Literal["a", 1], 1, 1),
    (list[Colour], ["red", "blue"], [Colour.RED, Colour.BLUE]),
    (list, [1, "a"], [1, "a"]),
    (Sequence[int], [1], (1,)),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (set[int], [1, 1], {1}),
    (frozenset[int], [1], frozenset({1})),
    (dict, {"a": 1}, {"a": 1}),
    (Mapping[str, Point], {"a": {"x": 1}}, {"a": Point(1)}),
    (dict[Literal["a", "b"], int], {"a": 1}, {"a": 1}),
    (Point, {"x": 1, "y": 2, "unknown": 3}, Point(1, 2.0)),
    (Line, {"points": [{"x": 1}], "colour": "red"}, Line([Point(1)], Colour.RED)),
    (Page, {"number": 1}, Page(1)),
    (Person, {"name": "Ada"}, {"name": "Ada"}),
    (Person, {"name": "Ada", "age": 36}, {"name": "Ada", "age": 36}),
    (Account, {"accountId": 1, "owner": {"name": "Ada"}}, Account(1, {"name": "Ada"})),
    (Pair, [1, "a"], Pair(1, "a")),
    (Pair, [1], Pair(1, "")),
    (Box[int], {"content": 1, "others": [2]}, Box(1, [2])),
    (list[Point | Person], [{"name": "Ada"}, {"x": 1}], [{"name": "Ada"}, Point(1)]),
    (dict[str, Cat | Event], {"a": {"type": "cat", "lives": 1}}, {"a": Cat(1)}),
    (Numbers, [1], [1]),
    (dict[str, Numbers], {"a": [1]}, {"a": [1]}),
    (dict[int, str], {"1": "a", "-2": "b"}, {1: "a", -2: "b"}),
    (dict[Level, str], {"1": "a"}, {Level.LOW: "a"}),
    (dict[str, str], {"1": "a"}, {"1": "a"}),
    (dict[Any, Any], {"1": "a"}, {"1": "a"}),
    (Level, 2, Level.HIGH),
    (Row, ["row", 1, "a"], Row(1, "a")),
    (Row, ["row", 1], Row(1)),
    (Column, [1], Column(1)),
    (Closed, {"type": "closed", "number": 1}, Closed(1)),
    (Bounded, {"low": 2, "short": "ab"}, Bounded(2, "ab")),
    (Annotated[int, pydantic.Field(ge=1)], 1, 1),
    (Labelled[int], {"content": 1}, {"content": 1}),
    (Rights, 1, Rights.READ),
    (list[Event], [{"name": "a", "day": "2026-11-25"}], [Event(name="a", day=date(2026, 11, 25))]),
    (Even, {"number": 2}, Even(2)),
    (Tree, {"branches": [{"branches": []}]}, Tree([Tree()])),
    (int | None, None, None),
    (int | str, "a", "a"),
    (Line | Person, {"name": "Ada"}, {"name": "Ada"}),
    (Cat | Dog, {"type": "dog", "lives": 1}, Dog(1)),
    (Annotated[int, "words"], 1, 1),
    (Annotated[list[Point], msgspec.Meta(min_length=1)], [{"x": 1}], [Point(1)]),
]


@pytest.mark.parametrize(("type_", "value", "expected"), GOOD, ids=lambda each: str(each)[:40])
def test_a_value_that_matches_becomes_one_of_the_type(
    type_: Any, value: Any, expected: Any
) -> None:
    """A JSON value that matches a type is structured into it, whatever kind of type it is."""
    result = Schema.of(type_, "into=").structure(value)
    assert result == expected
    assert type(result) is type(expected)


BAD: list[tuple[Any, Any, tuple[str, ...]]] = [
    (int, "5", ('$: expected int, got "5"',)),
    (int, True, ("$: expected int, got true",)),
    (str, 5, ("$: expected str, got 5",)),
    (str, None, ("$: expected str, got null",)),
    (datetime, "today", ('$: invalid RFC3339 encoded datetime, got "today"',)),
    (Colour, "green", ('$: expected one of "red", "blue", got "green"',)),
    (Literal["a", 1], True, ('$: expected one of "a", 1, got true',)),
    (list[int], {"a": 1}, ('$: expected an array, got {"a": 1}',)),
    (list[int], ["a", 1, "b"], ('$[0]: expected int, got "a"', '$[2]: expected int, got "b"')),
    (tuple[int, str], [1], ("$: expected an array of 2 items, got 1",)),
    (tuple[int, str], "x", ('$: expected an array, got "x"',)),
    (Pair, [], ("$: expected an array of 1 to 2 items, got 0",)),
    (dict[str, int], [1], ("$: expected an object, got [1]",)),
    (dict[str, int], {"a b": "c"}, ('$["a b"]: expected int, got "c"',)),
    (Point, [1], ("$: expected an object, got [1]",)),
    (Point, {"x": 1, "y": -1}, ("$.y: expected float >= 0.0, got -1",)),
    (
        Line,
        {"points": [{"x": "1"}, {}, 5], "colour": "green", "label": 3, "weights": {"k": "v"}},
        (
            '$.points[0].x: expected int, got "1"',
            "$.points[1].x: required, but missing",
            "$.points[2]: expected an object, got 5",
            '$.colour: expected one of "red", "blue", got "green"',
            "$.label: expected str, got 3",
            '$.weights["k"]: expected int, got "v"',
        ),
    ),
    (Page, {"number": "1"}, ('$.number: expected int, got "1"',)),
    (Person, {"age": "x"}, ("$.name: required, but missing", '$.age: expected int, got "x"')),
    (Person, {"name": "a", "age": -1}, ("$.age: expected int >= 0, got -1",)),
    (Person, "x", ('$: expected an object, got "x"',)),
    (
        Account,
        {"owner": {}, "tags": [1]},
        (
            "$.accountId: required, but missing",
            "$.owner.name: required, but missing",
            "$.tags[0]: expected str, got 1",
        ),
    ),
    (Account, 1, ("$: expected an object, got 1",)),
    (Cat, {"lives": 9}, ('$: expected "cat" under "type", got null',)),
    (Even, {"number": 3}, ("$: 3 is odd",)),
    (list[Even], [{"number": 3}], ("$[0]: 3 is odd",)),
    (Level, 3, ("$: expected one of 1, 2, got 3",)),
    (dict[int, str], {"a": "b"}, ('$["a"]: expected int, got "a"',)),
    (Row, ["line", 1], ('$[0]: expected one of "row", got "line"',)),
    (Row, {"number": 1}, ('$: expected an array, got {"number": 1}',)),
    (
        Closed,
        {"type": "closed", "number": "1", "more": 1},
        ('$.number: expected int, got "1"', "$.more: not a field of the type"),
    ),
    (
        Bounded,
        {"low": 0, "short": "abc"},
        ("$.low: expected int >= 1, got 0", '$.short: expected str of length <= 2, got "abc"'),
    ),
    (Annotated[int, pydantic.Field(ge=1)], 0, ("$: expected int >= 1, got 0",)),
    (Numbers, ["a"], ('$[0]: expected int, got "a"',)),
    (Labelled[int], {"content": "a"}, ('$.content: expected int, got "a"',)),
    (
        list[Event],
        [{"name": 1, "day": "2026-11-25", "seats": 0, "parts": [{"name": "a", "day": 1}]}],
        (
            "$[0].name: input should be a valid string",
            "$[0].seats: input should be greater than or equal to 1",
            "$[0].parts[0].day: input should be a valid date",
        ),
    ),
    (int | None, "a", ('$: expected int, got "a"',)),
    (
        int | str,
        [1],
        ("$: no type of the union matches: expected int, got [1]; or expected str, got [1]",),
    ),
    (list[int] | str, ["a"], ('$[0]: expected int, got "a"',)),
    (Point | str, {"x": "a"}, ('$.x: expected int, got "a"',)),
    (
        Point | Cat,
        {"x": 1.5},
        (
            (
                '$: no type of the union matches: $.x: expected int, got 1.5; or expected "cat" '
                'under "type", got null'
            ),
        ),
    ),
    (
        Annotated[list[Point], msgspec.Meta(min_length=1)],
        [],
        ("$: expected array of length >= 1, got []",),
    ),
    (str, ["x" * 100], ('$: expected str, got ["' + "x" * 58 + "…",)),
]


@pytest.mark.parametrize(("type_", "value", "problems"), BAD, ids=lambda each: str(each)[:40])
def test_every_wrong_field_is_reported(type_: Any, value: Any, problems: tuple[str, ...]) -> None:
    """A value that does not match is an error with a line for each wrong field and its path."""
    with pytest.raises(SchemaError) as caught:
        Schema.of(type_, "into=").structure(value)
    assert caught.value.problems == problems
    assert str(caught.value) == "; ".join(problems)


@pytest.mark.parametrize(("type_", "value", "expected"), GOOD, ids=lambda each: str(each)[:40])
def test_a_schema_refers_only_to_what_it_defines(type_: Any, value: Any, expected: Any) -> None:
    """Every reference of a schema names a definition of that schema."""
    schema = Schema.of(type_, "into=").json
    defined = {f"#/$defs/{name}" for name in schema.get("$defs", {})}
    assert set(_references(schema)) <= defined


def _references(schema: Any) -> list[str]:
    if is_object(schema):
        here = [schema["$ref"]] if "$ref" in schema else []
        return here + [found for each in schema.values() for found in _references(each)]
    return [found for each in schema for found in _references(each)] if is_array(schema) else []


def test_the_schema_of_a_class() -> None:
    """A class becomes an object at the top, closed, with its inner classes as definitions."""
    assert Schema.of(Line, "into=").json == {
        "title": "Line",
        "description": "Points of one colour.",
        "type": "object",
        "properties": {
            "points": {"type": "array", "items": {"$ref": "#/$defs/Point"}},
            "colour": {"$ref": "#/$defs/Colour"},
            "label": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "weights": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "required": ["points", "colour"],
        "additionalProperties": False,
        "$defs": {
            "Point": {
                "title": "Point",
                "description": "A point.",
                "type": "object",
                "properties": {
                    "x": {"type": "integer"},
                    "y": {"type": "number", "minimum": 0, "default": 0.0},
                },
                "required": ["x"],
                "additionalProperties": False,
            },
            "Colour": {"title": "Colour", "description": "Two colours.", "enum": ["blue", "red"]},
        },
    }


def test_the_schema_of_a_class_without_inner_classes_has_no_definitions() -> None:
    """A class of scalars becomes a plain object schema."""
    assert "$defs" not in Schema.of(Person, "into=").json


def test_the_schema_of_a_fixed_tuple_suits_llama_cpp() -> None:
    """A tuple's schema has no `items: false`, which llama.cpp takes for the item's schema."""
    assert Schema.of(tuple[int, str], "into=").json == {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "prefixItems": [{"type": "integer"}, {"type": "string"}],
    }


@pytest.mark.parametrize(
    ("type_", "strict"),
    [(Point, False), (Cat, True), (list[Colour], True), (list[Person], False), (Any, True)],
)
def test_whether_a_schema_requires_all(type_: Any, strict: bool) -> None:
    """A schema requires all its properties only if no class in it has an optional field."""
    assert requires_all(Schema.of(type_, "into=").json) is strict


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement is of Python 3.12")
def test_an_alias_that_refers_to_itself() -> None:
    """A type alias may refer to itself; values are structured at every depth."""
    scope: dict[str, Any] = {}
    exec("type Tree = list[Tree] | int", scope)  # noqa: S102  # older Pythons cannot read it
    schema = Schema.of(scope["Tree"], "into=")
    assert schema.structure([1, [2]]) == [1, [2]]
    with pytest.raises(SchemaError, match=r"\$\[0\]"):
        schema.structure([[None]])


class Unsupported:
    """A plain class, of which no library knows the fields."""


@pytest.mark.parametrize("type_", [complex, Unsupported, list[Unsupported | Point]])
def test_a_type_without_a_schema_is_refused(type_: Any) -> None:
    """A type that JSON has no form for is an error that names it and says what to use."""
    with pytest.raises(ConfigurationError, match=r"^into= .* has no JSON schema.* Use attrs"):
        Schema.of(type_, "into=")


@pytest.mark.parametrize(
    "value", ["x" * 10**5, [0] * 10**5, 10**5000, "a b"], ids=["text", "list", "number", "code"]
)
def test_a_value_in_place_of_a_type_is_shown_in_short(value: Any) -> None:
    """Neither the error nor its cause repeats a long value."""
    with pytest.raises(ConfigurationError, match="has no JSON schema") as caught:
        Schema.of(value, "into=")
    assert len(str(caught.value)) < 2048
    assert len(str(caught.value.__cause__)) < 2048


def test_two_different_types_of_one_name_are_refused() -> None:
    """Two types whose definitions share a name but differ are an error, not a wrong schema."""
    other = pydantic.create_model("Point", z=(int, ...))
    holder = pydantic.create_model("Holder", point=(other, ...))
    with pytest.raises(ConfigurationError, match="Two types named 'Point'"):
        json_schemas({"a": Point, "b": holder})
