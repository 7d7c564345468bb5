"""Write types as source: annotations, and the checks of arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from autonomousai_sdk._core.check import Boolean, Check, Enum, Integer, Number

from .types import AnyType, ArrayType, ClassType, LeafType, MapType, Type, UnionType

_KINDS: dict[type[Check], str] = {Boolean: "flag", Integer: "integer", Number: "number"}


def output(type_: Type, prefix: str = "models.", array: str = "tuple[{}, ...]") -> str:
    """Return the annotation of a decoded value.

    Args:
        type_: the value's type.
        prefix: the prefix of the names of generated classes.
        array: the annotation of a list, with braces for that of its items.
    """
    match type_:
        case LeafType():
            return type_.annotation
        case ArrayType():
            return array.format(output(type_.items, prefix, array))
        case MapType():
            return f"dict[str, {output(type_.values, prefix, array)}]"
        case ClassType():
            return f"{prefix}{type_.name}"
        case UnionType():
            return " | ".join(output(member, prefix, array) for member in type_.members)
        case AnyType():
            return "Any"


def accepted(type_: Type) -> str:
    """Return the annotation of an argument: mappings beside classes, and any sequence."""
    match type_:
        case LeafType():
            return type_.annotation
        case ArrayType():
            return f"Sequence[{accepted(type_.items)}]"
        case MapType():
            return f"Mapping[str, {accepted(type_.values)}]"
        case ClassType():
            return f"models.{type_.name} | {type_.name}Param"
        case UnionType():
            return " | ".join(map(accepted, type_.members))
        case AnyType():
            return "object"


def check(type_: Type) -> str:
    """Return the expression that makes the check of an argument."""
    match type_:
        case LeafType():
            return constructor(type_.check)
        case ArrayType():
            return call("check.Array", {"items": check(type_.items), **reprs(type_.bounds)})
        case MapType():
            return call("check.Map", {"values": check(type_.values), **reprs(type_.bounds)})
        case ClassType():
            return f"check.Ref(target=lambda: checks.{type_.name})"
        case UnionType():
            return _union_check(type_)
        case AnyType():
            return "check.ANYTHING"


def _union_check(type_: UnionType) -> str:
    tagged = set(type_.tagged.values())
    checks = [check(member) for member in type_.members if member not in tagged]
    if type_.tag is not None:
        options = ", ".join(f"{tag!r}: {check(each)}" for tag, each in type_.tagged.items())
        checks.insert(
            0, call("check.Tagged", {"tag": repr(type_.tag), "options": f"{{{options}}}"})
        )
    return checks[0] if len(checks) == 1 else f"check.Union(options=({', '.join(checks)},))"


def as_text(type_: Type) -> dict[str, str | None]:
    """Return the arguments of a `CallOption` that describe a type's values as text."""
    members = type_.members if isinstance(type_, UnionType) else (type_,)
    lists = [each for each in members if isinstance(each, ArrayType)]
    kinds: dict[str, None] = {}
    values: list[str] = []
    for member in [each for each in members if each not in lists] or [each.items for each in lists]:
        if isinstance(member, LeafType):
            kinds[_KINDS.get(type(member.check), "text")] = None
            if isinstance(member.check, Enum):
                values += [str(each) for each in member.check.values]
        else:
            kinds["json"] = None
    return {
        "kinds": repr(tuple(kinds)),
        "values": repr(tuple(values)) if values else None,
        "is_list": "True" if lists else None,
    }


def constructor(value: Check) -> str:
    """Return the expression that makes a check, without arguments that are the default."""
    cls: Any = type(value)
    given = {
        each.name: getattr(value, each.name)
        for each in attrs.fields(cls)
        if getattr(value, each.name) != each.default
    }
    return call(f"check.{cls.__name__}", reprs(given))


def reprs(values: Mapping[str, object]) -> dict[str, str]:
    """Return values as expressions."""
    return {name: repr(value) for name, value in values.items()}


def call(name: str, arguments: Mapping[str, str | None]) -> str:
    """Return a call with keyword arguments, without those that are None."""
    given = ", ".join(f"{key}={value}" for key, value in arguments.items() if value is not None)
    return f"{name}({given})"
