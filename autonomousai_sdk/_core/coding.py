"""Content codings: decompresses a response's body in bounded pieces.

HTTP libraries inflate each piece they read at once, so a small bomb becomes a huge object before
it can be checked. This module inflates a limited number of bytes at a time. It supports gzip and
deflate, the only codings that the SDK requests (RFC 9110, section 8.4.1).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

INFLATE_SIZE = 256 * 1024
"""The number of bytes inflated at a time."""

ACCEPTED = "gzip, deflate"
"""The value of `accept-encoding`: the codings that this module supports."""

_GZIP = zlib.MAX_WBITS | 16
_RAW = -zlib.MAX_WBITS


class CodingError(Exception):
    """The bytes do not match their content coding, or the coding was not requested."""


class Inflater:
    """Decompresses one content coding in bounded pieces."""

    __slots__ = ("_head", "_inflate", "_started", "_wbits")

    def __init__(self, coding: str) -> None:
        self._wbits = _GZIP if coding in ("gzip", "x-gzip") else zlib.MAX_WBITS
        self._inflate = zlib.decompressobj(self._wbits)
        self._started = False
        self._head = b""  # a first byte, kept until the second byte tells the format

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decompressed bytes in pieces of at most `INFLATE_SIZE`."""
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
                        f"the body does not match its content-encoding: {error}"
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
            # After a full piece, zlib may hold output without remaining input.
            more = bool(data) or len(piece) == INFLATE_SIZE
            if self._inflate.eof:
                data = self._inflate.unused_data
                more = bool(data)
                if more:  # another member (RFC 1952, section 2.2)
                    self._inflate = zlib.decompressobj(self._wbits)

    @property
    def complete(self) -> bool:
        """Whether the end of the coding was reached, or nothing was fed."""
        return self._inflate.eof or not (self._started or self._head)

    def _begun(self, head: bytes) -> bytes:
        """Return the bytes to inflate, once the first two bytes tell the format.

        "deflate" is zlib's format by RFC 9110, section 8.4.1.2; some servers send raw deflate.
        zlib's two header bytes are a multiple of 31 and name deflate with a window of at most
        32 KiB (RFC 1950, section 2.2).
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
    """Return the decompressor for a `content-encoding` value, or None if there is no coding.

    Raises:
        CodingError: several stacked codings, or one that was not requested.
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
            f"the body has the content coding {codings[0]!r}, which was not requested"
        )
    return Inflater(codings[0])
