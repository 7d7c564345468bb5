"""The state of a stream: bytes in, chunks out, and whether it was complete.

A choice ends by its finish reason, and content that follows opens it again:

    the chunk brings             the choice is
    a finish reason, no content  ended
    a finish reason and content  ended; still open if an earlier reason was followed by
                                 content, since some gateways put one into every chunk
    content alone                open, even after a finish reason
    neither                      unchanged

Content is text, reasoning, a refusal or a tool call. `""` and the text `"null"` are not
finish reasons.

    the stream                   the choices            it is
    sends its end marker         any                    complete
    ends or breaks               all have ended         complete
    ends or breaks               any other              `StreamInterrupted`
    sends an error object        any                    the API error
    sends an undecodable event   any                    `StreamDecodeError`

After a finish reason in a chunk without content, `ending` is set and the driver waits only briefly
for usage and the end marker. After one with content it waits as long as before, because such a
stream may go on.

The chunks before an error are returned first. Only keep-alives are ignored: events without data,
and types such as `ping`, which the event or its data names. Does no I/O and reads no clock; a
driver feeds it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Generic, cast, get_type_hints

import attrs
from attrs import define, field

from ..errors import AutonomousAIError, StreamError
from .accumulator import accumulate
from .codec import (
    LINK,
    DecodeError,
    Source,
    decoder,
    documents,
    encode,
    is_array,
    is_object,
    lacks_value,
    linked,
    objects_in,
    parse,
    structured,
    unstructure,
)
from .exchange import Failure
from .failure import (
    Context,
    connection_error,
    error_in,
    event_error,
    interrupted_error,
    stream_decode_error,
    without_errors,
)
from .fields import class_in, wire_name
from .finish import Finish, brings_content, content_names
from .headers import Headers
from .operation import Accumulator, ChunkT, ResultT, StreamShape
from .sse import BARE_JSON_LINE, EventParser

set_attribute = object.__setattr__
"""Sets an attribute of a frozen object."""

KEEP_ALIVES = frozenset({b"ping", b"keepalive", b"keep-alive", b"heartbeat"})
"""The event types that are ignored, whatever their data."""


@define(eq=False)
class StreamState(Generic[ChunkT, ResultT]):
    """One event stream as it is read.

    Attributes:
        ready: chunks that have arrived and were not returned yet.
        ended: whether the stream needs no more bytes.
        ending: whether only usage and the end marker are due.
        error: the error to raise once `ready` is empty; None if the stream was complete.
    """

    shape: StreamShape[ChunkT, ResultT]
    context: Context
    headers: Headers
    max_event_bytes: int
    ready: deque[ChunkT] = field(init=False, factory=deque[ChunkT])
    ended: bool = field(init=False, default=False)
    ending: bool = field(init=False, default=False)
    error: AutonomousAIError | None = field(init=False, default=None)
    # Returned chunks are kept as bytes, which need less memory than objects and cost the garbage
    # collector nothing. They are decoded again if the completion is requested.
    _payloads: list[bytes] = field(init=False, factory=list[bytes])
    _originals: dict[int, bytes] = field(init=False, factory=dict[int, bytes])  # by position
    _parser: EventParser = field(init=False)
    _decode: Callable[[bytes], Any] = field(init=False)
    _traits: _Traits = field(init=False)
    _completion: ResultT | None = field(init=False, default=None)
    _finish: Finish = field(init=False, factory=Finish)
    _watching: bool = field(init=False, default=False)  # whether `_finish` sees every chunk
    _in_messages: set[int] = field(init=False, factory=set[int])

    def __attrs_post_init__(self) -> None:
        self._parser = EventParser(self.max_event_bytes, report_bare_json=True)
        self._decode = decoder(self.shape.chunk)
        chunk: Any = self.shape.chunk  # `cache` needs a hashable argument
        self._traits = _traits(chunk)
        self._watching = not self._traits.has_tool_calls

    def feed(self, data: bytes) -> None:
        """Process the next bytes of the body; empty bytes mean its end."""
        if not data:
            self._close()
            return
        parser = self._parser
        values = parser.split_simple_events(data)
        if values is not None:
            self._take_simple(values)
            return
        events = parser.feed(data)
        if any(event[0] for event in events):
            for kind, payload, _, _ in events:
                self._take(kind, payload)
                if self.ended:
                    return
        elif events:
            self._take_simple([event[1] for event in events])
        if parser.overflow is not None and not self.ended:
            reason = f"{parser.overflow}; Client(max_event_bytes=…) sets the bound"
            self.end(stream_decode_error(self.context, reason, b"", parser.overflow))

    def _take_simple(self, values: list[bytes]) -> None:
        """Take the data of events without a type.

        Nearly all are chunks that only add to the first choice, so these are taken first, and
        nothing else is looked at.
        """
        taken = 0
        if not self._watching:
            decode, ready, keep = self._decode, self.ready.append, self._payloads.append
            no_delta = self._traits.no_delta
            try:
                for payload in values:
                    chunk = decode(payload)
                    pieces = chunk.choices
                    if len(pieces) != 1 or chunk.finish_reason is not None:
                        break
                    piece = pieces[0]
                    delta = piece.delta
                    if (
                        piece.index
                        or piece.finish_reason is not None
                        or delta is no_delta
                        or ((calls := delta.tool_calls) is not None and lacks_value(delta))
                    ):
                        break
                    set_attribute(delta, LINK, payload)
                    if calls is not None:
                        linked(chunk, payload)
                    ready(chunk)
                    keep(payload)
                    taken += 1
            except (ValueError, RecursionError):
                pass  # `_take` decides what it is
            if taken == len(values):
                return
        for payload in values[taken:]:
            self._take(b"", payload)
            if self.ended:
                return

    def _take(self, kind: bytes, payload: bytes) -> None:
        """Process one event of any kind."""
        sentinel = self.shape.sentinel
        if sentinel is not None and payload.strip(b" \t\r\n") == sentinel:
            self.ended = True
            return
        if kind in KEEP_ALIVES or (not kind and not payload.strip(b"\n")):
            return
        try:
            found = self._chunk(kind, payload)
        except DecodeError as error:
            # What is not a chunk may be the sentinel in quotes or in small letters.
            if sentinel is not None and payload.strip(b' \t\r\n"').upper() == sentinel.upper():
                self.ended = True
                return
            pieces = documents(payload)
            if not pieces:
                self.end(stream_decode_error(self.context, str(error), payload, error))
            for each in pieces:
                self._take(kind, each)
                if self.ended:
                    return
            return
        if found is not None:
            self._keep(*found, payload)

    def _chunk(self, kind: bytes, payload: bytes) -> tuple[Any, bytes] | None:
        """Return an event's chunk with its bytes.

        Returns:
            None for a keep-alive, and for an error, which ends the stream.

        Raises:
            DecodeError: the event is neither a chunk nor an error.
        """
        chunk = self._decoded(payload)
        is_chunk = chunk is not None and kind not in (b"error", BARE_JSON_LINE)
        if is_chunk and self._traits.is_clear(chunk, payload):
            return chunk, payload
        try:
            document = parse(payload)
        except DecodeError:
            if kind != b"error":
                raise
            document = payload.decode("utf-8", "replace")
        reported = document if kind == b"error" else error_in(document)
        if reported is not None:
            self._keep_beside_error(document)
            self.end(event_error(self.context, self.headers, reported))
            return None
        if kind == BARE_JSON_LINE:
            raise DecodeError("a line holds a JSON document, but is not a field of an event")
        if is_object(document) and _is_keep_alive(document):
            return None
        return self._closely(chunk, document, payload)

    def _decoded(self, payload: bytes) -> Any:
        """Return the chunk by the fast path, or None if it refuses the chunk."""
        try:
            return self._decode(payload)
        except (ValueError, RecursionError):
            return None

    def _closely(self, chunk: Any, document: object, payload: bytes) -> tuple[Any, bytes]:
        """Decode a chunk that is not plain, by the standard path where needed.

        Raises:
            DecodeError: it is not a chunk.
        """
        if not is_object(document):
            return structured(document, self.shape.chunk), payload
        has_names = not self._traits.names.isdisjoint(document)
        if not has_names or ("choices" not in document and _CONTENT & document.keys()):
            raise DecodeError("required field missing @ $.choices")
        if is_object(document.get("choices")):
            document = {**document, "choices": objects_in(document["choices"])}
        changed = self._without_repetition(self._without_empty_reasons(document))
        if chunk is None or changed is not document or lacks_value(chunk):
            settled: Any = structured(changed, self.shape.chunk)
            # The payload must decode to the same chunk again.
            return settled, encode(unstructure(settled)) if settled != chunk else payload
        return chunk, payload

    def _keep_beside_error(self, document: object) -> None:
        """Queue the content of an event that also has an error."""
        if not is_object(document):
            return
        plain = without_errors(document)
        with suppress(DecodeError):
            chunk: Any = structured(plain, self.shape.chunk)
            if any(brings_content(piece.delta) for piece in chunk.choices):
                payload = encode(plain)
                self._keep(chunk, payload, payload)

    def _keep(self, chunk: Any, payload: bytes, original: bytes) -> None:
        """Queue a chunk and update which choices have ended.

        Args:
            chunk: the chunk.
            payload: bytes that decode to it.
            original: the bytes that the server sent.
        """
        if not self._watching and self._traits.is_telling(chunk):
            self._watching = True
            # No earlier chunk had a finish reason, so their order does not matter.
            for earlier in reversed(self._payloads):
                self._finish.take(self._read_again(earlier))
                if self._finish.has_content:
                    break
        if self._watching:
            self._finish.take(chunk)
            self.ending = self._finish.settled
        if payload is not original:
            self._originals[len(self._payloads)] = original
        linked(chunk, original)
        self.ready.append(chunk)
        self._payloads.append(payload)

    def fail(self, failure: Failure) -> None:
        """End the stream after a connection failure or an expired limit."""
        if self.ended:
            return
        if self._finish.reached:
            self.ended = True
        elif failure.error.kind == "timeout":
            self.end(connection_error(failure, self.context))
        else:
            self.end(interrupted_error(self.context, failure.error.message, failure.error))

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended and every chunk was returned."""
        return self.ended and not self.ready

    def abandon(self) -> None:
        """The consumer stopped: discard undelivered chunks unless the stream has ended."""
        if not self.ended:
            self.ready.clear()

    def completion(self) -> ResultT:
        """Return the completion of a stream that ended without an error.

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
            self._completion = self._combined()
        return self._completion

    def _combined(self, unfinished: tuple[int, ...] = (), /) -> ResultT:
        """The result that the chunks so far make."""
        # `ChunkStream` reads the chunks that have none.
        accumulator = cast("Accumulator[ResultT]", self.shape.accumulator)
        return linked(accumulate(accumulator, self._chunks(), unfinished), self._source())

    def _source(self) -> Source:
        """The bytes of every chunk so far, as the server sent them."""
        originals = self._originals
        if not originals:
            return tuple(self._payloads)
        return tuple(originals.get(at, each) for at, each in enumerate(self._payloads))

    def _chunks(self) -> list[ChunkT]:
        """Return every chunk so far."""
        return [*map(self._read_again, self._payloads)]

    def _read_again(self, payload: bytes) -> ChunkT:
        chunk: ChunkT | None = self._decoded(payload)
        return structured(parse(payload), self.shape.chunk) if chunk is None else chunk

    def _close(self) -> None:
        """Handle the end of the body: complete or cut."""
        if self.ended:
            return
        if self._finish.reached:
            self.ended = True
            return
        # A failing server often writes its error last, without an end of line.
        try:
            document = parse(self._parser.unfinished)
        except DecodeError:
            document = None
        if (reported := error_in(document)) is not None:
            self.end(event_error(self.context, self.headers, reported))
            return
        reason = (
            "it ended inside an event"
            if self._parser.mid_event
            else "it ended with neither a finish reason nor an end marker"
        )
        self.end(interrupted_error(self.context, reason, None))

    def end(self, error: AutonomousAIError) -> None:
        """End the stream with an error whose `partial` has the chunks so far."""
        self.ended = True
        self.error = error
        if self._payloads:
            # The error tree lies below this module and cannot import ChatCompletion.
            partial: Any = self._combined(self._finish.unfinished)
            error.partial = partial

    def _without_empty_reasons(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a chunk with null for finish reasons that mean none."""
        choices: object = document.get("choices")
        holders = [document, *filter(is_object, choices if is_array(choices) else ())]
        if all(each.get("finish_reason") not in self._traits.no_reasons for each in holders):
            return document
        plain: Any = [
            {**each, "finish_reason": None}
            if is_object(each) and each.get("finish_reason") in self._traits.no_reasons
            else each
            for each in [document, *(choices if is_array(choices) else ())]
        ]
        return {**plain[0], "choices": plain[1:]} if is_array(choices) else plain[0]

    def _without_repetition(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a chunk without the part of its `message` that repeats earlier deltas.

        Some gateways end a stream with the whole message, others send pieces under that name. A
        message after deltas is the whole message: only its addition to them is new.
        """
        choices: object = document.get("choices")
        if not is_array(choices):
            return document
        result: list[Any] = []
        is_changed = False
        for choice in choices:
            message = choice.get("message") if is_object(choice) else None
            delta: object = (choice.get("delta") or {}) if is_object(choice) else None
            if not is_object(message) or not is_object(delta) or self._traits.has_content(delta):
                result.append(choice)
                continue
            new = self._new_in(message, choice.get("index"))
            result.append({**choice, "delta": {**delta, **new}, "message": None})
            is_changed = True
        return {**document, "choices": result} if is_changed else document

    def _new_in(self, message: Mapping[str, Any], index: object) -> Mapping[str, Any]:
        index = index if isinstance(index, int) else 0
        if index in self._in_messages:
            return message
        whole: Any = self._combined()
        so_far = next((each.message for each in whole.choices if each.index == index), None)
        cls: Any = type(self._traits.no_delta)  # `cache` needs a hashable argument
        names = content_names(cls)
        if so_far is None or not any(getattr(so_far, name, None) for name in names):
            self._in_messages.add(index)
            return message
        new: dict[str, Any] = {}
        for name, value in message.items():
            before = getattr(so_far, name, None)
            if isinstance(before, str) and isinstance(value, str):
                new[name] = value.removeprefix(before)
            elif not before:
                new[name] = value
        return new


_CONTENT = frozenset({"message", "delta", "content", "text", "response"})
"""Where other protocols put the text that is expected in `choices`."""


def _is_keep_alive(document: Mapping[str, Any]) -> bool:
    """Return whether an event's data is an object that names the type of a keep-alive."""
    kind = document.get("type")
    return isinstance(kind, str) and kind.encode() in KEEP_ALIVES and "choices" not in document


@attrs.frozen
class _Traits:
    """The criteria for chunks of a class that need the slow path.

    Attributes:
        names: the wire's field names, of which a chunk has at least one.
        no_delta: the default delta of a choice.
        has_tool_calls: whether a delta has the field, which the fast path reads.
        no_reasons: texts that mean no finish reason.
        odd_reasons: those, and the reason that means an error.
    """

    names: frozenset[str]
    no_delta: object
    has_tool_calls: bool
    no_reasons: tuple[str, ...]
    odd_reasons: tuple[str, ...]

    def is_clear(self, chunk: Any, payload: bytes) -> bool:
        """Whether a chunk that the fast path decoded is all that its payload says."""
        if not chunk.choices:
            return chunk.usage is not None and chunk.finish_reason not in self.odd_reasons
        reasons = [chunk.finish_reason, *(piece.finish_reason for piece in chunk.choices)]
        delta = chunk.choices[0].delta
        is_simple = len(chunk.choices) == 1 and getattr(delta, "tool_calls", None) is None
        return not (
            delta is self.no_delta
            or (not is_simple and lacks_value(chunk))
            or any(reason in self.odd_reasons for reason in reasons)
            or b'"message"' in payload
        )

    def is_telling(self, chunk: Any) -> bool:
        """Return whether a chunk has a finish reason or another choice than the first."""
        return bool(chunk.finish_reason) or any(
            piece.index or piece.finish_reason for piece in chunk.choices
        )

    def has_content(self, delta: Mapping[str, Any]) -> bool:
        """Return whether a raw delta has content."""
        cls: Any = type(self.no_delta)
        return any(delta.get(name) for name in content_names(cls))


@cache
def _traits(cls: Any) -> _Traits:
    names = frozenset(wire_name(each) for each in attrs.fields(cls)) - {"error"}
    piece: Any = class_in(get_type_hints(cls).get("choices"))
    if piece is None:
        return _Traits(names, no_delta=None, has_tool_calls=False, no_reasons=(), odd_reasons=())
    reason = attrs.fields_dict(piece)["finish_reason"]
    nulls = tuple(reason.metadata.get("nulls", ()))
    no_delta = getattr(piece, "delta", None)
    has_tool_calls = hasattr(no_delta, "tool_calls")
    return _Traits(
        names,
        no_delta=no_delta,
        has_tool_calls=has_tool_calls,
        no_reasons=nulls,
        odd_reasons=(*nulls, "error"),
    )
