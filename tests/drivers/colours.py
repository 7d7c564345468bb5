"""Tests of both drivers, written once: as a user of `AsyncClient` writes, and run in each colour.

`subject` says the colour; see `tests.faults.subject` for how a blocking client is awaited.
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

from ..faults.script import Answer, Hold, Send
from ..faults.server import FaultServer
from ..faults.subject import AWAITING, COLOURS, SDK, Colour
from ..faults.wire import BEGUN, CHUNKED, coded

Test = Callable[..., Coroutine[Any, Any, None]]

OPEN: Answer = (Send(CHUNKED + coded(BEGUN)), Hold())
"""A stream that begins, and then keeps silent as long as the client stays."""


def put_to(subjects: Sequence[Any]) -> Callable[[Test], Callable[..., None]]:
    """Run a coroutine test with each of these subjects, in its colour."""

    def decorate(test: Test) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*, subject: SDK, **arguments: Any) -> None:
            subject.run(lambda: test(subject=subject, **arguments))

        pytest.mark.parametrize("subject", subjects, ids=str)(run)
        return run

    return decorate


def in_colours(*colours: Colour) -> Callable[[Test], Callable[..., None]]:
    """Run a coroutine test in each of these colours."""
    return put_to([SDK(each, "httpx") for each in colours])


in_each_colour = in_colours(*COLOURS)
awaiting = in_colours(*AWAITING)


class Interrupted(BaseException):
    """What a signal's handler raises, as that of Ctrl-C does."""


@contextmanager
def cut_short(subject: SDK, after: float = 0.15) -> Generator[None]:
    """End the block after so many seconds: by a signal, or by cancelling its task."""
    if subject.colour != "sync":
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


async def left(subject: SDK, server: FaultServer, open_connections: int = 0) -> bool:
    """Whether the server soon sees that the client keeps no more connections than that."""
    return await subject.until(lambda: server.open_connections <= open_connections)


def drop(held: list[Any]) -> None:
    """Let go of what only this list holds; what is warned of then, unexpected, fails the test."""
    held.clear()
    gc.collect()
