"""Server-sent events: however the bytes are cut, and against a second reading of the rules."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autonomousai_sdk._core.sse import (
    BARE_JSON_LINE,
    MAX_EVENT_BYTES,
    EventParser,
    EventTooLongError,
    RawEvent,
    ServerSentEvent,
    SSEDecoder,
    checked_max_event_bytes,
)
from autonomousai_sdk.errors import ConfigurationError, StreamDecodeError
from tests.support.reference_parser import is_over, read_by_the_rules
from tests.support.sample_operation import DATA, RECORDINGS, cuts, single_bytes

CASES: list[dict[str, Any]] = json.loads((DATA / "sse_cases.json").read_text("utf-8"))["cases"]
SMALL = 400
"""Cases up to this many bytes are cut at each point; larger ones at some."""


def expanded(text: Any) -> str:
    """A case's text, of which the long ones are written as a repetition."""
    if isinstance(text, str):
        return text
    repeated: str = text["repeat"] * text["times"] + text.get("then", "")
    return repeated


def chunks_of(case: dict[str, Any]) -> list[bytes]:
    """The reads of a case, as it gives them."""
    return [expanded(piece).encode("latin-1") for piece in case["chunks"]]


def decoded(pieces: Iterable[bytes]) -> tuple[list[ServerSentEvent], SSEDecoder]:
    """What a stream cut like this gives, and the decoder after its end."""
    decoder = SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    assert decoder.close() == []
    return events, decoder


def check(case: dict[str, Any], pieces: Iterable[bytes]) -> None:
    """Compare what a case owes with what came."""
    events, decoder = decoded(pieces)
    owed = [(event["event"], expanded(event["data"]), event["id"]) for event in case["events"]]
    assert [(event.event, event.data, event.id) for event in events] == owed
    assert decoder.last_event_id == case["last_event_id"]
    assert decoder.clean is case["ends_clean"]
    if case["retry"] != "any":
        assert decoder.retry == case["retry"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_each_case_however_it_is_cut(case: dict[str, Any]) -> None:
    """As given, whole, byte by byte, and cut in two."""
    pieces = chunks_of(case)
    whole = b"".join(pieces)
    check(case, pieces)
    check(case, [whole])
    check(case, single_bytes(whole))
    if len(whole) <= SMALL:
        for two in cuts(whole):
            check(case, two)
    else:
        for cut in range(1, len(whole), len(whole) // 7):
            check(case, [whole[:cut], whole[cut:]])


WORDS = [
    *(b"data", b"data:", b"data: ", b"event", b"event: ", b"id:", b"id: ", b"retry: ", b":"),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b" ", b"a", b"b: c", b"0", b"12", b"ping"),
    *(b"\xef\xbb\xbf", b"\xef", b"\xbb", b"\xe2\x80\xa8", b"\xc2\x85", b"\xff", b"\0", b"{"),
]
STREAMS = st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=3)), max_size=30).map(
    b"".join
)
CUTS = st.lists(st.integers(0, 80), max_size=6)


def cut_at(data: bytes, points: list[int]) -> list[bytes]:
    """The bytes, cut at these points."""
    edges = [0, *sorted(min(point, len(data)) for point in points), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


@given(STREAMS, CUTS)
@example(b"data: a\n\n\ndata: b\n\n", [])
@example(b":\n\ndata: a\n\ndata: b\nid: 1\n\ndata: c\n\n", [3, 12])
@example(b":\n\ndata: \n\ndata: \n\n", [3])
@example(b":\n\ndata: a\n\n", [3, 9])
@example(b"id\n\ndata: a\n\ndata: b\n\n", [4])
def test_any_bytes_cut_anywhere_give_the_same_events(data: bytes, points: list[int]) -> None:
    """The rules, read a second time in the simplest way, agree on every stream and every cut."""
    owed = read_by_the_rules(data)
    assert decoded([data])[0] == owed
    assert decoded(cut_at(data, points))[0] == owed
    assert decoded(single_bytes(data))[0] == owed


@given(STREAMS)
def test_an_event_is_out_as_soon_as_its_blank_line_is_in(data: bytes) -> None:
    """After each byte, exactly the events that the bytes so far complete have come."""
    decoder = SSEDecoder()
    events: list[ServerSentEvent] = []
    for end, byte in enumerate(single_bytes(data), 1):
        events += decoder.feed(byte)
        # A mark cut short is not yet known to be one, and completes nothing either way.
        assert events == read_by_the_rules(data[:end])


@pytest.mark.parametrize(
    ("case", "line_end"),
    [(b"data: a\n\n", 9), (b"data: a\r\r", 9), (b"data: a\r\n\r\n", 10), (b"data: a\r\n\n", 10)],
)
def test_a_carriage_return_ends_a_line_at_once(case: bytes, line_end: int) -> None:
    """No event waits for the byte after a CR that might be its LF."""
    decoder = SSEDecoder()
    assert decoder.feed(case[: line_end - 1]) == []
    assert decoder.feed(case[line_end - 1 : line_end]) == [ServerSentEvent("message", "a")]
    assert decoder.feed(case[line_end:]) == []
    assert decoder.clean


def test_an_event_has_the_retry_of_its_own_block() -> None:
    """The stream's reconnection time stays, an event's is what came with it."""
    events, decoder = decoded([b"retry: 7\ndata: a\n\ndata: b\n\nretry: 0009\n\n"])
    assert [event.retry for event in events] == [7, None]
    assert decoder.retry == 9


def test_a_retry_that_no_one_could_wait_is_passed_over() -> None:
    """More digits than ten would be years, and more than thousands Python refuses."""
    for digits in ("9" * 11, "9" * 5000):
        events, decoder = decoded([f"retry: {digits}\ndata: a\n\n".encode()])
        assert events[0].retry is decoder.retry is None
    assert decoded([b"retry: 00000000009999999999\n\n"])[1].retry == 9_999_999_999


def test_a_decoder_is_for_one_stream() -> None:
    """Once closed it takes no more bytes, and closing again does no harm."""
    decoder = SSEDecoder()
    decoder.close()
    with pytest.raises(ValueError, match="This SSEDecoder was closed: use a new one"):
        decoder.feed(b"data: a\n\n")
    assert decoder.close() == []


@pytest.mark.parametrize(
    ("data", "clean"),
    [
        (b"", True),
        (b"data: a\n\n", True),
        (b"data: a\n\n: bye", True),
        (b"data: a\n\n:", True),
        (b"data: a", False),
        (b"data: a\n", False),
        (b"id: 1\n", False),
        (b"junk", False),
        (b"junk\n", True),
    ],
)
def test_a_stream_ends_clean_or_inside_an_event(data: bytes, clean: bool) -> None:
    """What an end would discard is told, and an unfinished comment is nothing."""
    assert decoded([data])[1].clean is clean
    assert decoded(single_bytes(data))[1].clean is clean


def raw(pieces: Iterable[bytes], *, bound: int = MAX_EVENT_BYTES) -> tuple[list[RawEvent], bool]:
    """The events in bytes, strays included, and whether the bound ended them."""
    parser = EventParser(bound, report_bare_json=True)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events, parser.overflow is not None


@given(STREAMS, CUTS, st.integers(len(b"\xef\xbb\xbf"), 40))
@example(b"data: aaaa\n\ndata: b\n\n", [], 8)
@example(b"data: aa\ndata: bb\n\n", [], 8)
@example(b"event: aaaaaaaaa\ndata: b\n\n", [3, 9], 8)
def test_the_bound_is_the_same_however_bytes_are_cut(
    data: bytes, points: list[int], bound: int
) -> None:
    """The events before it, and whether there is an overflow, do not depend on the reads."""
    owed = raw([data], bound=bound)
    assert owed[1] == is_over(bound, data)
    assert raw(cut_at(data, points), bound=bound) == owed
    assert raw(single_bytes(data), bound=bound) == owed


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "bytes"])
def test_a_bound_holds_for_lines_and_for_events(whole: bool) -> None:
    """A line of the bound's length passes, one more byte does not, nor do many short lines."""

    def overflows(data: bytes) -> bool:
        return raw([data] if whole else single_bytes(data), bound=20)[1]

    assert not overflows(b"data: " + b"x" * 14 + b"\n\n")
    assert overflows(b"data: " + b"x" * 15 + b"\n\n")
    assert not overflows(b":" + b"x" * 19 + b"\n" + b"event: " + b"x" * 13 + b"\n\n")
    assert overflows(b":" + b"x" * 20 + b"\n")
    assert overflows(b":" + b"x" * 20)
    assert not overflows(b"data: xxxxxxxxx\ndata: xxxxxxxxxx\n\n")
    assert overflows(b"data: xxxxxxxxx\ndata: xxxxxxxxxxx\n\n")
    assert not overflows(b"data\n" * 21 + b"\n")
    assert overflows(b"data\n" * 22 + b"\n")
    assert not overflows(b"data: xxxxxxxxx\n\n" * 50)


def test_events_before_an_overflow_are_given_out_first() -> None:
    """Then the error comes, at the next call, at each one after it and at the end."""
    decoder = SSEDecoder(max_event_bytes=10)
    events = decoder.feed(b"data: a\n\ndata: b\n\n" + b"x" * 11 + b"\ndata: c\n\n")
    assert [event.data for event in events] == ["a", "b"]
    assert not decoder.clean
    for more in (b"", b"data: d\n\n"):
        with pytest.raises(StreamDecodeError, match="a line .* longer than 10 bytes") as caught:
            decoder.feed(more)
        assert isinstance(caught.value.__cause__, EventTooLongError)
    with pytest.raises(StreamDecodeError, match="longer than 10 bytes"):
        decoder.close()


def test_an_endless_line_is_not_kept_beyond_the_bound() -> None:
    """A parser never has more than the bound and a read or two, however long a line goes on."""
    parser = EventParser(2**20)
    tracemalloc.start()
    try:
        for _ in range(400):
            parser.feed(bytes([120]) * 2**16)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert parser.overflow is not None
    assert 2**20 < peak < 2 * 2**20


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: str(path.stem))
def test_a_recording_has_the_same_events_cut_in_two_at_every_point(path: Path) -> None:
    """A real model's stream, all of it."""
    data = path.read_bytes()
    owed = raw([data])
    assert len(owed[0]) > 50
    assert all(raw(two) == owed for two in cuts(data))


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "1", None])
def test_a_bound_is_a_positive_number_of_bytes(value: Any) -> None:
    """Anything else is refused by name and value."""
    with pytest.raises(
        ConfigurationError, match=f"max_event_bytes is a positive number of bytes; got {value!r}"
    ):
        SSEDecoder(max_event_bytes=value)


def test_the_usual_bound_is_64_mib() -> None:
    """Events of megabytes are legitimate: images travel in them."""
    assert MAX_EVENT_BYTES == 64 * 2**20
    assert checked_max_event_bytes(MAX_EVENT_BYTES) == MAX_EVENT_BYTES
    big = b"data: " + b"x" * 2**20 + b"\n\n"
    assert raw([big]) == ([(b"", b"x" * 2**20, b"", None)], False)


@pytest.mark.parametrize(
    ("data", "unfinished"),
    [
        (b"", b""),
        (b"data: a\n\n", b""),
        (b"data: a\ndata:b\n", b"a\nb\n"),
        (b"data: a\ndata:b", b"a\nb"),
        (b"data: a\n\n{x", b"{x"),
        (b"data: a\n\n{x\n", b""),
    ],
)
def test_what_a_cut_leaves_behind_can_be_looked_at(data: bytes, unfinished: bytes) -> None:
    """It is no event by the rules, and may still say what went wrong."""
    for pieces in ([data], single_bytes(data)):
        parser = EventParser()
        for piece in pieces:
            parser.feed(piece)
        assert parser.unfinished == unfinished


def test_a_stray_line_is_reported_where_it_is_asked_for() -> None:
    """A JSON document that is no field is an error of some servers; by the rules it is nothing."""
    data = b'data: a\n\n{"error": "boom"}\nstray\ndata: b\n\n'
    stray: RawEvent = (BARE_JSON_LINE, b'{"error": "boom"}', b"", None)
    for pieces in ([data], single_bytes(data)):
        assert raw(pieces)[0] == [(b"", b"a", b"", None), stray, (b"", b"b", b"", None)]
    assert [event.data for event in decoded([data])[0]] == ["a", "b"]


def work(pieces: Iterable[bytes]) -> int:
    """The bytes that a parser looks at: the length of all whose methods it calls."""
    looked_at = 0

    def profile(_: FrameType, event: str, called: Any) -> None:
        nonlocal looked_at
        owner = getattr(called, "__self__", None)
        if event == "c_call":
            looked_at += len(owner) if isinstance(owner, bytes) else 1

    parser = EventParser()
    sys.setprofile(profile)
    try:
        for piece in pieces:
            parser.feed(piece)
    finally:
        sys.setprofile(None)
    return looked_at


@pytest.mark.parametrize(
    ("head", "unit", "at_once"),
    [
        (b"data: ", b"x" * 64, False),
        (b"", b"x" * 64, False),
        (b"", b": ping\n", False),
        (b"", b": ping\n", True),
        (b"", b"data: x\n", False),
        (b"", b"data: x\r\n\r\n", True),
        (b"event: x\n", b"data: x\n\n", True),
        (b"data: x\n\n", b"data: x\n\n", True),
    ],
    ids=["long", "junk", "pings", "pings at once", "lines", "crlf", "events", "fast"],
)
def test_work_grows_with_the_stream_and_no_faster(head: bytes, unit: bytes, at_once: bool) -> None:
    """Twice the bytes are at most a little more than twice the work."""
    small, large = (
        work([head, *([unit * size] if at_once else [unit] * size), b"\n\n"]) for size in (300, 600)
    )
    assert small > 300
    assert large < 2.2 * small
