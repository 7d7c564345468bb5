"""Accumulates the chunks of a stream into a completion.

Uses the attributes of the spec's chunks (`choices`, each with an `index`, a
`delta` and a `finish_reason`) and builds the classes that the operation names. Fields of
the same name are merged; the metadata of a piece's field says how (see `fields`):

    concatenate, text      joined
    concatenate, a list    pieces of tool calls (see `tool_calls`)
    repeats                joined, unless it repeats what was sent
    an object              merged field by field
    a free-form object     merged, also inside, its lists joined
    anything else          the last value counts

Runs when the completion is asked for, not per chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

import attrs

from .codec import is_array, is_object
from .fields import class_in, own_reader
from .operation import Accumulator
from .tool_calls import calls, joined_name

ResultT = TypeVar("ResultT")


def accumulate(
    accumulator: Accumulator[ResultT],
    chunks: Sequence[Any],
    unfinished: Collection[int] = (),
) -> ResultT:
    """Return the completion that these chunks make so far.

    Args:
        accumulator: the classes to build.
        chunks: the chunks, in order.
        unfinished: the indexes of choices that have not ended, despite a finish reason.
    """
    pieces: dict[int, list[Any]] = {}
    for chunk in chunks:
        for piece in chunk.choices:
            pieces.setdefault(piece.index, []).append(piece)
    outer = next((chunk.finish_reason for chunk in chunks if chunk.finish_reason), None)
    if outer is not None:
        pieces.setdefault(0, [])
    choices: list[Any] = []
    for index in sorted(pieces):
        deltas = [piece.delta for piece in pieces[index]]
        values = _values(accumulator.choice, pieces[index], {"message", "index"})
        if outer is not None and index == 0 and not values.get("finish_reason"):
            values["finish_reason"] = outer
        if index in unfinished:
            values.pop("finish_reason", None)
        message = _merged(accumulator.message, deltas)
        choices.append(accumulator.choice(**values, index=index, message=message))
    carried = _values(accumulator.result, chunks, {"choices", *accumulator.fixed})
    build = cast("Callable[..., ResultT]", accumulator.result)
    return build(**carried, choices=tuple(choices))


def _merged(cls: type, pieces: Sequence[Any]) -> Any:
    """Merge pieces with the same field names into an object of `cls`."""
    return cls(**_values(cls, pieces, ()))


def _values(cls: type, pieces: Sequence[Any], without: Collection[str]) -> dict[str, Any]:
    """Return the merged value of each field of `cls` that the pieces have."""
    if not pieces:
        return {}
    values: dict[str, Any] = {}
    attributes = _attributes(pieces[0].__class__)
    for name, default, held in _targets(cls):
        attribute = attributes.get(name)
        if attribute is None or name in without:
            continue
        is_joined = "concatenate" in attribute.metadata
        said = [
            value
            for value in map(own_reader(attribute), pieces)
            # An engine may send "" after an earlier value.
            if value is not None and value != default and (is_joined or value != "")
        ]
        if said and "repeats" in attribute.metadata:
            values[name] = joined_name(said)
        elif said:
            values[name] = _combined(said, held, is_joined=is_joined)
    return values


def _combined(said: list[Any], held: type | None, *, is_joined: bool) -> Any:
    kind: object = said[-1].__class__
    if is_joined and kind is str:
        return "".join(said)
    if is_joined and kind is tuple and held is not None:
        return tuple(_merged(held, pieces) for pieces in calls(said))
    if held is not None:
        return _merged(held, said)
    return merged_mappings(said) if kind is dict else said[-1]


def merged_mappings(mappings: Sequence[Any]) -> Any:
    """Merge pieces of free-form objects, such as log probabilities; lists are joined."""
    result: dict[str, Any] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            before: object = result.get(name)
            if is_array(before) and is_array(value):
                result[name] = [*before, *value]
            elif is_object(before) and is_object(value):
                result[name] = merged_mappings((before, value))
            elif value is not None or name not in result:
                result[name] = value
    return result


@cache
def _targets(cls: Any) -> tuple[tuple[str, object, type | None], ...]:
    """Return each field's name, default and contained attrs class, if any."""
    hints = get_type_hints(cls)
    return tuple(
        (attribute.name, attribute.default, class_in(hints[attribute.name]))
        for attribute in attrs.fields(cls)
    )


@cache
def _attributes(cls: Any) -> dict[str, attrs.Attribute[Any]]:
    return attrs.fields_dict(cls)


def text_of(chunk: Any) -> str:
    """Return the text that a chunk adds to the first choice, or empty."""
    text: str = chunk.text
    return text
