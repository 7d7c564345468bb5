"""Calls that are answered as a whole, on real sockets, on each backend."""

from __future__ import annotations

from typing import Any

import pytest

import autonomousai_sdk as sdk
from autonomousai_sdk import (
    APIConnectionError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
)
from tests.support.backends import OPEN, cut_short, drop, left, on_each_backend
from tests.support.client_under_test import SDK, Options, settled
from tests.support.fault_server import FaultServer, refused
from tests.support.script import Answer, Fin, Hold, Reset, Send, Wait
from tests.support.wire import body, completion, document, failed, head

CUT = Send(head(200, "content-type: application/json", "content-length: 99") + b'{"choices"')
"""The head of a document and a piece of it."""


@on_each_backend
async def test_one_connection_serves_one_call_after_the_other(client_under_test: SDK) -> None:
    """A connection is reused after complete responses, also after failed attempts."""
    busy = failed(503, "retry-after-ms: 1")
    with FaultServer(document("a"), busy, document("b"), failed(400), document("c")) as server:
        async with client_under_test.client(server.url) as client:
            assert (await client.chat.create("Hello")).text == "a"
            assert (await client.chat.create("Hello")).text == "b"
            with pytest.raises(BadRequestError):
                await client.chat.create("Hello")
            assert (await client.chat.create("Hello")).text == "c"
        assert await left(client_under_test, server)
    assert len(server.requests) == 5
    assert len(server.connections) == 1


@on_each_backend
async def test_a_call_whose_connection_breaks_is_made_again(client_under_test: SDK) -> None:
    """After a reset, the request is sent again on another connection, after the flow's wait."""
    with FaultServer((Reset(),), document()) as server:
        async with client_under_test.client(server.url) as client:
            assert (await client.chat.create("Hello")).text == "Hello world"
    first, second = server.requests
    assert second.at - first.at > 0.3
    assert (first.connection, second.connection) == (1, 2)
    assert first.body == second.body


@on_each_backend
async def test_a_document_that_breaks_off_is_no_answer(client_under_test: SDK) -> None:
    """A document cut short is an APIConnectionError with the transport's reason."""
    with FaultServer((CUT, Reset())) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            with pytest.raises(APIConnectionError, match="reset"):
                await client.chat.create("Hello")


@on_each_backend
async def test_a_call_that_reaches_nobody_says_so(client_under_test: SDK) -> None:
    """A refused connection is an APIConnectionError whose cause is the transport's error."""
    with refused() as url:
        async with client_under_test.client(url, retries=0) as client:
            with pytest.raises(APIConnectionError) as caught:
                await client.chat.create("Hello")
    assert caught.value.endpoint == f"POST {url}/chat"
    assert caught.value.__cause__ is not None


SILENT: dict[str, Answer] = {"before-the-head": (Hold(),), "in-the-body": (CUT, Hold())}


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT)
@on_each_backend
async def test_the_whole_call_is_bounded(client_under_test: SDK, answer: Answer) -> None:
    """`total` bounds a call before and after the head, and closes its connection."""
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url, limits={"total": 0.2}) as client:
            with pytest.raises(APITimeoutError) as caught:
                await client.chat.create("Hello")
            assert (caught.value.limit, caught.value.seconds) == ("total", 0.2)
            assert await left(client_under_test, server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT)
@on_each_backend
async def test_a_call_that_is_cut_short_closes_its_connection(
    client_under_test: SDK, answer: Answer
) -> None:
    """Ctrl-C or cancellation closes the call's connection, and the client makes further calls."""
    with FaultServer(answer, document()) as server:
        async with client_under_test.client(server.url) as client:
            with cut_short(client_under_test):
                await client.chat.create("Hello")
            assert await left(client_under_test, server)
            assert (await client.chat.create("Hello")).text == "Hello world"


@on_each_backend
async def test_a_closed_client_makes_no_calls(client_under_test: SDK) -> None:
    """A closed client refuses calls and streams; closing it twice or unused is allowed."""
    with FaultServer(document()) as server:
        for is_used in (False, True):
            made = client_under_test.make(server.url, Options())
            client = client_under_test.calls(made)
            if is_used:
                await client.chat.create("Hello")
            await client_under_test.close(made)
            await client_under_test.close(made)
            assert await left(client_under_test, server)
            with pytest.raises(ConfigurationError, match="was closed"):
                await client.chat.create("Hello")
            with pytest.raises(ConfigurationError, match="was closed"):
                async with client.chat.stream("Hello"):
                    pass
    assert len(server.requests) == 1


@on_each_backend
async def test_a_closed_client_has_closed_its_streams(client_under_test: SDK) -> None:
    """Closing a client closes its open streams at once, and reading on raises StreamError."""
    with FaultServer(OPEN) as server:
        async with client_under_test.client(server.url) as client:
            stream = client.chat.stream("Hello")
            await stream.__anext__()
        assert await left(client_under_test, server)
        with pytest.raises(sdk.StreamError):
            await stream.__anext__()


def given(client_under_test: SDK, transport: Any, url: str) -> Any:
    """A client on the caller's transport."""
    cls = sdk.Client if client_under_test.backend == "sync" else sdk.AsyncClient
    return cls(base_url=url, transport=transport)


@on_each_backend
async def test_a_given_transport_stays_open(client_under_test: SDK) -> None:
    """Closing a client leaves the caller's transport open for the next client."""
    transport = client_under_test.new_transport()
    with FaultServer(document()) as server:
        for _ in range(2):
            made = given(client_under_test, transport, server.url)
            assert (await client_under_test.calls(made).chat.create("Hello")).text == "Hello world"
            await settled(made.close() if client_under_test.backend == "sync" else made.aclose())
            assert server.open_connections == 1
        held = [given(client_under_test, transport, server.url)]
        await client_under_test.calls(held[0]).chat.create("Hello")
        drop(held)
        assert len(server.connections) == 1
        await client_under_test.close(given(client_under_test, transport, server.url))
        assert await left(client_under_test, server)


@on_each_backend
async def test_a_client_dropped_open_is_warned_of(client_under_test: SDK) -> None:
    """Dropping a used open client is a ResourceWarning; dropping an unused one is not."""
    drop([client_under_test.make("http://127.0.0.1:1", Options())])
    answer = (*body(200, completion(), "connection: close"), Fin())
    with FaultServer(answer) as server:
        held = [client_under_test.make(server.url, Options())]
        await client_under_test.calls(held[0]).chat.create("Hello")
        with pytest.warns(ResourceWarning, match="Client was dropped without being closed"):
            drop(held)


@on_each_backend
async def test_a_pool_without_a_connection_left_says_why(client_under_test: SDK) -> None:
    """The error of an exhausted pool names the open streams, or says that calls use it up."""
    with FaultServer(OPEN) as server:
        limits = {"pool": 0.1}
        async with client_under_test.client(
            server.url, limits=limits, connections=2, retries=0
        ) as client:
            streams = [client.chat.stream("Hello") for _ in range(2)]
            for stream in streams:
                await stream.__anext__()
            with pytest.raises(APITimeoutError, match=r"2 streams are still open \(POST .*/chat\)"):
                await client.chat.create("Hello")
            for stream in streams:
                await stream.aclose()
    with FaultServer((Wait(0.4), *document())) as server:
        async with client_under_test.client(
            server.url, limits=limits, connections=1, retries=0
        ) as client:

            async def text(_: int) -> str:
                try:
                    completion = await client.chat.create("Hello")
                except APITimeoutError as error:
                    return f"{error.limit}: {error}"
                return str(completion.text)

            texts = sorted(await client_under_test.each(2, text))
    assert texts[0] == "Hello world"
    assert texts[1].startswith("pool: ")
    assert "every connection is in use" in texts[1]
