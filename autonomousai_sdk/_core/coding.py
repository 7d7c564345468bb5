"""Content codings: an answer's bytes as they were before compression, within a bound.

HTTP libraries inflate whatever piece they read in one go, so a small bomb becomes a
huge object before anyone can look at it. This inflates at most a set number of bytes
at a time. gzip and deflate only: they are all the SDK asks for (RFC 9110, section 8.4.1).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

INFLATE_SIZE = 256 * 1024
"""Bytes inflated at a time."""

ACCEPTED = "gzip, deflate"
"""The value of `accept-encoding` that goes with this module."""

_GZIP = zlib.MAX_WBITS | 16
_RAW = -zlib.MAX_WBITS


class CodingError(Exception):
    """Bytes that are not what their content coding says, or a coding nobody asked for."""


class Inflater:
    """One content coding being undone, a bounded piece at a time."""

    __slots__ = ("_head", "_inflate", "_started", "_wbits")

    def __init__(self, coding: str) -> None:
        self._wbits = _GZIP if coding in ("gzip", "x-gzip") else zlib.MAX_WBITS
        self._inflate = zlib.decompressobj(self._wbits)
        self._started = False
        self._head = b""  # a first byte, held until the second tells what the two are

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that `data` brings, in pieces of at most `STEP`."""
        if not self._started:
            data = self._begun(self._head + data)
        more = bool(data)
        while more:
            before = self._inflate.copy()
            try:
                piece = self._inflate.decompress(data, INFLATE_SIZE)
            except zlib.error as error:
                if len(data) < 2:
                    raise CodingError(
                        f"the body is not what its content-encoding says: {error}"
                    ) from error
                # zlib keeps to itself what the bytes before the fault held. They are read again
                # by halves, so that what is given out does not depend on where reads were cut.
                self._inflate = before
                half = len(data) // 2
                yield from self.feed(data[:half])
                data = data[half:]
                continue
            if piece:
                yield piece
            data = self._inflate.unconsumed_tail
            # A full piece may leave output behind in zlib with no input left over.
            more = bool(data) or len(piece) == INFLATE_SIZE
            if self._inflate.eof:
                data = self._inflate.unused_data
                more = bool(data)
                if more:  # another member (RFC 1952, section 2.2)
                    self._inflate = zlib.decompressobj(self._wbits)

    @property
    def complete(self) -> bool:
        """Whether the coding's own end has been seen (or nothing at all has come)."""
        return self._inflate.eof or not (self._started or self._head)

    def _begun(self, head: bytes) -> bytes:
        """What there is to inflate, once the first two bytes are there to tell the format.

        "deflate" is zlib's format by RFC 9110, section 8.4.1.2, and raw deflate by the habit
        of some servers. zlib's two bytes are a multiple of 31, and say deflate with a window of
        at most 32 KiB (RFC 1950, section 2.2).
        """
        if len(head) < 2:
            self._head = head
            return b""
        self._started = True
        is_zlib = head[0] & 0x8F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
        if self._wbits == zlib.MAX_WBITS and not is_zlib:
            self._wbits = _RAW
            self._inflate = zlib.decompressobj(_RAW)
        return head


def inflater(content_encoding: str) -> Inflater | None:
    """What undoes a `content-encoding` header's value; None when there is nothing to undo.

    Raises:
        CodingError: several codings on top of each other, or one that was not asked for.
    """
    codings = [
        coding
        for part in content_encoding.lower().split(",")
        if (coding := part.strip()) not in ("", "identity")
    ]
    if not codings:
        return None
    if len(codings) > 1:
        raise CodingError(f"the body has {len(codings)} content codings on top of each other")
    if codings[0] not in ("gzip", "x-gzip", "deflate"):
        raise CodingError(
            f"the body has the content coding {codings[0]!r}, which was not asked for"
        )
    return Inflater(codings[0])
