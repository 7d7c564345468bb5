"""Closing that a cancellation does not cut short: half a close can lose a pool slot."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import anyio


async def shielded(closing: Coroutine[Any, Any, None]) -> None:
    """Run the closing of something to its end, and only then be cancelled.

    A scope shields from other scopes and from trio's cancellation, but not from asyncio's
    `Task.cancel`, which `asyncio.timeout` and `asyncio.wait_for` use. There a task does.
    """
    with anyio.CancelScope(shield=True):
        if anyio.get_cancelled_exc_class() is not asyncio.CancelledError:
            await closing
            return
        task = asyncio.ensure_future(closing)
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
        task.result()
        if cancelled is not None:
            raise cancelled
