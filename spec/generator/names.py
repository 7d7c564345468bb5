"""Check the names of the generated code: identifiers that shadow nothing it uses."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from pathlib import Path
from typing import Any

from .load import Node

PACKAGE = Path(__file__).parents[2] / "autonomousai_sdk"

BUILTINS = frozenset({"bool", "bytes", "dict", "float", "int", "object", "str", "tuple", "type"})
"""Builtins in annotations. A class attribute of that name would shadow them."""

FIELDS = BUILTINS - {"object", "type"} | {
    "dt",
    "field",
    "frozen",
    "self",
    "class_defaults",
    "complete_hints",
}
"""Names that a field must not have."""

ARGUMENTS = frozenset({"self", "headers", "extra_body", "timeout", "max_retries"})
"""Names of arguments that every method has."""

METHODS = BUILTINS | {"dt", "models", "cached_property", "with_raw_response"}
"""Names that a method must not have."""

CLASSES = frozenset(
    {
        *("Any", "Literal", "Mapping", "NotRequired", "Sequence", "TypedDict"),
        *("ExtraFields", "Messages", "ModelName", *dir(builtins)),
    }
)
"""Names that a schema must not have."""

_STRINGS = (
    "name",
    "doc",
    "role",
    "mixin",
    "option",
    "defaultFrom",
    "listedBy",
    "instead",
    "fallback",
)
_FLAGS = ("keyword", "lenient", "passedOn", "skip")
_LISTS = ("nulls", "answers")
_MAPS = ("parts", "also")
"""The keys of x-python by the type of their values."""


def python_name(node: Node, wire: str, taken: frozenset[str], what: str) -> str:
    """Return the name of a field or argument: x-python.name, or else the wire's.

    Raises:
        SpecError: Python or the generated code uses the name for something else.
    """
    name = str(extensions(node).get("name", wire))
    check_name(node, name, taken, what, "give one by x-python.name")
    return name


def check_name(node: Node, name: object, taken: frozenset[str], what: str, way_out: str) -> None:
    """Check that the generated code can use a name."""
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][A-Za-z0-9_]*", name):
        raise node.error(
            f"{name!r} cannot name {what}: a name has letters, digits and underscores, the first "
            f"one a small letter; {way_out}"
        )
    if keyword.iskeyword(name):
        raise node.error(f"{name!r} cannot name {what}, since it is a keyword: {way_out}")
    if name in taken:
        raise node.error(f"{name!r} cannot name {what}, since it is taken: {way_out}")


def check_class_name(node: Node, name: str) -> None:
    """Check that a schema's name can be the name of a class."""
    if not re.fullmatch(r"[A-Z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        raise node.error(
            f"{name!r} cannot name a class: it starts with a capital letter, and has letters, "
            "digits and underscores; rename the schema"
        )
    if name in CLASSES:
        raise node.error(f"{name!r} cannot name a class, since it is taken: rename the schema")


def check_unique(node: Node, names: list[str], what: str) -> None:
    """Check that the names are different."""
    for name in names:
        if names.count(name) > 1:
            raise node.error(f"there are two {what} named {name!r}: x-python.name renames one")


def extensions(node: Node, *known: str) -> dict[str, Any]:
    """Return the x-python of a place.

    Args:
        node: the place.
        known: the allowed keys; without any, another call checks the keys.

    Raises:
        SpecError: there is another key.
    """
    if not node.has("x-python"):
        return {}
    member = node.member("x-python")
    if known:
        member.only(*known)
    for key in member.mapping():
        if key in _STRINGS:
            member.string(key)
        elif key in _FLAGS:
            member.flag(key)
        elif key in _LISTS:
            member.strings(key)
        elif key in _MAPS:
            for each in member.members(key).values():
                each.text()
    return dict(member.mapping())


def mixin(node: Node) -> str | None:
    """Return the class of the core that a class inherits from, as `module.Class`, or None.

    Raises:
        SpecError: the core has no such module.
    """
    name = extensions(node).get("mixin")
    if name is None:
        return None
    module, _, cls = str(name).partition(".")
    if not cls.isidentifier() or not (PACKAGE / "_core" / f"{module}.py").is_file():
        raise node.error(f"the mixin {name!r} is not a class of the core: give module.Class")
    return str(name)


def camel(name: str) -> str:
    """Return a name in CamelCase."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "".join(word[:1].upper() + word[1:] for word in words)


def client_attributes() -> frozenset[str]:
    """Return the names of the attributes that the clients define themselves."""
    names: set[str] = set()
    for module in ("_base_client", "_client"):
        tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name in ("BaseClient", "Client"):
                # A property may give a resource more methods than the generated ones.
                names |= {
                    each.name
                    for each in node.body
                    if isinstance(each, ast.FunctionDef) and not each.decorator_list
                }
    return frozenset(names | {"aclose", "with_options"})
