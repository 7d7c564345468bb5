"""Raw responses: status, headers, bytes and the result, from a reader."""

from __future__ import annotations

import asyncio
from typing import Any

from autonomousai_sdk._core.failure import Context
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.raw_response import RawResponse, async_raw, raw
from autonomousai_sdk._core.response import ResponseReader
from tests.support.sample_operation import Completion

BODY = b'{"choices": [{"message": {"content": "Hello"}}], "future": 1}'


def response(attempt: int = 3) -> RawResponse[Completion]:
    """The raw response of a call whose third attempt succeeded."""
    reader = ResponseReader(Context("POST http://h/chat", attempt, None), 2**20, None)
    reader.start(200, Headers([("content-type", "application/json"), ("x-request-id", "req-7")]))
    reader.feed(BODY)
    reader.feed(b"")
    return RawResponse(1.5, reader, lambda: reader.document(Completion))


def test_a_raw_response_has_what_the_server_sent() -> None:
    """It has the status, the headers, the request's id and the bytes of the body."""
    made = response()
    assert (made.status, made.headers["Content-Type"]) == (200, "application/json")
    assert (made.request_id, made.content) == ("req-7", BODY)
    assert (made.retries, made.elapsed) == (2, 1.5)
    assert response(1).retries == 0


def test_a_raw_response_is_parsed_on_demand() -> None:
    """`parse` returns the result of the call."""
    assert response().parse().text == "Hello"


def test_methods_are_only_typed_anew() -> None:
    """`raw` and `async_raw` return the methods themselves."""

    def method(value: int) -> int:
        return value

    async def coroutine(value: int) -> int:
        return value

    retyped: Any = raw(method)
    assert retyped is method
    assert retyped(1) == 1
    awaitable: Any = async_raw(coroutine)
    assert asyncio.run(awaitable(2)) == 2
