"""JSON schemas of types that msgspec refuses, made class by class.

msgspec refuses a union with several classes below the top, an alias made by a `type` statement, and
`ReadOnly`. This module writes the schema of each class, union and alias itself, and has msgspec
write those of everything else, so that both have one form.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from attrs import define, field

from .record import (
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

REFERENCE = "#/$defs/{name}"

_BOUNDS = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern")


def bounds(metadata: Sequence[Any]) -> Iterator[msgspec.Meta]:
    """The bounds among the metadata of `Annotated`, in msgspec's form.

    Those of `annotated_types` are included, and those of pydantic's `Field`, which has a list of
    them.
    """
    for each in metadata:
        if isinstance(each, msgspec.Meta):
            yield each
            continue
        for part in (each, *getattr(each, "metadata", ())):
            found = {name: getattr(part, name, None) for name in _BOUNDS}
            limits: dict[str, Any] = {
                name: limit for name, limit in found.items() if isinstance(limit, (int, float, str))
            }
            if limits:
                yield msgspec.Meta(**limits)


@define
class ClassSchemas:
    """Writes the schemas of several types, and the definitions that they refer to.

    Attributes:
        define: takes a definition and its name.
        of_custom: makes the schema of a class that msgspec does not support, or raises
            `NotImplementedError`.
    """

    define: Callable[[str, dict[str, Any]], None]
    of_custom: Callable[[Any], dict[str, Any]]
    _references: dict[Any, dict[str, Any]] = field(init=False, factory=dict[Any, dict[str, Any]])
    _makers: dict[Any, Callable[[], dict[str, Any]]] = field(
        init=False, factory=dict[Any, Callable[[], dict[str, Any]]]
    )

    def schema(self, type_: Any) -> dict[str, Any]:
        """The schema of a type.

        Raises:
            TypeError: msgspec does not support a type in it.
            NotImplementedError: `of_custom` does not support it either.
        """
        (schema,), components = msgspec.json.schema_components(
            (self._understood(type_),), schema_hook=self._custom, ref_template=REFERENCE
        )
        for name, definition in components.items():
            self.define(name, definition)
        return schema

    def _custom(self, cls: Any) -> dict[str, Any]:
        make = self._makers.get(cls)
        return self.of_custom(cls) if make is None else make()

    def _understood(self, type_: Any) -> Any:
        """The type with a placeholder for each class, union and alias in it."""
        make = self._maker(type_)
        if make is not None:
            return self._placeholder(partial(self._reference, type_, make))
        origin, arguments = get_origin(type_), get_args(type_)
        if is_union(type_):
            return self._placeholder(lambda: {"anyOf": [self.schema(each) for each in arguments]})
        if origin is None or origin is Literal:
            return type_
        if origin is Annotated:
            inner, *metadata = arguments
            understood = self._understood(inner)
            for bound in bounds(metadata):
                understood = Annotated[understood, bound]
            return understood
        return origin[tuple(map(self._understood, arguments))]

    def _maker(self, type_: Any) -> Callable[[], dict[str, Any]] | None:
        """What writes the definition of a class or an alias; None for another type."""
        if is_alias(type_):
            return lambda: self.schema(alias_value(type_))
        if is_named_tuple(type_):
            return lambda: self._array(type_, fields_of(type_))
        if is_struct(type_) or is_attrs_or_dataclass(type_) or is_typed_dict(type_):
            return partial(self._object, type_)
        return None

    def _placeholder(self, make: Callable[[], dict[str, Any]]) -> Any:
        class Placeholder:
            """Stands for a type whose schema `make` writes."""

        self._makers[Placeholder] = make
        return Placeholder

    def _reference(self, type_: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A reference to a definition, which is written at the first reference to it."""
        if type_ not in self._references:
            name = re.sub(r"[^\w.]+", "_", _title(type_))
            # Before the definition, which may refer to itself.
            self._references[type_] = {"$ref": REFERENCE.format(name=name)}
            self.define(name, make())
        return dict(self._references[type_])

    def _object(self, cls: Any) -> dict[str, Any]:
        """The schema of a class."""
        fields = fields_of(cls)
        tagged: dict[str, Any] = {}
        config = getattr(cls, "__struct_config__", None)
        if config is not None:
            tag = () if config.tag is None else ({"enum": [config.tag]},)
            if config.array_like:
                return self._array(cls, fields, tag)
            if tag:
                tagged[config.tag_field] = tag[0]
        return {
            **_about(cls),
            "type": "object",
            "properties": tagged | {each.wire: self._field(each) for each in fields},
            "required": [*tagged, *(each.wire for each in fields if each.required)],
        }

    def _array(
        self, cls: Any, fields: Sequence[RecordField], first: Sequence[dict[str, Any]] = ()
    ) -> dict[str, Any]:
        """The schema of a class whose fields are the items of an array."""
        items = [*first, *map(self._field, fields)]
        return {
            **_about(cls),
            "type": "array",
            "minItems": len(first) + sum(each.required for each in fields),
            "maxItems": len(items),
            "prefixItems": items,
        }

    def _field(self, each: RecordField) -> dict[str, Any]:
        schema = self.schema(each.type)
        if each.default is NO_DEFAULT:
            return schema
        try:
            return {**schema, "default": json.loads(msgspec.json.encode(each.default))}
        except TypeError:
            return schema


def _about(cls: Any) -> dict[str, Any]:
    title = _title(cls)
    origin: Any = get_origin(cls) or cls
    said = inspect.cleandoc(origin.__dict__.get("__doc__") or "")
    # A dataclass and a NamedTuple without a docstring have their signature there.
    if not said or said.startswith(f"{origin.__name__}("):
        return {"title": title}
    return {"title": title, "description": said}


def _title(type_: Any) -> str:
    arguments = ", ".join(map(_title, get_args(type_)))
    origin: Any = get_origin(type_) or type_
    name = str(getattr(origin, "__name__", origin))
    return f"{name}[{arguments}]" if arguments else name
