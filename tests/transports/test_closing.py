"""Closing a client while another thread or task waits, also on a caller's client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic

import pytest

from autonomousai_sdk import APIConnectionError, StreamError
from autonomousai_sdk.transports import Request, Timeout, TransportError
from tests.support.backends import put_to
from tests.support.case import Outcome, created, owed, streamed
from tests.support.contestants import CONTESTANTS, Contestant
from tests.support.fault_server import FaultServer
from tests.support.script import Answer, Hold, Send
from tests.support.wire import BEGUN, CHUNKED, coded

AT_ONCE = 1.0
"""Seconds that "at once" may take on a busy machine."""

SILENT: Answer = (Hold(),)
OPEN: Answer = (Send(CHUNKED + coded(BEGUN)), Hold())

in_each = put_to([each for each in CONTESTANTS if not each.loop])


async def woken(
    client_under_test: Contestant,
    wait: Callable[[], Awaitable[Outcome]],
    close: Callable[[], Awaitable[None]],
) -> Outcome:
    """Wait in one thread or task, close in another a little later; what the first got."""
    outcomes: list[Outcome] = []
    times: list[float] = []

    async def act(number: int) -> None:
        if number == 0:
            outcomes.append(await wait())
        else:
            await client_under_test.sleep(0.15)
            await close()
        times.append(monotonic())

    await client_under_test.each(2, act)
    assert abs(times[1] - times[0]) < AT_ONCE
    return outcomes[0]


@in_each
async def test_closing_a_client_wakes_a_call_that_waits(client_under_test: Contestant) -> None:
    """A call that waits for its response ends at once, with an error about the closing."""
    with FaultServer(SILENT) as server:
        async with (
            client_under_test.http_client() as http_client,
            client_under_test.chatting(server.url, http_client) as client,
        ):
            outcome = await woken(
                client_under_test,
                lambda: created(client_under_test, client),
                lambda: client_under_test.end(client),
            )
    owed(outcome, APIConnectionError, "The client was closed during the call")


@pytest.mark.parametrize("what", ["client", "stream"])
@in_each
async def test_closing_wakes_who_reads_a_stream(client_under_test: Contestant, what: str) -> None:
    """A thread or task that reads a stream ends at once with StreamError."""
    with FaultServer(OPEN) as server:
        async with (
            client_under_test.http_client() as http_client,
            client_under_test.chatting(server.url, http_client) as client,
        ):
            stream = client.chat.stream("Hello")
            await stream.__anext__()
            await stream.__anext__()

            async def wait() -> Outcome:
                with pytest.raises(StreamError, match="closed before its end") as caught:
                    await stream.__anext__()
                return Outcome(text="", error=caught.value, completion=None, seconds=0)

            async def close() -> None:
                await (client_under_test.end(client) if what == "client" else stream.aclose())

            await woken(client_under_test, wait, close)
            assert await client_under_test.until(lambda: server.open_connections == 0)


@in_each
async def test_closing_a_client_wakes_a_stream_that_opens(client_under_test: Contestant) -> None:
    """A thread or task that opens a stream ends at once with StreamError."""
    with FaultServer(SILENT) as server:
        async with (
            client_under_test.http_client() as http_client,
            client_under_test.chatting(server.url, http_client) as client,
        ):
            outcome = await woken(
                client_under_test,
                lambda: streamed(client_under_test, client),
                lambda: client_under_test.end(client),
            )
    owed(outcome, StreamError, "The client was closed before the stream ended")


@pytest.mark.parametrize("http2", [False, True])
@put_to([each for each in CONTESTANTS if each.backend == "sync"])
async def test_a_request_interrupted_before_it_is_sent_is_refused(
    client_under_test: Contestant, *, http2: bool
) -> None:
    """`interrupt` in another thread may come before `send`, which raises then and sends nothing."""
    with FaultServer(SILENT) as server:
        async with client_under_test.sender(http2=http2) as sender:
            request = Request(method="POST", url=server.url, headers=(), content=b"")
            sender.made.interrupt(request)
            with pytest.raises(TransportError, match="interrupted") as caught:
                sender.made.send(request, Timeout())
    assert caught.value.kind == "broken"
    assert not server.requests
