"""Group T: slow and silent servers."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import Any

import anyio

from tests.support.case import WAYS, Group, created, expect, named, owed, streamed, within
from tests.support.client_under_test import AWAITING, ClientUnderTest, FaultNotHandled
from tests.support.fault_server import FaultServer, Received, black_hole
from tests.support.script import Answer, Drip, Fin, Hold, Pace, Repeat, Send, Wait
from tests.support.wire import (
    BEGUN,
    CHUNKED,
    DONE,
    FINISH,
    LAST_CHUNK,
    STREAM,
    TEXTS,
    WHOLE,
    coded,
    completion,
    deltas,
    document,
    event,
    failed,
    head,
)

GROUP = Group([])
case = GROUP.case

LATEST = 1.2
"""Seconds by which a limit of 0.2 to 0.5 s must end a call, even on a busy machine."""

SO_FAR = "Hello wor"


def limited(
    client_under_test: ClientUnderTest, error: Exception, limit: str, seconds: float
) -> None:
    """Check that the error names the limit, its length and the attempt."""
    if client_under_test.is_peer:
        return
    expect(getattr(error, "limit", None) == limit, f"the limit is {getattr(error, 'limit', None)}")
    for text in (limit, f"{seconds:g} s", "attempt 1"):
        expect(text in str(error), f"the error does not say {text!r}: {error}")


PINGS: dict[str, bytes] = {
    "comments": b": ping\n\n",
    "bare-comments": b":\n",
    "ping-events": event("{}", "ping"),
    "blank-lines": b"\n\n",
    "empty-fields": b"event: ping\n\n",
}


@case("T1", over=PINGS)
async def pings_forever(client_under_test: ClientUnderTest, ping: bytes) -> None:
    """Keep-alives do not reset the idle limit, which ends the stream with `partial`."""
    answer = (Send(CHUNKED + coded(BEGUN)), Repeat(coded(ping), 60, 0.05), Fin())
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url, limits={"idle": 0.2}, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.timeout)
    limited(client_under_test, error, "idle", 0.2)
    client_under_test.check_partial(error, SO_FAR)
    within(outcome.seconds, LATEST, "a limit of 0.2 s")


@case("T1", "from-the-start")
async def pings_before_the_first_event(client_under_test: ClientUnderTest) -> None:
    """Keep-alives do not reset the idle limit before the first event."""
    answer = (Send(CHUNKED), Repeat(coded(b": ping\n\n"), 60, 0.05), Fin())
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url, limits={"idle": 0.2}, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    limited(client_under_test, owed(outcome, client_under_test.errors.timeout), "idle", 0.2)
    within(outcome.seconds, LATEST, "a limit of 0.2 s")


@case("T1", "unless-it-is-the-caller")
async def caller_takes_time(client_under_test: ClientUnderTest) -> None:
    """The caller's own time between chunks does not count as idle."""
    each = [*(deltas(text) for text in TEXTS), FINISH, DONE]
    with FaultServer((Send(CHUNKED + b"".join(map(coded, each)) + LAST_CHUNK),)) as server:
        async with (
            client_under_test.client(server.url, limits={"idle": 0.2}, retries=0) as client,
            client.chat.stream("Hello") as stream,
        ):
            texts: list[str] = []
            async for chunk in stream:
                texts.append(client_under_test.text(chunk))
                await client_under_test.sleep(0.3)
    expect("".join(texts) == "Hello world", f"delivered {texts}")


DRIPS: dict[str, tuple[str, Answer]] = {
    "stream": ("stream", (Send(STREAM + BEGUN), Drip(b": " + b"x" * 60, 0.05), Fin())),
    "document": (
        "create",
        (
            Send(head(200, "content-type: application/json", "content-length: 400")),
            Drip(completion()[:60], 0.05),
            Fin(),
        ),
    ),
    "error-body": (
        "create",
        (Send(head(400, "content-length: 400")), Drip(b"x" * 60, 0.05), Fin()),
    ),
    "headers": ("create", (Send(b"HTTP/1.1 200 OK\r\nx: "), Drip(b"x" * 60, 0.05), Fin())),
}


@case("T2", over=DRIPS)
async def drip(client_under_test: ClientUnderTest, told: tuple[str, Answer]) -> None:
    """Single bytes now and then do not extend the total limit."""
    way, answer = told
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url, limits={"total": 0.2}, retries=0) as client:
            outcome = await WAYS[way](client_under_test, client)
    error = owed(outcome, client_under_test.errors.timeout)
    limited(client_under_test, error, "total", 0.2)
    if way == "stream":
        client_under_test.check_partial(error, SO_FAR)
    within(outcome.seconds, LATEST, "a limit of 0.2 s")


@case("T3", "status-line-dripped")
async def slow_status_line(client_under_test: ClientUnderTest) -> None:
    """The total limit ends a response whose status line drips."""
    with FaultServer((Drip(b"HTTP/1.1 200 OK" + b"K" * 60, 0.05), Fin())) as server:
        async with client_under_test.client(server.url, limits={"total": 0.2}, retries=0) as client:
            outcome = await created(client_under_test, client)
    limited(client_under_test, owed(outcome, client_under_test.errors.timeout), "total", 0.2)
    within(outcome.seconds, LATEST, "a limit of 0.2 s")


@case("T3", over={"connect-limit": "connect", "total-limit": "total"})
async def connecting(client_under_test: ClientUnderTest, limit: str) -> None:
    """The connect limit ends a connection attempt that is never accepted."""
    with black_hole() as url:
        async with client_under_test.client(url, limits={limit: 0.2}, retries=0) as client:
            outcome = await created(client_under_test, client)
    limited(client_under_test, owed(outcome, client_under_test.errors.timeout), limit, 0.2)
    within(outcome.seconds, LATEST, "a limit of 0.2 s")


@case("T3", "never-accepted")
async def never_accepted(client_under_test: ClientUnderTest) -> None:
    """The read limit ends a call to a silent server."""
    with FaultServer(accepts=False) as server:
        async with client_under_test.client(server.url, limits={"read": 0.2}, retries=0) as client:
            outcome = await created(client_under_test, client)
    limited(client_under_test, owed(outcome, client_under_test.errors.timeout), "read", 0.2)
    within(outcome.seconds, LATEST, "a limit of 0.2 s")


@case("T3", "silence-mid-stream")
async def silence(client_under_test: ClientUnderTest) -> None:
    """The read limit ends a silent stream with `partial`."""
    with FaultServer((Send(CHUNKED + coded(BEGUN)), Hold())) as server:
        async with client_under_test.client(server.url, limits={"read": 0.2}) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.timeout)
    limited(client_under_test, error, "read", 0.2)
    client_under_test.check_partial(error, SO_FAR)
    within(outcome.seconds, LATEST, "a limit of 0.2 s")


LARGE = {"userId": "x" * 2**24}


@case("T3", "request-not-read", peers=False)
async def not_read(client_under_test: ClientUnderTest) -> None:
    """The write limit ends a call to a server that does not read."""
    with FaultServer(reads=None) as server:
        async with client_under_test.client(server.url, limits={"write": 0.2}, retries=0) as client:
            outcome = await created(client_under_test, client, extra_body=LARGE)
    limited(client_under_test, owed(outcome, client_under_test.errors.timeout), "write", 0.2)
    within(outcome.seconds, LATEST + 1.0, "a limit of 0.2 s and 16 MiB of JSON")


@case("T3", "request-read-slowly", peers=False)
async def read_slowly(client_under_test: ClientUnderTest) -> None:
    """A server that reads slowly does not extend the total limit."""
    with FaultServer(reads=Pace(2**12, 0.02)) as server:
        async with client_under_test.client(server.url, limits={"total": 0.5}, retries=0) as client:
            outcome = await created(client_under_test, client, extra_body=LARGE)
    limited(client_under_test, owed(outcome, client_under_test.errors.timeout), "total", 0.5)
    within(outcome.seconds, LATEST + 1.0, "a limit of 0.5 s and 16 MiB of JSON")


@case("T3", "over-all-tries")
async def over_all_tries(client_under_test: ClientUnderTest) -> None:
    """The total limit covers every attempt and the waits between them."""
    slow = (Wait(0.15), *failed(503, "retry-after-ms: 150"))
    with FaultServer(slow) as server:
        async with client_under_test.client(server.url, limits={"total": 0.5}, retries=9) as client:
            outcome = await created(client_under_test, client)
    owed(outcome, (client_under_test.errors.timeout, client_under_test.errors.status))
    within(outcome.seconds, LATEST, "a limit of 0.5 s")
    expect(len(server.requests) <= 3, f"{len(server.requests)} requests in 0.5 s")


@case("T3", "next-try-cut-short")
async def next_try_cut_short(client_under_test: ClientUnderTest) -> None:
    """A later attempt has the rest of the total limit, and the error names the limit."""
    with FaultServer((Wait(0.2), *failed(503, "retry-after-ms: 1")), (Hold(),)) as server:
        async with client_under_test.client(server.url, limits={"total": 0.5}, retries=1) as client:
            outcome = await created(client_under_test, client)
    error = owed(outcome, client_under_test.errors.timeout)
    expect(
        client_under_test.is_peer or "attempt 2" in str(error),
        f"the error does not say the try: {error}",
    )
    within(outcome.seconds, LATEST, "a limit of 0.5 s")


CASES: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "retry_cases.json").read_text(encoding="utf-8")
)
ROWS: list[tuple[str, str, float | str | None]] = [
    (name, value, wait) for name, value, wait in CASES["retry_after"]
]
HUGE = [row for row in ROWS if row[2] == "raise"]
NONSENSE = [row for row in ROWS if row[2] is None]
PEERS_CAP = ("61",)


def by_row(rows: list[tuple[str, str, float | str | None]], then: Answer) -> Any:
    """Fail the first request for a row of the table with that row, then respond."""
    failed_once: set[str] = set()

    def answer(request: Received) -> Answer:
        number = request.headers["x-row"]
        if number in failed_once:
            return then
        failed_once.add(number)
        name, value, _ = rows[int(number)]
        return failed(429, f"{name}: {value}")

    return answer


@case("T4", "table")
async def hostile_wait(client_under_test: ClientUnderTest) -> None:
    """A `retry-after` over 60 seconds raises the error at once with `retry_after` set."""
    # A peer has another cap; the suite does not wait for it.
    rows = [row for row in HUGE if not client_under_test.is_peer or row[1] not in PEERS_CAP]
    with FaultServer(by_row(rows, failed(429))) as server:
        async with client_under_test.client(server.url) as client:

            async def one(number: int) -> None:
                outcome = await created(client_under_test, client, headers={"x-row": str(number)})
                error = owed(outcome, client_under_test.errors.status)
                name, value, _ = rows[number]
                within(outcome.seconds, 5.0, f"{name}: {value}")
                if client_under_test.is_peer:
                    return
                wait: Any = getattr(error, "retry_after", None)
                expect(wait is not None and wait > 60, f"{name}: {value} gives {wait}")
                expect("429" in str(error), str(error))

            await client_under_test.each(len(rows), one)
    if not client_under_test.is_peer:
        expect(len(server.requests) == len(rows), f"{len(server.requests)} requests")


SENSIBLE: list[tuple[str, str, float | str | None]] = [
    # Longer than the client's own backoff, to tell the two apart.
    ("retry-after-ms", "800", 0.8),
    ("retry-after", "1", 1.0),
]


@case("T5", "table")
async def nonsensical_wait(client_under_test: ClientUnderTest) -> None:
    """An invalid `retry-after` is ignored in favour of the client's backoff, which is never 0."""
    rows = NONSENSE + SENSIBLE
    with FaultServer(by_row(rows, document())) as server:
        async with client_under_test.client(server.url, retries=1) as client:

            async def one(number: int) -> None:
                outcome = await created(client_under_test, client, headers={"x-row": str(number)})
                name, value, wait = rows[number]
                if outcome.error is not None:
                    raise FaultNotHandled(f"{name}: {value!r} raised {named(outcome.error)}")
                least = wait if isinstance(wait, float) else 0.35
                waited = f"{name}: {value!r} waited {outcome.seconds:.2f} s"
                expect(outcome.seconds >= least * 0.95, waited)
                within(outcome.seconds, 4.0, f"{name}: {value!r}")

            await client_under_test.each(len(rows), one)


@case("T6", over={"create": "create", "stream": "stream"}, backends=AWAITING)
async def cancelled_in_backoff(client_under_test: ClientUnderTest, way: str) -> None:
    """A call cancelled during backoff returns at once and sends no further request."""
    with FaultServer(failed(503, "retry-after: 5"), WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            times: list[float] = []

            async def call() -> None:
                try:
                    await WAYS[way](client_under_test, client)
                finally:
                    times.append(monotonic())

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                await client_under_test.until(lambda: len(server.requests) == 1)
                await client_under_test.sleep(0.1)
                times.append(monotonic())
                tasks.cancel_scope.cancel()
            within(times[1] - times[0], 0.5, "cancelling")
            await client_under_test.sleep(0.1)
            expect(len(server.requests) == 1, "another request went out")
