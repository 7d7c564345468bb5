"""An answer as it comes in: what its status, headers and bytes make of it."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from autonomousai_sdk._core.chunk_stream import ChunkStream
from autonomousai_sdk._core.coding import INFLATE_SIZE
from autonomousai_sdk._core.failure import KEPT_BYTES, Context
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.operation import Media, StreamShape
from autonomousai_sdk._core.response import ResponseReader, content_type
from autonomousai_sdk._core.secret import Secret
from autonomousai_sdk.errors import (
    APIResponseError,
    AutonomousAIError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    StreamDecodeError,
    StreamInterrupted,
)
from tests.support.sample_operation import (
    DATA,
    DONE,
    HELLO,
    KEY,
    SHAPE,
    Completion,
    chunk,
    event,
    single_bytes,
)

CONTEXT = Context("POST https://service.example/chat", 2, Secret(KEY))
JSON = "application/json"
SSE = "text/event-stream"
BOUND = 2**21
WHOLE = {"id": "a", "choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
DOCUMENT = json.dumps(WHOLE).encode()


def whole(data: bytes) -> list[bytes]:
    """All bytes in one read."""
    return [data]


def answered(
    pieces: Iterable[bytes],
    *,
    stream: bool = False,
    status: int = 200,
    kind: str | None = None,
    coding: str | None = None,
    bound: int = BOUND,
    ends: bool = True,
    media: Media = "json",
    shape: StreamShape[Any, Any] = SHAPE,
) -> ResponseReader:
    """An answer that was read as a driver does: until it is satisfied or its body ends."""
    pairs = [("x-request-id", "req-7")]
    if kind is not None:
        pairs.append(("Content-Type", kind))
    if coding is not None:
        pairs.append(("Content-Encoding", coding))

    answer = ResponseReader(CONTEXT, bound, shape if stream else None, media)
    answer.start(status, Headers(pairs))
    for piece in [*filter(None, pieces), *([b""] if ends else [])]:
        if answer.satisfied:
            break
        answer.feed(piece)
    return answer


@pytest.mark.parametrize("cut", [whole, single_bytes])
@pytest.mark.parametrize("kind", [JSON, "application/json; charset=utf-8", "text/plain", None])
def test_a_document_is_read_to_its_end(
    cut: Callable[[bytes], list[bytes]], kind: str | None
) -> None:
    """Whatever its type is called, as long as it is no event stream."""
    answer = answered(cut(DOCUMENT), kind=kind)
    assert answer.error() is None
    assert answer.ended
    assert answer.satisfied
    assert answer.stream is None
    assert answer.body == DOCUMENT
    result = answer.document(Completion)
    assert (result.text, result.finish_reason) == ("Hello", "stop")


def test_a_recorded_document() -> None:
    """A real model's whole answer, with fields that nobody announced."""
    answer = answered([(DATA / "recordings" / "unary.json").read_bytes()], kind=JSON)
    assert answer.document(Completion).text.startswith("The sky")


def test_a_documents_end_is_waited_for() -> None:
    """A document that has not ended is not judged by its beginning."""
    answer = answered([DOCUMENT], kind=JSON, ends=False)
    assert not answer.satisfied
    assert not answer.ended


@pytest.mark.parametrize("kind", [SSE, "Text/Event-Stream; charset=utf-8", None])
def test_a_stream_is_read_to_its_first_event(kind: str | None) -> None:
    """Then the driver may hand out chunks; keep-alives before it are waited through."""
    answer = answered([b": ping\n\n"], stream=True, kind=kind, ends=False)
    assert answer.stream is not None
    assert not answer.satisfied
    answer.feed(b": ping\n\n")
    assert not answer.satisfied
    answer.feed(HELLO)
    assert answer.satisfied
    assert answer.stream is not None


def test_a_stream_that_began_has_no_fault() -> None:
    """What happens to it later is the stream's to tell."""
    first = event(chunk("Hel"))
    for rest in (b"", HELLO, event({"error": "busy"}), b"data: x\n\n"):
        answer = answered([first + rest], stream=True, kind=SSE)
        assert answer.stream is not None
        assert answer.error() is None


@pytest.mark.parametrize(
    ("data", "cls"),
    [
        (b"", StreamInterrupted),
        (b": ping\n\n", StreamInterrupted),
        (b"data: {\n", StreamInterrupted),
        (b"data: x\n\n", StreamDecodeError),
        (event({"error": {"message": "busy", "code": 429}}), RateLimitError),
        (b'{"error": {"message": "busy", "code": 429}}', RateLimitError),
        (b'{"error": {"message": "busy", "code": 429}}\n', RateLimitError),
    ],
)
def test_a_stream_that_fails_before_its_first_event_is_a_fault(
    data: bytes, cls: type[AutonomousAIError]
) -> None:
    """So that it can be tried again."""
    answer = answered([data], stream=True, kind=SSE)
    assert answer.satisfied
    assert type(answer.error()) is cls


def test_an_empty_stream_may_be_complete() -> None:
    """If the service says so."""
    answer = answered([DONE], stream=True, kind=SSE)
    assert answer.satisfied
    assert answer.error() is None


@pytest.mark.parametrize("kind", [JSON, "text/html", "text/plain", "application/octet-stream"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\r\n\n", b": ok\n\n", b"event: chunk\n"])
@pytest.mark.parametrize("cut", [whole, single_bytes])
def test_an_event_stream_is_read_whatever_its_content_type_is(
    kind: str, start: bytes, cut: Callable[[bytes], list[bytes]]
) -> None:
    """A body that begins like an event stream is one, although the header names another type."""
    response = answered(cut(start + HELLO), stream=True, kind=kind)
    assert response.error() is None
    assert response.stream is not None
    assert response.stream.ready[0].choices[0].delta.content == "Hel"


def test_a_compressed_stream_is_read_whatever_its_content_type_is() -> None:
    """The bytes are decompressed before their start is compared."""
    response = answered([gzip.compress(HELLO)], stream=True, kind="text/plain", coding="gzip")
    assert response.error() is None
    assert response.stream is not None


@pytest.mark.parametrize(
    ("stream", "kind", "data", "said"),
    [
        (True, "text/plain", b"data: late", r"expected an event stream, got text/plain: "),
        (True, "text/plain", b"database is on fire", "expected an event stream, got text/plain: "),
        (True, JSON, DOCUMENT, "expected an event stream, got application/json: "),
        (True, "text/html", b"<html>", "expected an event stream, got text/html: "),
        (True, "text/plain", b"", r"expected an event stream, got text/plain\. \["),
        (False, SSE, HELLO, "expected a JSON document, got text/event-stream: "),
    ],
)
def test_the_wrong_kind_of_answer_is_an_error_with_a_piece_of_it(
    stream: bool, kind: str, data: bytes, said: str
) -> None:
    """With its status, its bytes, and what was asked for."""
    error = answered([data], stream=stream, kind=kind).error()
    assert isinstance(error, APIResponseError)
    with pytest.raises(APIResponseError, match=said):
        raise error
    assert (error.status, error.body, error.request_id) == (200, data, "req-7")
    assert (error.endpoint, error.attempt) == (CONTEXT.endpoint, 2)


def test_a_large_answer_of_the_wrong_kind_is_cut() -> None:
    """The message to a kibibyte or so, the bytes to a mebibyte, and the rest is not read."""
    answer = answered(
        [b"x" * KEPT_BYTES, b"y" * 10, b"z"], stream=True, kind="text/plain", ends=False
    )
    assert answer.satisfied
    error = answer.error()
    assert isinstance(error, APIResponseError)
    assert error.body == b"x" * KEPT_BYTES
    assert len(str(error)) < 2048


def test_an_error_object_is_an_error_whatever_was_asked_for() -> None:
    """A 200 with an error inside is no answer, even beside choices."""
    body = json.dumps({"error": {"message": "busy", "code": 429}}).encode()
    assert isinstance(answered([body], stream=True, kind=JSON).error(), RateLimitError)
    for document in (body, json.dumps({**WHOLE, "error": {"code": 429}}).encode()):
        answer = answered([document], kind=JSON)
        assert answer.error() is None
        with pytest.raises(RateLimitError, match="The server reported an error"):
            answer.document(Completion)
    with pytest.raises(AutonomousAIError, match="The server reported an error: busy"):
        answered([b'{"error": "busy"}'], kind=JSON).document(Completion)


@pytest.mark.parametrize(
    "document",
    [
        {**WHOLE, "error": None},
        {**WHOLE, "unannounced": {"error": "inside"}},
        {"choices": [{"message": {"content": 'an "error"'}}]},
    ],
)
def test_what_only_looks_like_an_error_is_an_answer(document: object) -> None:
    """Empty errors, errors further in, and text about errors."""
    answer = answered([json.dumps(document).encode()], kind=JSON)
    assert isinstance(answer.document(Completion), Completion)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"not JSON", "Expecting value"),
        (b"[]", r"expected an object, got an array"),
        (b'{"error"', "delimiter"),
        (b"{}", r"required field missing @ \$\.choices"),
        (b'{"choices": "x"}', r"expected an array, got a string @ \$\.choices"),
        (b"\xff", "utf-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"choices": [NaN]}', "NaN is not JSON"),
    ],
)
def test_a_document_that_is_not_the_specs_is_an_error(data: bytes, said: str) -> None:
    """With the bytes, and where in them it went wrong."""
    answer = answered([data], kind=JSON)
    assert answer.error() is None
    with pytest.raises(APIResponseError, match=said) as caught:
        answer.document(Completion)
    assert caught.value.body == data
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", [JSON, SSE, "text/html", None])
def test_an_error_status_is_an_error_whatever_comes_with_it(stream: bool, kind: str | None) -> None:
    """Its body is read for the message, also if it calls itself a stream."""
    body = json.dumps({"error": {"message": "no such model"}}).encode()
    answer = answered([body], stream=stream, status=404, kind=kind)
    assert answer.stream is None
    error = answer.error()
    assert isinstance(error, NotFoundError)
    assert error.message == "404 Not Found: no such model"
    assert (error.request_id, error.attempt) == ("req-7", 2)


@pytest.mark.parametrize(
    ("status", "is_error"),
    [(200, False), (299, False), (199, True), (300, True), (500, True)],
)
def test_which_statuses_are_errors(status: int, is_error: bool) -> None:
    """All but 2xx."""
    answer = answered([DOCUMENT], status=status, kind=JSON)
    assert (answer.error() is not None) is is_error


def test_an_error_body_is_read_up_to_a_mebibyte() -> None:
    """In whatever pieces it comes, and not one byte further."""
    for pieces in ([b"x" * (KEPT_BYTES + 7)], [b"x" * KEPT_BYTES, b"x"], [b"x" * 1000] * 1100):
        answer = answered(pieces, status=500, kind="text/plain", ends=False)
        assert answer.ended
        assert len(answer.body) == KEPT_BYTES
        assert isinstance(answer.error(), InternalServerError)
        assert len(str(answer.error())) < 2048
    exact = answered([b"x" * KEPT_BYTES], status=500, ends=False)
    assert not exact.satisfied
    assert len(exact.body) == KEPT_BYTES


def test_a_document_over_the_bound_is_refused() -> None:
    """With the argument that sets it; no more than a mebibyte of it is kept."""
    for bound in (1000, 3 * KEPT_BYTES):
        piece = b"x" * 700
        answer = answered([piece] * (bound // 700 + 2), kind=JSON, bound=bound, ends=False)
        assert answer.ended
        error = answer.error()
        assert isinstance(error, APIResponseError)
        assert (
            f"the document is longer than {bound} bytes; Client(max_event_bytes=…) sets the limit"
        ) in error.message
        assert len(error.body) == min(bound, KEPT_BYTES)
    fits = answered([b" " * (1000 - len(DOCUMENT)) + DOCUMENT], kind=JSON, bound=1000)
    assert fits.document(Completion).text == "Hello"


@pytest.mark.parametrize("cut", [whole, single_bytes])
def test_compressed_answers_read_like_plain_ones(cut: Callable[[bytes], list[bytes]]) -> None:
    """Documents, streams and errors."""
    document = answered(cut(gzip.compress(DOCUMENT)), kind=JSON, coding="gzip")
    assert document.document(Completion).text == "Hello"

    stream = answered(cut(gzip.compress(HELLO)), stream=True, kind=SSE, coding="gzip")
    assert stream.error() is None
    assert stream.stream is not None
    assert stream.stream.ready

    body = gzip.compress(b'{"error": "gone"}')
    error = answered(cut(body), status=404, coding="gzip").error()
    assert isinstance(error, NotFoundError)
    assert "gone" in error.message


def test_a_compressed_answer_that_was_cut_is_refused() -> None:
    """A document that stops early may be complete JSON all the same, and is not trusted."""
    answer = answered([gzip.compress(DOCUMENT)[:-8]], kind=JSON, coding="gzip")
    error = answer.error()
    assert isinstance(error, APIResponseError)
    assert "the compressed body was cut" in error.message

    # A stream tells by itself whether it was complete.
    stream = answered([gzip.compress(HELLO)[:-8]], stream=True, kind=SSE, coding="gzip")
    assert stream.stream is not None
    assert stream.stream.completion().text == "Hello"


def test_bytes_that_are_not_the_coding_are_refused() -> None:
    """As a wrong answer, as a wrong stream, and when the stream is under way."""
    error = answered([b"x" * 100], kind=JSON, coding="gzip").error()
    assert isinstance(error, APIResponseError)
    assert "the body does not match its content-encoding" in error.message
    assert error.__cause__ is not None

    answer = answered([b"x" * 100], stream=True, kind=SSE, coding="gzip")
    assert isinstance(answer.error(), StreamDecodeError)

    begun = gzip.compress(event(chunk("Hel")), mtime=0)
    answer = answered([begun], stream=True, kind=SSE, coding="gzip", ends=False)
    assert answer.stream is not None
    assert answer.error() is None
    answer.feed(b"\x1f\x8bgarbage-garbage")
    assert isinstance(answer.stream.error, StreamDecodeError)
    assert answer.ended


def test_garbage_after_a_streams_sentinel_is_no_matter() -> None:
    """The stream was complete before it."""
    data = gzip.compress(HELLO) + b"garbage-garbage"
    for pieces in ([data], single_bytes(data)):
        answer = answered([], stream=True, kind=SSE, coding="gzip", ends=False)
        for piece in pieces:
            answer.feed(piece)
        assert answer.stream is not None
        assert answer.stream.error is None
        assert answer.stream.completion().text == "Hello"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("coding", ["br", "gzip, gzip, gzip"])
def test_a_coding_that_was_not_requested_is_refused_unread(coding: str, stream: bool) -> None:
    """A successful response whose coding is unknown or stacked is refused before its body."""
    answer = answered([DOCUMENT], stream=stream, coding=coding)
    assert answer.body == b""
    assert answer.satisfied
    error = answer.error()
    assert isinstance(error, APIResponseError)
    assert "content coding" in error.message


BUSY = b'{"error": {"message": "busy", "code": "slow"}}'


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("cut", [whole, single_bytes])
@pytest.mark.parametrize(
    ("coding", "body", "said", "code"),
    [
        ("gzip", gzip.compress(BUSY, mtime=0), "429 Too Many Requests: busy", "slow"),
        ("deflate", zlib.compress(BUSY), "429 Too Many Requests: busy", "slow"),
        # A coding that was not applied, or that is not known.
        ("gzip", BUSY, "429 Too Many Requests: busy", "slow"),
        ("br", BUSY, "429 Too Many Requests: busy", "slow"),
        ("gzip, br", BUSY, "429 Too Many Requests: busy", "slow"),
        ("br", b"", "429 Too Many Requests", None),
        ("gzip", b"", "429 Too Many Requests", None),
        ("br", b"\x0b\x02\x80", "its body, with the content coding 'br', cannot be decoded", None),
        ("zstd", b"\x28\xb5\x2f\xfd", "the content coding 'zstd', cannot be decoded", None),
        ("gzip", b"\x1f\x8b\xff\xff", "the content coding 'gzip', cannot be decoded", None),
        ("x" * 5000, b"\xff", f"the content coding '{'x' * 100}', cannot be decoded", None),
        # A body that was cut.
        ("gzip", gzip.compress(BUSY, mtime=0)[:-8], "429 Too Many Requests: busy", "slow"),
        ("gzip", gzip.compress(BUSY, mtime=0)[:20], "429 Too Many Requests", None),
    ],
)
def test_an_error_status_decides_before_the_coding(
    coding: str,
    body: bytes,
    said: str,
    code: str | None,
    cut: Callable[[bytes], list[bytes]],
    stream: bool,
) -> None:
    """The error is the status's own whatever the body's coding, and never shows binary data."""
    answer = answered(cut(body), stream=stream, status=429, kind=JSON, coding=coding)
    error = answer.error()
    assert isinstance(error, RateLimitError)
    assert said in error.message
    assert error.code == code
    assert error.message.isprintable()


@pytest.mark.parametrize("status", [200, 500])
def test_a_bomb_is_stopped_at_the_bound(status: int) -> None:
    """A gibibyte in a mebibyte is inflated a step at a time, and no further than is needed."""
    bomb = gzip.compress(bytes(100 * 2**20), compresslevel=1)
    answer = answered([bomb], status=status, kind=JSON, coding="gzip", bound=2 * INFLATE_SIZE)
    assert answer.ended
    assert len(answer.body) <= KEPT_BYTES
    tracemalloc.start()
    error = answer.error()
    assert tracemalloc.get_traced_memory()[1] < 16 * KEPT_BYTES
    tracemalloc.stop()
    assert isinstance(error, AutonomousAIError)


@pytest.mark.parametrize("kind", [JSON, SSE, None])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [204, 205])
def test_a_status_without_a_body_is_a_wrong_answer(
    status: int, kind: str | None, stream: bool
) -> None:
    """204 and 205 cannot carry a completion, nor a stream that could be continued."""
    error = answered([], status=status, kind=kind, stream=stream).error()
    assert isinstance(error, APIResponseError)
    assert "the response has no body" in error.message


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_document_is_a_wrong_answer(body: bytes) -> None:
    """An empty body is named as such, not as a fault in its JSON."""
    with pytest.raises(APIResponseError, match="the response has no body"):
        answered([body], kind=JSON).document(Completion)


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"busy", b"null", b"[]", b"data: {}"])
def test_a_document_that_is_not_a_completion_is_a_wrong_answer(body: bytes) -> None:
    """HTML, plain text and JSON of another kind are errors that quote the body."""
    with pytest.raises(APIResponseError) as caught:
        answered([body], kind="text/html").document(Completion)
    assert body.decode() in str(caught.value)
    assert caught.value.body == body


@pytest.mark.parametrize(
    ("body", "said"), [(b'{"detail": "busy"}', "busy"), (b'{"message": "gone"}', "gone")]
)
def test_a_message_in_place_of_a_completion_is_an_error(body: bytes, said: str) -> None:
    """A document without choices whose only content is a message reports an error."""
    with pytest.raises(AutonomousAIError, match=f"The server reported an error: {said}"):
        answered([body], kind=JSON).document(Completion)


@pytest.mark.parametrize(
    ("pieces", "kind", "text"),
    [
        ([DOCUMENT], JSON, "Hello"),
        ([DOCUMENT], "text/plain", "Hello"),
        ([b"<html>"], "text/html", None),
        ([b'{"id": 5}'], JSON, None),
    ],
)
def test_a_body_of_the_wrong_kind_keeps_its_completion(
    pieces: list[bytes], kind: str, text: str | None
) -> None:
    """Where a stream was requested, a completion in another form is on the error."""
    error = answered(pieces, stream=True, kind=kind).error()
    assert isinstance(error, APIResponseError)
    assert error.partial is None if text is None else error.partial is not None
    assert error.partial is None or error.partial.text == text


def test_a_stream_in_place_of_a_document_is_a_wrong_answer() -> None:
    """The error quotes the events."""
    error = answered([HELLO], kind=SSE).error()
    assert isinstance(error, APIResponseError)
    assert "expected a JSON document, got text/event-stream" in error.message
    assert error.partial is None


@pytest.mark.parametrize("failed", [{"error": {"code": 502}}, {"finish_reason": "error"}])
def test_text_beside_an_error_is_kept(failed: dict[str, Any]) -> None:
    """An error in a choice is raised with the text that the document has beside it."""
    choice = {"message": {"content": "So far"}, "finish_reason": None, **failed}
    body = json.dumps({"choices": [choice]}).encode()
    with pytest.raises(AutonomousAIError) as caught:
        answered([body], kind=JSON).document(Completion)
    assert caught.value.partial is not None
    assert caught.value.partial.text == "So far"
    error = answered([body], stream=True, kind=JSON).error()
    assert error is not None
    assert error.partial == caught.value.partial


@pytest.mark.parametrize("around", [b"%s\n", b"\r\n %s \0\0", b"\xef\xbb\xbf%s"])
def test_bytes_around_a_document_are_ignored(around: bytes) -> None:
    """A byte order mark before, and white space or zero bytes after, are not an error."""
    assert answered([around % DOCUMENT], kind=JSON).document(Completion).text == "Hello"


def test_a_bomb_of_a_stream_is_stopped_at_the_bound() -> None:
    """One endless line, and endless events after the sentinel, end the inflating too."""
    bomb = gzip.compress(b"data: " + bytes(50 * 2**20), compresslevel=1)
    answer = answered([bomb], stream=True, kind=SSE, coding="gzip", bound=2 * INFLATE_SIZE)
    assert isinstance(answer.error(), StreamDecodeError)
    bomb = gzip.compress(HELLO + b"data: " + bytes(50 * 2**20), compresslevel=1)
    answer = answered([bomb], stream=True, kind=SSE, coding="gzip", bound=2 * INFLATE_SIZE)
    assert answer.error() is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("application/json", "application/json"),
        (" Text/HTML ; charset=utf-8", "text/html"),
        ("text/event-stream, text/event-stream", "text/event-stream"),
        ("text/event-stream;charset=utf-8, text/event-stream", "text/event-stream"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_media_type_of_an_answer(value: str | None, kind: str) -> None:
    """Without parameters, in lower case."""
    assert content_type(Headers([] if value is None else [("content-type", value)])) == kind


@pytest.mark.parametrize(
    ("pairs", "request_id"),
    [
        ([("X-Request-Id", "a"), ("request-id", "b")], "a"),
        ([("request-id", "b")], "b"),
        ([("x-request-id", ""), ("request-id", "b")], "b"),
        ([("x-request-id", KEY)], "**********"),
        ([], None),
    ],
)
def test_the_request_id_is_read_under_either_name(
    pairs: list[tuple[str, str]], request_id: str | None
) -> None:
    """Services name the header `x-request-id` or `request-id`; the first takes precedence."""
    reader = ResponseReader(CONTEXT, BOUND, None)
    reader.start(200, Headers(pairs))
    assert reader.context.request_id == request_id


def test_a_file_is_read_as_bytes() -> None:
    """Whatever its content type, and whatever it looks like."""
    for kind in ("image/png", JSON, None):
        answer = answered([b"\x89", b'{"error": 1}'], kind=kind, media="bytes")
        assert answer.error() is None
        assert answer.result(bytes) == b'\x89{"error": 1}'


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("text/plain", "é".encode(), "é"),
        ('text/plain; format=flowed; Charset="latin-1"', b"\xe9", "é"),
        ("text/plain; charset=", b"a", "a"),
        (None, b"", ""),
    ],
)
def test_text_is_decoded_by_its_charset(kind: str | None, data: bytes, text: str) -> None:
    """UTF-8 where there is none."""
    assert answered([data], kind=kind, media="text").result(str) == text


@pytest.mark.parametrize("charset", ["utf-8", "nonsense"])
def test_text_that_cannot_be_decoded_is_an_error(charset: str) -> None:
    """The error names the charset and has the bytes."""
    answer = answered([b"\xff"], kind=f"text/plain; charset={charset}", media="text")
    with pytest.raises(APIResponseError, match=f"the text is not '{charset}'") as caught:
        answer.result(str)
    assert caught.value.body == b"\xff"


@pytest.mark.parametrize(("status", "data"), [(204, b""), (200, b"ok"), (202, b"{}")])
def test_a_call_without_a_result_needs_no_body(status: int, data: bytes) -> None:
    """Any successful status will do."""
    answer = answered([data], status=status, kind=JSON, media="none")
    assert answer.error() is None
    assert answer.result(type(None)) is None


def test_a_document_is_the_usual_result() -> None:
    """`result` and `document` are the same for JSON."""
    answer = answered([DOCUMENT], kind=JSON)
    assert answer.result(Completion) == answer.document(Completion)


def test_chunks_without_choices_are_streamed() -> None:
    """A shape without an accumulator has any chunks; a document of another kind is an error."""
    shape: StreamShape[str, Any] = StreamShape(chunk=str)
    answer = answered([b'data: "a"\n\n'], stream=True, kind=SSE, shape=shape)
    assert isinstance(answer.stream, ChunkStream)
    error = answered([b'"a"'], stream=True, kind=JSON, shape=shape).error()
    assert isinstance(error, APIResponseError)
    assert "expected an event stream" in str(error)
