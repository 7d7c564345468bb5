"""One connection of a client: uvicorn's, with limits on what a client may send and read.

uvicorn bounds neither the size nor the duration of a request's head, nor how long a client
may leave its response unread. All of that is a matter of the connection, so it is here; what
a request means is `app`'s.
"""

from __future__ import annotations

import asyncio
import logging
import re
from math import inf
from typing import Any, cast

from attrs import define
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .._core.codec import encode
from .wire import error_type

HEAD_TIMEOUT = 5.0
"""Seconds that a request's head may take, and that a new connection may stay silent."""

BODY_TIMEOUT = 5.0
"""Seconds that a request's body may take, beside those that `BODY_RATE` gives it."""

BODY_RATE = 64 * 1024
"""Bytes per second that a request's body needs at least, on average."""

WRITE_TIMEOUT = 10.0
"""Seconds that a client may leave a full write buffer unread."""

LINGER = 1.0
"""Seconds that a refused client gets to read why: a close with unread data would discard it."""

MAX_HEAD = 64 * 1024
"""The longest head of a request, in bytes."""

MAX_HEADERS = 100
"""The most header fields of a request."""

EXCHANGE = "autonomousai_sdk.exchange"
"""The key of a scope that has the request's `Exchange`."""

_logger = logging.getLogger("autonomousai_sdk.local")
_logger.addHandler(logging.NullHandler())
_TRANSFER_CODING = re.compile(rb"chunked", re.IGNORECASE)


class _RefusedError(Exception):
    """A head that is refused before the application sees it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@define(eq=False)
class Exchange:
    """What ASGI does not offer for one request and its response."""

    _transport: asyncio.Transport
    _flow: FlowControl
    _cycle: RequestResponseCycle
    _is_http_1_0: bool

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def begin_stream(self) -> None:
        """Prepare for a body of unknown length: HTTP/1.0 has no chunks, so its end is the close."""
        if self._is_http_1_0:
            cycle: Any = self._cycle
            cycle.chunked_encoding = False
            cycle.expected_content_length = inf

    def end_stream(self, size: int) -> None:
        """Prepare for the last message of a stream, which has `size` bytes."""
        if self._is_http_1_0:
            self._cycle.expected_content_length = size

    def write(self, data: bytes) -> bool:
        """Write a part of a stream at once, without ASGI's messages.

        Returns:
            Whether it was written: not if the client has to read first, or has left.
        """
        return self.write_chunks(b"%x\r\n%b\r\n" % (len(data), data))

    def write_chunks(self, data: bytes) -> bool:
        """Write a part of a stream that is in chunks of HTTP already; as `write`."""
        cycle = self._cycle
        if self._flow.write_paused or not cycle.chunked_encoding or cycle.disconnected:
            return False
        self._transport.write(data)
        return True


class Connection(HttpToolsProtocol):
    """uvicorn's protocol on httptools, with limits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's logger writes to stderr where nobody has set logging up.
        self.logger: Any = _logger
        self._refused: _RefusedError | None = None
        self._in_head = True
        self._lingers = False
        self._head_ended = False
        self._head_size = 0
        self._body_size = 0
        self._body_began = 0.0
        self._read_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    # asyncio's interface

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_read(HEAD_TIMEOUT)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_no_read()
        self._stop_write_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._lingers:
            return
        in_same_head = self._in_head
        if in_same_head and self._read_timer is None and self._is_idle:
            self._expect_read(HEAD_TIMEOUT)  # uvicorn forgets its own timer at any byte
        self._head_ended = False
        if in_same_head and b"pgrade" in data:
            data = _without_upgrade(data)
        super().data_received(data)
        if in_same_head and self._in_head and not self._head_ended:
            self._head_size += len(data)
        if self._head_size > MAX_HEAD and not self._lingers:
            self._refused = _head_too_large()
            self.send_400_response("")

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(WRITE_TIMEOUT, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()

    # httptools' interface

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_read(HEAD_TIMEOUT)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            self._refuse(_head_too_large())
        if b"\r" in value or b"\n" in value:
            self._refuse(_RefusedError(400, "A header field is folded over several lines."))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        size = sum(len(name) + len(value) for name, value in self.headers) + len(self.url)
        if size > MAX_HEAD:
            self._refuse(_head_too_large())
        self._check_target()
        self._check_framing()
        self._in_head = False
        self._head_ended = True
        self._head_size = 0
        self._body_size = 0
        self._body_began = self.loop.time()
        self._expect_read(BODY_TIMEOUT)
        super().on_headers_complete()
        scope = cast("dict[str, Any]", self.scope)
        is_http_1_0 = scope["http_version"] == "1.0"
        scope[EXCHANGE] = Exchange(self.transport, self.flow, self.cycle, is_http_1_0)

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._expect_no_read()
        self._in_head = True
        super().on_message_complete()

    # uvicorn's interface

    def send_400_response(self, msg: str) -> None:
        refused, self._refused = self._refused, None
        status, message = (400, msg) if refused is None else (refused.status, refused.message)
        self._lingers = True
        self._expect_read(LINGER)
        error = {"message": message, "type": error_type(status), "param": None}
        body = encode({"error": {**error, "code": "invalid_request_error"}})
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%s" % (status, _PHRASES[status], len(body), body)
        )
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() and self._write_timer is None:
            # The close waits for a client that does not read the rest.
            self._write_timer = self.loop.call_later(WRITE_TIMEOUT, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        # A close would wait for a client that does not read.
        self.transport.abort()

    # The limits

    @property
    def _is_idle(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is None or cycle.response_complete

    def _check_target(self) -> None:
        """Refuse a URL as the target whose host is not the one that the `host` field names."""
        if self.url[:1] in (b"/", b"*"):
            return
        if self.url.partition(b"://")[0].lower() not in (b"http", b"https"):
            self._refuse(_RefusedError(400, "The request's target is not a path or an HTTP URL."))
        hosts = [value for name, value in self.headers if name == b"host"]
        authority = self.url.partition(b"://")[2].partition(b"/")[0]
        if len(hosts) != 1 or authority.lower() != hosts[0].strip().lower():
            self._refuse(_RefusedError(400, "The request's target and its host field differ."))

    def _check_framing(self) -> None:
        """Refuse a body whose end two readers could see in different places (RFC 9112, 6.3)."""
        lengths = [value for name, value in self.headers if name == b"content-length"]
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        parser: Any = self.parser
        version: str = parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._refuse(_RefusedError(400, f"HTTP/{version} is not spoken here, but HTTP/1.1."))
        if codings and version == "1.0":
            self._refuse(_RefusedError(400, "HTTP/1.0 has no transfer-encoding."))
        if len(lengths) > 1 or (lengths and codings):
            self._refuse(_RefusedError(400, "The length of the body is given twice."))
        if lengths and not lengths[0].isdigit():
            self._refuse(_RefusedError(400, "content-length is not a number."))
        if codings and not (len(codings) == 1 and _TRANSFER_CODING.fullmatch(codings[0].strip())):
            self._refuse(_RefusedError(400, "transfer-encoding may only be 'chunked'."))

    def _refuse(self, refused: _RefusedError) -> None:
        self._refused = refused
        raise refused  # httptools stops, and uvicorn calls send_400_response

    def _expect_read(self, seconds: float) -> None:
        self._expect_no_read()
        self._read_timer = self.loop.call_later(seconds, self._read_too_slow)

    def _expect_no_read(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _read_too_slow(self) -> None:
        self._read_timer = None
        if not self._lingers and not self._in_head and not self.cycle.response_complete:
            allowed = BODY_TIMEOUT + self._body_size / BODY_RATE
            left = self._body_began + allowed - self.loop.time()
            # The application may not have taken what is there already: then it is not the client.
            if self.flow.read_paused:
                left = BODY_TIMEOUT
            if left > 0:
                self._expect_read(left)
                return
        self.transport.abort()

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def _without_upgrade(data: bytes) -> bytes:
    """A head without its offer of another protocol, which a server may ignore (RFC 9110, 7.8).

    Java's client offers HTTP/2 with its first request, and httptools would not read the body.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"\r\nx-ignored-upgrade:", head) + end + rest


_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_PHRASES = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


def _head_too_large() -> _RefusedError:
    return _RefusedError(
        431, f"The request's head is longer than {MAX_HEAD} bytes or {MAX_HEADERS} fields."
    )
