"""Bytes as numbered lines."""

from __future__ import annotations

import pytest

from autonomousai_sdk.batch.lines import Line, LineSplitter

CASES: dict[bytes, list[tuple[int, bytes, int]]] = {
    b"": [],
    b"\n": [(1, b"", 1)],
    b"a\nb\n": [(1, b"a", 2), (2, b"b", 2)],
    b"a\n\r\nb": [(1, b"a", 2), (2, b"\r", 2), (3, b"b", 1)],
    b"a\rb\x0b\xe2\x80\xa8c\n": [(1, b"a\rb\x0b\xe2\x80\xa8c", 9)],
}


@pytest.mark.parametrize("data", CASES)
def test_lines_end_at_line_feeds_alone(data: bytes) -> None:
    """The lines are the same for every way in which the bytes are cut into pieces."""
    expected = [Line(*line) for line in CASES[data]]
    for size in range(1, len(data) + 2):
        splitter = LineSplitter()
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        lines = [line for piece in pieces for line in splitter.feed(piece)]
        assert lines + splitter.close() == expected


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_line_that_is_too_long_is_dropped(size: int) -> None:
    """A line over the limit is reported without its bytes, and the next one is read."""
    data = b"12345\n123456\n1\n1234567"
    splitter = LineSplitter(max_bytes=5)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    lines = [line for piece in pieces for line in splitter.feed(piece)] + splitter.close()
    assert lines == [
        Line(1, b"12345", 6),
        Line(2, None, 7),
        Line(3, b"1", 2),
        Line(4, None, 7),
    ]
