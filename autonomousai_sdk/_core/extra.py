"""The fields of a response that the spec does not have, for `.extra`.

A typed object keeps where it came from: the bytes of its document and the path to it. Only
`.extra` parses those bytes, so other code pays for one attribute. A result that was put together
from chunks keeps the bytes of all chunks.

The delta of a chunk that the fast path took keeps the bytes alone. Its choice and its chunk, which
contain it, find them there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

import attrs

from ..errors import APIResponseError
from .accumulator import merged_mappings
from .codec import (
    LINK,
    DecodeError,
    Path,
    Source,
    containers,
    is_array,
    is_object,
    is_other_part,
    objects_in,
    parse,
    wire_names,
)
from .tool_calls import calls

_DELTA: Path = (("choices",), 0, ("delta", "message"))
"""The path of a delta that has the bytes alone."""


class ExtraFields:
    """Adds `extra` to a class of responses."""

    __slots__ = ()

    @property
    def extra(self) -> dict[str, Any]:
        """The fields that the server sent and this class does not have, by their names.

        They are decoded on each access. Empty for an object that you made.

        Raises:
            APIResponseError: the fields cannot be decoded.

        Examples:
            >>> completion.usage.extra.get("cost")
        """
        found = _origin(self)
        if found is None:
            return {}
        source, path = found
        value = _at(_document(source), path)
        if not is_object(value):
            return {}
        cls: Any = type(self)
        known = _known(cls)
        extra = {name: each for name, each in value.items() if name not in known}
        return extra | _other_parts(cls, value)


def _origin(value: object) -> tuple[Source, Path] | None:
    """Where an object came from, by its own link or that of an object in it."""
    found: Any = value.__dict__.get(LINK)
    if found is not None:
        return (found, _DELTA) if isinstance(found, bytes) else found
    for child, step in _children(value):
        inner = _origin(child)
        if inner is not None:
            return inner[0], inner[1][: -len(step)]
    return None


def _children(value: object) -> Iterator[tuple[object, Path]]:
    """The typed objects that a typed object contains, each with the way to it."""
    # Defaults are shared by all instances, and are not in `__dict__`.
    own: dict[str, object] = value.__dict__
    for name, names in containers(cast("Any", type(value))).items():
        held: object = own.get(name)
        if isinstance(held, tuple):
            for position, each in enumerate(cast("tuple[object, ...]", held)):
                yield each, (names, position)
        elif held is not None:
            yield held, (names,)


@cache
def _known(cls: Any) -> frozenset[str]:
    return frozenset(name for each in attrs.fields(cls) for name in wire_names(each))


def _other_parts(cls: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a field's value that are not text, such as images, by the field's name."""
    found: dict[str, Any] = {}
    for attribute in attrs.fields(cls):
        fields = attribute.metadata.get("parts")
        parts: object = value.get(attribute.name)
        if fields is not None and (is_object(parts) or is_array(parts)):
            others = [
                each
                for each in (parts if is_array(parts) else [parts])
                if is_other_part(each, fields)
            ]
            if others:
                found[attribute.name] = others
    return found


def _at(value: object, path: Path) -> object:
    for step in path:
        if isinstance(step, int):
            items = [each for each in objects_in(value) if each is not None]
            value = items[step] if step < len(items) else None
        elif is_object(value):
            here = value
            value = next((here[name] for name in step if here.get(name)), None)
    return value


def _document(source: Source) -> object:
    payloads = (source,) if isinstance(source, bytes) else source
    try:
        documents = [parse(payload) for payload in payloads]
    except DecodeError as error:
        raise APIResponseError(f"The extra fields cannot be decoded: {error}.") from error
    return documents[0] if isinstance(source, bytes) else _put_together(documents)


def _put_together(chunks: Sequence[object]) -> Mapping[str, Any]:
    """The document that chunks make, as the accumulator puts the typed ones together."""
    roots = [chunk for chunk in chunks if is_object(chunk)]
    choices: dict[object, list[Mapping[str, Any]]] = {}
    for root in roots:
        for choice in filter(is_object, objects_in(root.get("choices"))):
            choices.setdefault(choice.get("index") or 0, []).append(choice)
    if any(root.get("finish_reason") for root in roots):
        choices.setdefault(0, [])
    ordered = sorted(choices.items(), key=lambda item: str(item[0]).zfill(9))
    return {
        **merged_mappings(roots),
        "choices": [
            {**merged_mappings(pieces), "message": _message(pieces)} for _, pieces in ordered
        ],
    }


def _message(pieces: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    deltas = [
        delta for piece in pieces if is_object(delta := piece.get("delta") or piece.get("message"))
    ]
    called = [
        [_Call(each) for each in objects_in(delta.get("tool_calls")) if is_object(each)]
        for delta in deltas
    ]
    tool_calls: list[Mapping[str, Any]] = []
    for group in calls(called):
        call = merged_mappings([each.raw for each in group])
        call.pop("index", None)  # of the piece, not of the call
        call["function"] = merged_mappings(
            [each.function.raw for each in group if each.function is not None]
        )
        tool_calls.append(call)
    functions = [each for delta in deltas if is_object(each := delta.get("function_call"))]
    message = {**merged_mappings(deltas), "tool_calls": tool_calls}
    return {**message, "function_call": merged_mappings(functions)} if functions else message


class _Function:
    """The part of a function's piece that tells which call it belongs to."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.name = _text(raw.get("name"))
        self.arguments = _text(raw.get("arguments"))


class _Call:
    """The part of a tool call's piece that tells which call it belongs to."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        index: object = raw.get("index")
        self.index = index if isinstance(index, int) else None
        self.id = _text(raw.get("id"))
        function = raw.get("function")
        self.function = _Function(function) if is_object(function) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
