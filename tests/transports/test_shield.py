"""`shielded` by itself: whatever it awaits is awaited to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from autonomousai_sdk.transports._shield import shielded

Act = Callable[[], Coroutine[Any, Any, None]]


async def _yields() -> None:
    for _ in range(3):
        await checkpoint()


async def _sleeps() -> None:
    await anyio.sleep(0.01)


async def _waits_for_a_task() -> None:
    await asyncio.ensure_future(_sleeps())


@pytest.mark.parametrize("act", [_yields, _sleeps, _waits_for_a_task])
@pytest.mark.parametrize("times", [1, 2])
def test_a_cancelled_task_ends_after_its_closing(act: Act, times: int) -> None:
    """`Task.cancel`, even repeated, does not cut a closing short, and takes effect after it."""
    done: list[str] = []

    async def close() -> None:
        await act()
        done.append("closed")

    async def main() -> None:
        task = asyncio.ensure_future(shielded(close()))
        for _ in range(times):
            await asyncio.sleep(0)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert done == ["closed"]


@pytest.mark.parametrize("act", [_yields, _sleeps])
@pytest.mark.anyio
async def test_a_cancelled_scope_ends_after_its_closing(
    act: Act,
) -> None:
    """A cancelled scope does not cut a closing short, on asyncio or trio."""
    done: list[str] = []

    async def close() -> None:
        await act()
        done.append("closed")

    with anyio.CancelScope() as scope:
        scope.cancel()
        await shielded(close())
        await checkpoint()
    assert scope.cancelled_caught
    assert done == ["closed"]


@pytest.mark.anyio
async def test_an_error_of_the_closing_is_raised() -> None:
    """An error in what is awaited reaches the caller, and can be handled inside."""

    async def close() -> None:
        with pytest.raises(TimeoutError), anyio.fail_after(0.01):
            await anyio.sleep_forever()
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        await shielded(close())
