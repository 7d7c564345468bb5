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

from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field

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
from .stream import StreamState

EVENT_STREAM = "text/event-stream"


@define(eq=False)
class ResponseReader:
    """One answer: a `Receiver` for the driver, a judge for the flow.

    Attributes:
        context: what errors say of the try.
        max_bytes: the bound on a document, after decompression.
        new_stream: makes the stream's state, when one was asked for; else None.
        status: the HTTP status, 0 until the head is there.
        headers: the answer's.
        stream: the stream's state, when the answer is a stream.
    """

    context: Context
    max_bytes: int
    new_stream: Callable[[Context, Headers], StreamState[Any, Any]] | None
    status: int = field(init=False, default=0)
    headers: Headers = field(init=False, factory=Headers)
    stream: StreamState[Any, Any] | None = field(init=False, default=None)
    _inflater: Inflater | None = field(init=False, default=None)
    _kept: list[bytes] = field(init=False, factory=list[bytes])
    _size: int = field(init=False, default=0)
    _limit: int = field(init=False, default=0)
    _ended: bool = field(init=False, default=False)
    _error: AutonomousAIError | None = field(init=False, default=None)

    @property
    def satisfied(self) -> bool:
        """Whether no more bytes are wanted for now: a stream's first events are in."""
        if self._ended:
            return True
        stream = self.stream
        return stream is not None and (stream.ended or bool(stream.ready))

    @property
    def streaming(self) -> bool:
        """Whether the answer is an event stream."""
        return self.stream is not None

    def start(self, status: int, headers: Headers) -> None:
        """Take the head."""
        self.status = status
        self.headers = headers
        self.context = self.context.answered(headers)
        try:
            self._inflater = inflater(headers.get("content-encoding", ""))
        except CodingError as error:
            self._refuse(str(error), error)
            return
        is_stream = content_type(headers) in (EVENT_STREAM, "")
        if self.is_success and self.new_stream is not None and is_stream:
            self.stream = self.new_stream(self.context, headers)
        elif self._is_wanted_document():
            self._limit = self.max_bytes
        else:
            self._limit = KEPT_BYTES

    def feed(self, data: bytes) -> None:
        """Take the next bytes; empty bytes mean that the body has ended."""
        if not data:
            self._end_of_body()
            return
        inflater = self._inflater
        if inflater is None:
            self._take(data)
            return
        try:
            for piece in inflater.feed(data):
                self._take(piece)
                if self._ended or (self.stream is not None and self.stream.ended):
                    break
        except CodingError as error:
            self._refuse(str(error), error)

    def error(self) -> AutonomousAIError | None:
        """What is wrong with the answer; None when it is what was asked for.

        A stream is judged by its beginning alone: once a chunk is there it is a stream.
        """
        if self._error is not None:
            return self._error
        if self.stream is not None:
            return None if self.stream.ready else self.stream.error
        if not self.is_success:
            return status_error(self.context, self.status, self.headers, self.body)
        if self._is_wanted_document():
            return None
        wanted = "a JSON document" if self.new_stream is None else "an event stream"
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
        if b'"error"' in self.body and (reported := self._reported()) is not None:
            raise reported
        try:
            return decode(self.body, cls)
        except DecodeError as error:
            raise self._response_error(str(error), error) from error

    @property
    def ended(self) -> bool:
        """Whether the body was read to its end, or as far as it is wanted."""
        return self._ended

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def body(self) -> bytes:
        """What is kept of the body."""
        if len(self._kept) > 1:
            self._kept = [b"".join(self._kept)]
        return self._kept[0] if self._kept else b""

    def _is_wanted_document(self) -> bool:
        return (
            self.is_success
            and self.new_stream is None
            and content_type(self.headers) != EVENT_STREAM
        )

    def _take(self, data: bytes) -> None:
        if self.stream is not None:
            self.stream.feed(data)
            return
        self._size += len(data)
        if self._size <= self._limit:
            self._kept.append(data)
            return
        self._kept.append(data[: self._limit - self._size])
        if self._is_wanted_document():
            self._keep_start()
            self._refuse(
                f"the document is longer than {self.max_bytes} bytes; "
                "Client(max_event_bytes=…) sets the bound"
            )
        else:
            self._ended = True

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
        self._ended = True
        if self._inflater is not None and not self._inflater.complete and self.stream is None:
            self._refuse("the compressed body was cut")
        if self.stream is not None:
            self.stream.feed(b"")

    def _refuse(self, reason: str, cause: BaseException | None = None) -> None:
        self._ended = True
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


def with_attempt(context: Context, attempt: int) -> Context:
    """The context of another try of the same call."""
    return evolve(context, attempt=attempt)
