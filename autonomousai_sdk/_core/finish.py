"""Which choices of a stream have ended: the rules are the table in `stream`."""

from __future__ import annotations

from functools import cache
from typing import Any

import attrs


@attrs.define
class Finish:
    """The choices that a stream has begun, and which of them have ended."""

    _choices: dict[int, _Choice] = attrs.field(init=False, factory=dict[int, "_Choice"])

    def take(self, chunk: Any) -> None:
        """Take the next chunk into account."""
        first_has_content = False
        for piece in chunk.choices:
            has_content = brings_content(piece.delta)
            if piece.index == 0:
                first_has_content = has_content
            self._choice(piece.index).take(piece.finish_reason, has_content=has_content)
        if chunk.finish_reason:
            # Beside the choices, where some engines put the first choice's reason.
            self._choice(0).take(chunk.finish_reason, has_content=first_has_content)

    @property
    def reached(self) -> bool:
        """Whether the answer is complete: at least one choice began, and each has ended."""
        return bool(self._choices) and not self.unfinished

    @property
    def settled(self) -> bool:
        """Whether only usage and the end marker can follow, as far as such streams go."""
        return self.has_content and all(each.settled for each in self._choices.values())

    @property
    def unfinished(self) -> tuple[int, ...]:
        """The indexes of the choices that have not ended."""
        return tuple(index for index, choice in self._choices.items() if not choice.ended)

    @property
    def has_content(self) -> bool:
        """Whether any choice has content."""
        return any(choice.has_content for choice in self._choices.values())

    def _choice(self, index: int) -> _Choice:
        return self._choices.setdefault(index, _Choice())


@attrs.define
class _Choice:
    """One choice, as far as it has come.

    Attributes:
        ended: whether it has ended.
        settled: whether it had one finish reason, in a chunk without content, so that no
            more is likely to follow.
    """

    ended: bool = False
    settled: bool = False
    has_content: bool = False
    _has_reason: bool = False
    _went_on: bool = False  # a reason was followed by content

    def take(self, reason: str | None, *, has_content: bool) -> None:
        self._went_on = self._went_on or (has_content and self._has_reason)
        if reason:
            self.settled = not (has_content or self._has_reason)
            self.ended = not (has_content and self._went_on)
            self._has_reason = True
        elif has_content:
            self.ended = self.settled = False
        self.has_content = self.has_content or has_content


def brings_content(delta: Any) -> bool:
    """Whether a delta holds a piece of the answer, and not a role alone."""
    return any(getattr(delta, name) for name in content_names(delta.__class__))


@cache
def content_names(cls: Any) -> tuple[str, ...]:
    """The fields of a delta's class that hold pieces of the answer."""
    return tuple(each.name for each in attrs.fields(cls) if "concatenate" in each.metadata)
