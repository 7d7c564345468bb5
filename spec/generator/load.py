"""Reading the spec: YAML, references, and errors that say where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen


class SpecError(Exception):
    """Something in the spec that is wrong, or that the generator does not know."""


@frozen
class Node:
    """A value in the spec, with the JSON pointer (RFC 6901) to it."""

    root: Any
    value: Any
    pointer: str = "#"

    def error(self, message: str) -> SpecError:
        """An error about this place."""
        return SpecError(f"{self.pointer}: {message}")

    def get(self, name: str, default: object = None) -> Any:
        """A member's plain value, or the default."""
        return self.mapping().get(name, default)

    def text(self) -> str:
        """The value, which is a string.

        Raises:
            SpecError: it is not.
        """
        if not isinstance(self.value, str):
            raise self.error(f"a string belongs here, not {self.value!r}")
        return self.value

    def string(self, name: str) -> str:
        """A member's value, which is a string.

        Raises:
            SpecError: it is missing or not a string.
        """
        return self.member(name).text()

    def values(self, name: str) -> list[Any]:
        """A member's value, which is a list.

        Raises:
            SpecError: it is missing or not a list.
        """
        member = self.member(name)
        values: list[Any] = member.value
        if not isinstance(values, list):
            raise member.error(f"a list belongs here, not {member.value!r}")
        return values

    def at(self, name: str) -> Node:
        """A member, with references followed.

        Raises:
            SpecError: it is missing.
        """
        return self.member(name).resolved()

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
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
        values: list[Any] = member.value
        if not isinstance(values, list):
            raise member.error("a list belongs here")
        return [
            Node(self.root, value, f"{member.pointer}/{position}")
            for position, value in enumerate(values)
        ]

    @property
    def reference(self) -> str | None:
        """The pointer this is a reference to, or None."""
        target = self.mapping().get("$ref") if isinstance(self.value, Mapping) else None
        return None if target is None else str(target)

    def resolved(self) -> Node:
        """The node itself, or what it is a reference to."""
        if self.reference is None:
            return self
        return self.target(self.reference).resolved()

    def target(self, pointer: str) -> Node:
        """What a pointer within the spec leads to.

        Raises:
            SpecError: it leads nowhere.
        """
        if not pointer.startswith("#/"):
            raise self.error(f"{pointer!r} does not point into this document")
        node = Node(self.root, self.root)
        for part in pointer[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node.value, Mapping) or not node.has(name):
                raise self.error(f"{pointer!r} leads nowhere")
            node = node.member(name)
        return node

    def mapping(self) -> Mapping[str, Any]:
        """The value, which is an object.

        Raises:
            SpecError: it is not.
        """
        value: Mapping[str, Any] = self.value
        if not isinstance(value, Mapping):
            raise self.error(f"an object belongs here, not {value!r}")
        return value

    def only(self, *known: str) -> None:
        """Make sure that the generator knows every member there is.

        Raises:
            SpecError: it does not know one.
        """
        for name in self.mapping():
            if name not in known:
                raise self.error(f"the generator does not know {name!r}")

    def member(self, name: str) -> Node:
        """A member as it stands, references not followed.

        Raises:
            SpecError: it is missing.
        """
        if not self.has(name):
            raise self.error(f"{name!r} is missing")
        pointer = f"{self.pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        return Node(self.root, self.mapping()[name], pointer)


def load(path: Path) -> Node:
    """The spec in a YAML file.

    Raises:
        SpecError: it is no YAML.
    """
    try:
        root = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SpecError(f"{path.name}: {error}") from error
    return Node(root, root)
