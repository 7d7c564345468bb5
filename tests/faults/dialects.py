"""Group D: what engines send that differs from the spec."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from autonomousai_sdk import AutonomousAIError, Message
from tests.support.case import WAYS, Group, Outcome, created, expect, fine, owed, streamed
from tests.support.client_under_test import ClientUnderTest
from tests.support.dialects import DOCUMENTS, STREAMS, Dialect
from tests.support.fault_server import FaultServer
from tests.support.script import Send, Wait
from tests.support.wire import (
    CHUNKED,
    DONE,
    LAST_CHUNK,
    body,
    coded,
    delta,
    document,
    event,
    problem,
    stream,
)

GROUP = Group([])
case = GROUP.case

for fault in ("D1", "D2", "D3", "D4", "D5", "D8"):
    _streams = [each for each in STREAMS if each.fault == fault]
    _documents = [each for each in DOCUMENTS if each.fault == fault]

    @case(fault, over={"streams": _streams})
    async def streams(client_under_test: ClientUnderTest, dialects: list[Dialect]) -> None:
        """Each stream gives the text, the finish reason and the error that its dialect owes."""
        answers = [stream(dialect.body) for dialect in dialects]
        with FaultServer(*answers) as server:
            async with client_under_test.client(server.url, retries=0) as client:
                for dialect in dialects:
                    _check(client_under_test, dialect, await streamed(client_under_test, client))

    if _documents:

        @case(fault, over={"documents": _documents})
        async def documents(client_under_test: ClientUnderTest, dialects: list[Dialect]) -> None:
            """Each whole answer gives what its dialect owes."""
            answers = [body(200, dialect.body) for dialect in dialects]
            with FaultServer(*answers) as server:
                async with client_under_test.client(server.url, retries=0) as client:
                    for dialect in dialects:
                        _check(client_under_test, dialect, await created(client_under_test, client))


def _check(client_under_test: ClientUnderTest, dialect: Dialect, outcome: Outcome) -> None:
    """Compare an outcome with what the dialect owes; of a peer, its text and whether it raises."""
    error = outcome.error
    if outcome.completion is not None or dialect in STREAMS:
        text = dialect.owed["text"]
        expect(outcome.text == text, f"{dialect}: delivered {outcome.text!r} instead of {text!r}")
    if client_under_test.is_peer:
        is_owed = dialect.owed["error"] is not None
        expect(is_owed is (error is not None), f"{dialect}: raised {error!r}")
        return
    completion = error.partial if isinstance(error, AutonomousAIError) else outcome.completion
    difference = dialect.difference(completion, error)
    expect(difference is None, f"{dialect}: {difference} ({error})")


@case("D1", "pause-of-7-seconds")
async def pause(client_under_test: ClientUnderTest) -> None:
    """A stream with a finish reason in every chunk is read on after a long pause."""
    first, rest = (event(delta(text, finish="stop")) for text in ("The treaty ", "was signed."))
    answer = (
        Send(CHUNKED + coded(first)),
        Wait(7),
        Send(coded(rest) + coded(DONE) + LAST_CHUNK),
    )
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    fine(outcome, "The treaty was signed.")


@case(
    "D6",
    over={
        "no-role": {"content": "4"},
        "empty-role": {"role": "", "content": "4"},
        "null-role": {"role": None, "content": "4"},
        "reasoning": {"content": "4", "reasoning": "We add."},
        "older-reasoning": {"content": "4", "reasoning_content": "We add."},
        "refusal": {"content": None, "refusal": "No."},
    },
    peers=False,
)
async def history(client_under_test: ClientUnderTest, message: dict[str, Any]) -> None:
    """An answer's message goes back as the assistant's, with the names its fields had."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    chunk = {"index": 0, "delta": message, "finish_reason": "stop"}
    whole = json.dumps({"choices": [choice]}).encode()
    pieces = event(json.dumps({"choices": [chunk]}))
    with FaultServer(body(200, whole), stream(pieces, DONE), document()) as server:
        async with client_under_test.client(server.url) as client:
            completion = await client.chat.create("2 + 2?")
            async with client.chat.stream("2 + 2?") as answer:
                async for _ in answer:
                    pass
            messages = [completion.choices[0].message, answer.completion.message]
            conversation: Any = [Message.user("2 + 2?"), *messages]
            await client.chat.create(conversation)
    sent: Any = json.loads(server.requests[2].body)["messages"]
    if isinstance(sent, str):  # the original protocol encodes them
        sent = json.loads(base64.b64decode(sent))
    owed_fields = {**message, "role": "assistant", "content": message["content"] or ""}
    for each in sent[1:]:
        expect(each == owed_fields, f"sent {each!r}")


BUSY = problem("no capacity left", "rate_limit_error").encode()


@case(
    "D7",
    over={
        f"{status}-{name}": (status, coding, content)
        for status in (401, 429, 503)
        for name, coding, content in (
            ("brotli", "br", b"\x0b\x02\x80"),
            ("not-compressed", "gzip", BUSY),
            ("unknown", "x-unheard-of", BUSY),
            ("stacked", "gzip, gzip", gzip.compress(gzip.compress(BUSY))),
            ("cut", "gzip", gzip.compress(BUSY)[:-9]),
        )
    },
)
async def status_before_coding(
    client_under_test: ClientUnderTest, answer: tuple[int, str, bytes]
) -> None:
    """An error status is its own error whatever the coding of its body, and retried as such."""
    status, coding, content = answer
    headers = (f"content-encoding: {coding}", "retry-after-ms: 50")
    for call in WAYS.values():
        with FaultServer(body(status, content, *headers)) as server:
            async with client_under_test.client(server.url, retries=1) as client:
                outcome = await call(client_under_test, client)
        error = owed(outcome, client_under_test.errors.status)
        seen = getattr(error, "status", None) or getattr(error, "status_code", None)
        expect(seen == status, f"the error's status is {seen}")
        tries = 1 if status == 401 else 2
        expect(len(server.requests) == tries, f"{len(server.requests)} requests")
        if not client_under_test.is_peer:
            expect(getattr(error, "retry_after", None) == 0.05, "retry_after is not on the error")
