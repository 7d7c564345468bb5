"""Group M: responses that exhaust memory or the stack."""

from __future__ import annotations

import gzip
import zlib
from functools import cache

from tests.support import programs
from tests.support.case import WAYS, Group, expect, owed
from tests.support.client_under_test import ClientUnderTest
from tests.support.fault_server import FaultServer
from tests.support.script import Answer, Fin, Repeat, Send
from tests.support.wire import FINISH, WHOLE, body, completion, deltas, event, head, stream

GROUP = Group([])
case = GROUP.case

GROWTH = 100 * 2**20
"""Memory that a bomb may cost, in bytes."""


@cache
def bomb(start: bytes = b"") -> bytes:
    """Return 1 MB of gzip that inflates to 1 GB of zeros after the start.

    One independent block is repeated; the final checksum is omitted.
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    first = deflate.compress(start) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(b"0" * 2**24) + deflate.flush(zlib.Z_FULL_FLUSH)
    return first + block * 64


@cache
def stacked() -> bytes:
    """Return a body with six stacked codings."""
    content = b"0" * 2**26
    for _ in range(6):
        content = gzip.compress(content)
    return content


def zipped(status: int, kind: str, content: bytes, coding: str = "gzip") -> Answer:
    """Return a compressed response."""
    return body(status, content, f"content-encoding: {coding}", kind=kind)


def bombs() -> dict[str, tuple[str, Answer]]:
    """The bombs: the kind of call and the response."""
    document, events = "application/json", "text/event-stream"
    deflated = zlib.compress(b"0" * 2**28)
    return {
        "a document": ("create", zipped(200, document, bomb(b'"'))),
        "a line": ("stream", zipped(200, events, bomb(b"data: "))),
        "a line after an event": ("stream", zipped(200, events, bomb(deltas("Hello")))),
        "an error": ("create", zipped(500, document, bomb())),
        "an error for a stream": ("stream", zipped(500, "text/plain", bomb())),
        "a document for a stream": ("stream", zipped(200, document, bomb())),
        "a deflated document": ("create", zipped(200, document, deflated, "deflate")),
        "six codings": ("create", zipped(200, document, stacked(), ", ".join(["gzip"] * 6))),
    }


@case("M1", "bombs")
async def decompression_bomb(client_under_test: ClientUnderTest) -> None:
    """A small response that inflates to a huge one raises an error and costs little memory."""
    told = bombs()
    ways = [way for way, _ in told.values()]
    with FaultServer(WHOLE, *(answer for _, answer in told.values())) as server:
        child = programs.call(client_under_test, "measured", server.url, ways=ways, bound=None)
    wrong: list[str] = []
    for name, found in zip(told, child.value, strict=True):
        if found["error"] is None:
            wrong.append(f"{name}: no error")
        if found["grown"] >= GROWTH:
            wrong.append(f"{name}: memory grew by {found['grown'] / 2**20:.0f} MB")
        if found["length"] > 2048:
            wrong.append(f"{name}: the message has {found['length']} characters")
    expect(not wrong, "; ".join(wrong))


@case(
    "M1",
    over={
        "not-gzip": b"plain",
        "cut": gzip.compress(completion())[:60],
        "bad-sum": zlib.compress(b"{}")[:-2],
    },
)
async def broken_coding(client_under_test: ClientUnderTest, content: bytes) -> None:
    """A body that does not match its content coding raises an error of the SDK."""
    for way, call in WAYS.items():
        kind = "application/json" if way == "create" else "text/event-stream"
        coding = "deflate" if content.startswith(b"\x78") else "gzip"
        with FaultServer(zipped(200, kind, content, coding)) as server:
            async with client_under_test.client(server.url, retries=0) as client:
                owed(await call(client_under_test, client), client_under_test.errors.base)


@case("M1", "compressed-stream")
async def compressed_stream(client_under_test: ClientUnderTest) -> None:
    """A valid compressed stream is read like any other."""
    with FaultServer(WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            whole = await WAYS["stream"](client_under_test, client)
    plain = deltas("Hello world") + FINISH
    deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    content = deflate.compress(plain) + deflate.flush()
    with FaultServer(zipped(200, "text/event-stream", content)) as server:
        async with client_under_test.client(server.url) as client:
            zipped_too = await WAYS["stream"](client_under_test, client)
    expect(whole.text == zipped_too.text == "Hello world", f"delivered {zipped_too}")


def huge(status: int, start: bytes) -> Answer:
    """Return a response of 300 MB."""
    size = 300 * 2**20
    opening = head(status, "content-type: application/json", f"content-length: {size}") + start
    return (Send(opening), Repeat(b"x" * 2**16, size // 2**16), Fin())


@case("M2", "errors")
async def huge_error_body(client_under_test: ClientUnderTest) -> None:
    """At most 1 MiB of an error's body is read."""
    answers = (huge(400, b""), huge(400, b""), huge(400, b'{"error": {"message": "'))
    ways = ["create", "stream", "create"]
    with FaultServer(WHOLE, *answers) as server:
        child = programs.call(client_under_test, "measured", server.url, ways=ways, bound=None)
        sent = max(connection.sent for connection in server.connections) / 2**20
    for found in child.value:
        expect(found["error"] is not None, "no error")
        expect(found["grown"] < 32 * 2**20, f"memory grew by {found['grown'] / 2**20:.0f} MB")
        expect(found["length"] <= 2048, f"the message has {found['length']} characters")
    # 1 MiB is read, plus what the kernel buffers.
    expect(sent < 32, f"{sent:.0f} MB were taken in")


@case("M2", "documents")
async def huge_document(client_under_test: ClientUnderTest) -> None:
    """A document over the bound raises an error and costs little memory."""
    bound = 8 * 2**20
    with FaultServer(WHOLE, huge(200, b'"')) as server:
        child = programs.call(
            client_under_test, "measured", server.url, ways=["create"], bound=bound
        )
    [found] = child.value
    expect(found["error"] is not None, "no error")
    expect(client_under_test.is_peer or "max_event_bytes" in found["said"], found["said"][:200])
    expect(found["grown"] < 4 * bound, f"memory grew by {found['grown'] / 2**20:.0f} MB")


def hostile() -> dict[str, bytes]:
    """Values that break parsers."""
    return {
        "nested-arrays": b"[" * 100_000 + b"]" * 100_000,
        "nested-objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "never-closed": b"[" * 100_000,
        "long-integer": b"5" * 5000,
        "huge-float": b"1e999999",
        "nan": b"NaN",
        "infinity": b"-Infinity",
        "duplicate-keys": b'{"a": 1, "a": 2}',
        "lone-surrogate": b'"\\ud83d"',
        "nul": b'"\\u0000"',
        "byte-order-mark": b"\xef\xbb\xbf{}",
        "utf-16": "{}".encode("utf-16"),
    }


@case("M3", over=hostile())
async def hostile_json(client_under_test: ClientUnderTest, value: bytes) -> None:
    """Hostile JSON gives either a valid completion or an error of the SDK."""
    known = (
        b'{"id":"1","choices":[{"index":0,"delta":{"content":"a"},"message":{"role":"assistant",'
    )
    known += b'"content":"a"},"finish_reason":"stop","logprobs":%b}],"created":1,"usage":null}'
    fields = [value, known % value, b'{"choices":[],"created":%b}' % value]
    fields += [b'{"choices":[],"unannounced":%b}' % value, b'{"choices":%b}' % value]
    fields += [b'{"error":%b}' % value, b'{"error":{"message":%b,"code":%b}}' % (value, value)]
    told: list[tuple[str, Answer]] = [
        each
        for data in fields
        for each in (
            ("create", body(200, data)),
            ("create", body(400, data)),
            ("stream", stream(event(data))),
            ("stream", stream(event(data, "error"))),
            ("stream", stream(data + b"\n\n")),
        )
    ]
    with FaultServer(*(answer for _, answer in told)) as server:
        async with client_under_test.client(server.url, retries=0) as client:
            for way, _ in told:
                outcome = await WAYS[way](client_under_test, client)
                if outcome.error is not None:
                    error = owed(outcome, client_under_test.errors.base)
                    expect(len(str(error)) < 4096, f"it says {len(str(error))} characters")
    expect(len(server.requests) == len(told), f"{len(server.requests)} requests")
