"""`with_raw_response` and `.response`, and headers that a call leaves out, on real sockets."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from autonomousai_sdk import (
    APIResponseError,
    AsyncClient,
    Client,
    ConfigurationError,
    InternalServerError,
    StreamError,
)
from tests.support.fault_server import FaultServer
from tests.support.wire import body, deltas, document, event, failed, stream

FINISH = event(json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
AWAITING = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def test_a_call_can_return_the_raw_response() -> None:
    """It has the status, the headers, the id, the retries and the bytes, and parses on demand."""
    answer = body(200, b'{"choices": [{"message": {"content": "Hi"}}]}', "x-request-id: req-7")
    with FaultServer(failed(503), answer) as server, Client(base_url=server.url) as client:
        response = client.chat.with_raw_response.create("Hi", max_tokens=5)
        assert client.chat.with_raw_response is client.chat.with_raw_response
    assert (response.status, response.request_id, response.retries) == (200, "req-7", 1)
    assert response.headers["content-type"] == "application/json"
    assert json.loads(response.content)["choices"]
    assert response.elapsed > 0
    assert response.parse().text == "Hi"
    assert json.loads(server.requests[1].body)["max_tokens"] == 5


@AWAITING
def test_an_awaited_call_can_return_the_raw_response(backend: str) -> None:
    """`AsyncClient` has the same methods, to be awaited."""

    async def act() -> None:
        with FaultServer(document("Hi")) as server:
            async with AsyncClient(base_url=server.url) as client:
                response = await client.chat.with_raw_response.create("Hi")
                assert (response.status, response.parse().text) == (200, "Hi")

    anyio.run(act, backend=backend)


def test_what_is_not_a_completion_is_an_error_of_parse_alone() -> None:
    """The bytes of a success that cannot be parsed are available; an error status is raised."""
    with (
        FaultServer(body(200, b'{"no": 1}'), failed(500)) as server,
        Client(base_url=server.url, max_retries=0) as client,
    ):
        response = client.chat.with_raw_response.create("Hi")
        assert response.content == b'{"no": 1}'
        with pytest.raises(APIResponseError):
            response.parse()
        with pytest.raises(InternalServerError):
            client.chat.with_raw_response.create("Hi")


def test_a_stream_has_its_response() -> None:
    """`.response` of an open stream has the status and headers; before that it is an error."""
    with FaultServer(stream(deltas("Hi"), FINISH)) as server, Client(base_url=server.url) as client:
        opened = client.chat.stream("Hi")
        with pytest.raises(StreamError, match="has no response yet"):
            _ = opened.response
        with opened:
            assert opened.response.status == 200
            assert opened.response.headers["content-type"].startswith("text/event-stream")
            assert opened.response.retries == 0
            completion = opened.until_done()
        assert opened.response.parse() == completion


@AWAITING
def test_an_awaiting_stream_has_its_response(backend: str) -> None:
    """`.response` of an `AsyncStream` is an attribute, as on the blocking one."""

    async def act() -> None:
        with FaultServer(stream(deltas("Hi"), FINISH)) as server:
            async with AsyncClient(base_url=server.url) as client:
                opened = client.chat.stream("Hi")
                with pytest.raises(StreamError, match="has no response yet"):
                    _ = opened.response
                async with opened:
                    await opened.until_done()
                    assert opened.response.status == 200

    anyio.run(act, backend=backend)


def test_none_leaves_a_header_out() -> None:
    """A call's header that is None is not sent, whether the client, the spec or the SDK sets it."""
    removed: dict[str, Any] = {"X-Team": None, "Origin": None, "authorization": None, "x-new": "1"}
    with (
        FaultServer(document("Hi")) as server,
        Client(base_url=server.url, api_key="sk-sesame", headers={"x-team": "a"}) as client,
    ):
        client.chat.create("Hi", headers=removed)
        client.chat.create("Hi")
    first, second = (request.headers for request in server.requests)
    assert not {"x-team", "origin", "authorization"} & set(first)
    assert first["x-new"] == "1"
    assert {"x-team", "origin", "authorization"} <= set(second)


def test_a_name_that_is_no_header_cannot_be_left_out() -> None:
    """The names of headers to leave out are checked like any other."""
    with Client(base_url="http://127.0.0.1:1") as client:
        for headers in ({"a b": None}, [("a", None)]):
            bad: Any = headers
            with pytest.raises(ConfigurationError, match="headers="):
                client.chat.create("Hi", headers=bad)
