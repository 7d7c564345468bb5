"""Content codings, undone within a bound."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterable

import pytest

from autonomousai_sdk._core.coding import ACCEPTED, INFLATE_SIZE, CodingError, Inflater, inflater
from tests.support.sample_operation import cuts, single_bytes

TEXT = "The sky is blue. Das Meer ist grün. ".encode() * 40


def raw(data: bytes) -> bytes:
    """Deflate without zlib's header, as some servers send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


BODIES = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip": ("x-gzip", gzip.compress(TEXT)),
    "two members": ("gzip", gzip.compress(TEXT[:700]) + gzip.compress(TEXT[700:])),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "raw deflate": ("deflate", raw(TEXT)),
    "stored raw deflate": ("deflate", zlib.compress(TEXT, 0)[2:-4]),
    # Its first block is stored, and the five bits before the length, which mean nothing, are set.
    "raw deflate like zlib's": ("deflate", b"\xf8\0\1\xff\xfe" + TEXT[:256] + raw(TEXT[256:])),
}


def inflated(coding: str, pieces: Iterable[bytes]) -> bytes:
    """What the pieces make, and a check that the end was seen."""
    inflate = Inflater(coding)
    plain = b"".join(part for piece in pieces for part in inflate.feed(piece))
    assert inflate.complete
    return plain


@pytest.mark.parametrize(("coding", "body"), BODIES.values(), ids=BODIES)
def test_a_body_is_the_same_however_it_is_cut(coding: str, body: bytes) -> None:
    """Whole, byte by byte, and cut in two at every point."""
    assert inflated(coding, [body]) == TEXT
    assert inflated(coding, single_bytes(body)) == TEXT
    for two in cuts(body):
        assert inflated(coding, two) == TEXT


@pytest.mark.parametrize(
    "size", [0, 1, INFLATE_SIZE - 1, INFLATE_SIZE, INFLATE_SIZE + 1, 3 * INFLATE_SIZE]
)
def test_a_bomb_comes_in_bounded_pieces(size: int) -> None:
    """However much a small body holds, no piece of it is larger than a step, and none is lost."""
    inflate = Inflater("gzip")
    pieces = list(inflate.feed(gzip.compress(bytes(size))))
    assert all(0 < len(piece) <= INFLATE_SIZE for piece in pieces)
    assert sum(map(len, pieces)) == size
    assert inflate.complete


def test_a_bomb_is_inflated_no_further_than_it_is_read() -> None:
    """Who stops after the first piece has paid for one piece only."""
    pieces = Inflater("gzip").feed(gzip.compress(bytes(100 * INFLATE_SIZE)))
    assert len(next(pieces)) == INFLATE_SIZE
    pieces_left = sum(1 for _ in pieces)
    assert pieces_left >= 99


@pytest.mark.parametrize(("coding", "body"), BODIES.values(), ids=BODIES)
def test_a_cut_body_is_not_complete(coding: str, body: bytes) -> None:
    """A body that stops anywhere before its end says so, after one byte as well."""
    for cut in {1, 2, 3, len(body) // 3, len(body) - 1}:
        inflate = Inflater(coding)
        for piece in (body[:cut], b""):
            list(inflate.feed(piece))
        assert not inflate.complete


def test_no_body_at_all_is_complete() -> None:
    """An answer without a body may name a coding all the same."""
    inflate = Inflater("gzip")
    assert list(inflate.feed(b"")) == []
    assert inflate.complete


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_bytes_that_are_not_the_coding_are_an_error(coding: str) -> None:
    """Plain text, and a body that is garbled in the middle."""
    with pytest.raises(CodingError, match="not match its content-encoding"):
        list(Inflater(coding).feed(TEXT))
    body = bytearray(BODIES[coding][1])
    body[20:40] = random.Random(1).randbytes(20)
    with pytest.raises(CodingError, match="not match its content-encoding") as caught:
        inflated(coding, [bytes(body[:15]), bytes(body[15:])])
    assert isinstance(caught.value.__cause__, zlib.error)


BROKEN = {
    "wrong sum": BODIES["gzip"][1][:-8] + bytes(8),
    "garbage at the end": BODIES["gzip"][1] + b"garbage",
    "garbage inside": gzip.compress(random.Random(1).randbytes(900))[:-100] + b"\xff" * 200,
    "a long run before it": gzip.compress(bytes(INFLATE_SIZE + 1000))[:-8] + bytes(8),
    "a whole step before it": gzip.compress(bytes(INFLATE_SIZE))[:-8] + bytes(8),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_comes_before_a_fault_comes_in_any_case(body: bytes) -> None:
    """However a body is cut, the error is told after the same bytes, in bounded pieces."""

    def before_the_fault(pieces: Iterable[bytes]) -> bytes:
        inflate = Inflater("gzip")
        parts: list[bytes] = []

        def read() -> None:
            for piece in pieces:
                for part in inflate.feed(piece):
                    parts.append(part)

        with pytest.raises(CodingError, match="not match its content-encoding"):
            read()
        assert all(0 < len(part) <= INFLATE_SIZE for part in parts)
        return b"".join(parts)

    owed = before_the_fault(single_bytes(body))
    assert len(owed) > 700
    assert before_the_fault([body]) == owed
    assert before_the_fault([body[:50], body[50:]]) == owed


@pytest.mark.parametrize("value", ["", "identity", " Identity , ,identity"])
def test_nothing_to_undo(value: str) -> None:
    """No coding, and the one that changes nothing."""
    assert inflater(value) is None


@pytest.mark.parametrize("value", ["gzip", " GZIP ", "identity, gzip", "x-gzip"])
def test_a_header_names_the_coding(value: str) -> None:
    """In any case, with spaces, and beside codings that change nothing."""
    inflate = inflater(value)
    assert inflate is not None
    assert b"".join(inflate.feed(gzip.compress(b"x"))) == b"x"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("gzip, gzip", "2 content codings on top of each other"),
        ("gzip," * 6, "6 content codings"),
        ("br", "content coding 'br', which was not requested"),
        ("zstd", "'zstd'"),
    ],
)
def test_what_was_not_asked_for_is_refused(value: str, said: str) -> None:
    """Stacked codings, which is how bombs grow, and those that nobody offered."""
    with pytest.raises(CodingError, match=said):
        inflater(value)


def test_whatever_is_accepted_can_be_undone() -> None:
    """The request asks for no coding that this module does not know."""
    for coding in ACCEPTED.split(", "):
        assert inflater(coding) is not None
