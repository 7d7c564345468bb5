"""Schemas read as types: JSON Schema (draft 2020-12) as far as Python has a form for it.

A schema says what it allows by keywords, and each keyword belongs to one type. Any other
keyword is an error, since passing it over would let through what the spec forbids.
"""

from __future__ import annotations

import math
import re
from typing import Any

from attrs import evolve

from autonomousai_sdk._core.check import (
    Boolean,
    Check,
    Date,
    DateTime,
    Enum,
    Integer,
    Null,
    Number,
    String,
)

from .load import Node
from .types import (
    NULL,
    AnyType,
    ArrayType,
    ClassType,
    LeafType,
    MapType,
    Type,
    UnionType,
    union,
)

NOTES = (
    "description",
    "title",
    "default",
    "example",
    "examples",
    "$comment",
    "x-python",
    "x-concatenate",
)
"""Keywords that any schema may have, since they say nothing about its values."""

_STRING = {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"}
_NUMBER = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of",
}
_ARRAY = {"minItems": "min_items", "maxItems": "max_items", "uniqueItems": "unique"}
_MAP = {"minProperties": "min_properties", "maxProperties": "max_properties"}
_RANGES = (
    *(("minimum", most) for most in ("maximum", "exclusive_maximum")),
    *(("exclusive_minimum", most) for most in ("maximum", "exclusive_maximum")),
    *((f"min_{what}", f"max_{what}") for what in ("length", "items", "properties")),
)
OBJECT = ("type", "properties", "required", "additionalProperties", *_MAP)
_KEYWORDS: dict[str, tuple[str, ...]] = {
    "string": (
        "format",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        *_STRING,
    ),
    "integer": ("format", *_NUMBER),
    "number": ("format", *_NUMBER),
    "boolean": (),
    "null": (),
    "array": ("items", *_ARRAY),
    "object": OBJECT,
}
_FORMATS: dict[tuple[str, str], Check] = {
    ("integer", "int32"): Integer(minimum=-(2**31), maximum=2**31 - 1),
    ("integer", "int64"): Integer(minimum=-(2**63), maximum=2**63 - 1),
    ("number", "float"): Number(),
    ("number", "double"): Number(),
    ("string", "date-time"): DateTime(),
    ("string", "date"): Date(),
}
_ANNOTATIONS: dict[type[Check], str] = {
    Boolean: "bool",
    Null: "None",
    String: "str",
    Integer: "int",
    Number: "float",
    DateTime: "dt.datetime",
    Date: "dt.date",
}
_SIMPLE: dict[str, Check] = {
    "string": String(),
    "integer": Integer(),
    "number": Number(),
    "boolean": Boolean(),
    "null": Null(),
}


def is_object(node: Node) -> bool:
    """Whether a schema is an object with properties, which becomes a class."""
    return isinstance(node.value, dict) and node.reference is None and node.has("properties")


def read_type(node: Node, open_: tuple[str, ...] = ()) -> Type:
    """The type of a schema.

    Args:
        node: the schema, perhaps a reference.
        open_: the pointers of the schemas that contain it, to find one that contains itself.

    Raises:
        SpecError: the schema has something that Python has no form for.
    """
    if node.pointer in open_:
        raise node.error("the schema contains itself without an object between")
    open_ = (*open_, node.pointer)
    if node.value is True:
        return AnyType()
    if node.reference is not None:
        return _referenced(node, open_)
    return _inline(node, open_)


def _inline(node: Node, open_: tuple[str, ...]) -> Type:
    if is_object(node):
        raise node.error("an object with properties needs a name: put it into components")
    for keyword in ("oneOf", "anyOf"):
        if node.has(keyword):
            node.only(keyword, *NOTES)
            return _one_of(node, node.items(keyword), open_)
    if node.has("const"):
        node.only("const", "type", *NOTES)
        return _enumeration(node, [node.get("const")])
    if node.has("enum"):
        node.only("enum", "type", *NOTES)
        return _enumeration(node, node.values("enum"))
    types = types_of(node)
    known = [keyword for each in types for keyword in _KEYWORDS[each]]
    for keyword in node.mapping():
        if keyword not in (*known, "type", *NOTES):
            raise node.error(f"{' or '.join(types)} has no {keyword!r} that the generator knows")
    return union(_typed(node, each, open_) for each in types)


def types_of(node: Node) -> list[str]:
    """A schema's types.

    Raises:
        SpecError: there is none, or one that JSON does not have.
    """
    if not node.has("type"):
        raise node.error("a type is missing")
    types: list[Any] = [node.get("type")]
    if isinstance(types[0], list):
        types = node.values("type")
    for each in types:
        if each not in _KEYWORDS:
            raise node.error(f"the generator does not know the type {each!r}")
    if not types or len(set(types)) < len(types):
        raise node.error("type lists each type once, and at least one")
    return types


def _referenced(node: Node, open_: tuple[str, ...]) -> Type:
    target = node.resolved()
    name = str(node.reference).removeprefix("#/components/schemas/")
    if "/" in name:
        raise node.error("a schema is referred to where components/schemas defines it")
    if is_object(target):
        class_type = ClassType(name=name)
        return union([class_type, NULL]) if "null" in types_of(target) else class_type
    return read_type(target, open_)


def _typed(node: Node, kind: str, open_: tuple[str, ...]) -> Type:
    match kind:
        case "array":
            if not node.has("items"):
                raise node.error("an array's items are missing")
            items = read_type(node.member("items"), open_)
            return ArrayType(items=items, bounds=_bounds(node, _ARRAY))
        case "object":
            if not node.has("additionalProperties"):
                values: Type = AnyType()
            elif node.get("additionalProperties") is False:
                raise node.error("an object that can have no properties has no values")
            else:
                values = read_type(node.member("additionalProperties"), open_)
            if node.has("required"):
                raise node.error("an object without properties requires none")
            return MapType(values=values, bounds=_bounds(node, _MAP))
        case _:
            return _leaf(node, kind)


def _leaf(node: Node, kind: str) -> LeafType:
    check = _SIMPLE[kind]
    if node.has("format"):
        name = node.string("format")
        if (kind, name) not in _FORMATS:
            known = ", ".join(known for of, known in _FORMATS if of == kind)
            raise node.error(f"the generator does not know the format {name!r}, only {known}")
        check = _FORMATS[kind, name]
    keywords = _STRING if kind == "string" else _NUMBER if kind in ("integer", "number") else {}
    bounds = _bounds(node, keywords)
    if bounds and isinstance(check, (Date, DateTime)):
        raise node.error(f"a {node.get('format')} has no {next(iter(bounds))}")
    annotation = _ANNOTATIONS[type(check)]
    made: Any = check
    return LeafType(annotation=annotation, check=evolve(made, **bounds) if bounds else check)


def _bounds(node: Node, keywords: dict[str, str]) -> dict[str, Any]:
    """The keywords that a schema has, by the names of the check's attributes."""
    found = {
        name: _bound(node.member(keyword), keyword)
        for keyword, name in keywords.items()
        if node.has(keyword)
    }
    for least, most in _RANGES:
        if least in found and most in found and found[least] > found[most]:
            raise node.error(f"{least} is more than {most}, so no value is allowed")
    return found


def _bound(node: Node, keyword: str) -> Any:
    """A bound's value, once it is certain that it bounds something."""
    if keyword == "pattern":
        return python_pattern(node)
    value = node.value
    if keyword == "uniqueItems":
        if not isinstance(value, bool):
            raise node.error(f"true or false belongs here, not {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise node.error(f"a number belongs here, not {value!r}")
    if keyword not in _NUMBER and (not isinstance(value, int) or value < 0):
        raise node.error(f"a count belongs here, not {value!r}")
    if keyword == "multipleOf" and value <= 0:
        raise node.error("a step is more than 0")
    return value


def python_pattern(node: Node) -> str:
    """A pattern of ECMA-262, as JSON Schema has them, for Python's `re`.

    They differ in `$`, which also matches before a line feed at the end in Python.
    """
    pattern = node.text()
    translated = ""
    in_class = False
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        if part == "[":
            in_class = True
        elif part == "]":
            in_class = False
        translated += r"\Z" if part == "$" and not in_class else part
    try:
        re.compile(translated)
    except re.error as error:
        raise node.error(f"{pattern!r} is not a pattern that Python can match: {error}") from None
    return translated


def _enumeration(node: Node, values: list[Any]) -> Type:
    if not values:
        raise node.error("an enum needs a value")
    for value in values:
        if not isinstance(value, (str, int, bool, type(None))):
            raise node.error(f"{value!r} cannot be a Literal: strings, integers and booleans can")
    if len({repr(value) for value in values}) < len(values):
        raise node.error("an enum lists each value once")
    if node.has("type"):
        allowed = union(
            LeafType(annotation=each, check=_SIMPLE[each])
            for each in types_of(node)
            if each in _SIMPLE
        )
        for value in values:
            if not admits(allowed, value):
                raise node.error(f"{value!r} is not of the type {node.get('type')!r}")
    leaves: list[Type] = []
    some = tuple(value for value in values if value is not None)
    if some:
        annotation = f"Literal[{', '.join(map(repr, some))}]"
        leaves.append(LeafType(annotation=annotation, check=Enum(values=some)))
    if len(some) < len(values):
        leaves.append(NULL)
    return union(leaves)


def _one_of(node: Node, options: list[Node], open_: tuple[str, ...]) -> Type:
    if not options:
        raise node.error("there is nothing to choose from")
    found = union(read_type(option, open_) for option in options)
    if not isinstance(found, UnionType):
        return found
    if any(isinstance(member, AnyType) for member in found.members):
        raise node.error("an option that allows anything makes the others meaningless")
    return found


def admits(type_: Type, value: object) -> bool:
    """Whether a plain value of the spec, such as a default, is of a type."""
    match type_:
        case LeafType():
            try:
                type_.check.encode(value, "")
            except ValueError:
                return False
            return True
        case ArrayType():
            return value == [] and "min_items" not in type_.bounds
        case MapType() | ClassType():
            return value == {}
        case UnionType():
            return any(admits(member, value) for member in type_.members)
        case AnyType():
            return value is None or isinstance(value, (str, bool, int))
