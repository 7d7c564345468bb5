"""Group P: connections that are shared, abandoned or never closed."""

from __future__ import annotations

import random
import re
import warnings
from pathlib import Path
from time import monotonic
from typing import Any

import anyio

from tests.support import programs
from tests.support.case import Group, created, expect, fine, owed, streamed, within
from tests.support.client_under_test import AWAITING, ClientUnderTest, Stream
from tests.support.fault_server import FaultServer, Received, black_hole
from tests.support.script import Answer, Hold, Send, Wait
from tests.support.wire import (
    BEGUN,
    CHUNKED,
    DONE,
    FINISH,
    LAST_CHUNK,
    WHOLE,
    coded,
    delta,
    document,
    event,
    said,
)

GROUP = Group([])
case = GROUP.case

OPEN: Answer = (Send(CHUNKED + coded(BEGUN)), Hold())
"""A stream that sends one chunk and then stays silent until the client disconnects."""

SOON = 1.0
"""Seconds in which the server must see the disconnect; 0.2 are required on an idle machine."""


def wants_stream(request: Received) -> bool:
    """Return whether a request asks for a stream."""
    return b'"stream":true' in request.body.replace(b" ", b"")


def echo(request: Received) -> Answer:
    """Respond to a request with its own prompt, as a stream or a document."""
    return said(request.prompt) if wants_stream(request) else document(request.prompt)


async def gone(
    client_under_test: ClientUnderTest, server: FaultServer, since: float, count: int = 1
) -> None:
    """Check that the client closed the first connections soon after a time."""
    left = await client_under_test.until(
        lambda: all(each.ended is not None for each in server.connections[:count])
    )
    expect(left, "the server does not see the client leave")
    for connection in server.connections[:count]:
        within(connection.ended_at - since, SOON, "leaving")


@case("P1", "next-call")
async def break_keeps_slot(client_under_test: ClientUnderTest) -> None:
    """If an open stream holds the only connection, the error of the next call names the stream."""
    with FaultServer(OPEN, WHOLE) as server:
        limits = {"pool": 0.3, "total": 5.0}
        async with client_under_test.client(
            server.url, limits=limits, connections=1, retries=0
        ) as client:
            stream = client.chat.stream("Hello")
            async for _ in stream:
                break
            outcome = await created(client_under_test, client)
            await stream.aclose()
    if outcome.error is not None:
        error = owed(outcome, client_under_test.errors.timeout, "stream", "open")
        expect(
            client_under_test.is_peer or getattr(error, "limit", "") == "pool",
            "the limit is another",
        )
        within(outcome.seconds, 1.5, "a limit of 0.3 s")


@case("P1", "after-closing")
async def closing_frees_slot(client_under_test: ClientUnderTest) -> None:
    """After the stream is closed, the next call gets its connection."""
    with FaultServer(OPEN, document()) as server:
        limits = {"pool": 0.5, "total": 5.0}
        async with client_under_test.client(
            server.url, limits=limits, connections=1, retries=0
        ) as client:
            stream = client.chat.stream("Hello")
            async for _ in stream:
                break
            await stream.aclose()
            fine(await created(client_under_test, client), "Hello world")


@case("P2", over={f"seed-{seed}": seed for seed in range(3)}, backends=AWAITING)
async def cancel_storm(client_under_test: ClientUnderTest, seed: int) -> None:
    """240 tasks cancelled at random leave no connection open, and the pool still works."""
    chance = random.Random(seed)
    slow = (Wait(0.005), Send(CHUNKED + coded(BEGUN)), Wait(0.02), Send(coded(FINISH + DONE)))
    answers = (*slow, Send(LAST_CHUNK))
    with FaultServer(answers) as server:
        async with client_under_test.client(server.url, connections=4) as client:

            async def cancelled(after: float, way: int) -> None:
                with anyio.move_on_after(after):
                    await (streamed if way else created)(client_under_test, client)

            async with anyio.create_task_group() as tasks:
                for _ in range(240):
                    tasks.start_soon(cancelled, chance.uniform(0, 0.5), chance.randrange(2))
            left = await client_under_test.until(lambda: server.open_connections <= 4)
            expect(left, f"{server.open_connections} connections on a pool of 4")
            outcomes = await client_under_test.each(
                8, lambda _: streamed(client_under_test, client)
            )
            for outcome in outcomes:
                fine(outcome, "Hello wor")
        left = await client_under_test.until(lambda: server.open_connections == 0)
        expect(left, f"{server.open_connections} connections are still open after closing")


@case("P2", "while-connecting", backends=AWAITING)
async def cancel_while_connecting(client_under_test: ClientUnderTest) -> None:
    """Calls cancelled while connecting free their slots in the pool."""
    with black_hole() as url, FaultServer(document()) as server:
        async with client_under_test.client(url, connections=2) as client:
            for _ in range(4):
                with anyio.move_on_after(0.02):
                    await created(client_under_test, client)
            began = monotonic()
            with anyio.move_on_after(0.2):
                outcome = await created(
                    client_under_test, client, timeout=_connect_limit(client_under_test)
                )
                owed(outcome, client_under_test.errors.timeout)
                expect("connect" in str(outcome.error), str(outcome.error))
            within(monotonic() - began, SOON, "a connect limit of 0.1 s")
        async with client_under_test.client(server.url, connections=2) as client:
            fine(await created(client_under_test, client), "Hello world")


def _connect_limit(client_under_test: ClientUnderTest) -> Any:
    if client_under_test.is_peer:
        return 0.1
    from autonomousai_sdk import Timeout

    return Timeout(connect=0.1)


WARNED = re.compile(r"ResourceWarning|^  |^$|Object allocated at|^Executing <")


def unwarned(stderr: str) -> list[str]:
    """Return what a child wrote to stderr, without resource warnings and their context lines.

    Nor does it count that asyncio, which development mode makes talkative, found a step slow.
    """
    return [line for line in stderr.splitlines() if not WARNED.search(line)]


def open_or_document(request: Received) -> Answer:
    """Respond with a stream that stays open, or with a document, as the request asks."""
    return OPEN if wants_stream(request) else document()


@case("P3", "every-way")
async def abandoned(client_under_test: ClientUnderTest) -> None:
    """A stream that is dropped before its end prints one warning to stderr and nothing else."""
    ways = [
        way for way in programs.ABANDON if client_under_test.backend in AWAITING or way != "cancel"
    ]
    with FaultServer(open_or_document) as server:
        child = programs.call(
            client_under_test, "abandoned", server.url, development=True, ways=ways
        )
    rest = unwarned(child.stderr)
    expect(rest == [f"{way}:" for way in ways], f"stderr: {' / '.join(rest)[:300]}")


@case("P4", "idle-and-mid-stream")
async def dropped(client_under_test: ClientUnderTest) -> None:
    """An open client dropped inside another event loop causes one ResourceWarning, and no I/O.

    None where its connections are a transport's that the caller made, and has to close.
    """
    with FaultServer(open_or_document) as server:
        child = programs.call(client_under_test, "dropped", server.url, development=True)
    rest = unwarned(child.stderr)
    expect(rest == ["create:", "stream:"], f"stderr: {' / '.join(rest)[:300]}")
    if client_under_test.transport == "httpx":
        warnings = re.findall(r"ResourceWarning: an? \w*Client was dropped", child.stderr)
        expect(
            len(warnings) == 2, f"{len(warnings)} warnings for two clients: {child.stderr[:300]}"
        )


@case("P5", "three-runs", backends=AWAITING)
async def several_loops(client_under_test: ClientUnderTest) -> None:
    """One client works in three consecutive event loops."""
    with FaultServer(echo) as server:
        child = programs.call(client_under_test, "loops", server.url)
    expect(child.value == ["Hello"] * 6, f"answers: {child.value}")


@case("P6", over={"waiting": "waiting", "between-events": "between"}, backends=AWAITING)
async def closed_by_another_task(client_under_test: ClientUnderTest, when: str) -> None:
    """Closing a stream in another task ends its reader without a cancel-scope error."""
    with FaultServer(OPEN, WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            stream = client.chat.stream("Hello")
            texts: list[str] = []
            caught: list[BaseException] = []
            read, closed = anyio.Event(), anyio.Event()

            async def reader() -> None:
                try:
                    async for chunk in stream:
                        texts.append(client_under_test.text(chunk))
                        if len(texts) == 2:
                            read.set()
                            if when == "between":
                                await closed.wait()
                except client_under_test.errors.base as error:
                    caught.append(error)

            began: list[float] = []
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(reader)
                await read.wait()
                await client_under_test.sleep(0.05)
                began.append(monotonic())
                await stream.aclose()
                closed.set()
            within(monotonic() - began[0], SOON, "closing")
            expect(texts == ["Hello", " wor"], f"delivered {texts}")
            expect(
                client_under_test.is_peer or len(caught) == 1,
                "the reader treats the stream as complete",
            )
            await gone(client_under_test, server, began[0])
            fine(await streamed(client_under_test, client), "Hello world")


def said_by(request: Received) -> str:
    """Return the prompt of a request, or a text that says that it cannot be read."""
    try:
        return request.prompt
    except ValueError:
        return "garbled"


@case("P7", "four-children")
async def fork(client_under_test: ClientUnderTest) -> None:
    """After four forks, the client works in each child and the parent, on separate sockets.

    A blocking transport that the caller made says instead that it was made before the fork.
    """
    with FaultServer(echo) as server:
        child = programs.call(client_under_test, "forked", server.url)
        processes: dict[int, set[str]] = {}
        for request in server.requests:
            processes.setdefault(request.connection, set()).add(said_by(request))
    failures = [failure for failure in child.value if failure]
    if client_under_test.backend == "sync" and client_under_test.transport == "httpx2":
        said = [failure for failure in failures if "before the process forked" in failure]
        expect(len(said) == len(failures) == 4, f"said in the four forks: {failures}")
        return
    expect(not failures, f"{len(failures)} of 6 uses failed: {failures}")
    shared = [sorted(each) for each in processes.values() if len(each) > 1]
    expect(not shared, f"one connection serves the processes {shared}")
    expect(len({name for each in processes.values() for name in each}) == 5, f"only {processes}")


@case("P8", "32-times-10")
async def threads(client_under_test: ClientUnderTest) -> None:
    """32 threads or tasks with 10 streams each all receive their own responses."""
    with FaultServer(echo) as server:
        async with client_under_test.client(server.url) as client:

            async def ten(number: int) -> list[str]:
                wrong: list[str] = []
                for turn in range(10):
                    prompt = f"{number}-{turn}-" + "x" * number * 50
                    text = ""
                    async with client.chat.stream(prompt) as stream:
                        async for chunk in stream:
                            text += client_under_test.text(chunk)
                    if text != prompt:
                        wrong.append(f"{text[:20]} for {prompt[:20]}")
                return wrong

            wrong = [each for found in await client_under_test.each(32, ten) for each in found]
    expect(not wrong, f"{len(wrong)} of 320 wrong: {wrong[:3]}")


@case("P8", "1000-tasks", backends=AWAITING, transports=("httpx", "aiohttp"))
async def many_tasks(client_under_test: ClientUnderTest) -> None:
    """A thousand concurrent tasks on one client each receive their own response."""
    with FaultServer(echo) as server:
        async with client_under_test.client(server.url, limits={"total": 40.0}) as client:

            async def one(number: int) -> bool:
                completion = await client.chat.create(f"prompt {number}")
                return client_under_test.answer(completion) == f"prompt {number}"

            right = await client_under_test.each(1000, one)
    expect(all(right), f"{right.count(False)} of 1000 wrong")


class Own(Exception):  # noqa: N818  # the caller's
    """An exception of the caller, raised inside a stream's block."""


async def _leave(client_under_test: ClientUnderTest, client: Any, way: str) -> None:
    stream: Stream
    if way == "close":
        stream = client.chat.stream("Hello")
        await stream.__anext__()
        await stream.aclose()
        return
    try:
        async with client.chat.stream("Hello") as stream:
            if way == "unread":
                return
            async for _ in stream:
                if way == "break":
                    break
                raise Own
    except Own:
        pass


@case("P9", over={way: way for way in ("close", "unread", "break", "raise")})
async def leaving(client_under_test: ClientUnderTest, way: str) -> None:
    """The server sees the disconnect at once, whichever way a stream is left."""
    with FaultServer(OPEN, document()) as server:
        async with client_under_test.client(server.url) as client:
            await _leave(client_under_test, client, way)
            await gone(client_under_test, server, monotonic())
            fine(await created(client_under_test, client), "Hello world")


@case("P9", "cancel", backends=AWAITING)
async def cancelling(client_under_test: ClientUnderTest) -> None:
    """The server sees the disconnect at once if the reading task is cancelled."""
    with FaultServer(OPEN, document()) as server:
        async with client_under_test.client(server.url) as client:
            with anyio.move_on_after(0.1):
                await streamed(client_under_test, client)
            await gone(client_under_test, server, monotonic())
            fine(await created(client_under_test, client), "Hello world")


@case("P9", "keyboard-interrupt")
async def keyboard_interrupt(client_under_test: ClientUnderTest) -> None:
    """The server sees the disconnect when Ctrl-C ends the program, before the process exits."""
    one_event = (Send(CHUNKED + coded(event(delta("Hello")))), Hold())
    with FaultServer(one_event) as server:
        child = programs.call(client_under_test, "interrupted", server.url).value
        expect(child["at"] is not None, "KeyboardInterrupt was not raised")
        await gone(client_under_test, server, child["at"])
    expect(
        server.connections[0].ended_at < child["left"],
        "the connection closed only when the process exited",
    )


@case("P9", "flat")
async def flat(client_under_test: ClientUnderTest) -> None:
    """A thousand streams closed before their end, on ten connections, leak no connection."""
    with FaultServer(open_or_document) as server:
        async with client_under_test.client(server.url, connections=10, retries=0) as client:
            before = 0
            for number in range(1000):
                if number == 10:
                    before = _descriptors()
                async with client.chat.stream("Hello") as stream:
                    if number % 2:
                        await stream.__anext__()
            fine(await created(client_under_test, client), "Hello world")
            left = await client_under_test.until(lambda: server.open_connections <= 1)
            expect(left, f"{server.open_connections} connections are still open")
            after = _descriptors()
    expect(after <= before + 10, f"{before} descriptors became {after}")


@case("P9", "flat-when-dropped")
async def flat_when_dropped(client_under_test: ClientUnderTest) -> None:
    """A thousand streams dropped without closing, on ten connections, block no later call."""
    with FaultServer(open_or_document) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # One for each stream: see P3.
        async with client_under_test.client(server.url, connections=10, retries=0) as client:
            for _ in range(1000):
                await client.chat.stream("Hello").__anext__()
            fine(await created(client_under_test, client), "Hello world")
            left = await client_under_test.until(lambda: server.open_connections <= 1)
            expect(left, f"{server.open_connections} connections are still open")


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
