"""A stream's state: bytes in, chunks out, and the decision whether it was complete.

    open ── finish reason or sentinel, then the end ──▶ ended
      └──── anything else that ends it ───────────────▶ ended, with `error`

The rules: a stream is complete when its sentinel or the finish reason of every choice
it began has come; whatever else ends it is an error, and every event that came before
is handed out first. No event is passed over but those of type `ping`.
Makes no request and reads no clock; a driver feeds it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic

from attrs import define, field

from ..errors import AutonomousAIError, StreamError
from .accumulator import Finish, accumulate
from .codec import DecodeError, decode, decoder, parse, structured
from .exchange import Failure
from .failure import (
    Context,
    connection_error,
    error_in,
    event_error,
    interrupted_error,
    stream_decode_error,
)
from .headers import Headers
from .operation import ChunkT, ResultT, StreamShape
from .sse import BARE_JSON_LINE, EventParser, RawEvent


@define(eq=False)
class StreamState(Generic[ChunkT, ResultT]):
    """One event stream as it is read.

    Attributes:
        ready: chunks that came and were not handed out yet.
        ended: whether no more bytes are wanted.
        ending: whether every choice has its finish reason, so that only usage and the
            sentinel are due.
        error: what ended the stream, once `ready` is empty; None if it was complete.
    """

    shape: StreamShape[ChunkT, ResultT]
    context: Context
    headers: Headers
    max_event_bytes: int
    ready: deque[ChunkT] = field(init=False, factory=deque[ChunkT])
    ended: bool = field(init=False, default=False)
    ending: bool = field(init=False, default=False)
    error: AutonomousAIError | None = field(init=False, default=None)
    # What was handed out is kept as it came: bytes cost the garbage collector nothing, take
    # less room than the objects, and are decoded again only if the whole answer is wanted.
    _payloads: list[bytes] = field(init=False, factory=list[bytes])
    _parser: EventParser = field(init=False)
    _decode: Callable[[bytes], Any] = field(init=False)
    _completion: ResultT | None = field(init=False, default=None)
    _several: bool = field(init=False, default=False)  # choices, so one may end before another
    _finish: Finish = field(init=False, factory=Finish)
    _judged: int = field(init=False, default=0)  # how many payloads `_finish` has taken

    def __attrs_post_init__(self) -> None:
        self._parser = EventParser(self.max_event_bytes, report_bare_json=True)
        self._decode = decoder(self.shape.chunk)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body; empty bytes mean that it has ended."""
        if not data:
            self._close()
            return
        parser = self._parser
        values = parser.split_simple_events(data)
        if values is not None and self._take_simple(values):
            return
        self._take(parser.feed(data))
        if parser.overflow is not None and not self.ended:
            reason = f"{parser.overflow}; Client(max_event_bytes=…) sets the bound"
            self.end(stream_decode_error(self.context, reason, b"", parser.overflow))

    def _take_simple(self, values: list[bytes]) -> bool:
        """Take the data of a read's events at once; False if one is no chunk, nor the sentinel.

        Without it, what comes of such a read is the same, more slowly.
        """
        complete = values[-1] == self.shape.sentinel
        if complete:
            values.pop()
        try:
            chunks = [*map(self._decode, values)]
        except (ValueError, RecursionError):
            return False
        if not self._keep(chunks, values):
            return False
        self.ended = complete
        return True

    def _take(self, events: list[RawEvent]) -> None:
        """Take events of any kind, one by one."""
        for kind, payload, _, _ in events:
            if kind or payload == self.shape.sentinel:
                if not self._handle(kind, payload):
                    continue
                if self.ended:
                    return
            chunk = self._decoded(payload)
            if chunk is None:
                return
            self._keep([chunk], [payload])

    def _keep(self, chunks: list[Any], payloads: list[bytes]) -> bool:
        """Have these chunks ready; False, and none is kept, if one of them brings an error."""
        several, ending = self._several, self.ending
        for chunk in chunks:
            if chunk.error:
                return False
            if chunk.finish_reason:
                ending = True
            for piece in chunk.choices:
                if piece.index:
                    several = True
                if piece.finish_reason:
                    ending = True
        self.ready.extend(chunks)
        self._payloads.extend(payloads)
        self._several = several
        self.ending = self._is_finished() if several else ending
        return True

    def fail(self, failure: Failure) -> None:
        """End the stream because its connection did, or a time limit."""
        if self.ended:
            return
        if self._is_finished():
            self.ended = True
        elif failure.error.kind == "timeout":
            self.end(connection_error(failure, self.context))
        else:
            self.end(interrupted_error(self.context, failure.error.message, failure.error))

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended and every chunk was handed out."""
        return self.ended and not self.ready

    def abandon(self) -> None:
        """Nobody reads on: unless the stream has ended, what was not handed out is let go."""
        if not self.ended:
            self.ready.clear()

    def completion(self) -> ResultT:
        """The whole answer, once the stream has ended well.

        Raises:
            StreamError: the stream has not ended.
            AutonomousAIError: it ended with that error.
        """
        if self.error is not None:
            raise self.error
        if not self.ended:
            raise StreamError(
                "The stream has not ended, so there is no completion yet: read it to its end, "
                "or call until_done().",
                endpoint=self.context.endpoint,
                attempt=self.context.attempt,
            )
        if self._completion is None:
            self._completion = accumulate(self.shape.accumulator, self._chunks())
        return self._completion

    def _chunks(self) -> list[ChunkT]:
        """Every chunk of the stream so far."""
        return [decode(payload, self.shape.chunk) for payload in self._payloads]

    def _is_finished(self) -> bool:
        """Whether every choice has its finish reason; looks at no chunk twice."""
        for payload in self._payloads[self._judged :]:
            self._finish.take(decode(payload, self.shape.chunk))
        self._judged = len(self._payloads)
        return self._finish.reached

    def _close(self) -> None:
        """The body has ended: complete, or cut."""
        if self.ended:
            return
        if self._is_finished():
            self.ended = True
            return
        # Servers that fail often write the error as their last words, and leave it at that.
        try:
            document = parse(self._parser.unfinished)
        except DecodeError:
            document = None
        if error_in(document):
            self.end(event_error(self.context, self.headers, document))
            return
        reason = (
            "it ended inside an event"
            if self._parser.mid_event
            else "it ended with neither a finish reason nor an end marker"
        )
        self.end(interrupted_error(self.context, reason, None))

    def end(self, error: AutonomousAIError) -> None:
        """End the stream with an error, which gets what had come as its `partial`."""
        self.ended = True
        self.error = error
        if self._payloads:
            # Only the chat operations stream, so a partial result is a ChatCompletion;
            # the error tree, below this module, can name but not import that class.
            partial: Any = accumulate(self.shape.accumulator, self._chunks())
            error.partial = partial

    def _handle(self, kind: bytes, payload: bytes) -> bool:
        """An event that is not simply a chunk; whether it may still be one."""
        if payload == self.shape.sentinel:
            self.ended = True
            return True
        if kind == b"ping":
            return False
        try:
            document = parse(payload)
        except DecodeError as error:
            if kind == b"error":
                text = payload.decode("utf-8", "replace")
                self.end(event_error(self.context, self.headers, text))
            else:
                self.end(stream_decode_error(self.context, str(error), payload, error))
            return True
        if kind == b"error" or error_in(document):
            self.end(event_error(self.context, self.headers, document))
        elif kind == BARE_JSON_LINE:
            reason = "a line holds a JSON document, but is no field of an event"
            self.end(stream_decode_error(self.context, reason, payload))
        return True

    def _decoded(self, payload: bytes) -> Any:
        """The chunk, or None once the stream has ended because it is none."""
        with suppress(ValueError, RecursionError):
            chunk: Any = self._decode(payload)
            if not chunk.error:
                return chunk
        try:
            document = parse(payload)
            if not error_in(document):
                return structured(document, self.shape.chunk)
            self.end(event_error(self.context, self.headers, document))
        except DecodeError as error:
            self.end(stream_decode_error(self.context, str(error), payload, error))
        return None
