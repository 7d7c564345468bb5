"""What the drivers owe a transport of the caller's own, on each backend."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from autonomousai_sdk import (
    APIConnectionError,
    APITimeoutError,
    AsyncClient,
    AutonomousAIError,
    StreamInterrupted,
    TransportError,
)
from tests.support.backends import awaiting, cut_short, on_each_backend
from tests.support.client_under_test import SDK
from tests.support.scripted_server import Script, Step, playing
from tests.support.wire import BEGUN, DONE, FINISH, completion

DOCUMENT = "application/json"
STREAM = "text/event-stream"
END_MARKER_TIMEOUT = 5.0
"""Seconds a stream that has its finish reason is still read."""


async def created(client: Any) -> None:
    """Ask for a document."""
    await client.chat.create("Hello")


async def entered(client: Any) -> None:
    """Open a stream."""
    await client.chat.stream("Hello").__aenter__()


async def read(client: Any) -> None:
    """Read a stream."""
    async for _ in client.chat.stream("Hello"):
        pass


CALLS: dict[str, tuple[Any, str, list[Step], type[AutonomousAIError]]] = {
    "a-document": (created, DOCUMENT, [completion()[:9]], APIConnectionError),
    "a-stream-opened": (entered, STREAM, [b": ping\n\n"], StreamInterrupted),
    "a-stream-read": (read, STREAM, [BEGUN], StreamInterrupted),
}


@pytest.mark.parametrize(("call", "kind", "steps", "cls"), CALLS.values(), ids=CALLS)
@on_each_backend
async def test_an_answer_that_breaks_off_is_closed(
    client_under_test: SDK, call: Any, kind: str, steps: list[Step], cls: type[AutonomousAIError]
) -> None:
    """A response that breaks is closed, and the transport's error is the cause."""
    broken = TransportError("broken", "it broke")
    script = Script(kind, [*steps, broken])
    with pytest.raises(cls, match="it broke"):
        await call(playing(client_under_test, script, max_retries=0))
    assert script.is_closed


@pytest.mark.parametrize(("call", "kind", "steps", "cls"), CALLS.values(), ids=CALLS)
@on_each_backend
async def test_an_answer_that_is_cut_short_is_closed(
    client_under_test: SDK, call: Any, kind: str, steps: list[Step], cls: type[AutonomousAIError]
) -> None:
    """Ctrl-C or cancellation closes the response."""
    script = Script(kind, [*steps, None])
    with cut_short(client_under_test, 0.05):
        await call(playing(client_under_test, script))
    assert script.is_closed


@on_each_backend
async def test_an_answer_that_came_is_closed(client_under_test: SDK) -> None:
    """The response of a document or of a complete stream is closed."""
    for call, kind, steps in (
        (created, DOCUMENT, [completion(), b""]),
        (read, STREAM, [BEGUN + FINISH, DONE, b""]),
    ):
        script = Script(kind, list[Step](steps))
        await call(playing(client_under_test, script))
        assert script.is_closed
        assert script.steps == []


@on_each_backend
async def test_a_read_is_given_what_is_left(client_under_test: SDK) -> None:
    """A read gets the rest of `total` as its timeout, and there is no read after it expired."""
    script = Script(STREAM, [BEGUN])
    stream = playing(client_under_test, script, timeout=0.2).chat.stream("Hello")
    for _ in range(2):
        await stream.__anext__()
    await client_under_test.sleep(0.25)
    with pytest.raises(APITimeoutError) as caught:
        await stream.__anext__()
    assert caught.value.limit == "total"
    (limit,) = script.limits
    assert limit is not None
    assert 0 < limit <= 0.2


@on_each_backend
async def test_what_follows_a_finish_reason_gets_little_time(client_under_test: SDK) -> None:
    """After the finish reason, reads have only the short timeout of the end marker."""
    script = Script(STREAM, [BEGUN, FINISH, DONE, b""])
    await read(playing(client_under_test, script))
    before, finish, done, _ = (limit or 0.0 for limit in script.limits)
    assert before > END_MARKER_TIMEOUT
    assert finish > END_MARKER_TIMEOUT
    assert END_MARKER_TIMEOUT / 2 < done <= END_MARKER_TIMEOUT


class Deaf:
    """A transport that ignores its limits."""

    async def send(self, request: Any, timeout: Any) -> Any:
        """Never answer."""
        await anyio.sleep_forever()

    async def aclose(self) -> None:
        """Close nothing."""


@awaiting
async def test_the_total_holds_whatever_the_transport_does(client_under_test: SDK) -> None:
    """`total` bounds a call on a transport that ignores its limits."""
    async with AsyncClient(transport=Deaf(), timeout=0.1) as client:
        with pytest.raises(APITimeoutError) as caught:
            await client.chat.create("Hello")
    assert caught.value.limit == "total"
    assert isinstance(caught.value.__cause__, TransportError)
