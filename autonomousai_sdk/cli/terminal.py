"""What a person sees: progress on stderr, and text that cannot command the terminal."""

from __future__ import annotations

import re
import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

# Control characters but tab and line feed: a model's text is not to move the cursor, set
# the title or paste for the person who reads it (ECMA-48, C0 and C1).
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CLEAR = "\r\x1b[2K"


def printable(text: str, *, err: bool = False) -> str:
    """Text as it may be written: without control characters if a terminal would obey them."""
    stream = sys.stderr if err else sys.stdout
    return _CONTROLS.sub("", text) if stream.isatty() else text


class Progress:
    """Says on stderr what is being done: in one line that changes, or a line each in a log."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown = False

    def say(self, text: str) -> None:
        """Show what is being done now."""
        if self._live:
            sys.stderr.write(f"{_CLEAR}{text} …")
            self._shown = True
        else:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def done(self) -> None:
        """Take the line away again."""
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.done()
