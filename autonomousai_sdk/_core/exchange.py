"""What a driver and a transport exchange with the core: requests, and their outcomes."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from .headers import shown


def _show_headers(headers: tuple[tuple[str, str], ...]) -> str:
    return repr(shown(headers))


@frozen(kw_only=True)
class Request:
    """A complete HTTP request, which a transport sends unchanged.

    Attributes:
        method: the method, such as `POST`.
        url: the absolute URL.
        headers: checked names, in lower case, and values. The transport adds the headers of
            the connection: host, content-length, connection.
        content: the body.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=_show_headers)
    content: bytes = field(repr=lambda content: f"<{len(content)} bytes>")


ErrorKind = Literal["connect", "tls", "timeout", "broken", "request"]
"""The kind of failure: the connection could not be made; TLS refused it; a limit expired; the
connection broke, or the response is not valid HTTP; the request cannot be sent."""


class TransportError(Exception):
    """The error that a transport raises when a request or a read fails.

    Args:
        kind: the kind of failure.
        message: what happened, for a person to read.
        phase: for a timeout, the limit that expired: connect, read, write or pool.

    Raise it `from` the HTTP library's own error, which users then find as `__cause__`.
    """

    def __init__(self, kind: ErrorKind, message: str, *, phase: str = "read") -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.phase = phase


@frozen(kw_only=True)
class Reply:
    """A response arrived, and the attempt's reader has read as much of it as it needs.

    Attributes:
        elapsed: seconds since the call began, waits included.
        duration: seconds that this attempt took.
        date: the time of day, in seconds since 1970, for `retry-after` dates.
    """

    elapsed: float
    duration: float
    date: float


@frozen(kw_only=True)
class Failure:
    """No response arrived, or the connection broke within it.

    Attributes:
        error: the transport's error.
        limit: for a timeout, the name of the limit that expired.
        seconds: for a timeout, that limit's length in seconds.
        elapsed: seconds since the call began, waits included.
        duration: seconds that this attempt took.
    """

    error: TransportError
    limit: str
    seconds: float
    elapsed: float
    duration: float


Outcome = Reply | Failure
