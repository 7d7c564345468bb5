"""Shortcuts on a whole answer, mixed into the class the generator writes for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class CompletionAccessors:
    """The first choice's text and finish reason, without the steps to it."""

    __slots__ = ()

    @property
    def _choices(self) -> Sequence[Any]:
        choices: Sequence[Any] = getattr(self, "choices")  # noqa: B009  # of the class mixed into
        return choices

    @property
    def text(self) -> str:
        """The text of the first choice; empty when there is none.

        Example:
            >>> client.chat.create("Why is the sky blue?").text
        """
        for choice in self._choices:
            if choice.index == 0:
                content: str | None = choice.message.content
                return content or ""
        return ""

    @property
    def finish_reason(self) -> str | None:
        """Why the first choice ended, such as `stop` or `length`; None when it did not say."""
        for choice in self._choices:
            if choice.index == 0:
                reason: str | None = choice.finish_reason
                return reason
        return None
