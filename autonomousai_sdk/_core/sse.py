r"""Server-sent events: bytes in, events out, by the WHATWG rules.

The grammar (https://html.spec.whatwg.org/multipage/server-sent-events.html,
"parsing an event stream" and "interpreting an event stream"):

    stream  = [ BOM ] *event
    event   = *( comment / field ) end-of-line
    comment = ":" *any end-of-line
    field   = name [ ":" [ space ] value ] end-of-line
    end-of-line = CR LF / LF / CR

Lines are split in bytes. Text methods that split lines (`str.splitlines`, the HTTP
libraries' `iter_lines`) also break at U+2028, U+0085 and others, which model output
contains. A CR ends its line at once, so that an event is returned as soon as its blank line ends;
a following LF, even in a later read, belongs to that CR.

`EventParser` returns bytes, for the stream state, which decodes them as JSON; `SSEDecoder` returns
text, for users. This module does not depend on JSON or chunks.
"""

from __future__ import annotations

from attrs import frozen

from ..errors import ConfigurationError, StreamDecodeError
from .display import display

MAX_EVENT_BYTES = 64 * 2**20
"""The default bound on one line or event, in bytes."""

BARE_JSON_LINE = b"\x00stray"
"""The event type for a line without a field name that looks like a JSON document.

An event that a server sends with this type is treated as such a line.
"""

_BOM = b"\xef\xbb\xbf"


class EventTooLongError(Exception):
    """A line or an event exceeds the limit."""


@frozen
class ServerSentEvent:
    """One event.

    Attributes:
        event: its type; `message` when the stream names none.
        data: its data lines, joined by line feeds.
        id: the last event id at the time of the event, or empty.
        retry: the reconnection time that its block set, in milliseconds, or None.
    """

    event: str
    data: str
    id: str = ""
    retry: int | None = None


RawEvent = tuple[bytes, bytes, bytes, "int | None"]
"""An event in bytes: its type (empty for none), data, last event id, and `retry` or None."""


class EventParser:
    """Parses bytes into events in bytes.

    Args:
        max_event_bytes: the limit on one line and on one event's data, in bytes.
        report_bare_json: whether to report lines without a field name that start with `{`, with
            the type `BARE_JSON_LINE`.

    Attributes:
        last_event_id: the id of the last block that ended, or empty.
        retry: the last reconnection time, in milliseconds, or None.
        overflow: set once a line or an event exceeds the limit. Earlier events were returned;
            no later ones will be.
    """

    __slots__ = (
        "_block_retry",
        "_bom",
        "_data",
        "_fresh",
        "_held",
        "_held_size",
        "_id",
        "_max",
        "_named",
        "_report_bare_json",
        "_size",
        "_skip_lf",
        "_type",
        "last_event_id",
        "overflow",
        "retry",
    )

    def __init__(
        self, max_event_bytes: int = MAX_EVENT_BYTES, *, report_bare_json: bool = False
    ) -> None:
        self._max = max_event_bytes
        self._report_bare_json = report_bare_json
        self._bom: bytes | None = b""  # a possible byte order mark; None once that is decided
        self._skip_lf = False  # the last line ended in CR, so an LF here belongs to it
        self._fresh = False  # nothing is pending: the next byte starts a block
        self._held: list[bytes] = []  # pieces of the unfinished line
        self._held_size = 0
        # The unfinished block. `_named`: it has a field other than data.
        self._data: list[bytes] = []
        self._size = 0
        self._named = False
        self._type = b""
        self._id = b""
        self._block_retry: int | None = None
        self.last_event_id = b""
        self.retry: int | None = None
        self.overflow: EventTooLongError | None = None

    def feed(self, data: bytes) -> list[RawEvent]:
        """Return the events that `data` completes, in order; see `overflow`."""
        values = self.split_simple_events(data)
        if values is not None:
            identity = self.last_event_id
            return [(b"", value, identity, None) for value in values]
        events: list[RawEvent] = []
        if self.overflow is None:
            try:
                self._feed(data, events)
                pending = self._held or self._data or self._named or self._skip_lf
                self._fresh = not pending and self._bom is None
            except EventTooLongError as error:
                self._fresh = False
                self.overflow = error
        return events

    def split_simple_events(self, data: bytes) -> list[bytes] | None:
        """Return the data of each event if `data` consists of whole events of one data line each.

        That is so for nearly every read of a model's stream; its first and last bytes tell. None
        otherwise, or inside a block: `feed` handles these.
        """
        if self._fresh and data[:6] == b"data: " and len(data) <= self._max and 13 not in data:
            if data.find(b"\n") == len(data) - 2 and data[-1] == 10:
                return [data[6:-2]]
            if data[-2:] == b"\n\n":
                # One split gives the events; the count of line feeds verifies it.
                values = data[6:-2].split(b"\n\ndata: ")
                if data.count(b"\n") == 2 * len(values):
                    return values
        return None

    def _feed(self, data: bytes, events: list[RawEvent]) -> None:
        if self._bom is not None:
            data = self._after_bom(data)
        if self._skip_lf and data:
            self._skip_lf = False
            if data[0] == 0x0A:
                data = data[1:]
        if not data:
            return
        if b"\r" in data:
            self._skip_lf = data[-1] == 0x0D
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._held:
            if b"\n" not in data:
                self._hold(data)
                return
            # Join the pieces of a line once, at its end: joining them at every read would make the
            # cost of a long line quadratic.
            self._check_line(self._held_size + data.index(b"\n"))
            data = b"".join((*self._held, data))
            self._held.clear()
            self._held_size = 0
        lines = data.split(b"\n")
        rest = lines.pop()
        if len(data) > self._max:
            self._check_lines(lines, events)
        self._interpret(lines, events)
        if rest:
            self._hold(rest)

    @property
    def mid_event(self) -> bool:
        """Whether the stream is inside a line or an event, so that ending here means it was cut.

        An unfinished comment does not count: nothing is lost.
        """
        held = bool(self._held) and not self._held[0].startswith(b":")
        return held or bool(self._data) or self._named

    @property
    def unfinished(self) -> bytes:
        """The unfinished data or line at a cut."""
        line = b"".join(self._held).removeprefix(b"data:")
        return b"\n".join((*self._data, line))

    def _after_bom(self, data: bytes) -> bytes:
        """Remove a byte order mark at the start, even one cut between reads."""
        start = (self._bom or b"") + data
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._bom = start
            return b""
        self._bom = None
        return start.removeprefix(_BOM)

    def _hold(self, piece: bytes) -> None:
        self._held_size += len(piece)
        self._check_line(self._held_size)
        self._held.append(piece)

    def _check_lines(self, lines: list[bytes], events: list[RawEvent]) -> None:
        """Stop at the first line over the limit, independently of where reads were cut."""
        for count, line in enumerate(lines):
            if len(line) > self._max:
                self._interpret(lines[:count], events)
                self._check_line(len(line))

    def _check_line(self, size: int) -> None:
        if size > self._max:
            raise EventTooLongError(f"a line of the stream is longer than {self._max} bytes")

    def _interpret(self, lines: list[bytes], events: list[RawEvent]) -> None:
        for line in lines:
            if not line:
                self._end_block(events)
            elif line[:6] == b"data: ":
                self._add(line[6:])
            elif line[0] != 0x3A:
                self._field(line, events)

    def _end_block(self, events: list[RawEvent]) -> None:
        if self._named:
            self.last_event_id = self._id
        data = self._data
        if data:
            joined = data[0] if len(data) == 1 else b"\n".join(data)
            events.append((self._type, joined, self.last_event_id, self._block_retry))
            self._data = []
            self._size = 0
        if self._named:
            self._named = False
            self._type = b""
            self._block_retry = None

    def _add(self, value: bytes) -> None:
        # The joining line feeds count too, which bounds a block of endless empty data lines.
        self._size += len(value) + 1
        if self._size > self._max + 1:
            raise EventTooLongError(f"an event of the stream is longer than {self._max} bytes")
        self._data.append(value)

    def _field(self, line: bytes, events: list[RawEvent]) -> None:
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            self._add(value)
        elif name == b"event":
            self._named = True
            self._type = value
        elif name == b"id":
            if b"\0" not in value:
                self._named = True
                self._id = value
        elif name == b"retry":
            # bytes.isdigit() accepts ASCII digits only, unlike str.isdigit(). Ten digits are 115
            # days; int() refuses thousands of digits.
            if value.isdigit() and len(value.lstrip(b"0")) <= 10:
                self._named = True
                self.retry = self._block_retry = int(value)
        elif self._report_bare_json and line[0] == 0x7B:
            events.append((BARE_JSON_LINE, line, b"", None))


class SSEDecoder:
    r"""Decodes the bytes of an event stream into events, however they are cut.

    Args:
        max_event_bytes: the limit on one line and on one event, in bytes.

    Source of the rules: WHATWG HTML, section 9.2.6, "Interpreting an event stream".
    Bytes that are not UTF-8 become U+FFFD, by the same rules.

    Examples:
        >>> decoder = SSEDecoder()
        >>> decoder.feed(b"data: hel")
        []
        >>> decoder.feed(b"lo\n\n")
        [ServerSentEvent(event='message', data='hello', id='', retry=None)]
    """

    __slots__ = ("_closed", "_parser")

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._parser = EventParser(checked_max_event_bytes(max_event_bytes))
        self._closed = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Return the events that these bytes complete, in order.

        Args:
            data: the next bytes of the stream, any number of them.

        Raises:
            StreamDecodeError: a line or an event exceeds the limit; an earlier call returned the
                events before it.
            ValueError: the decoder was closed.
        """
        if self._closed:
            raise ValueError("This SSEDecoder was closed: use a new one for another stream.")
        events = self._parser.feed(data)
        if not events:
            self._refuse_overflow()
        return [
            ServerSentEvent(
                kind.decode("utf-8", "replace") or "message",
                value.decode("utf-8", "replace"),
                identity.decode("utf-8", "replace"),
                retry,
            )
            for kind, value, identity, retry in events
        ]

    def close(self) -> list[ServerSentEvent]:
        """End the stream. An event without its blank line is discarded, by the rules.

        Returns:
            Always an empty list; `clean` tells whether something was discarded.

        Raises:
            StreamDecodeError: a line or an event exceeded the limit.
        """
        self._closed = True
        self._refuse_overflow()
        return []

    @property
    def clean(self) -> bool:
        """Whether the stream may end here, without an unfinished line or event."""
        return not self._parser.mid_event and self._parser.overflow is None

    @property
    def last_event_id(self) -> str:
        """The value of `last-event-id` for a reconnection, or empty."""
        return self._parser.last_event_id.decode("utf-8", "replace")

    @property
    def retry(self) -> int | None:
        """The reconnection time that the stream requested, in milliseconds, or None."""
        return self._parser.retry

    def _refuse_overflow(self) -> None:
        overflow = self._parser.overflow
        if overflow is not None:
            raise StreamDecodeError(f"The stream cannot be decoded: {overflow}.") from overflow


def checked_max_event_bytes(value: object) -> int:
    """Check the limit and return it.

    Raises:
        ConfigurationError: not a positive number of bytes.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(
            f"max_event_bytes is a positive number of bytes; got {display(value)}."
        )
    return value
