"""A client that is closed while it has calls and streams, and at the worst moment."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, SupportsIndex

import anyio
import pytest

from autonomousai_sdk import APIConnectionError, AutonomousAIError, StreamError
from tests.support.backends import OPEN, awaiting, left, on_each_backend, put_to
from tests.support.client_under_test import SDK
from tests.support.fault_server import FaultServer
from tests.support.script import Answer, Fin, Wait
from tests.support.scripted_server import Script, Step, playing
from tests.support.wire import BEGUN, document, failed

LATER = 0.4
"""Seconds after which a server goes on, when the client has long been closed."""


def drop(held: list[Any]) -> None:
    """Drop what a list holds."""
    held.clear()
    gc.collect()


async def created(client: Any) -> None:
    """Make a call."""
    await client.chat.create("Hello")


async def entered(client: Any) -> None:
    """Open a stream."""
    await client.chat.stream("Hello").__aenter__()


@on_each_backend
async def test_closing_frees_the_connection_of_a_dropped_stream(client_under_test: SDK) -> None:
    """Closing the client closes the response of a stream that was dropped without being closed."""
    with FaultServer(OPEN) as server:
        async with client_under_test.client(server.url) as client:
            held = [client.chat.stream("Hello")]
            await held[0].__anext__()
            with pytest.warns(ResourceWarning, match="was dropped before it was read"):
                drop(held)
            await client_under_test.end(client)
            assert await left(client_under_test, server)


@on_each_backend
async def test_closing_ends_the_wait_before_a_retry(client_under_test: SDK) -> None:
    """A call that waits for its next attempt ends when the client is closed; none is made."""
    outcomes: list[AutonomousAIError] = []
    with FaultServer(failed(503, "retry-after: 5"), document()) as server:
        async with client_under_test.client(server.url) as client:

            async def act(number: int) -> None:
                if number == 0:
                    with pytest.raises(APIConnectionError, match="closed during the call") as it:
                        await client.chat.create("Hello")
                    outcomes.append(it.value)
                    return
                assert await client_under_test.until(lambda: len(server.requests) == 1)
                await client_under_test.sleep(0.2)
                await client_under_test.end(client)

            await client_under_test.each(2, act)
    assert len(outcomes) == len(server.requests) == 1


ELSEWHERE: dict[str, tuple[Any, Answer, type[AutonomousAIError]]] = {
    "a-retry": (created, failed(503, "retry-after: 1"), APIConnectionError),
    "a-call": (created, (Wait(LATER), Fin()), APIConnectionError),
    "a-stream": (entered, (Wait(LATER), *OPEN), StreamError),
}


@pytest.mark.parametrize(("call", "answer", "cls"), ELSEWHERE.values(), ids=ELSEWHERE)
@awaiting
async def test_a_client_that_another_event_loop_closed_is_closed(
    client_under_test: SDK, call: Any, answer: Answer, cls: type[AutonomousAIError]
) -> None:
    """A call of one event loop ends with an error if another loop has closed the client."""
    with FaultServer(answer, *[document()] * 3) as server:
        async with client_under_test.client(server.url, retries=1) as client:
            made: Any = client

            async def close() -> None:
                assert await client_under_test.until(lambda: len(server.requests) == 1)
                await client_under_test.sleep(0.1)
                await anyio.to_thread.run_sync(lambda: anyio.run(made.close))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(close)
                with pytest.raises(cls, match="The client was closed"):
                    await call(client)
    assert len(server.requests) == 1


class _Closing(list[Step]):
    """The steps of a script, each of which also closes the client."""

    close: Callable[[], None]

    def pop(self, index: SupportsIndex = -1, /) -> Step:
        self.close()
        return super().pop(index)


@put_to([SDK("sync", "httpx")])
async def test_a_client_closed_while_a_stream_opens_leaves_no_stream(
    client_under_test: SDK,
) -> None:
    """A stream whose first chunk arrives as the client is closed is closed, and raises."""
    steps = _Closing([BEGUN])
    script = Script("text/event-stream", steps)
    client: Any = playing(client_under_test, script)
    steps.close = client.made.close
    with pytest.raises(StreamError, match="The client was closed before the stream ended"):
        await entered(client)
    assert script.is_closed
