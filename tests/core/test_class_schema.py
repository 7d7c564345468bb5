"""Schemas of the types that msgspec refuses, which are made class by class."""

from __future__ import annotations

import dataclasses
import enum
import sys
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

import annotated_types
import msgspec
import pydantic
import pytest
from attrs import Factory, frozen
from typing_extensions import TypeAliasType

from autonomousai_sdk._core.class_schema import ClassSchemas, bounds
from autonomousai_sdk.errors import ConfigurationError

T = TypeVar("T")
Numbers = TypeAliasType("Numbers", list[int])


@frozen
class Circle:
    """A circle."""

    radius: Annotated[float, msgspec.Meta(gt=0)]
    kind: Literal["circle"] = "circle"


class Square(TypedDict):
    """A square."""

    side: float


@dataclasses.dataclass
class Bare:  # noqa: D101  # its docstring is the one that dataclasses write
    number: int


class Pair(NamedTuple):
    """A shape and a number."""

    shape: Circle | Square
    number: int = 1


class Row(msgspec.Struct, array_like=True, tag="row"):
    """A row."""

    shape: Circle | Square


class Tagged(msgspec.Struct, tag="tagged"):
    """A Struct with a tag."""

    number: int


class Untagged(msgspec.Struct):
    """A Struct without a tag."""

    number: int = 1


class Colour(enum.Enum):
    """A colour."""

    RED = "red"


def of_custom(cls: Any) -> dict[str, Any]:
    """Refuse every class."""
    raise NotImplementedError


def schema_of(type_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of a type and the definitions."""
    definitions: dict[str, Any] = {}
    return ClassSchemas(definitions.__setitem__, of_custom).schema(type_), definitions


CIRCLE = {
    "title": "Circle",
    "description": "A circle.",
    "type": "object",
    "properties": {
        "radius": {"type": "number", "exclusiveMinimum": 0},
        "kind": {"enum": ["circle"], "default": "circle"},
    },
    "required": ["radius"],
}
SQUARE = {
    "title": "Square",
    "description": "A square.",
    "type": "object",
    "properties": {"side": {"type": "number"}},
    "required": ["side"],
}
EITHER = {"anyOf": [{"$ref": "#/$defs/Circle"}, {"$ref": "#/$defs/Square"}]}
SHAPES = {"Circle": CIRCLE, "Square": SQUARE}


def test_a_union_of_classes_below_the_top() -> None:
    """A union of classes is `anyOf` with references to their definitions, wherever it stands."""
    assert schema_of(list[Circle | Square]) == ({"type": "array", "items": EITHER}, SHAPES)
    schema, definitions = schema_of(dict[str, Circle | None])
    assert schema["additionalProperties"] == {
        "anyOf": [{"$ref": "#/$defs/Circle"}, {"type": "null"}]
    }
    assert definitions == {"Circle": CIRCLE}


def test_bounds_of_a_list_of_unions() -> None:
    """The bounds of an annotation around a list of classes are part of the schema."""
    bounded = Annotated[list[Circle | Square], annotated_types.MinLen(1), "words"]
    assert schema_of(bounded)[0] == {"type": "array", "items": EITHER, "minItems": 1}


@pytest.mark.parametrize("cls", [Circle, Square, Bare, Tagged, Untagged])
def test_a_class_is_described_as_msgspec_does(cls: Any) -> None:
    """The schema of a class without unions is that of msgspec."""
    assert schema_of(cls)[1] == msgspec.json.schema_components((cls,))[1]


def test_defaults_without_a_json_form_are_left_out() -> None:
    """A default that JSON cannot hold, and one that a function makes, are not in the schema."""

    @frozen
    class Holder:
        bad: Any = object()  # noqa: RUF009  # never changed
        made: list[int] = Factory(list[int])
        colour: Colour = Colour.RED

    properties = schema_of(Holder)[1]["Holder"]["properties"]
    assert properties == {
        "bad": {},
        "made": {"type": "array", "items": {"type": "integer"}},
        "colour": {"$ref": "#/$defs/Colour", "default": "red"},
    }


def test_classes_that_are_arrays() -> None:
    """A NamedTuple and an array-like Struct are arrays with a schema for each place."""
    schema, definitions = schema_of(tuple[Pair, Row])
    assert schema["prefixItems"] == [{"$ref": "#/$defs/Pair"}, {"$ref": "#/$defs/Row"}]
    assert definitions == SHAPES | {
        "Pair": {
            "title": "Pair",
            "description": "A shape and a number.",
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "prefixItems": [EITHER, {"type": "integer", "default": 1}],
        },
        "Row": {
            "title": "Row",
            "description": "A row.",
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "prefixItems": [{"enum": ["row"]}, EITHER],
        },
    }


def test_a_class_that_refers_to_itself() -> None:
    """A class that refers to itself is defined once."""
    assert schema_of(Branch)[1]["Branch"]["properties"] == {
        "parts": {"type": "array", "items": {"anyOf": [
            {"$ref": "#/$defs/Branch"}, {"$ref": "#/$defs/Square"},
        ]}}
    }  # fmt: skip


class Branch(TypedDict):
    """A class that refers to itself."""

    parts: list[Branch | Square]


@frozen
class Box(Generic[T]):
    """A generic class."""

    content: T


def test_a_generic_class_has_a_definition_for_each_argument() -> None:
    """The definitions of a generic class with different arguments have different names."""
    definitions = schema_of(list[Box[int] | Box[list[str]]])[1]
    assert {name: each["title"] for name, each in definitions.items()} == {
        "Box_int_": "Box[int]",
        "Box_list_str_": "Box[list[str]]",
    }


def test_an_alias_is_a_definition() -> None:
    """An alias made by a `type` statement is a definition of its own."""
    assert schema_of(dict[str, Numbers]) == (
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/Numbers"}},
        {"Numbers": {"type": "array", "items": {"type": "integer"}}},
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement is of Python 3.12")
def test_an_alias_that_refers_to_itself() -> None:
    """An alias that refers to itself is defined once."""
    scope: dict[str, Any] = {}
    exec("type Tree = list[Tree] | int", scope)  # noqa: S102  # older Pythons cannot read it
    assert schema_of(scope["Tree"]) == (
        {"$ref": "#/$defs/Tree"},
        {"Tree": {"anyOf": [
            {"type": "array", "items": {"$ref": "#/$defs/Tree"}}, {"type": "integer"},
        ]}},
    )  # fmt: skip


def test_an_unsupported_class_is_an_error() -> None:
    """A class that nothing supports is an error, also in a union."""
    with pytest.raises((NotImplementedError, TypeError, ConfigurationError)):
        schema_of(list[Circle | ConfigurationError])


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        (msgspec.Meta(ge=1), [msgspec.Meta(ge=1)]),
        (annotated_types.Gt(1), [msgspec.Meta(gt=1)]),
        (annotated_types.Len(1, 3), [msgspec.Meta(min_length=1, max_length=3)]),
        (annotated_types.MultipleOf(2), [msgspec.Meta(multiple_of=2)]),
        (pydantic.Field(ge=1, le=3), [msgspec.Meta(ge=1), msgspec.Meta(le=3)]),
        (pydantic.Field(pattern="^a"), [msgspec.Meta(pattern="^a")]),
        ("words", []),
        (int, []),
    ],
)
def test_bounds_of_other_libraries(metadata: Any, found: list[msgspec.Meta]) -> None:
    """The bounds of msgspec, annotated_types and pydantic are found among metadata."""
    assert list(bounds([metadata])) == found
