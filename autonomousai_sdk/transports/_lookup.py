"""Name lookups that a time limit can end: each runs in a daemon thread.

`getaddrinfo` cannot be interrupted. In a thread of the event loop's executor it would delay the
end of the program, too, which waits for that executor. Callers who wait for the same name share
one thread, so a name server that is silent costs one thread per name and not one per call.
"""

from __future__ import annotations

import asyncio
import os
import socket
from concurrent.futures import Future
from contextlib import suppress
from itertools import zip_longest
from threading import Thread
from typing import Any

Address = tuple[int, Any]
"""A family of addresses, and an address in its own form."""

Found = list[tuple[Any, ...]]
"""What `getaddrinfo` returns."""

_running: dict[tuple[int, str, int], Future[Found]] = {}
"""The lookups that run, by process (a fork has no threads), host and port."""


def lookup(host: str, port: int) -> Future[Found]:
    """Look up a host; the future has what `getaddrinfo` returns or raises."""
    future: Future[Found] = Future()
    with suppress(socket.gaierror):
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        future.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric))
        return future
    key = (os.getpid(), host, port)
    shared = _running.setdefault(key, future)  # atomic, unlike a look and an insertion
    if shared is future:
        Thread(target=_look_up, args=(key, future), name="autonomousai-lookup", daemon=True).start()
    return shared


async def lookup_async(host: str, port: int) -> Found:
    """Look up a host on an asyncio loop."""
    future = lookup(host, port)
    if not future.done():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        future.add_done_callback(lambda _: _call_soon(loop, done))
        await done
    return future.result()


def in_order(found: Found) -> list[Address]:
    """The addresses in the order to try them: alternating families (RFC 8305, section 4)."""
    first = found[0][0]
    families = ([each for each in found if (each[0] == first) is same] for same in (True, False))
    return [
        (each[0], each[4]) for pair in zip_longest(*families) for each in pair if each is not None
    ]


def _look_up(key: tuple[int, str, int], future: Future[Found]) -> None:
    _, host, port = key
    found: Found = []
    failure: Exception | None = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except Exception as error:  # noqa: BLE001  # it is for the caller, who may be told anything
        failure = error
    # Removed first, so that whoever asks from now on looks up anew.
    _running.pop(key, None)
    if failure is None:
        future.set_result(found)
    else:
        future.set_exception(failure)


def _call_soon(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
    """Wake the waiter, unless it has left or its loop is closed."""
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(lambda: None if done.done() else done.set_result(None))
