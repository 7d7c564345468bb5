"""Tests of both drivers, written once as for `AsyncClient` and run on each backend.

`client_under_test` names the backend; see the module of that name for how a blocking client is
awaited.
"""

from __future__ import annotations

import functools
import gc
import signal
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import anyio
import pytest

from .client_under_test import AWAITING, BACKENDS, SDK, Backend
from .fault_server import FaultServer
from .script import Answer, Hold, Send
from .wire import BEGUN, CHUNKED, coded

Test = Callable[..., Coroutine[Any, Any, None]]

OPEN: Answer = (Send(CHUNKED + coded(BEGUN)), Hold())
"""A stream that starts and then stays silent until the client leaves."""


def put_to(clients_under_test: Sequence[Any]) -> Callable[[Test], Callable[..., None]]:
    """Run a coroutine test with each of these clients, on its backend."""

    def decorate(test: Test) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*, client_under_test: SDK, **arguments: Any) -> None:
            client_under_test.run(lambda: test(client_under_test=client_under_test, **arguments))

        pytest.mark.parametrize("client_under_test", clients_under_test, ids=str)(run)
        return run

    return decorate


def on_backends(*backends: Backend) -> Callable[[Test], Callable[..., None]]:
    """Run a coroutine test on each of these backends."""
    return put_to([SDK(each, "httpx") for each in backends])


on_each_backend = on_backends(*BACKENDS)
awaiting = on_backends(*AWAITING)


class Interrupted(BaseException):
    """Raised by a signal handler, like KeyboardInterrupt."""


@contextmanager
def cut_short(client_under_test: SDK, after: float = 0.15) -> Generator[None]:
    """Interrupt the block after some seconds, by a signal or by cancelling its task."""
    if client_under_test.backend != "sync":
        with anyio.move_on_after(after) as scope:
            yield
        assert scope.cancelled_caught
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        with pytest.raises(Interrupted):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


async def left(client_under_test: SDK, server: FaultServer, open_connections: int = 0) -> bool:
    """Wait until the client keeps at most `count` connections; return whether it did."""
    return await client_under_test.until(lambda: server.open_connections <= open_connections)


def drop(held: list[Any]) -> None:
    """Drop the objects of the list; unexpected warnings fail the test."""
    held.clear()
    gc.collect()
