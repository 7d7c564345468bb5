"""An answer as it comes in: what its status and headers make of its bytes.

    status    asked for   content type        becomes
    2xx       a stream    text/event-stream   a stream
    2xx       a stream    anything else       an error: the wrong kind
    2xx       a document  text/event-stream   an error: the wrong kind
    2xx       a document  anything else       a document
    other     either      any                 an error

Content codings are undone here, within the bound. Reads nothing itself: a driver feeds it.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from ..errors import AutonomousAIError
from .codec import DecodeError, decode, parse
from .coding import CodingError, Inflater, inflater
from .failure import (
    KEPT_BYTES,
    Context,
    error_in,
    event_error,
    response_error,
    status_error,
    stream_decode_error,
)
from .headers import Headers
from .operation import StreamShape
from .stream import StreamState

EVENT_STREAM = "text/event-stream"

_NO_HEADERS = Headers()


@define(eq=False)
class ResponseReader:
    """Reads one response: a driver feeds it, and a flow asks it for the error or the result.

    Attributes:
        context: what every error of the attempt says.
        max_bytes: the limit on a document, after decompression.
        shape: the shape of the stream that was requested, or None for a document.
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
    status: int = field(init=False, default=0)
    headers: Headers = field(init=False, default=_NO_HEADERS)
    stream: StreamState[Any, Any] | None = field(init=False, default=None)
    satisfied: bool = field(init=False, default=False)
    ended: bool = field(init=False, default=False)
    _is_success: bool = field(init=False, default=False)
    _is_document: bool = field(init=False, default=False)  # the document that was requested
    _inflater: Inflater | None = field(init=False, default=None)
    _kept: list[bytes] = field(init=False, factory=list[bytes])
    _size: int = field(init=False, default=0)
    _limit: int = field(init=False, default=KEPT_BYTES)
    _error: AutonomousAIError | None = field(init=False, default=None)

    def start(self, status: int, headers: Headers) -> None:
        """Take the status and the headers."""
        self.status = status
        self.headers = headers
        self.context = self.context.answered(headers)
        if coding := headers.get("content-encoding"):
            try:
                self._inflater = inflater(coding)
            except CodingError as error:
                self._refuse(str(error), error)
                return
        self._is_success = 200 <= status < 300
        if not self._is_success:
            return
        media_type = content_type(headers)
        if self.shape is not None and media_type in (EVENT_STREAM, ""):
            self.stream = StreamState(self.shape, self.context, headers, self.max_bytes)
        elif self.shape is None and media_type != EVENT_STREAM:
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
        self.satisfied = self.ended if stream is None else stream.ended or bool(stream.ready)

    def error(self) -> AutonomousAIError | None:
        """What is wrong with the answer; None when it is what was asked for.

        A stream is judged by its beginning alone: once a chunk is there it is a stream.
        """
        if self._error is not None:
            return self._error
        if self.stream is not None:
            return None if self.stream.ready else self.stream.error
        if not self._is_success:
            return status_error(self.context, self.status, self.headers, self.body)
        if self._is_document:
            return None
        wanted = "a JSON document" if self.shape is None else "an event stream"
        return self._reported() or self._response_error(
            f"{wanted} was asked for, and {content_type(self.headers) or 'something else'} came"
        )

    def document(self, cls: type[Any]) -> Any:
        """The whole answer as the class the spec gives it.

        Raises:
            APIResponseError: the body is not that.
            AutonomousAIError: the body is an error object instead.
        """
        # A key named error can only be written so; inside a text it is escaped.
        body = self.body
        if b'"error"' in body and (reported := self._reported()) is not None:
            raise reported
        try:
            return decode(body, cls)
        except DecodeError as error:
            raise self._response_error(str(error), error) from error

    @property
    def body(self) -> bytes:
        """What is kept of the body."""
        if len(self._kept) > 1:
            self._kept = [b"".join(self._kept)]
        return self._kept[0] if self._kept else b""

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

    def _keep_start(self) -> None:
        """Let go of a body that is too long, but for what an error keeps of it."""
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

    def _reported(self) -> AutonomousAIError | None:
        """The error a body reports although its status says success."""
        try:
            document = parse(self.body)
        except DecodeError:
            return None
        reported = error_in(document)
        if reported is None:
            return None
        return event_error(self.context, self.headers, reported)


def content_type(headers: Headers) -> str:
    """An answer's media type, without parameters and in lower case; empty when it has none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()
