"""Read the spec: YAML, references, and errors with the place.

YAML is read as version 1.2, which OpenAPI asks for: `no` and `on` are strings there, and so is a
date. A key that occurs twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from attrs import frozen

BESIDE_REFERENCE = ("$ref", "summary", "description", "default", "x-python", "x-concatenate")
"""The members that an object with a `$ref` may have; the reference replaces any others."""


class SpecError(Exception):
    """Something in the spec is wrong, or the generator does not support it."""


@frozen
class Node:
    """A value in the spec, with the JSON pointer (RFC 6901) to it."""

    root: Any
    value: Any
    pointer: str = "#"

    def error(self, message: str) -> SpecError:
        """Return an error about this place."""
        return SpecError(f"{self.pointer}: {message}")

    def get(self, name: str, default: object = None) -> Any:
        """Return a member's plain value, or the default."""
        return self.mapping().get(name, default)

    def text(self) -> str:
        """Return the value, which must be a string.

        Raises:
            SpecError: it is not.
        """
        if not isinstance(self.value, str):
            raise self.error(f"a string belongs here, not {self.value!r}")
        return self.value

    def string(self, name: str) -> str:
        """Return a member's value, which must be a string.

        Raises:
            SpecError: it is missing or not a string.
        """
        return self.member(name).text()

    def flag(self, name: str) -> bool:
        """Return a member's value, which must be true or false; false if it is missing.

        Raises:
            SpecError: it is something else.
        """
        value = self.get(name, default=False)
        if not isinstance(value, bool):
            raise self.member(name).error(f"true or false belongs here, not {value!r}")
        return value

    def values(self, name: str) -> list[Any]:
        """Return a member's value, which must be a list.

        Raises:
            SpecError: it is missing or not a list.
        """
        member = self.member(name)
        values: list[Any] = member.value
        if not isinstance(values, list):
            raise member.error(f"a list belongs here, not {member.value!r}")
        return values

    def strings(self, name: str) -> list[str]:
        """Return the strings of a member that is a list; an empty list if it is missing.

        Raises:
            SpecError: it is something else.
        """
        return [item.text() for item in self.items(name)]

    def at(self, name: str) -> Node:
        """Return a member, with references followed.

        Raises:
            SpecError: it is missing.
        """
        return self.member(name).resolved()

    def has(self, name: str) -> bool:
        """Return whether the object has a member."""
        return name in self.mapping()

    def members(self, name: str) -> dict[str, Node]:
        """The members of a member, references not followed; none if it is missing."""
        if not self.has(name):
            return {}
        member = self.member(name)
        return {key: member.member(key) for key in member.mapping()}

    def items(self, name: str) -> list[Node]:
        """The items of a member that is a list, references not followed; none if missing."""
        if not self.has(name):
            return []
        member = self.member(name)
        return [member.item(position) for position in range(len(self.values(name)))]

    @property
    def is_list(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.value, list)

    def item(self, position: int) -> Node:
        """An item of a list."""
        return Node(self.root, self.value[position], f"{self.pointer}/{position}")

    @property
    def reference(self) -> str | None:
        """The pointer this is a reference to, or None."""
        if not isinstance(self.value, Mapping) or not self.has("$ref"):
            return None
        return self.string("$ref")

    def resolved(self) -> Node:
        """Return the node itself, or the target of its reference.

        Raises:
            SpecError: the reference leads nowhere, or to itself.
        """
        node = self
        seen: set[str] = set()
        while (reference := node.reference) is not None:
            node.only(*BESIDE_REFERENCE)
            if reference in seen:
                raise node.error(f"{reference!r} leads to itself")
            seen.add(reference)
            node = node.target(reference)
        return node

    def target(self, pointer: str) -> Node:
        """Return the node at a pointer within the spec.

        Raises:
            SpecError: it leads nowhere.
        """
        if not pointer.startswith("#/"):
            raise self.error(f"{pointer!r} does not point into this document")
        node = Node(self.root, self.root)
        for part in unquote(pointer[2:]).split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if node.is_list and name.isdecimal() and int(name) < len(node.value):
                node = node.item(int(name))
            elif isinstance(node.value, Mapping) and node.has(name):
                node = node.member(name)
            else:
                raise self.error(f"{pointer!r} leads nowhere")
        return node

    def mapping(self) -> Mapping[str, Any]:
        """Return the value, which must be an object.

        Raises:
            SpecError: it is not.
        """
        value: Mapping[str, Any] = self.value
        if not isinstance(value, Mapping):
            raise self.error(f"an object belongs here, not {value!r}")
        return value

    def only(self, *known: str) -> None:
        """Check that the object has only known members.

        Raises:
            SpecError: it has another one.
        """
        for name in self.mapping():
            if name not in known:
                raise self.error(
                    f"the generator does not know {name!r} here, only {', '.join(known)}: leave "
                    "it out, or teach the generator"
                )

    def member(self, name: str) -> Node:
        """Return a member, with references not followed.

        Raises:
            SpecError: it is missing.
        """
        if not self.has(name):
            raise self.error(f"{name!r} is missing")
        pointer = f"{self.pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        return Node(self.root, self.mapping()[name], pointer)


class _Loader(yaml.SafeLoader):
    """YAML 1.2 (core schema), whose keys are strings that occur once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # PyYAML's signature
        for key, _ in node.value:
            # A key such as 200 is a string in JSON, whatever YAML takes it for.
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.YAMLError(f"{key.start_mark}: a key is a string")
            key.tag = "tag:yaml.org,2002:str"
        names = [key.value for key, _ in node.value]
        for position, name in enumerate(names):
            if name in names[:position]:
                mark = node.value[position][0].start_mark
                raise yaml.YAMLError(f"the key {name!r} occurs twice{mark}")
        return super().construct_mapping(node, deep)


_RESOLVERS: tuple[tuple[str, str, str], ...] = (
    ("null", r"null|Null|NULL|~|", "nN~"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
)
_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in _RESOLVERS:
    for _character in (*_first, *([""] if _name == "null" else [])):
        _Loader.yaml_implicit_resolvers.setdefault(_character, []).append(
            (f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"))
        )


def load(path: Path) -> Node:
    """Read the spec in a YAML file.

    Raises:
        SpecError: the file cannot be read, or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root: Any = yaml.load(text, Loader=_Loader)  # noqa: S506  # a kind of SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise SpecError(f"{path.name} cannot be read as YAML: {error}") from error
    return Node(root, root)
