"""Splits the bytes of a JSON Lines file into numbered lines.

Knows nothing of files and of what a line means.
"""

from __future__ import annotations

from attrs import define, field, frozen

MAX_LINE_BYTES = 64 * 2**20
"""The longest line that is kept, in bytes."""


@frozen
class Line:
    """A line of the input.

    Attributes:
        number: from 1.
        data: the line without its end, or None if it is longer than the limit.
        size: the length in bytes, with its end.
    """

    number: int
    data: bytes | None = field(repr=False)
    size: int


@define
class LineSplitter:
    """Splits bytes at line feeds, whatever the pieces they arrive in.

    Attributes:
        max_bytes: the longest line that is kept.
    """

    max_bytes: int = MAX_LINE_BYTES
    _number: int = field(init=False, default=0)
    _pieces: list[bytes] = field(init=False, factory=list[bytes])
    _size: int = field(init=False, default=0)

    def feed(self, data: bytes) -> list[Line]:
        """Return the lines that these bytes complete."""
        *ends, rest = data.split(b"\n")
        lines = [self._ended(end, 1) for end in ends]
        self._keep(rest)
        return lines

    def close(self) -> list[Line]:
        """Return the last line if it has no line feed."""
        return [self._ended(b"", 0)] if self._size else []

    def _keep(self, piece: bytes) -> None:
        if not piece:
            return
        self._size += len(piece)
        if self._size > self.max_bytes:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    def _ended(self, end: bytes, feeds: int) -> Line:
        self._keep(end)
        self._number += 1
        size = self._size
        data = None if size > self.max_bytes else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return Line(self._number, data, size + feeds)
