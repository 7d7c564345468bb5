"""Chunks put together: from the pieces of a stream to the answer they make.

Works on the attributes the spec's chunks have (`choices`, each with `index`, `delta` and
`finish_reason`) and builds the classes the operation names; which fields are joined
and which carried over comes from the spec. Runs when the answer is asked for, not per
chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from .operation import Accumulator

ResultT = TypeVar("ResultT")


def accumulate(accumulator: Accumulator[ResultT], chunks: Sequence[Any]) -> ResultT:
    """The whole answer that these chunks make, as far as they go."""
    choices: dict[int, _Choice] = {}
    for chunk in chunks:
        for piece in chunk.choices:
            choice = choices.get(piece.index)
            if choice is None:
                choice = choices[piece.index] = _Choice(accumulator.concatenated)
            choice.pieces.append(piece)
            delta = piece.delta
            for name, parts in choice.texts.items():
                text = getattr(delta, name)
                if text is not None:
                    parts.append(text)
    reason = _outer_reason(chunks)
    if reason is not None and not choices:
        choices[0] = _Choice(accumulator.concatenated)
    built = tuple(
        choices[index].built(accumulator, index, reason if index == 0 else None)
        for index in sorted(choices)
    )
    carried = _last_values(accumulator.result, chunks, {"choices", *accumulator.fixed})
    build = cast("Callable[..., ResultT]", accumulator.result)
    return build(**carried, choices=built)


@attrs.define
class Finish:
    """Which choices a stream has begun, and which of them have their finish reason."""

    _started: set[int] = attrs.field(init=False, factory=set[int])
    _finished: set[int] = attrs.field(init=False, factory=set[int])

    def take(self, chunk: Any) -> None:
        """Take the next chunk into account."""
        for piece in chunk.choices:
            self._started.add(piece.index)
            if piece.finish_reason:
                self._finished.add(piece.index)
        if chunk.finish_reason:
            self._finished.add(0)

    @property
    def reached(self) -> bool:
        """Whether there is a finish reason, and every choice that began has one."""
        return bool(self._finished) and self._started <= self._finished


def text_of(chunk: Any) -> str:
    """The text a chunk adds to the first choice; empty when it adds none."""
    for piece in chunk.choices:
        if piece.index == 0:
            content: str | None = piece.delta.content
            return content or ""
    return ""


@attrs.define(init=False)
class _Choice:
    pieces: list[Any]
    texts: dict[str, list[str]]

    def __init__(self, concatenated: Iterable[str]) -> None:
        self.pieces = []
        self.texts = {name: [] for name in concatenated}

    def built(self, accumulator: Accumulator[Any], index: int, reason: str | None) -> Any:
        deltas = [piece.delta for piece in self.pieces]
        texts = {name: "".join(parts) for name, parts in self.texts.items() if parts}
        message = accumulator.message(
            **_last_values(accumulator.message, deltas, set(self.texts)), **texts
        )
        values = _last_values(accumulator.choice, self.pieces, {"message", "index"})
        if reason is not None and not values.get("finish_reason"):
            values["finish_reason"] = reason
        return accumulator.choice(**values, index=index, message=message)


def _last_values(cls: type, sources: Sequence[Any], without: set[str]) -> dict[str, Any]:
    """For each field of `cls`, what the sources said last; mappings are merged."""
    values: dict[str, Any] = {}
    for attribute in attrs.fields(cls):
        name = attribute.name
        if name in without:
            continue
        said = [
            value
            for source in sources
            if (value := getattr(source, name, None)) is not None and value != attribute.default
        ]
        if said:
            values[name] = _merged(said) if isinstance(said[-1], Mapping) else said[-1]
    return values


def _merged(mappings: Sequence[Any]) -> Any:
    """Free-form objects that came in pieces, such as log probabilities: lists are joined."""
    result: dict[str, Any] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            before = result.get(name)
            if isinstance(before, list) and isinstance(value, list):
                result[name] = [*before, *value]
            elif value is not None or name not in result:
                result[name] = value
    return result


def _outer_reason(chunks: Sequence[Any]) -> str | None:
    """A finish reason beside the choices, where the original client looked for it too."""
    return next((chunk.finish_reason for chunk in chunks if chunk.finish_reason), None)
