"""The HTTP libraries of one family: httpx on httpcore, and httpx2 on httpcore2.

httpx2 continues httpx with the same interfaces, so one implementation serves both. The library
is an untyped value here; the modules `httpx` and `httpx2` name one each, and restore the types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

from attrs import frozen

from .._core.exchange import Request
from ._backend import RequestTimeout
from ._pool_options import WRITE_SIZE
from ._send_limit import PlainTimeouts


@frozen(eq=False)
class Library:
    """An HTTP library, and its classes as the SDK uses them.

    Attributes:
        http: the module httpx or httpx2.
        core: the module httpcore or httpcore2.
        pool: the blocking connection pool, with `WakesRequests`.
        async_pool: the awaiting connection pool, with `ClosesOrphans`.
        transport: the blocking transport, made from a pool.
        async_transport: the awaiting transport, made from a pool.
    """

    http: Any
    core: Any
    pool: Any
    async_pool: Any
    transport: Any
    async_transport: Any

    def errors(self, *more: type[Exception]) -> tuple[type[Exception], ...]:
        """Return the errors the library raises.

        Some TLS failures escape it as OSError, and host names that IDNA forbids as UnicodeError.
        """
        return (self.http.HTTPError, self.http.InvalidURL, OSError, UnicodeError, *more)

    def request(self, request: Request, timeout: RequestTimeout) -> Any:
        """Make the library's request, on a connection of our own."""
        return self._with_body(
            self.http.Request(
                request.method,
                _parsed(self.http, request.url),
                headers=request.headers,
                content=request.content,
                extensions={"timeout": timeout},
            ),
            request.content,
        )

    def request_of(self, client: Any, request: Request, timeouts: PlainTimeouts) -> Any:
        """Make a caller's client's request: its headers, cookies and params beneath the call's."""
        url = _parsed(self.http, request.url)
        return self._with_body(
            client.build_request(
                request.method,
                url,
                headers=request.headers,
                content=request.content,
                params=url.params if client.params else None,
                extensions={"timeout": timeouts},
            ),
            request.content,
        )

    def response_in(self, error: Any) -> Any:
        """Return the response of an HTTPStatusError, which a response hook of a caller raised.

        The library has closed it. Its body is whatever the hook has read.
        """
        failed = error.response
        headers = [pair for pair in failed.headers.raw if pair[0].lower() != b"content-encoding"]
        try:
            content = failed.content
        except self.http.ResponseNotRead:
            content = b""
        return self.http.Response(failed.status_code, headers=headers, content=content)

    def _with_body(self, outgoing: Any, content: bytes) -> Any:
        outgoing.stream = _body_class(self.http)(content)
        return outgoing


@lru_cache(maxsize=128)
def _parsed(http: Any, url: str) -> Any:
    """Parse a URL with the library; cached, because a client has few and parsing is slow."""
    return http.URL(url)


class _Body:
    """A request body as a stream that is not an async generator.

    The library's own is one, and trio warns about it when sending is cut short. The body is
    sent in pieces, because on trio the write timeout applies to a whole write.
    """

    def __init__(self, content: bytes) -> None:
        self._pieces = [content]
        if len(content) > WRITE_SIZE:
            starts = range(0, len(content), WRITE_SIZE)
            self._pieces = [content[start : start + WRITE_SIZE] for start in starts]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def __aiter__(self) -> _Pieces:
        return _Pieces(iter(self._pieces))


@frozen(eq=False)
class _Pieces:
    """An iterator of a body's pieces; a caller's client iterates anew when it has to log in."""

    rest: Iterator[bytes]

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        for piece in self.rest:
            return piece
        raise StopAsyncIteration


@cache
def _body_class(http: Any) -> Any:
    """Return `_Body` as a subclass of a library's streams, which the library requires."""
    return type("Body", (_Body, http.SyncByteStream, http.AsyncByteStream), {})


def headers_of(response: Any) -> Iterable[tuple[str, str]]:
    """Return the header names and values of a library's response, in the order received."""
    return [(name.decode("ascii"), value.decode("latin-1")) for name, value in response.headers.raw]
