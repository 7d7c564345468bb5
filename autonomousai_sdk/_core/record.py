"""The fields of a user's class, and the types that its annotations stand for.

Owns what a schema and a converter must both know of attrs classes, dataclasses, TypedDicts,
NamedTuples and msgspec Structs: the name of each field on the wire, its type, and whether it is
required.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import (
    Any,
    Generic,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
import msgspec

_REQUIRED: Mapping[str, bool] = {"Required": True, "NotRequired": False}
_QUALIFIERS = frozenset({*_REQUIRED, "ReadOnly"})
"""By name, because older versions of Python have them from typing_extensions alone."""

NO_DEFAULT = dataclasses.MISSING


@attrs.frozen
class RecordField:
    """A field of a class.

    Attributes:
        name: the name of the argument that sets it.
        wire: its name in JSON.
        type: its type, without `Required`, `NotRequired` and `ReadOnly`.
        required: whether it must be present.
        default: its default, or `NO_DEFAULT`.
    """

    name: str
    wire: str
    type: Any
    required: bool
    default: Any = NO_DEFAULT


def is_attrs_or_dataclass(cls: Any) -> bool:
    """Whether a type is an attrs class or a dataclass."""
    origin = get_origin(cls) or cls
    return isinstance(origin, type) and (
        attrs.has(origin) or hasattr(origin, "__dataclass_fields__")
    )


def is_struct(cls: Any) -> bool:
    """Whether a type is a msgspec Struct."""
    origin = get_origin(cls) or cls
    return isinstance(origin, type) and issubclass(origin, msgspec.Struct)


def is_typed_dict(cls: Any) -> bool:
    """Whether a type is a TypedDict, by `typing` or `typing_extensions`."""
    return _is_kind(cls, dict, "__total__")


def is_named_tuple(cls: Any) -> bool:
    """Whether a type is a NamedTuple."""
    return _is_kind(cls, tuple, "_fields")


def _is_kind(cls: Any, base: type[Any], attribute: str) -> bool:
    origin = get_origin(cls) or cls
    return isinstance(origin, type) and issubclass(origin, base) and hasattr(origin, attribute)


def is_union(type_: Any) -> bool:
    """Whether a type is a union."""
    return get_origin(type_) in (Union, UnionType)


def is_alias(type_: Any) -> bool:
    """Whether a type is an alias made by a `type` statement or `TypeAliasType` (PEP 695)."""
    return type(get_origin(type_) or type_).__name__ == "TypeAliasType"


def alias_value(alias: Any) -> Any:
    """The type that an alias stands for."""
    origin = get_origin(alias) or alias
    given = dict(zip(origin.__type_params__, get_args(alias), strict=False))
    return _substituted(origin.__value__, given)


def fields_of(cls: Any) -> tuple[RecordField, ...]:
    """The fields of a class of one of these kinds, in order."""
    if is_struct(cls):
        return tuple(
            RecordField(
                each.name, each.encode_name, each.type, each.required, _default(each.default)
            )
            for each in msgspec.structs.fields(cls)
        )
    origin = get_origin(cls) or cls
    given = _arguments(cls)
    hints = {
        name: _substituted(hint, given)
        for name, hint in get_type_hints(origin, include_extras=True).items()
    }
    if is_typed_dict(cls):
        return tuple(_item(name, hint, origin) for name, hint in hints.items())
    if is_named_tuple(cls):
        defaults: Mapping[str, Any] = origin._field_defaults
        return tuple(
            RecordField(
                name, name, hints[name], name not in defaults, defaults.get(name, NO_DEFAULT)
            )
            for name in origin._fields
        )
    if attrs.has(origin):
        # The argument of a private attribute has another name.
        return tuple(
            RecordField(
                each.alias or each.name,
                each.name,
                hints[each.name],
                each.default is attrs.NOTHING,
                _default(each.default),
            )
            for each in attrs.fields(origin)
            if each.init
        )
    return tuple(
        RecordField(
            each.name,
            each.name,
            hints[each.name],
            each.default is NO_DEFAULT and each.default_factory is NO_DEFAULT,
            each.default,
        )
        for each in dataclasses.fields(origin)
        if each.init
    )


def _item(name: str, hint: Any, cls: Any) -> RecordField:
    """A key of a TypedDict, whose `__required_keys__` miss what string annotations say."""
    required = name in cls.__required_keys__
    while (qualifier := getattr(get_origin(hint), "_name", None)) in _QUALIFIERS:
        required = _REQUIRED.get(qualifier, required)
        (hint,) = get_args(hint)
    return RecordField(name, name, hint, required)


def _default(value: Any) -> Any:
    """A default of attrs or msgspec, or `NO_DEFAULT` if there is none or a function makes it."""
    is_absent = value is attrs.NOTHING or value is msgspec.NODEFAULT
    # `attrs.Factory` is a class, but its stub is a function.
    is_made = type(value).__name__ == "Factory"
    return NO_DEFAULT if is_absent or is_made else value


def _arguments(cls: Any) -> dict[Any, Any]:
    """The types that stand for the type parameters of a generic class and of its bases."""
    origin = get_origin(cls) or cls
    parameters: tuple[Any, ...] = getattr(origin, "__parameters__", ())
    given: dict[Any, Any] = dict(zip(parameters, get_args(cls), strict=False))
    for base in getattr(origin, "__orig_bases__", ()):
        if get_origin(base) is not Generic:
            inherited = _arguments(_substituted(base, given))
            given = {**inherited, **given}
    return given


def _substituted(type_: Any, given: Mapping[Any, Any]) -> Any:
    """A type with types in place of its type parameters."""
    if isinstance(type_, TypeVar):
        return given.get(type_, type_)
    parameters: tuple[Any, ...] = getattr(type_, "__parameters__", ())
    if not given or get_origin(type_) is None or not parameters:
        return type_
    return type_[tuple(given.get(each, each) for each in parameters)]
