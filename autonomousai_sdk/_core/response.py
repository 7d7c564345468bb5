"""A response as it arrives: what its status, headers and body make of it.

    status    requested   content type         becomes
    204, 205  nothing     any                  None
    204, 205  anything    any                  `APIResponseError`: there is no body
    2xx       a stream    text/event-stream    a stream
    2xx       a stream    none                 a stream
    2xx       a stream    any other            a stream if the body begins like one, else
                                               `APIResponseError`
    2xx       a document  text/event-stream    `APIResponseError`
    2xx       a document  any other, or none   a document, whatever its type is called, or
                                               the text or bytes that the spec says it is
    other     either      any                  the status's error, whatever its body is

    the body of a document                     becomes
    JSON that the spec allows                  the result
    JSON with an error object in it            the API error; `.partial` has the text beside it
    anything else: HTML, plain text, nothing   `APIResponseError`

A repeated content type counts once, and parameters and case do not matter. A byte order mark
before the JSON, and white space or zero bytes after it, are ignored. An `APIResponseError` has
as `.partial` the completion that a document holds where a stream was requested.

Content codings are undone here, within the limit. The status decides before the coding does:
an error's body that cannot be decoded is left out of its message. Reads nothing itself: a
driver feeds it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from attrs import define, field

from ..errors import AutonomousAIError
from .chunk_stream import ChunkStream
from .codec import DecodeError, decode, is_object, linked, parse, structured
from .coding import CodingError, Inflater, inflater
from .failure import (
    KEPT_BYTES,
    Context,
    error_in,
    event_error,
    response_error,
    status_error,
    stream_decode_error,
    without_errors,
)
from .headers import Headers
from .operation import Media, StreamShape
from .stream import StreamState

EVENT_STREAM = "text/event-stream"

_BODILESS = frozenset({204, 205})
_EVENT = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?::|(?:data|event|id|retry):)")
"""The start of an event stream: white space, then a comment or a field (WHATWG HTML, 9.2.5)."""
_SNIFFED = 16
"""Bytes of a body that show whether it is an event stream; no chunk is shorter."""
_NO_HEADERS = Headers()


@define(eq=False)
class ResponseReader:
    """Reads one response: a driver feeds it, and a flow asks it for the error or the result.

    Attributes:
        context: what every error of the attempt says.
        max_bytes: the limit on a document, after decompression.
        shape: the shape of the stream that was requested, or None for a document.
        media: how a document becomes the result.
        status: the HTTP status, 0 before the response begins.
        headers: the response's headers.
        stream: the stream's state, if the response is a stream.
        satisfied: whether the flow needs no more bytes: the body was read, or a stream has its
            first chunk.
        ended: whether the body was read to its end, or as far as it is needed.
    """

    context: Context
    max_bytes: int
    shape: StreamShape[Any, Any] | None
    media: Media = "json"
    status: int = field(init=False, default=0)
    headers: Headers = field(init=False, default=_NO_HEADERS)
    stream: StreamState[Any, Any] | None = field(init=False, default=None)
    satisfied: bool = field(init=False, default=False)
    ended: bool = field(init=False, default=False)
    _is_success: bool = field(init=False, default=False)
    _is_document: bool = field(init=False, default=False)  # the document that was requested
    _may_be_stream: bool = field(init=False, default=False)  # by another content type
    _inflater: Inflater | None = field(init=False, default=None)
    _kept: list[bytes] = field(init=False, factory=list[bytes])
    _size: int = field(init=False, default=0)
    _limit: int = field(init=False, default=KEPT_BYTES)
    _error: AutonomousAIError | None = field(init=False, default=None)

    def start(self, status: int, headers: Headers) -> None:
        """Take the status and the headers."""
        self.status = status
        self.headers = headers
        values = headers.by_name
        if request_id := values.get("x-request-id") or values.get("request-id"):
            self.context = self.context.answered(request_id)
        self._is_success = 200 <= status < 300
        if not self._is_success:
            return
        if coding := values.get("content-encoding"):
            try:
                self._inflater = inflater(coding)
            except CodingError as error:
                self._refuse(str(error), error)
                return
        media_type = content_type(headers)
        if status in _BODILESS:
            self._is_document = self.shape is None and self.media == "none"
            return
        if self.shape is not None and media_type in (EVENT_STREAM, ""):
            self.stream = self._new_stream(self.shape)
        elif self.shape is not None:
            self._may_be_stream = True
        elif media_type != EVENT_STREAM:
            self._is_document = True
            self._limit = self.max_bytes

    def feed(self, data: bytes) -> None:
        """Take the next bytes; empty bytes mean that the body has ended."""
        stream = self.stream
        if not data:
            self._end_of_body()
        elif self._inflater is not None:
            self._inflate(self._inflater, data)
        elif stream is not None:
            stream.feed(data)
        else:
            self._keep(data)
        stream = self.stream
        self.satisfied = self.ended if stream is None else stream.ended or bool(stream.ready)

    def error(self) -> AutonomousAIError | None:
        """Return the error of the response, or None if it is of the requested kind.

        A stream is checked up to its first chunk.
        """
        if self._error is not None:
            return self._error
        if self.stream is not None:
            return None if self.stream.ready else self.stream.error
        if not self._is_success:
            body, note = self._error_body()
            return status_error(self.context, self.status, self.headers, body, note)
        if self._is_document:
            return None
        return self._wrong_kind()

    def result(self, cls: type[Any]) -> Any:
        """The result of a call: the document, text or bytes that the body holds, or None.

        Raises:
            APIResponseError: the body does not match the class.
            AutonomousAIError: the body is an error object.
        """
        if self.media == "json":
            return self.document(cls)
        if self.media == "text":
            return self._text()
        return self.body if self.media == "bytes" else None

    def document(self, cls: type[Any]) -> Any:
        """Return the document as the class that the spec names.

        Raises:
            APIResponseError: the body does not match the class.
            AutonomousAIError: the body is an error object.
        """
        # A key named error is always written like this; inside text its quotes are escaped.
        body = self.body
        if b'"error"' in body and (reported := self._reported(cls)) is not None:
            raise reported
        try:
            return linked(decode(body, cls), body)
        except DecodeError as error:
            reason = str(error) if body.strip() else "the response has no body"
            raise self._reported(cls) or self._response_error(reason, error) from error

    @property
    def body(self) -> bytes:
        """The kept part of the body."""
        if len(self._kept) > 1:
            self._kept = [b"".join(self._kept)]
        return self._kept[0] if self._kept else b""

    def _text(self) -> str:
        """The body as text, by the charset of its content type."""
        charset = "utf-8"
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"') or charset
        try:
            return self.body.decode(charset)
        except (LookupError, UnicodeDecodeError) as error:
            reason = f"the text is not {charset[:40]!r}"
            raise self._response_error(reason, error) from error

    def _new_stream(self, shape: StreamShape[Any, Any]) -> StreamState[Any, Any]:
        if shape.accumulator is None:
            return ChunkStream(shape, self.context, self.headers, self.max_bytes)
        return StreamState(shape, self.context, self.headers, self.max_bytes)

    def _error_body(self) -> tuple[bytes, str]:
        """Return the decoded body of an error status, and a note if it cannot be decoded."""
        body = self.body
        coding = self.headers.get("content-encoding", "")
        inflated: list[bytes] = []
        try:
            made = inflater(coding)
            if made is None:
                return body, ""
            for piece in made.feed(body):
                inflated.append(piece)
                if sum(map(len, inflated)) >= KEPT_BYTES:
                    break
        except CodingError:
            # Some servers and proxies name a coding that they did not apply.
            if not inflated and _is_text(body):
                return body, ""
        return b"".join(inflated)[:KEPT_BYTES], (
            f"its body, with the content coding {coding[:100]!r}, cannot be decoded" if body else ""
        )

    def _wrong_kind(self) -> AutonomousAIError:
        """Return the error for a successful response of another kind."""
        accumulator = None if self.shape is None else self.shape.accumulator
        result = None if accumulator is None else accumulator.result
        if (reported := self._reported(result)) is not None:
            return reported
        if self.status in _BODILESS:
            return self._response_error("the response has no body")
        wanted = "a JSON document" if self.shape is None else "an event stream"
        came = content_type(self.headers) or "something else"
        error = self._response_error(f"expected {wanted}, got {came}")
        error.partial = self._completion()
        return error

    def _completion(self) -> Any:
        """Return the completion that a document holds where a stream was requested, or None."""
        if self.shape is not None and self.shape.accumulator is not None:
            with suppress(DecodeError):
                return linked(decode(self.body, self.shape.accumulator.result), self.body)
        return None

    def _inflate(self, inflater: Inflater, data: bytes) -> None:
        try:
            for piece in inflater.feed(data):
                if self.stream is None:
                    self._keep(piece)
                else:
                    self.stream.feed(piece)
                if self.ended or (self.stream is not None and self.stream.ended):
                    break
        except CodingError as error:
            self._refuse(str(error), error)

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._limit:
            self._kept.append(data)
            if self._may_be_stream and self._size >= _SNIFFED:
                self._sniff()
            return
        self._kept.append(data[: self._limit - self._size])
        if self._is_document:
            self._keep_start()
            self._refuse(
                f"the document is longer than {self.max_bytes} bytes; "
                "Client(max_event_bytes=…) sets the limit"
            )
        else:
            self.ended = True

    def _sniff(self) -> None:
        """Read the body as a stream if it begins like one, whatever its content type says.

        Some servers and proxies name the type of their default instead.
        """
        self._may_be_stream = False
        if self.shape is not None and _EVENT.match(self.body):
            self.stream = self._new_stream(self.shape)
            self.stream.feed(self.body)
            self._kept = []

    def _keep_start(self) -> None:
        """Discard a body that is too long, except for the part that an error keeps."""
        kept: list[bytes] = []
        room = KEPT_BYTES
        for piece in self._kept:
            kept.append(piece[:room])
            room -= len(kept[-1])
            if room <= 0:
                break
        self._kept = kept

    def _end_of_body(self) -> None:
        self.ended = True
        if self._inflater is not None and not self._inflater.complete and self.stream is None:
            self._refuse("the compressed body was cut")
        if self.stream is not None:
            self.stream.feed(b"")

    def _refuse(self, reason: str, cause: BaseException | None = None) -> None:
        self.ended = self.satisfied = True
        if self.stream is not None:
            if not self.stream.ended:
                self.stream.end(stream_decode_error(self.context, reason, b"", cause))
            return
        self._error = self._response_error(reason, cause)

    def _response_error(self, reason: str, cause: BaseException | None = None) -> AutonomousAIError:
        return response_error(self.context, self.status, self.headers, self.body, reason, cause)

    def _reported(self, cls: type[Any] | None) -> AutonomousAIError | None:
        """Return the error that a body reports despite a success status."""
        try:
            document = parse(self.body)
        except DecodeError:
            return None
        reported = error_in(document)
        if reported is None:
            return None
        error = event_error(self.context, self.headers, reported)
        if cls is not None and is_object(document) and document.get("choices"):
            with suppress(DecodeError):
                error.partial = linked(structured(without_errors(document), cls), self.body)
        return error


def content_type(headers: Headers) -> str:
    """Return the media type in lower case without parameters, or empty."""
    value = headers.by_name.get("content-type", "")
    return value.partition(";")[0].partition(",")[0].strip().lower()


def _is_text(data: bytes) -> bool:
    """Return whether bytes are text, which means that they are not compressed."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)
