"""The fuzzer's targets: functions of bytes that raise if a promise of the core is broken.

Each is deterministic, so that an input that broke one can be kept and run again. None uses the
fuzzer.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from random import Random
from typing import Any

from autonomousai_sdk._core import codec, coding
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.retry import retry_after
from autonomousai_sdk._core.sse import EventParser, RawEvent, ServerSentEvent, SSEDecoder
from autonomousai_sdk._generated.models import ChatCompletion, ChatCompletionChunk
from tests.support.reference_parser import is_over, read_by_the_rules
from tests.support.sample_operation import single_bytes

from .answers import Head, Outcome, check, read

Target = Callable[[bytes], None]


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Split the bytes one by one, and at positions that depend on the bytes alone."""
    yield single_bytes(data)
    points = sorted(Random(data).choices(range(len(data) + 1), k=3))
    pieces = [data[start:stop] for start, stop in pairwise([0, *points, len(data)])]
    yield list(filter(None, pieces))


def sse(data: bytes) -> None:
    """A stream yields the reference events however it is cut, each as soon as it is complete."""
    owed = read_by_the_rules(data)
    assert SSEDecoder().feed(data) == owed
    for pieces in cuts(data):
        decoder = SSEDecoder()
        events: list[ServerSentEvent] = []
        start = b""
        for piece in pieces:
            events += decoder.feed(piece)
            start += piece
            if len(piece) > 1:  # Checking after each byte would take too long.
                assert events == read_by_the_rules(start)
        assert events == owed

    bound = 8 + len(data) % 57
    bounded = _bounded(bound, [data])
    assert bounded[1] == is_over(bound, data)
    for pieces in cuts(data):
        assert _bounded(bound, pieces) == bounded


def _bounded(bound: int, pieces: Iterable[bytes]) -> tuple[list[RawEvent], bool]:
    """Return the events of a stream up to a bound, and whether the bound ended it."""
    parser = EventParser(bound, report_bare_json=True)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events, parser.overflow is not None


def decoding(data: bytes) -> None:
    """What the fast path decodes, the standard path decodes to the same value."""
    for cls in (ChatCompletionChunk, ChatCompletion):
        decoded = _decoded(codec.decode, data, cls)
        standard = _decoded(codec.decode_standard, data, cls)
        try:
            value = codec.decoder(cls)(data)
            fast = _shown(value)
        except RecursionError:
            assert decoded == standard
        except ValueError:
            # The standard path also decodes what engines send instead of what the spec says.
            assert decoded == standard
        else:
            if codec.lacks_value(value):
                assert decoded == standard
                continue
            assert decoded == fast
            same = fast == standard or (not standard and _is_overlooked(data, cls, fast))
            assert same or OTHER_KEYS.search(data)


OTHER_KEYS = re.compile(rb'"(?:message|text)"')
"""Keys that only the standard path reads as another one; the stream looks for them itself."""


def _decoded(decode: Callable[[bytes, type[Any]], object], data: bytes, cls: type[Any]) -> str:
    """Return the value of a decoding path, or nothing if it refuses the document."""
    try:
        return _shown(decode(data, cls))
    except codec.DecodeError:
        return ""


def _shown(value: object) -> str:
    """Describe a value so exactly that 1, 1.0 and True differ."""
    try:
        return repr(value)
    except RecursionError:
        return "nested too deeply to show"


def _is_overlooked(data: bytes, cls: type[Any], fast: str) -> bool:
    """Return whether everything the standard path refuses is in unknown fields.

    The fast path skips unknown fields, so it accepts invalid UTF-8 and huge numbers in them.
    """

    def number(text: str) -> object:
        return float(text) if math.isfinite(float(text)) else {"no room for": text}

    def integer(text: str) -> object:
        return int(text) if len(text) < 4000 else {"no room for": text}

    def constant(text: str) -> object:
        raise AssertionError(f"{text} is not JSON")

    text = data.decode("utf-8", "surrogateescape")
    try:
        document = json.loads(text, parse_float=number, parse_int=integer, parse_constant=constant)
    except RecursionError:
        return True  # The depth limit varies by some levels with the stack.
    return fast == _shown(codec.structured(document, cls))


def stream(data: bytes) -> None:
    """A stream has the same outcome however it is cut, and is complete only if it says so."""
    _answered(Head(200, {"content-type": "text/event-stream"}), data, is_stream=True)


def document(data: bytes) -> None:
    """A document is either decoded by the codec or an error of this SDK."""
    outcome = _answered(Head(200, {"content-type": "application/json"}), data, is_stream=False)
    decoded = _decoded(codec.decode, data, ChatCompletion)
    if outcome.error is None:
        assert _shown(outcome.completion) == decoded
    else:
        assert not decoded or b'"error"' in data


def answer(data: bytes) -> None:
    """Any status, headers and body give a result or an error of this SDK.

    The bytes are a status, headers, an empty line and a body; the lines end in line feeds.
    """
    start, _, body = data.partition(b"\n\n")
    head = Head.parsed(start.decode("latin-1"))
    for is_stream in (False, True):
        _answered(head, body, is_stream=is_stream, bound=256)


def _answered(head: Head, body: bytes, *, is_stream: bool, bound: int = 2**16) -> Outcome:
    """Return the outcome of a response, which is the same however its body is cut."""
    outcome = read(head, [body], is_stream=is_stream, bound=bound)
    check(outcome, head, body)
    for pieces in cuts(body):
        assert read(head, pieces, is_stream=is_stream, bound=bound) == outcome
    return outcome


def inflating(data: bytes) -> None:
    """Compressed bytes inflate to the same bounded pieces however cut, or raise CodingError."""
    for name in ("gzip", "deflate"):
        owed = _inflated_simply(name, data)
        assert _inflated(name, [data]) == owed
        for pieces in cuts(data):
            assert _inflated(name, pieces) == owed


def _inflated(name: str, pieces: Iterable[bytes]) -> tuple[bytes, str]:
    """Return the content of a compressed body and how it ends."""
    inflater = coding.Inflater(name)
    plain: list[bytes] = []
    try:
        for piece in pieces:
            for part in inflater.feed(piece):
                assert 0 < len(part) <= coding.INFLATE_SIZE
                plain.append(part)
    except coding.CodingError:
        return b"".join(plain), "broken"
    return b"".join(plain), "complete" if inflater.complete else "cut"


def _inflated_simply(name: str, data: bytes) -> tuple[bytes, str]:
    """Return the same by zlib alone, byte by byte and without a bound."""
    wbits = zlib.MAX_WBITS | 16 if name == "gzip" else zlib.MAX_WBITS
    try:
        zlib.decompressobj(wbits).decompress(data[:2])
    except zlib.error:
        if name == "deflate":
            wbits = -zlib.MAX_WBITS
    member = zlib.decompressobj(wbits)
    plain: list[bytes] = []
    for byte in single_bytes(data):
        if member.eof:
            member = zlib.decompressobj(wbits)
        try:
            plain.append(member.decompress(byte))
        except zlib.error:
            return b"".join(plain), "broken"
    return b"".join(plain), "complete" if member.eof or not data else "cut"


def waiting(data: bytes) -> None:
    """A `retry-after` header is either a number of seconds or ignored."""
    for name in ("retry-after", "retry-after-ms"):
        seconds = retry_after(Headers([(name, data.decode("latin-1"))]), date=1_790_000_000)
        assert seconds is None or (seconds > 0 and math.isfinite(seconds))


TARGETS: dict[str, Target] = {
    "sse": sse,
    "codec": decoding,
    "stream": stream,
    "answer": answer,
    "document": document,
    "coding": inflating,
    "retry": waiting,
}
"""The targets by the names of their corpus folders."""
