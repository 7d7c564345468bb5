"""Group S: streams that are cut, malformed or of the wrong kind."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path
from typing import Any

from autonomousai_sdk import Client, RateLimitError, SSEDecoder
from autonomousai_sdk._core.exchange import Request
from autonomousai_sdk._core.timeout import Timeout
from tests.support import programs
from tests.support.case import Group, created, expect, fine, owed, streamed, within
from tests.support.client_under_test import SAFETY, SDK, ClientUnderTest, FaultNotHandled, settled
from tests.support.fault_server import FaultServer
from tests.support.script import Answer, Fin, Gate, Hold, Repeat, Reset, Send, Wait
from tests.support.wire import (
    BEGUN,
    CHUNKED,
    DONE,
    FINISH,
    LAST_CHUNK,
    STREAM,
    WHOLE,
    body,
    closing,
    coded,
    completion,
    delta,
    deltas,
    event,
    head,
    problem,
    stream,
)

GROUP = Group([])
case = GROUP.case

SO_FAR = "Hello wor"
HALF = event(delta("never delivered"))

CUT: dict[str, dict[str, Answer]] = {
    "S1": {
        "zero-chunk": stream(BEGUN),
        "role-only": stream(event(delta("", role="assistant")), BEGUN),
        "one-choice-of-two": stream(
            event(delta(finish="stop", index=1)), BEGUN, event(delta(finish="stop", index=2))
        ),
        "usage-without-finish": stream(
            BEGUN, event('{"id":"1","choices":[],"usage":{"total_tokens":3}}')
        ),
    },
    "S2": {"close-delimited": closing(BEGUN)},
    "S3": {
        "in-data-line": closing(BEGUN, HALF[:-20]),
        "before-blank-line": closing(BEGUN, HALF[:-1]),
        "in-a-character": closing(BEGUN, event("é".encode())[:-3]),
        "chunked": stream(BEGUN, HALF[:-20]),
        "finish-cut-off": closing(BEGUN, FINISH[:-10]),
    },
    "S4": {
        "fin-inside-chunk": (Send(CHUNKED + coded(BEGUN) + b"fff\r\ndata: {"), Fin()),
        "fin-before-last-chunk": (Send(CHUNKED + coded(BEGUN)), Fin()),
        "fin-inside-length": (
            Send(head(200, "content-type: text/event-stream", "content-length: 9999") + BEGUN),
            Fin(),
        ),
        "garbage-for-a-chunk": (Send(CHUNKED + coded(BEGUN)), Wait(0.05), Send(b"zzz\r\n"), Hold()),
    },
}


@case("S1", over=CUT["S1"])
@case("S2", over=CUT["S2"])
@case("S3", over=CUT["S3"])
async def cut(client_under_test: ClientUnderTest, answer: Answer) -> None:
    """A stream that ends without finish reason or end marker raises StreamInterrupted."""
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.interrupted)
    expect(outcome.text == SO_FAR, f"delivered {outcome.text!r}")
    client_under_test.check_partial(error, SO_FAR)


@case("S4", over=CUT["S4"])
async def broken(client_under_test: ClientUnderTest, answer: Answer) -> None:
    """A connection that breaks mid-stream raises an error of the SDK with `partial`."""
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(
        outcome, (*client_under_test.errors.interrupted, client_under_test.errors.connection)
    )
    within(outcome.seconds, SAFETY / 3, "hearing of it")
    expect(outcome.text == SO_FAR, f"delivered {outcome.text!r}")
    client_under_test.check_partial(error, SO_FAR)


@case("S4", "reset-mid-stream")
async def reset_mid_stream(client_under_test: ClientUnderTest) -> None:
    """A reset after the first events raises an error of the SDK with `partial`."""
    with FaultServer((Send(CHUNKED + coded(BEGUN)), Gate(), Reset())) as server:
        async with client_under_test.client(server.url) as client:
            texts: list[str] = []
            try:
                async with client.chat.stream("Hello") as stream:
                    async for chunk in stream:
                        texts.append(client_under_test.text(chunk))
                        if "".join(texts) == SO_FAR:
                            server.open_gate()
            except (
                *client_under_test.errors.interrupted,
                client_under_test.errors.connection,
            ) as error:
                client_under_test.check_partial(error, SO_FAR)
            else:
                raise FaultNotHandled("no error")
    expect("".join(texts) == SO_FAR, f"delivered {texts!r}")


@case("S4", "document-cut")
async def document_cut(client_under_test: ClientUnderTest) -> None:
    """A cut document raises an error of the SDK and never half a completion."""
    whole = completion()
    cut_short = head(200, "content-type: application/json", f"content-length: {len(whole)}")
    with FaultServer((Send(cut_short + whole[:-9]), Fin())) as server:
        async with client_under_test.client(server.url, retries=1) as client:
            outcome = await created(client_under_test, client)
    owed(outcome, (client_under_test.errors.connection, client_under_test.errors.response))


@case("S5", over={"after-events": BEGUN, "at-once": b""})
async def error_event(client_under_test: ClientUnderTest, before: bytes) -> None:
    """An error event inside a 200 raises the matching API error with its message."""
    failure = event(problem("no capacity left", "rate_limit_error"), "error")
    with FaultServer(stream(before, failure) if before else stream(failure)) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.status, "no capacity left")
    expect(
        client_under_test.is_peer or isinstance(error, RateLimitError),
        f"a rate limit's error is a {type(error).__name__}",
    )
    expect(client_under_test.code(error) == "rate_limit_error", "the error's code is lost")
    client_under_test.check_partial(error, SO_FAR if before else "")


@case("S5", "unknown-type")
async def unknown_error_event(client_under_test: ClientUnderTest) -> None:
    """An error event of an unknown type ends the stream with its message."""
    failure = event(problem("the moon is full", "lunar_error"), "error")
    with FaultServer(stream(BEGUN, failure)) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    client_under_test.check_partial(
        owed(outcome, client_under_test.errors.base, "the moon is full"), SO_FAR
    )


@case("S5", "not-json", peers=False)
async def plain_error_event(client_under_test: ClientUnderTest) -> None:
    """An error event of plain text ends the stream with that text."""
    with FaultServer(stream(BEGUN, event("out of memory", "error"))) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    owed(outcome, client_under_test.errors.base, "out of memory")


@case("S6", over={"after-events": BEGUN, "at-once": b""})
async def error_data(client_under_test: ClientUnderTest, before: bytes) -> None:
    """An error object without an event name raises the matching API error."""
    failure = event(problem("no capacity left", "rate_limit_error"))
    with FaultServer(stream(before, failure) if before else stream(failure)) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.status, "no capacity left")
    expect(client_under_test.code(error) == "rate_limit_error", "the error's code is lost")
    client_under_test.check_partial(error, SO_FAR if before else "")


@case("S6", "text", peers=False)
async def error_text(client_under_test: ClientUnderTest) -> None:
    """An error that is only text raises an API error."""
    with FaultServer(stream(BEGUN, event('{"error": "out of memory"}'))) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    owed(outcome, client_under_test.errors.base, "out of memory")


@case("S7", over={"ended": b"\n\n", "at-the-end": b""})
async def error_raw_line(client_under_test: ClientUnderTest, ending: bytes) -> None:
    """An error object on a line without a field name is reported."""
    line = problem("no capacity left", "rate_limit_error").encode() + ending
    with FaultServer(stream(BEGUN, line)) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.base, "no capacity left" if ending else "")
    client_under_test.check_partial(error, SO_FAR)


@case(
    "S8",
    over={
        "json": ("application/json", completion()),
        "html": ("text/html", b"<html><title>Gateway</title>" + b"x" * 5000),
        "plain": ("text/plain", b"try later"),
    },
)
async def wrong_content_type(
    client_under_test: ClientUnderTest, content: tuple[str, bytes]
) -> None:
    """Another content type instead of a stream raises an error with status and excerpt."""
    with FaultServer(body(200, content[1], kind=content[0])) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.response, "200")
    expect(len(str(error)) < 2048, f"the message has {len(str(error))} characters")
    expect(len(server.requests) == 1, f"{len(server.requests)} requests")


@case("S8", "error-document")
async def error_document(client_under_test: ClientUnderTest) -> None:
    """An error object with status 200 instead of a stream raises that error."""
    content = problem("no capacity left", "rate_limit_error").encode()
    with FaultServer(body(200, content)) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            outcome = await streamed(client_under_test, client)
    owed(
        outcome,
        (client_under_test.errors.status, client_under_test.errors.response),
        "no capacity left",
    )


@case("S8", over={"stream-for-a-document": WHOLE, "html-for-a-document": body(200, b"<html>")})
async def wrong_kind_of_answer(client_under_test: ClientUnderTest, answer: Answer) -> None:
    """A response that is not a document, where one was requested, raises an error of the SDK."""
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await created(client_under_test, client)
    owed(outcome, client_under_test.errors.response)


@case(
    "S9",
    over={
        "no-json": b"{not json}",
        "half": b'{"choices": [',
        "empty-text": b" ",
        "wrong-types": b'{"choices": 5}',
        "delta-is-text": b'{"choices": [{"index": 0, "delta": "Hello"}]}',
        "content-is-number": b'{"choices": [{"index": 0, "delta": {"content": 5}}]}',
    },
)
async def malformed_event(client_under_test: ClientUnderTest, data: bytes) -> None:
    """An event that is not a chunk raises an error with its bytes."""
    with FaultServer(stream(BEGUN, event(data), deltas("ld"), FINISH, DONE)) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.stream_decode_error)
    client_under_test.check_partial(error, SO_FAR)
    expect(outcome.text == SO_FAR, f"delivered {outcome.text!r}")
    expect(
        client_under_test.is_peer or getattr(error, "data", b"") == data,
        "the bytes are not on the error",
    )


@case(
    "S10",
    over={
        "bare": b"\xff\xfe",
        "in-a-text": b'{"choices":[{"index":0,"delta":{"content":"\xff"}}]}',
    },
)
async def invalid_utf8(client_under_test: ClientUnderTest, data: bytes) -> None:
    """An event that is not UTF-8 raises StreamDecodeError, not UnicodeDecodeError."""
    with FaultServer(stream(BEGUN, event(data), FINISH, DONE)) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    client_under_test.check_partial(
        owed(outcome, client_under_test.errors.stream_decode_error), SO_FAR
    )


@case("S11", over={name: name.encode() for name in ("null", "[]", "5", '"text"', "true")})
async def non_object_event(client_under_test: ClientUnderTest, data: bytes) -> None:
    """An event whose JSON is not an object raises StreamDecodeError."""
    with FaultServer(stream(BEGUN, event(data), FINISH, DONE)) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    client_under_test.check_partial(
        owed(outcome, client_under_test.errors.stream_decode_error), SO_FAR
    )


@case("S12", "end-marker")
async def left_open(client_under_test: ClientUnderTest) -> None:
    """A stream ends at the end marker although the body stays open; its connection closes."""
    left = (Send(CHUNKED + coded(BEGUN + deltas("ld") + FINISH + DONE)), Hold())
    with FaultServer(left, WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
            fine(outcome, "Hello world")
            within(outcome.seconds, 1.0, "a stream that was complete")
            fine(await streamed(client_under_test, client), "Hello world")
            expect(server.requests[1].connection == 2, "the connection was used again")
            expect(
                await client_under_test.until(lambda: server.connections[0].ended is not None),
                "the connection was not released",
            )


@case("S12", "finish-reason", peers=False)
async def left_open_after_the_reason(client_under_test: ClientUnderTest) -> None:
    """A finish reason completes a stream if nothing follows it within the limit."""
    left = (Send(CHUNKED + coded(BEGUN + deltas("ld") + FINISH)), Hold())
    with FaultServer(left) as server:
        async with client_under_test.client(
            server.url, limits={"idle": 0.3, "read": 0.3}
        ) as client:
            outcome = await streamed(client_under_test, client)
    fine(outcome, "Hello world")
    within(outcome.seconds, 1.5, "a stream that was complete")


@case(
    "S13",
    over={
        "marker-without-blank-line": b"data: [DONE]\n",
        "marker-without-line-end": b"data: [DONE]",
        "no-marker": b"",
    },
)
async def done_without_blank_line(client_under_test: ClientUnderTest, ending: bytes) -> None:
    """A stream with a finish reason is complete however its end marker is terminated."""
    with FaultServer(closing(deltas("Hello", " wor", "ld"), FINISH, ending)) as server:
        async with client_under_test.client(server.url) as client:
            fine(await streamed(client_under_test, client), "Hello world")


@case("S14", "chunks")
async def iterate_twice(client_under_test: ClientUnderTest) -> None:
    """Iterating a finished stream again raises an error."""
    with FaultServer(WHOLE) as server:
        async with (
            client_under_test.client(server.url) as client,
            client.chat.stream("Hello") as stream,
        ):
            async for _ in stream:
                pass
            try:
                async for _ in stream:
                    pass
            except client_under_test.errors.base:
                return
    raise FaultNotHandled("an empty stream")


@case("S14", "text", peers=False)
async def iterate_text_twice(client_under_test: ClientUnderTest) -> None:
    """Iterating the text of a finished stream again raises an error."""
    with FaultServer(WHOLE) as server:
        async with (
            client_under_test.client(server.url) as client,
            client.chat.stream("Hello") as stream,
        ):
            async for _ in stream.text:
                pass
            try:
                async for _ in stream.text:
                    pass
            except client_under_test.errors.base:
                return
    raise FaultNotHandled("an empty stream")


CORPUS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "sse_cases.json").read_text(encoding="utf-8")
)["cases"]


def pieces(entry: dict[str, Any]) -> list[bytes]:
    """Return the reads of an entry of the corpus."""
    found: list[bytes] = []
    for chunk in entry["chunks"]:
        if isinstance(chunk, str):
            found.append(chunk.encode("latin-1"))
        else:
            found += [chunk["repeat"].encode("latin-1")] * chunk["times"]
    return found


def written_out(data: Any) -> str:
    """Return an event's data, which the corpus abbreviates where it is long."""
    if isinstance(data, str):
        return data
    text: str = data["repeat"] * data["times"] + data["then"]
    return text


@case("S15", "corpus", peers=False)
async def corpus(client_under_test: ClientUnderTest) -> None:
    """Every entry of the corpus decodes the same, as recorded, byte by byte and whole."""
    bodies = iter([b"".join(pieces(entry)) for entry in CORPUS])
    with FaultServer(lambda _: body(200, next(bodies), kind="text/event-stream")) as server:
        if not isinstance(client_under_test, SDK):
            raise AssertionError("only this SDK's transports are known")
        transport = client_under_test.new_transport()
        request = Request(method="POST", url=server.url, headers=(), content=b"")
        for entry in CORPUS:
            response = await settled(transport.send(request, Timeout()))
            reads: list[bytes] = []
            while data := await settled(response.read(5.0)):
                reads.append(data)
            await settled(
                response.close() if client_under_test.backend == "sync" else response.aclose()
            )
            whole = b"".join(reads)
            singly = [whole[at : at + 1] for at in range(len(whole))]
            for way, split in (("whole", [whole]), ("as read", reads), ("bytewise", singly)):
                judge_decoding(entry, split, way)
        await settled(
            transport.close() if client_under_test.backend == "sync" else transport.aclose()
        )


def judge_decoding(entry: dict[str, Any], split: list[bytes], way: str) -> None:
    """Decode an entry of the corpus with one split and compare."""
    decoder = SSEDecoder()
    events = [event for data in split for event in decoder.feed(data)] + decoder.close()
    found = [(each.event, each.data, each.id) for each in events]
    where = f"corpus {entry['name']!r}, {way}: "
    wanted = [(each["event"], written_out(each["data"]), each["id"]) for each in entry["events"]]
    expect(found == wanted, f"{where}{str(found)[:200]}")
    expect(decoder.retry == entry["retry"], f"{where}retry {decoder.retry}")
    expect(decoder.last_event_id == entry["last_event_id"], f"{where}id {decoder.last_event_id!r}")
    expect(decoder.clean is entry["ends_clean"], f"{where}clean is {decoder.clean}")


@case("S16", "one-line")
async def long_line(client_under_test: ClientUnderTest) -> None:
    """A line of 16 MiB in chunks of 1 KiB takes linear time."""
    start, end = event(delta("@")).split(b"@")
    answer = (
        Send(CHUNKED + coded(start)),
        Repeat(coded(b"x" * 1024) * 16, 2**10),
        Send(coded(end + FINISH + DONE) + LAST_CHUNK),
    )
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    expect(outcome.error is None, f"raised {outcome.error!r}"[:300])
    expect(len(outcome.text) == 2**24, f"{len(outcome.text)} characters came")
    # The requirement is one second; a quadratic reader takes half a minute.
    within(outcome.seconds, 6.0, "a line of 16 MiB")


@case("S16", "comment-lines")
async def many_lines(client_under_test: ClientUnderTest) -> None:
    """80,000 comment lines without a blank line take linear time."""
    answer = (
        Send(STREAM + deltas("Hello")),
        Repeat(b": nothing\n" * 100, 800),
        Send(deltas(" world") + FINISH + DONE),
        Fin(),
    )
    with FaultServer(answer) as server:
        async with client_under_test.client(server.url) as client:
            outcome = await streamed(client_under_test, client)
    fine(outcome, "Hello world")
    within(outcome.seconds, 6.0, "80,000 lines")


ENDLESS: tuple[tuple[bytes, bytes], ...] = (
    (b"data: ", b"x" * 2**16),
    (b"", (b"data: " + b"x" * 1017 + b"\n") * 64),
    (b"", b"x" * 2**16),
)


@case("S17", "line-event-and-name")
async def endless(client_under_test: ClientUnderTest) -> None:
    """An endless line or event raises an error at the bound, in bounded memory."""
    answers = [
        (Send(STREAM + deltas("Hello") + start), Repeat(more, 300 * 16), Fin())
        for start, more in ENDLESS
    ]
    bound = 8 * 2**20
    ways = ["stream"] * len(answers)
    with FaultServer(WHOLE, *answers) as server:
        child = programs.call(client_under_test, "measured", server.url, ways=ways, bound=bound)
    for found in child.value:
        expect(found["error"] is not None, "no error")
        if not client_under_test.is_peer:
            expect(found["error"] == "StreamDecodeError", f"raised {found['error']}")
            expect("max_event_bytes" in found["said"], f"it says {found['said'][:200]!r}")
        grown = found["grown"] / bound
        expect(grown <= 4, f"memory grew by {grown:.1f} times the bound")


@case("S17", "default-bound", peers=False)
async def default_bound(client_under_test: ClientUnderTest) -> None:
    """An event may have 64 MiB by default."""
    default = signature(Client).parameters["max_event_bytes"].default
    expect(default >= 64 * 2**20, f"the default bound is {default}")
