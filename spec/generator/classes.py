"""Build classes from the spec's objects: their fields, defaults and docstrings."""

from __future__ import annotations

from collections.abc import Iterable

from autonomousai_sdk._core.check import Date, DateTime, Enum, String

from .load import Node
from .model import ClassModel, FieldModel, MessagesModel
from .names import FIELDS, camel, check_class_name, check_unique, extensions, mixin, python_name
from .schemas import ObjectSchema, Schemas, admits, checked_default, is_object
from .types import (
    NULL,
    AnyType,
    ArrayType,
    ClassType,
    LeafType,
    MapType,
    Type,
    UnionType,
    parts,
    union,
)

METADATA = ("nulls", "lenient", "parts", "also", "fallback", "repeats", "position")
"""The keys of x-python that the core reads from a field; `_core.fields` explains them."""

ON_A_PROPERTY = (
    *("name", "role", "doc", "defaultFrom", "listedBy", "instead", "whenStreaming", "answers"),
    *("keyword", "passedOn"),
    *METADATA,
)

ON_A_CLASS = ("mixin", "skip")


def prose(node: Node) -> str:
    """Return a place's description, in one line.

    Raises:
        SpecError: the place has no description.
    """
    for place in (node, node.resolved()):
        if place.has("description"):
            text = " ".join(place.string("description").split())
            if not text.replace("\n", "").isprintable():
                raise place.member("description").error("a character in it cannot be printed")
            if text:
                return text
    raise node.error("a description is missing")


class Classes:
    """The classes of a spec. The operations record which are passed and which are returned."""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self._fields: dict[str, tuple[FieldModel, ...]] = {}
        self.messages: MessagesModel | None = None
        self._inputs: set[str] = set()
        self._outputs: set[str] = set()
        for name in list(schemas.objects):
            self.fields(name)

    def fields(self, name: str) -> tuple[FieldModel, ...]:
        """Return the fields of a class."""
        if name not in self._fields:
            schema = self.schemas.objects[name]
            check_class_name(schema.node, name)
            extensions(schema.node, *ON_A_CLASS, *ON_A_PROPERTY)
            fields = tuple(self._field(schema, wire) for wire in schema.properties)
            check_unique(schema.node, [each.name for each in fields], "fields")
            _check_names(schema, fields)
            self._fields[name] = fields
        return self._fields[name]

    def passed(self, type_: Type, node: Node) -> None:
        """Record that callers pass a type, which the spec has at `node`."""
        self._reach(type_, node, self._inputs)

    def returned(self, type_: Type, node: Node) -> None:
        """Record that responses contain a type, which the spec has at `node`."""
        self._reach(type_, node, self._outputs)

    def models(self) -> tuple[ClassModel, ...]:
        """Return the classes, each after the class that contains its definition."""
        skipped = {
            name
            for name, schema in self.schemas.objects.items()
            if extensions(schema.node).get("skip")
        }
        models = tuple(
            self._model(schema) for name, schema in self._ordered() if name not in skipped
        )
        for each in models:
            _, _, name = (each.mixin or "").partition(".")
            if name in self.schemas.objects:
                raise self.schemas.objects[name].node.error(
                    f"{name!r} cannot name a class, since it is taken: rename the schema"
                )
        return models

    def _ordered(self) -> Iterable[tuple[str, ObjectSchema]]:
        for name in [*self.schemas.objects]:
            self.fields(name)
        objects = self.schemas.objects
        return sorted(objects.items(), key=lambda item: _position(item[1].node))

    def _model(self, schema: ObjectSchema) -> ClassModel:
        return ClassModel(
            name=schema.name,
            doc=prose(schema.node),
            fields=self.fields(schema.name),
            is_input=schema.name in self._inputs,
            is_output=schema.name in self._outputs,
            is_closed=schema.is_closed,
            mixin=mixin(schema.node),
        )

    def _reach(self, type_: Type, node: Node, found: set[str]) -> None:
        if isinstance(type_, ClassType):
            if type_.name in found:
                return
            found.add(type_.name)
            schema = self.schemas.objects[type_.name]
            for each in self.fields(type_.name):
                self._reach(each.check, schema.properties[each.wire], found)
        if isinstance(type_, UnionType) and found is self._outputs:
            _check_distinct(type_.members, node)
        for part in parts(type_):
            self._reach(part, node, found)

    def _field(self, schema: ObjectSchema, wire: str) -> FieldModel:
        node = schema.properties[wire]
        python = extensions(node, *(ON_A_CLASS if is_object(node) else ()), *ON_A_PROPERTY)
        sent = self.schemas.type_of(node, f"{schema.name}{camel(wire)}")
        # Only null decodes, so that an error object never becomes a chunk.
        type_ = NULL if python.get("role") == "error" else sent
        default = _default(node, type_, self.schemas)
        required = wire in schema.required
        if default is None and not required:
            type_, default = union([type_, NULL]), "None"
        name = python_name(node, wire, FIELDS | {*self.schemas.objects}, "a field")
        return FieldModel(
            name=name,
            wire=wire,
            type=type_,
            required=required,
            default=default,
            doc=prose(node),
            metadata=_metadata(node, wire, name),
            check=sent,
        )


def _check_distinct(members: tuple[Type, ...], node: Node) -> None:
    """Check that the types of a union have different forms in JSON.

    Raises:
        SpecError: the decoder could not tell which of the types a value has.
    """
    for kind in (ArrayType, MapType):
        if sum(isinstance(member, kind) for member in members) > 1:
            raise node.error("two lists, or two maps, cannot be told apart when decoded")
    kinds = {type(member) for member in members}
    if {ClassType, MapType} <= kinds:
        raise node.error(
            "an object with properties and a map cannot be told apart when decoded: keep one"
        )
    strings = [each.check for each in members if isinstance(each, LeafType) and _is_string(each)]
    if len(strings) > 1 and any(isinstance(each, (Date, DateTime)) for each in strings):
        raise node.error(
            "a date and another string cannot be told apart when decoded: give one string without "
            "a format"
        )


def _is_string(type_: LeafType) -> bool:
    """Return whether a type's values are strings in JSON."""
    if isinstance(type_.check, Enum):
        return any(isinstance(value, str) for value in type_.check.values)
    return isinstance(type_.check, (String, Date, DateTime))


def _check_names(schema: ObjectSchema, fields: tuple[FieldModel, ...]) -> None:
    """Check that a class has the fields that x-python names."""
    names = {each.name for each in fields}
    for node in schema.properties.values():
        python = extensions(node.resolved()) | extensions(node)
        for name in [*python.get("parts", {}).values(), python.get("fallback")]:
            if name is not None and name not in names:
                raise node.error(
                    f"x-python names the field {name!r}, which {schema.name} does not have"
                )


def _position(node: Node) -> tuple[int, ...]:
    """Return a sort key: a place's position in the document, with components first."""
    found: list[int] = []
    place = Node(node.root, node.root)
    for part in node.pointer[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if place.is_list:
            found.append(int(name))
            place = place.item(int(name))
        else:
            found.append(-1 if name == "components" else [*place.mapping()].index(name))
            place = place.member(name)
    return tuple(found)


def _default(node: Node, type_: Type, schemas: Schemas) -> str | None:
    """Return the default of a field, as an expression."""
    default = checked_default(node, type_)
    if default is None:
        holder = node.resolved()
        return repr(holder.get("const")) if holder.has("const") else None
    if isinstance(type_, ClassType):
        if schemas.objects[type_.name].required:
            raise default.error(f"{type_.name} has required properties, so it cannot be empty")
        return f"factory={type_.name}"
    return "factory=dict" if default.value == {} else _literal(type_, default)


def _literal(type_: Type, node: Node) -> str:
    """Return a value of a type, as an expression."""
    match type_:
        case UnionType(members=members):
            return _literal(next(each for each in members if admits(each, node.value)), node)
        case ArrayType(items=items):
            values = [node.item(position) for position in range(len(node.value))]
            return f"({''.join(f'{_literal(items, each)}, ' for each in values)})"
        case LeafType(check=Date()):
            return f"dt.date.fromisoformat({node.value!r})"
        case LeafType(check=DateTime()):
            return f"dt.datetime.fromisoformat({node.value!r})"
        case LeafType():
            return repr(node.value)
        case AnyType() if isinstance(node.value, (str, bool, int, float, type(None))):
            return repr(node.value)
        case _:
            raise node.error("a default has no objects with members: leave it out")


def _metadata(node: Node, wire: str, name: str) -> dict[str, object]:
    python = extensions(node.resolved()) | extensions(node)
    metadata: dict[str, object] = {"wire": wire} if name != wire else {}
    if node.flag("x-concatenate"):
        metadata["concatenate"] = True
    if node.get("contentMediaType") == "application/json" and not node.has("contentSchema"):
        metadata["json"] = True
    return metadata | {name: python[name] for name in METADATA if name in python}
