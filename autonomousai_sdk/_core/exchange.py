"""What passes between a flow and the driver that runs it: attempts out, outcomes in.

A flow is a generator: it yields an `Attempt`, is sent the `Reply` or the `Failure` that
came of it, and returns the call's result. It does no I/O and reads no clock, so a
blocking and an awaiting driver run the very same flow.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal, Protocol, TypeVar

from attrs import field, frozen

from .headers import Headers, shown

T = TypeVar("T")


def _show_headers(headers: tuple[tuple[str, str], ...]) -> str:
    return repr(shown(headers))


@frozen(kw_only=True)
class Request:
    """An HTTP request, complete: what a transport sends as it is.

    Attributes:
        method: such as `POST`.
        url: absolute.
        headers: names in lower case and values, fit to send; all but the ones that
            belong to the connection (host, content-length, connection).
        content: the body's bytes.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=_show_headers)
    content: bytes = field(repr=lambda content: f"<{len(content)} bytes>")


ErrorKind = Literal["connect", "tls", "timeout", "broken", "request"]
"""What kind of failure: no connection could be made; TLS refused it; a limit expired; the
connection broke or spoke no HTTP; the request itself could not be sent."""


class TransportError(Exception):
    """What a transport raises when a request or a read fails.

    Args:
        fault: the kind of failure.
        message: what happened, in words a person understands.
        phase: for a timeout, the limit that expired: connect, read, write or pool.

    Raise it `from` the HTTP library's own error, which users then find as `__cause__`.
    """

    def __init__(self, kind: ErrorKind, message: str, *, phase: str = "read") -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.phase = phase


class Receiver(Protocol):
    """What takes in an answer: its head, then its bytes, as the driver reads them."""

    @property
    def satisfied(self) -> bool:
        """Whether no more bytes are wanted for now."""
        ...

    @property
    def streaming(self) -> bool:
        """Whether the answer is an event stream, as far as its head says."""
        ...

    def start(self, status: int, headers: Headers) -> None:
        """Take the answer's head."""
        ...

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body, empty when it has ended."""
        ...


@frozen(kw_only=True)
class Attempt:
    """One try of a call, for the driver to make.

    Attributes:
        request: what to send.
        number: which try it is, from 1.
        delay: seconds to wait before it.
        receiver: where the answer goes.
    """

    request: Request
    number: int
    delay: float
    receiver: Receiver


@frozen(kw_only=True)
class Reply:
    """An answer came, and the attempt's receiver has what it wanted.

    Attributes:
        elapsed: seconds since the call began, waits included.
        duration: seconds this try took.
        date: the time of day, in seconds since 1970, for `retry-after` dates.
    """

    elapsed: float
    duration: float
    date: float


@frozen(kw_only=True)
class Failure:
    """No answer came, or it broke off.

    Attributes:
        error: what the transport said.
        limit: for a timeout, the name of the limit that expired.
        seconds: for a timeout, that limit's length in seconds.
        elapsed: seconds since the call began, waits included.
        duration: seconds this try took.
    """

    error: TransportError
    limit: str
    seconds: float
    elapsed: float
    duration: float


Outcome = Reply | Failure
Flow = Generator[Attempt, Outcome, T]
