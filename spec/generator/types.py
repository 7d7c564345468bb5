"""The types that schemas of the spec become in Python.

Values only. `schemas` reads them from the spec, `annotations` writes them as source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from autonomousai_sdk._core.check import Check, Null, String


@frozen(kw_only=True)
class LeafType:
    """A type without parts: a string, a number, a date, an enumeration and so on."""

    annotation: str
    check: Check


@frozen(kw_only=True)
class ArrayType:
    """A list. `bounds` are the keywords of its check."""

    items: Type
    bounds: Mapping[str, object] = field(factory=dict[str, object], hash=False)


@frozen(kw_only=True)
class MapType:
    """An object with any names, whose values have one type."""

    values: Type
    bounds: Mapping[str, object] = field(factory=dict[str, object], hash=False)


@frozen(kw_only=True)
class ClassType:
    """An object with properties, which becomes a class of this name."""

    name: str


@frozen(kw_only=True)
class AnyType:
    """Any JSON value."""


@frozen(kw_only=True)
class UnionType:
    """One of several types that are not unions themselves.

    Attributes:
        members: the types; null is the last one.
        tag: the member on the wire that tells the classes among them apart.
        tagged: the classes, by the value of the tag.
    """

    members: tuple[Type, ...]
    tag: str | None = None
    tagged: Mapping[str, ClassType] = field(factory=dict[str, ClassType], hash=False)


Type = LeafType | ArrayType | MapType | ClassType | AnyType | UnionType


STRING = LeafType(annotation="str", check=String())
NULL = LeafType(annotation="None", check=Null())


def is_null(type_: Type) -> bool:
    """Return whether null is the only value of a type."""
    return type_ == NULL


def is_nullable(type_: Type) -> bool:
    """Return whether null is one of a type's values."""
    return is_null(type_) or (isinstance(type_, UnionType) and any(map(is_null, type_.members)))


def union(members: Iterable[Type]) -> Type:
    """Return the union of several types, flattened, or the type itself if there is only one."""
    flat: dict[Type, None] = {}
    for member in members:
        flat |= dict.fromkeys(member.members if isinstance(member, UnionType) else [member])
    ordered = tuple(sorted(flat, key=is_null))
    return ordered[0] if len(ordered) == 1 else UnionType(members=ordered)


def without_null(type_: Type) -> Type:
    """Return a type without null, unless null is its only value."""
    if isinstance(type_, UnionType) and is_nullable(type_):
        return union(member for member in type_.members if not is_null(member))
    return type_


def parts(type_: Type) -> tuple[Type, ...]:
    """Return the types inside a type."""
    match type_:
        case ArrayType(items=part) | MapType(values=part):
            return (part,)
        case UnionType(members=members):
            return members
        case _:
            return ()
