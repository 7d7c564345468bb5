"""Which pieces of a stream's tool calls belong to the same call.

Engines number their calls (`index`), name them (`id`), or do neither and send them in
order; some send one index for all, or repeat the id and the name in every piece.

    the piece has                          it belongs to
    an id seen before                      that call
    an index seen before                   the latest call with that index …
    neither                                the latest call …
    … but its id differs                   a new call
    … but its name differs                 a new call, unless it goes on with the name
    … but its name is sent again after     a new call
      the arguments are complete JSON
    anything else                          a new call

A name arrives whole, whole in every piece, or in pieces: the latter with the call's index and
before its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from .codec import DecodeError, parse


def calls(deltas: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """The pieces of each call, in order, from the tool calls of each delta."""
    found: list[_Call] = []
    for pieces in deltas:
        touched: list[_Call] = []
        for piece in pieces:
            call = _owner(found, piece, touched)
            if call is None:
                call = _Call()
                found.append(call)
            call.take(piece)
            touched.append(call)
    indexes = [call.index for call in found]
    if None not in indexes and len(set(indexes)) == len(indexes):
        found.sort(key=lambda call: call.index or 0)
    return [call.pieces for call in found]


@attrs.define(eq=False)
class _Call:
    """One call, as far as its pieces go."""

    index: int | None = None
    id: str = ""
    name: str = ""
    pieces: list[Any] = attrs.field(factory=list[Any])
    arguments: list[str] = attrs.field(factory=list[str])

    def take(self, piece: Any) -> None:
        self.pieces.append(piece)
        if self.index is None:
            self.index = piece.index
        self.id = self.id or piece.id or ""
        if piece.function is not None:
            self.name = joined_name((self.name, piece.function.name or ""))
            if piece.function.arguments:
                self.arguments.append(piece.function.arguments)

    @property
    def is_whole(self) -> bool:
        """Whether the arguments so far are complete JSON."""
        # Only what ends like an object is parsed, so that long arguments cost linear time.
        if not self.arguments or not self.arguments[-1].rstrip().endswith("}"):
            return False
        try:
            parse("".join(self.arguments).encode("utf-8", "surrogatepass"))
        except DecodeError:
            return False
        return True


def _owner(found: list[_Call], piece: Any, touched: list[_Call]) -> _Call | None:
    """The call that a piece belongs to, or None if it begins a new one."""
    if piece.id:
        for call in found:
            if call.id == piece.id and piece.index in (None, call.index):
                return call
    numbered = [call for call in found if piece.index in (None, call.index)]
    if not numbered:
        return None
    call = numbered[-1]
    name = piece.function.name if piece.function is not None else None
    if piece.id and (call.id or piece.index is None):
        return None
    if not name or not call.name:
        return call
    if call.is_whole or call in touched:
        return None
    goes_on = piece.index is not None and not call.arguments
    return call if name == call.name or goes_on else None


def joined_name(pieces: Iterable[str]) -> str:
    """Return a name that was sent whole, whole several times, or in pieces."""
    name = ""
    for piece in pieces:
        name = piece if piece.startswith(name) else name + piece
    return name
