"""The fields of users' classes, whatever their kind, and the types in their annotations."""

from __future__ import annotations

import dataclasses
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    NotRequired,
    Required,
    TypedDict,
    TypeVar,
)

import attrs
import msgspec
import pytest
import typing_extensions

from autonomousai_sdk._core.record import (
    NO_DEFAULT,
    RecordField,
    alias_value,
    fields_of,
    is_alias,
    is_attrs_or_dataclass,
    is_named_tuple,
    is_struct,
    is_typed_dict,
    is_union,
)

T = TypeVar("T")
S = TypeVar("S")
Numbers = typing_extensions.TypeAliasType("Numbers", list[int])
ListOf = typing_extensions.TypeAliasType("ListOf", list[T], type_params=(T,))


@attrs.frozen
class Attrs(Generic[T]):
    """An attrs class."""

    _item: T
    items: list[T] | None = None
    made: list[int] = attrs.field(factory=list[int])
    fixed: int = attrs.field(init=False, default=3)


@dataclasses.dataclass
class Data(Generic[T]):
    """A dataclass."""

    item: list[T]
    text: str = "a"
    made: list[int] = dataclasses.field(default_factory=list[int])
    fixed: int = dataclasses.field(init=False, default=3)
    shared: ClassVar[int] = 4


class Struct(msgspec.Struct, Generic[T], rename="camel"):
    """A Struct."""

    first_item: T
    text: str = "a"


class Keys(TypedDict, Generic[T], total=False):
    """A TypedDict whose keys are optional."""

    item: Required[list[T]]
    text: str


class MoreKeys(Keys[int]):
    """A TypedDict that inherits keys."""

    own: NotRequired[str]


class ReadOnlyKeys(typing_extensions.TypedDict):
    """A TypedDict with keys that nobody may change."""

    a: typing_extensions.ReadOnly[int]
    b: typing_extensions.NotRequired[typing_extensions.ReadOnly[Annotated[int, "words"]]]


class Pair(NamedTuple, Generic[T]):
    """A NamedTuple."""

    left: T
    right: str = ""


class Inherited(Attrs[S], Generic[S]):
    """A class that passes its type parameter on."""


def required(name: str, type_: Any, wire: str | None = None) -> RecordField:
    """Make a field without a default."""
    return RecordField(name, wire or name, type_, required=True)


def optional(name: str, type_: Any, default: Any = NO_DEFAULT) -> RecordField:
    """Make a field that may be absent."""
    return RecordField(name, name, type_, required=False, default=default)


def attrs_fields(item: Any) -> list[RecordField]:
    """Return the fields of `Attrs` for a type argument."""
    return [
        required("item", item, "_item"),
        optional("items", list[item] | None, None),
        optional("made", list[int]),
    ]


FIELDS: list[tuple[Any, list[RecordField]]] = [
    (Attrs[int], attrs_fields(int)),
    (Inherited[str], attrs_fields(str)),
    (
        Data[int],
        [required("item", list[int]), optional("text", str, "a"), optional("made", list[int])],
    ),
    (Pair, [required("left", T), optional("right", str, "")]),
    (Struct[int], [required("first_item", int, "firstItem"), optional("text", str, "a")]),
    (Keys[int], [required("item", list[int]), optional("text", str)]),
    (MoreKeys, [required("item", list[int]), optional("text", str), optional("own", str)]),
    (ReadOnlyKeys, [required("a", int), optional("b", Annotated[int, "words"])]),
    (Pair[int], [required("left", int), optional("right", str, "")]),
]


@pytest.mark.parametrize(("cls", "fields"), FIELDS, ids=lambda each: str(each)[:40])
def test_the_fields_of_a_class(cls: Any, fields: list[RecordField]) -> None:
    """A field has its type, with type arguments in place, and is required without a default."""
    assert sorted(fields_of(cls), key=lambda each: each.name) == sorted(
        fields, key=lambda each: each.name
    )


KINDS = (is_attrs_or_dataclass, is_struct, is_typed_dict, is_named_tuple, is_union, is_alias)


@pytest.mark.parametrize(
    ("type_", "kinds"),
    [
        (Attrs, [is_attrs_or_dataclass]),
        (Data[int], [is_attrs_or_dataclass]),
        (Struct[int], [is_struct]),
        (Keys[int], [is_typed_dict]),
        (ReadOnlyKeys, [is_typed_dict]),
        (Pair[int], [is_named_tuple]),
        (int | str, [is_union]),
        (T | int, [is_union]),
        (Numbers, [is_alias]),
        (ListOf[int], [is_alias]),
        (dict[str, int], []),
        (int, []),
    ],
)
def test_the_kind_of_a_type(type_: Any, kinds: list[Any]) -> None:
    """Each type is of one kind at most, with and without type arguments."""
    assert [each for each in KINDS if each(type_)] == kinds


def test_an_alias_stands_for_its_value() -> None:
    """An alias stands for its type, in which type arguments replace its parameters."""
    assert alias_value(Numbers) == list[int]
    assert alias_value(ListOf[str]) == list[str]
