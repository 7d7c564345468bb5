"""Responses as they are, for callers who want the status, the headers or the bytes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, ParamSpec, TypeVar, cast

from attrs import field, frozen

from .headers import Headers
from .response import ResponseReader

ResultT = TypeVar("ResultT")
P = ParamSpec("P")


@frozen(eq=False)
class RawResponse(Generic[ResultT]):
    """A response whose status is a success.

    Attributes:
        elapsed: seconds from the start of the call, with all attempts and waits.

    Examples:
        >>> response = client.chat.with_raw_response.create("Why is the sky blue?")
        >>> response.status, response.headers["content-type"], response.parse().text
    """

    elapsed: float
    _reader: ResponseReader = field(repr=False)
    _result: Callable[[], ResultT] = field(repr=False)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._reader.status

    @property
    def headers(self) -> Headers:
        """The headers, by names in any case."""
        return self._reader.headers

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, or None if it sent none."""
        return self._reader.context.request_id

    @property
    def retries(self) -> int:
        """How many attempts failed before this response."""
        return self._reader.context.attempt - 1

    @property
    def content(self) -> bytes:
        """The body, decompressed; of a stream, empty, because its chunks are the body."""
        return self._reader.body

    def parse(self) -> ResultT:
        """The result that the method without `with_raw_response` returns.

        Raises:
            APIResponseError: the body is not what the spec says.
            StreamError: the response is a stream that has not ended.
        """
        return self._result()


def raw(method: Callable[P, ResultT]) -> Callable[P, RawResponse[ResultT]]:
    """The type of a method whose runner returns raw responses."""
    return cast("Callable[P, RawResponse[ResultT]]", method)


def async_raw(
    method: Callable[P, Coroutine[Any, Any, ResultT]],
) -> Callable[P, Coroutine[Any, Any, RawResponse[ResultT]]]:
    """The type of a coroutine method whose runner returns raw responses."""
    return cast("Callable[P, Coroutine[Any, Any, RawResponse[ResultT]]]", method)
