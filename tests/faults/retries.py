"""Group R: what is retried, and what is not."""

from __future__ import annotations

from typing import Any

import autonomousai_sdk as sdk
from tests.support.case import WAYS, Group, created, expect, fine, owed, streamed, within
from tests.support.client_under_test import ClientUnderTest, FaultNotHandled, Options
from tests.support.fault_server import FaultServer, refused
from tests.support.script import Answer, Fin, Gate, Reset, Send
from tests.support.wire import (
    CHUNKED,
    TEXTS,
    WHOLE,
    coded,
    deltas,
    document,
    event,
    failed,
    problem,
    stream,
)

GROUP = Group([])
case = GROUP.case

SOON = "retry-after-ms: 1"


def one_key(server: FaultServer, tries: int) -> None:
    """Check the number of attempts, and that all have the same idempotency key."""
    expect(len(server.requests) == tries, f"{len(server.requests)} requests instead of {tries}")
    keys = {request.headers.get("idempotency-key", "") for request in server.requests}
    expect(len(keys) == 1 and keys != {""}, f"the idempotency keys are {sorted(keys)}")


HANG_UPS: tuple[tuple[str, Answer], ...] = (
    ("create", (Fin(),)),
    ("create", (Reset(),)),
    ("stream", (Fin(),)),
)


@case("R1", "fin-and-reset")
async def hang_up(client_under_test: ClientUnderTest) -> None:
    """A hang-up after the request is retried max_retries times with one idempotency key."""

    async def one(number: int) -> None:
        way, answer = HANG_UPS[number]
        with FaultServer(answer) as server:
            async with client_under_test.client(server.url) as client:
                outcome = await WAYS[way](client_under_test, client)
        owed(outcome, client_under_test.errors.connection)
        one_key(server, 3)

    # Concurrently, because each sleeps between its attempts.
    await client_under_test.each(len(HANG_UPS), one)


@case("R1", "refused")
async def refused_then_given_up(client_under_test: ClientUnderTest) -> None:
    """A refused connection is retried, then raises an error that names the attempt."""
    with refused() as url:
        async with client_under_test.client(url, retries=1) as client:
            outcome = await created(client_under_test, client)
    error = owed(outcome, client_under_test.errors.connection)
    expect(client_under_test.is_peer or "attempt 2" in str(error), str(error))


@case("R1", "closed-while-idle")
async def closed_while_idle(client_under_test: ClientUnderTest) -> None:
    """A call succeeds although the server has closed the idle connection."""
    with FaultServer((*document(), Fin()), document()) as server:
        async with client_under_test.client(server.url) as client:
            fine(await created(client_under_test, client), "Hello world")
            await client_under_test.sleep(0.05)
            fine(await created(client_under_test, client), "Hello world")


@case("R1", "each-call-its-own-key", peers=False)
async def each_call_its_own_key(client_under_test: ClientUnderTest) -> None:
    """Two calls have two idempotency keys, and a caller's own key is kept."""
    with FaultServer(document()) as server:
        async with client_under_test.client(server.url) as client:
            for _ in range(2):
                await created(client_under_test, client)
            await created(client_under_test, client, headers={"Idempotency-Key": "mine"})
    keys = [request.headers.get("idempotency-key") for request in server.requests]
    expect(len(set(keys)) == 3 and keys[2] == "mine", f"the keys are {keys}")


@case("R2", over={"reset": (Reset(),), "closed": (Fin(),)})
async def after_the_first_event(client_under_test: ClientUnderTest, ending: Answer) -> None:
    """After the first event a failure is raised and never retried."""
    with FaultServer((Send(CHUNKED + coded(deltas("Hello"))), Gate(), *ending), WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            texts: list[str] = []
            try:
                async with client.chat.stream("Hello") as stream:
                    async for chunk in stream:
                        texts.append(client_under_test.text(chunk))
                        server.open_gate()
            except (*client_under_test.errors.interrupted, client_under_test.errors.connection):
                pass
            else:
                raise FaultNotHandled("no error")
    expect(len(server.requests) == 1, f"{len(server.requests)} requests")
    expect(texts == ["Hello"], f"delivered {texts}")


@case(
    "R2",
    over={
        "opening-fails": failed(503, SOON),
        "error-comes-first": stream(event(problem("busy", "overloaded_error"), "error")),
        "cut-before-an-event": stream(b": hello\n\n"),
        "reset-before-an-event": (Send(CHUNKED + coded(b": hello\n\n")), Reset()),
    },
    peers=False,
)
async def before_the_first_event(client_under_test: ClientUnderTest, answer: Answer) -> None:
    """A stream that fails before its first event is retried."""
    with FaultServer(answer, WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            fine(await streamed(client_under_test, client), "".join(TEXTS))
    one_key(server, 2)


@case("R2", "refusal-comes-first", peers=False)
async def refused_at_first(client_under_test: ClientUnderTest) -> None:
    """A first event that is malformed is raised at once, without a retry."""
    answer = stream(event(problem("bad", "invalid_request_error"), "error"))
    with FaultServer(answer, WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            owed(await streamed(client_under_test, client), client_under_test.errors.status, "bad")
    expect(len(server.requests) == 1, f"{len(server.requests)} requests")


REFUSALS: dict[int, type[sdk.APIStatusError]] = {
    400: sdk.BadRequestError,
    401: sdk.AuthenticationError,
    403: sdk.PermissionDeniedError,
    404: sdk.NotFoundError,
    413: sdk.RequestTooLargeError,
    422: sdk.UnprocessableEntityError,
}


@case(
    "R3",
    over={f"{way}-{status}": (way, status) for way in WAYS for status in REFUSALS},
)
async def refusal(client_under_test: ClientUnderTest, told: tuple[str, int]) -> None:
    """A 4xx status raises its own error class with the server's message, after one request."""
    way, status = told
    with FaultServer(failed(status), WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await WAYS[way](client_under_test, client)
    error = owed(outcome, client_under_test.errors.status, "scripted failure")
    expect(
        client_under_test.is_peer or type(error) is REFUSALS[status], f"{status} is {type(error)}"
    )
    expect(len(server.requests) == 1, f"{len(server.requests)} requests")


@case("R3", "failures-are-retried")
async def retried(client_under_test: ClientUnderTest) -> None:
    """The statuses 408, 409, 429 and 5xx are retried."""
    statuses = (408, 409, 429, 500, 502, 503, 504, 529)
    for status in statuses:
        with FaultServer(failed(status, SOON), document()) as server:
            async with client_under_test.client(server.url) as client:
                fine(await created(client_under_test, client), "Hello world")
        expect(len(server.requests) == 2, f"{status}: {len(server.requests)} requests")


@case("R3", over={"should-not": (503, "false", 1), "should": (400, "true", 2)})
async def should_retry(client_under_test: ClientUnderTest, told: tuple[int, str, int]) -> None:
    """The header `x-should-retry` overrides the status."""
    status, wish, requests = told
    with FaultServer(failed(status, SOON, f"x-should-retry: {wish}"), document()) as server:
        async with client_under_test.client(server.url) as client:
            await created(client_under_test, client)
    expect(len(server.requests) == requests, f"{len(server.requests)} requests")


@case("R4", "runs-out")
async def budget(client_under_test: ClientUnderTest) -> None:
    """A client's retries cost 5 tokens each from a budget of 500."""
    with FaultServer(failed(503, SOON)) as server:
        async with client_under_test.client(server.url, retries=10) as client:
            for _ in range(15):
                owed(await created(client_under_test, client), client_under_test.errors.status)
    expect(len(server.requests) == 15 + 100, f"{len(server.requests)} requests")


@case("R4", "is-refilled", peers=False)
async def budget_refilled(client_under_test: ClientUnderTest) -> None:
    """A success after a retry refunds its tokens; an immediate success adds one token."""
    fails: list[Answer] = [failed(503, SOON)] * 110
    # Ten calls of ten retries spend it all; a call that succeeds gives one token back, five
    # of them pay for one retry, and that one's success gives the five back.
    answers = [*fails, *[document()] * 5, failed(503, SOON), document(), failed(503, SOON)]
    with FaultServer(*answers, document()) as server:
        async with client_under_test.client(server.url, retries=10) as client:
            for _ in range(10):
                owed(await created(client_under_test, client), client_under_test.errors.status)
            expect(len(server.requests) == 110, f"{len(server.requests)} requests spend it")
            for _ in range(7):
                fine(await created(client_under_test, client), "Hello world")
    expect(len(server.requests) == 119, f"{len(server.requests)} requests")


@case("R4", "of-copies", peers=False)
async def budget_of_copies(client_under_test: ClientUnderTest) -> None:
    """A copy made by `with_options` shares the budget."""
    with FaultServer(failed(503, SOON)) as server:
        made = client_under_test.make(server.url, Options(retries=10))
        copy = client_under_test.calls(made.with_options(max_retries=20))
        for client in (client_under_test.calls(made), copy):
            for _ in range(6):
                owed(await created(client_under_test, client), client_under_test.errors.status)
        await client_under_test.close(made)
    expect(len(server.requests) == 12 + 100, f"{len(server.requests)} requests")


BAD_HEADERS: dict[str, dict[str, str]] = {
    "line-feed": {"x-mine": "a\nb"},
    "carriage-return": {"x-mine": "a\r\nx-other: 1"},
    "nul": {"x-mine": "a\0"},
    "name": {"x mine": "a"},
}


@case("R5", over=BAD_HEADERS)
async def bad_header(client_under_test: ClientUnderTest, headers: dict[str, str]) -> None:
    """An invalid header raises an error that names it, before anything is sent."""
    with FaultServer(document()) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await created(client_under_test, client, headers=headers)
    owed(outcome, client_under_test.errors.configuration, next(iter(headers)))
    expect(not server.requests, "a request went out")
    within(outcome.seconds, 0.3, "the error")


BAD_URLS = ("127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://a b/")


@case("R5", over={f"url-{number}": url for number, url in enumerate(BAD_URLS)})
async def bad_url(client_under_test: ClientUnderTest, url: str) -> None:
    """An invalid base URL raises an error that says so, before anything is sent."""

    async def call() -> Any:
        async with client_under_test.client(url) as client:
            return await client.chat.create("Hello")

    try:
        await call()
    except client_under_test.errors.configuration as error:
        expect(client_under_test.is_peer or "base_url" in str(error), str(error))
        return
    except Exception as error:
        raise FaultNotHandled(f"raised {type(error).__name__}: {error}") from error
    raise FaultNotHandled("no error")
