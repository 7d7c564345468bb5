"""The state of a stream whose chunks have no choices: any schema, with or without an end marker.

    the stream                            it is
    sends its end marker                  complete
    ends between two events, has no       complete
    end marker
    ends or breaks in any other way       `StreamInterrupted`
    sends an error object                 the API error
    sends an undecodable event            `StreamDecodeError`

Its result is the tuple of its chunks. `stream` has the rules for chunks with choices.
"""

from __future__ import annotations

from typing import Any, cast

import attrs
from attrs import define

from .codec import DecodeError, decode, decoder, linked, parse
from .exchange import Failure
from .failure import connection_error, error_in, event_error, interrupted_error
from .fields import wire_name
from .operation import ChunkT, ResultT
from .sse import BARE_JSON_LINE, EventParser
from .stream import StreamState


@define(eq=False)
class ChunkStream(StreamState[ChunkT, ResultT]):
    """One event stream, chunk by chunk."""

    def __attrs_post_init__(self) -> None:
        self._parser = EventParser(self.max_event_bytes, report_bare_json=True)
        self._decode = decoder(self.shape.chunk)

    def fail(self, failure: Failure) -> None:
        """End the stream because its connection did, or a time limit."""
        if self.ended:
            return
        if failure.error.kind == "timeout":
            self.end(connection_error(failure, self.context))
        else:
            self.end(interrupted_error(self.context, failure.error.message, failure.error))

    def _take_simple(self, values: list[bytes]) -> None:
        for payload in values:
            self._take(b"", payload)
            if self.ended:
                return

    def _chunk(self, kind: bytes, payload: bytes) -> tuple[Any, bytes] | None:
        # A key named error can only be written so; inside a text it is escaped.
        if kind == b"error" or b'"error"' in payload:
            try:
                document = parse(payload)
            except DecodeError:
                if kind != b"error":
                    raise
                document = payload.decode("utf-8", "replace")
            reported = document if kind == b"error" else self._error_in(document)
            if reported is not None:
                self.end(event_error(self.context, self.headers, reported))
                return None
        if kind == BARE_JSON_LINE:
            raise DecodeError("a line holds a JSON document, but is not a field of an event")
        return decode(payload, self.shape.chunk), payload

    def _error_in(self, document: object) -> Any:
        """The error object that a document is, unless its class has a field of that name."""
        cls: Any = self.shape.chunk
        if attrs.has(cls) and "error" in map(wire_name, attrs.fields(cls)):
            return None
        return error_in(document)

    def _keep(self, chunk: Any, payload: bytes, original: bytes) -> None:
        linked(chunk, original)
        self.ready.append(chunk)
        self._payloads.append(payload)

    def _combined(self, _unfinished: tuple[int, ...] = (), /) -> ResultT:
        cls: Any = self.shape.chunk
        return cast("ResultT", tuple(linked(decode(each, cls), each) for each in self._payloads))

    def _close(self) -> None:
        if self.ended:
            return
        try:
            reported = error_in(parse(self._parser.unfinished))
        except DecodeError:
            reported = None
        if reported is not None:
            self.end(event_error(self.context, self.headers, reported))
        elif self._parser.mid_event:
            self.end(interrupted_error(self.context, "it ended inside an event", None))
        elif self.shape.sentinel is not None:
            self.end(interrupted_error(self.context, "it ended without its end marker", None))
        else:
            self.ended = True
