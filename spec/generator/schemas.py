"""Read schemas as types: the part of JSON Schema (draft 2020-12) that Python can express.

Each keyword of a schema belongs to one type. Any other keyword is an error, because ignoring it
would allow values that the spec forbids.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from attrs import evolve, frozen

from autonomousai_sdk._core.check import (
    ANYTHING,
    Array,
    Boolean,
    Check,
    Date,
    DateTime,
    Enum,
    Integer,
    Map,
    Null,
    Number,
    String,
)
from autonomousai_sdk.errors import ConfigurationError

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
"""Keywords that any schema may have, because they do not restrict its values."""

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


@frozen(kw_only=True)
class ObjectSchema:
    """An object with properties, which becomes a class.

    Attributes:
        name: the class's name.
        node: its place in the spec.
        properties: its properties, with those of the objects that it is made of (`allOf`).
        required: the names of the required ones.
        is_closed: whether it has no other properties.
    """

    name: str
    node: Node
    properties: dict[str, Node]
    required: frozenset[str]
    is_closed: bool


class Schemas:
    """The schemas of a spec: reads types, and collects the objects that become classes.

    Attributes:
        objects: the objects found so far, by the names of their classes.
    """

    def __init__(self, root: Node) -> None:
        self.objects: dict[str, ObjectSchema] = {}
        components = root.at("components") if root.has("components") else None
        self._named = {} if components is None else components.members("schemas")
        for name, node in self._named.items():
            if is_object(node):
                self.objects[name] = object_schema(name, node)

    def type_of(self, node: Node, name: str = "", open_: tuple[str, ...] = ()) -> Type:
        """Return the type of a schema.

        Args:
            node: the schema, perhaps a reference.
            name: the name of the class, if it is an object without one of its own.
            open_: the pointers of the schemas that contain it, to find one that contains
                itself.

        Raises:
            SpecError: Python cannot express the schema.
        """
        if node.pointer in open_:
            raise node.error("the schema contains itself without an object between")
        open_ = (*open_, node.pointer)
        if node.value is True:
            return AnyType()
        if node.reference is not None:
            return self._referenced(node, open_)
        node.mapping()
        if is_object(node):
            return self._inline_object(node, name)
        if node.has("allOf"):
            return self._all_of(node, name, open_)
        for keyword in ("oneOf", "anyOf"):
            if node.has(keyword):
                node.only(keyword, *(["discriminator"] if keyword == "oneOf" else []), *NOTES)
                return self._one_of(node, node.items(keyword), name, open_)
        return self._plain(node, name, open_)

    def _referenced(self, node: Node, open_: tuple[str, ...]) -> Type:
        target = node.resolved()
        name = target.pointer.removeprefix("#/components/schemas/")
        if target.pointer == name or "/" in name:
            raise node.error("a $ref leads to a schema in components/schemas")
        if name not in self.objects:
            return self.type_of(target, "", open_)
        return _nullable(target, ClassType(name=name))

    def _inline_object(self, node: Node, name: str) -> Type:
        if not name:
            raise node.error("an object needs a name here: put it into components/schemas")
        for each in self.objects.values():
            if each.node.pointer == node.pointer:  # found before, as a part of another object
                return _nullable(node, ClassType(name=each.name))
        known = self.objects.get(name)
        if known is not None:
            raise node.error(
                f"its class would be {name}, which {known.node.pointer} is: put it into "
                "components/schemas under another name"
            )
        self.objects[name] = object_schema(name, node)
        return _nullable(node, ClassType(name=name))

    def _all_of(self, node: Node, name: str, open_: tuple[str, ...]) -> Type:
        """Return the type that several schemas, none of them an object, allow together."""
        parts = node.items("allOf")
        rest = [key for key in node.mapping() if key not in ("allOf", *NOTES)]
        if len(parts) == 1 and not rest:
            return self.type_of(parts[0], name, open_)
        merged: dict[str, Any] = {}
        for part in (*(each.resolved() for each in parts), node):
            for key, value in part.mapping().items():
                if key in merged and merged[key] != value and key not in NOTES:
                    raise part.error(f"another part of allOf has {key} {merged[key]!r} as well")
                merged[key] = value
        merged.pop("allOf")
        return self.type_of(Node(node.root, merged, f"{node.pointer}/allOf"), name, open_)

    def _plain(self, node: Node, name: str, open_: tuple[str, ...]) -> Type:
        if node.has("const"):
            node.only("const", "type", *NOTES)
            return _enumeration(node, [node.get("const")])
        if node.has("enum"):
            node.only("enum", "type", *NOTES)
            return _enumeration(node, node.values("enum"))
        types = types_of(node)
        known = {keyword for each in types for keyword in _KEYWORDS[each]}
        for keyword in node.mapping():
            if keyword not in (*known, "type", *NOTES):
                raise node.error(
                    f"the generator does not know {keyword!r} for {' or '.join(types)}, only "
                    f"{', '.join(sorted(known)) or 'type'}"
                )
        return union(self._typed(node, each, name, open_) for each in types)

    def _typed(self, node: Node, kind: str, name: str, open_: tuple[str, ...]) -> Type:
        if kind == "array":
            if not node.has("items"):
                raise node.error("an array's items are missing")
            items = self.type_of(node.member("items"), name and f"{name}Item", open_)
            return ArrayType(items=items, bounds=_bounds(node, _ARRAY))
        if kind != "object":
            return _leaf(node, kind)
        if node.has("required"):
            raise node.error("'required' names properties, and there are none")
        values: Type = AnyType()
        if node.has("additionalProperties"):
            if node.get("additionalProperties") is False:
                raise node.error("an object without properties has additionalProperties")
            values = self.type_of(
                node.member("additionalProperties"), name and f"{name}Value", open_
            )
        return MapType(values=values, bounds=_bounds(node, _MAP))

    def _one_of(self, node: Node, options: list[Node], name: str, open_: tuple[str, ...]) -> Type:
        if not options:
            raise node.error("oneOf and anyOf need at least one schema")
        found = union(
            self.type_of(option, name and f"{name}{position}", open_)
            for position, option in enumerate(options, 1)
        )
        members = found.members if isinstance(found, UnionType) else (found,)
        if len(members) > 1 and any(isinstance(member, AnyType) for member in members):
            raise node.error("an option that allows anything makes the others meaningless")
        classes = [member for member in members if isinstance(member, ClassType)]
        if node.has("discriminator"):
            tag, tagged = self._discriminated(node.member("discriminator"), classes)
        elif len(classes) > 1:
            tag, tagged = self._inferred_tag(node, classes)
        else:
            return found
        return UnionType(members=members, tag=tag, tagged=tagged)

    def _discriminated(
        self, node: Node, classes: list[ClassType]
    ) -> tuple[str, dict[str, ClassType]]:
        node.only("propertyName", "mapping")
        tag = node.string("propertyName")
        tagged: dict[str, ClassType] = {}
        for each in classes:
            value = self._constant(each, tag)
            if value is None:
                raise node.error(
                    f"{each.name} needs a required property {tag!r} with a const that is a string"
                )
            if value in tagged:
                raise node.error(f"{each.name} and {tagged[value].name} have the same {tag!r}")
            tagged[value] = each
        for value, target in node.members("mapping").items():
            name = target.text().rsplit("/", 1)[-1]
            if value not in tagged or tagged[value].name != name:
                raise target.error(f"{name} has another {tag!r} than {value!r}, or is no option")
        if not tagged:
            raise node.error("a discriminator tells objects apart, and there are none")
        return tag, tagged

    def _inferred_tag(
        self, node: Node, classes: list[ClassType]
    ) -> tuple[str, dict[str, ClassType]]:
        """Return the property whose constants distinguish classes that have no discriminator."""
        for tag in self.objects[classes[0].name].properties:
            values = [self._constant(each, tag) for each in classes]
            if None not in values and len(set(values)) == len(values):
                return tag, dict(zip(map(str, values), classes, strict=True))
        names = ", ".join(each.name for each in classes)
        raise node.error(
            f"{names} cannot be told apart: give each a required property with a const of its "
            "own, and name it in a discriminator"
        )

    def _constant(self, cls: ClassType, tag: str) -> str | None:
        """Return the only string that a property of a class allows, or None."""
        schema = self.objects[cls.name]
        if tag not in schema.properties or tag not in schema.required:
            return None
        node = schema.properties[tag].resolved()
        values = [node.get("const")] if node.has("const") else node.get("enum", [])
        return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def is_object(node: Node, open_: tuple[str, ...] = ()) -> bool:
    """Return whether a schema is an object with properties, which becomes a class."""
    if node.reference is not None or not isinstance(node.value, dict):
        return False
    if node.pointer in open_:
        raise node.error("allOf contains itself")
    parts = node.items("allOf")
    if len(parts) == 1 and not node.has("properties"):
        return is_object(parts[0])  # A reference with a description is still that class.
    return node.has("properties") or any(
        is_object(part.resolved(), (*open_, node.pointer)) for part in parts
    )


def object_schema(name: str, node: Node) -> ObjectSchema:
    """Return an object with the properties of the objects in its allOf."""
    properties: dict[str, Node] = {}
    required: list[str] = []
    is_closed = False
    parts = _object_parts(node, ())
    for part in parts:
        _check_object(part)
        is_closed |= part.get("additionalProperties") is False
        required += part.strings("required")
        for wire, member in part.members("properties").items():
            if properties.setdefault(wire, member).value != member.value:
                raise member.error(f"{properties[wire].pointer} is another property {wire!r}")
    if is_closed and len(parts) > 1:
        raise node.error("additionalProperties: false would forbid the other parts' properties")
    for wire in required:
        if wire not in properties:
            raise node.error(f"{wire!r} is required, and not a property")
    return ObjectSchema(
        name=name,
        node=node,
        properties=properties,
        required=frozenset(required),
        is_closed=is_closed,
    )


def _check_object(node: Node) -> None:
    """Check that a class can express an object with properties."""
    node.only("allOf", *OBJECT, *NOTES)
    if node.has("type") and not set(types_of(node)) <= {"object", "null"}:
        raise node.error("an object with properties has the type object, or null beside it")
    if not isinstance(node.get("additionalProperties", default=True), bool):
        raise node.error("an object has properties or typed additionalProperties, not both")
    for keyword in _MAP:
        if node.has(keyword):
            raise node.error(f"the generator does not know {keyword!r} for a class")


def _object_parts(node: Node, open_: tuple[str, ...]) -> list[Node]:
    if node.pointer in open_:
        raise node.error("allOf contains itself")
    parts = [
        part
        for each in node.items("allOf")
        for part in _object_parts(each.resolved(), (*open_, node.pointer))
    ]
    if not node.has("allOf") or node.has("properties") or node.has("required"):
        parts.append(node)
    return parts


def _nullable(node: Node, type_: Type) -> Type:
    has_null = node.has("type") and "null" in types_of(node)
    return union([type_, NULL]) if has_null else type_


def types_of(node: Node) -> list[str]:
    """Return a schema's types.

    Raises:
        SpecError: the schema has no type, or one that JSON does not have.
    """
    if not node.has("type"):
        raise node.error("a type is missing: give one, or the schema true for any value")
    types: list[Any] = [node.get("type")]
    if isinstance(types[0], list):
        types = node.values("type")
    for each in types:
        if not isinstance(each, str) or each not in _KEYWORDS:
            raise node.error(f"the generator does not know the type {each!r}")
    if not types or len(set(types)) < len(types):
        raise node.error("type lists each type once, and at least one")
    return types


def _leaf(node: Node, kind: str) -> LeafType:
    check = _SIMPLE[kind]
    if node.has("format"):
        name = node.string("format")
        types = types_of(node)
        if not any((each, name) in _FORMATS for each in types):
            known = ", ".join(known for of, known in _FORMATS if of in types)
            raise node.error(f"the generator does not know the format {name!r}, only {known}")
        check = _FORMATS.get((kind, name), check)
    keywords = _STRING if kind == "string" else _NUMBER if kind in ("integer", "number") else {}
    bounds = _bounds(node, keywords)
    if bounds and isinstance(check, (Date, DateTime)):
        raise node.error(f"a {node.get('format')} has no {next(iter(bounds))}")
    annotation = _ANNOTATIONS[type(check)]
    made: Any = check
    return LeafType(annotation=annotation, check=evolve(made, **bounds) if bounds else check)


def _bounds(node: Node, keywords: dict[str, str]) -> dict[str, Any]:
    """Return a schema's bounds, by the names of the check's attributes."""
    found = {
        name: _bound(node.member(keyword), keyword)
        for keyword, name in keywords.items()
        if node.has(keyword)
    }
    for least, most in _RANGES:
        if least not in found or most not in found:
            continue
        excludes = "exclusive" in f"{least} {most}"
        if found[least] > found[most] or (excludes and found[least] == found[most]):
            more = "more than" if found[least] > found[most] else "the same as"
            raise node.error(f"{least} is {more} {most}, so no value is allowed")
    return found


def _bound(node: Node, keyword: str) -> Any:
    """Return a bound's value, after checking its type."""
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


_PATTERN_PARTS = re.compile(
    r"""
    (?P<ambiguous> \\[AZa] | \(\?[^:=!<] | (?:[*+?]|\{\d+(?:,\d*)?\})\+ | \{,\d+\} | \[\^?\] )
    | (?P<class> \[ (?:\\.|[^\]\\])+ \] )
    | \\. | .
    """,
    re.DOTALL | re.VERBOSE,
)
"""The parts of a pattern; ECMA-262 and Python read the ambiguous ones differently."""

_TRANSLATED = {"$": r"\Z", ".": r"[^\n\r\u2028\u2029]"}


def python_pattern(node: Node) -> str:
    """Translate a pattern of ECMA-262, which JSON Schema uses, for Python's `re`.

    In Python, `$` also matches before a line feed at the end, and `.` matches a carriage return.

    Raises:
        SpecError: Python cannot compile the pattern, or reads a part of it differently.
    """
    pattern = node.text()
    translated = ""
    for found in _PATTERN_PARTS.finditer(pattern):
        part = found[0]
        if found["ambiguous"]:
            raise node.error(
                f"{part!r} in {pattern!r} means something else in Python: write it another way"
            )
        if found["class"]:
            # Python warns about a bracket in a class, which may come to open a nested one.
            translated += "[" + re.sub(r"(\\.)|\[", lambda each: each[1] or r"\[", part[1:])
        else:
            translated += _TRANSLATED.get(part, part)
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


def checked_default(node: Node, type_: Type) -> Node | None:
    """Return the default of a schema, or None without one.

    Raises:
        SpecError: the schema does not allow it.
    """
    holder = node if node.has("default") else node.resolved()
    if not holder.has("default"):
        return None
    default = holder.member("default")
    if not admits(type_, default.value):
        raise default.error(
            f"{default.value!r} is not a value that the schema allows: change one of the two"
        )
    return default


def admits(type_: Type, value: Any) -> bool:
    """Return whether a type allows a value of the spec, such as a default."""
    match type_:
        case LeafType(check=Date() | DateTime() as made):
            admitted = isinstance(value, str) and _is_date(made, value)
        case LeafType(check=made):
            admitted = _passes(made, value)
        case ArrayType(items=items, bounds=bounds):
            admitted = _passes(Array(items=ANYTHING, **_bound_values(bounds)), value)
            admitted = admitted and all(admits(items, each) for each in value)
        case MapType(values=values, bounds=bounds):
            admitted = _passes(Map(values=ANYTHING, **_bound_values(bounds)), value)
            admitted = admitted and all(admits(values, each) for each in value.values())
        case ClassType():
            admitted = value == {}
        case UnionType(members=members):
            admitted = any(admits(member, value) for member in members)
        case AnyType():
            admitted = True
    return admitted


def _bound_values(bounds: Mapping[str, object]) -> dict[str, Any]:
    return dict(bounds)


def _passes(made: Check, value: object) -> bool:
    try:
        made.encode(value, "")
    except ConfigurationError:
        return False
    return True


def _is_date(made: Check, value: str) -> bool:
    """Return whether a string is a date, or a date-time with a time zone."""
    try:
        if isinstance(made, Date):
            return date.fromisoformat(value).isoformat() == value
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
