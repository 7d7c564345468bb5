"""Connections that send too much, too slowly or ambiguously, or that do not read."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from autonomousai_sdk.local import LocalServer, connection

from .wire import address, chat, connect, exchange, head, original, post, request

BODY = json.dumps(original()).encode()
LENGTH = f"content-length: {len(BODY)}"
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)

AMBIGUOUS = {
    "length and coding": ((LENGTH, "transfer-encoding: chunked"), CHUNKED),
    "coding and length": (("transfer-encoding: chunked", LENGTH), CHUNKED),
    "two lengths": ((LENGTH, "content-length: 3"), BODY),
    "the same length twice": ((LENGTH, LENGTH), BODY),
    "a list of lengths": ((f"{LENGTH}, {len(BODY)}",), BODY),
    "a length with a sign": ((f"content-length: +{len(BODY)}",), BODY),
    "a length that is not decimal": (("content-length: 0x10",), BODY),
    "another coding": (("transfer-encoding: xchunked",), CHUNKED),
    "two codings": (("transfer-encoding: gzip, chunked",), CHUNKED),
    "two coding fields": (
        ("transfer-encoding: chunked", "transfer-encoding: identity"),
        CHUNKED,
    ),
    "a chunk size that is not one": (("transfer-encoding: chunked",), b"zz\r\n" + BODY),
    "a negative chunk size": (("transfer-encoding: chunked",), b"-5\r\n" + BODY),
    "chunks with bare line feeds": (
        ("transfer-encoding: chunked",),
        b"%x\n%b\n0\n\n" % (len(BODY), BODY),
    ),
    "a bare line feed": (("x-a: b\nx-c: d", LENGTH), BODY),
    "a bare carriage return": (("x-a: b\rx-c: d", LENGTH), BODY),
    "a folded field": (("x-a: b\r\n c", LENGTH), BODY),
    "a folded coding": (("transfer-encoding:\r\n chunked", LENGTH), BODY),
    "a space before the colon": ((f"content-length : {len(BODY)}",), BODY),
    "a NUL": (("x-a: b\0c", LENGTH), BODY),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_ambiguous_framing_is_refused_and_the_connection_closed(
    echo: LocalServer, case: str
) -> None:
    """A request that two readers could frame differently gets 400, and nothing after it (L10)."""
    lines, body = AMBIGUOUS[case]
    answer = exchange(echo, head(echo, *lines) + b"\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["type"] == "invalid_request_error"


def test_an_offer_of_another_protocol_is_ignored(echo: LocalServer) -> None:
    """A request that offers HTTP/2, as Java's client does, is answered in HTTP/1.1."""
    lines = ("connection: Upgrade, close", "Upgrade: h2c", "http2-settings: AAM")
    answer = exchange(echo, request(echo, original("\r\nupgrade: x"), *lines))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"upgrade: x" in answer


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/2.0"])
def test_chunks_belong_to_http_1_1(echo: LocalServer, version: str) -> None:
    """Chunked coding in HTTP/1.0, and versions that this server does not speak, get 400."""
    data = head(echo, "transfer-encoding: chunked") + b"\r\n" + CHUNKED
    answer = exchange(echo, data.replace(b"HTTP/1.1", version.encode(), 1))
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "lines",
    [("x-a: " + "a" * 70_000,), ("x-a: b",) * 10_000, ("x-a: " + "a" * 400_000,)],
    ids=["one long field", "many fields", "a head without end"],
)
def test_a_head_that_is_too_large_gets_431(echo: LocalServer, lines: tuple[str, ...]) -> None:
    """A head over 64 KiB or 100 fields gets 431 before it is complete (L5)."""
    assert exchange(echo, head(echo, *lines)).startswith(b"HTTP/1.1 431 ")


def test_slow_heads_and_bodies_are_closed_while_others_are_served(echo: LocalServer) -> None:
    """200 dripping connections are closed within 10 s, and 20 other requests succeed (L5)."""
    began = time.monotonic()
    dripping: list[socket.socket] = []
    for number in range(200):
        connection = connect(echo)
        start = head(echo) if number % 2 else head(echo, "content-length: 99999") + b"\r\n{"
        connection.sendall(start)
        dripping.append(connection)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(post, echo, json=original()) for _ in range(20)]
        answers = [each.result() for each in waiting]
    assert [answer.status_code for answer in answers] == [200] * 20
    for connection in dripping:
        with connection, suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert time.monotonic() - began < 10


def test_a_silent_connection_is_closed(echo: LocalServer) -> None:
    """A connection that never sends a byte is closed within 10 s (L5)."""
    began = time.monotonic()
    assert exchange(echo, b"") == b""
    assert time.monotonic() - began < 10


def test_a_body_that_flows_may_take_its_time(
    echo: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time for a body grows with the bytes that have arrived."""
    monkeypatch.setattr(connection, "BODY_TIMEOUT", 0.3)
    monkeypatch.setattr(connection, "BODY_RATE", 1000)
    data = request(echo, original("x" * 2000), "connection: close")
    with connect(echo) as connected:
        for start in range(0, len(data), 400):
            connected.sendall(data[start : start + 400])
            time.sleep(0.1)
        assert connected.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_clients_that_do_not_read_are_dropped_and_others_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that leaves its stream unread is dropped, and its place becomes free (L8, L16)."""
    monkeypatch.setattr(connection, "WRITE_TIMEOUT", 0.5)
    long = "word " * 40_000
    with LocalServer(engine="echo", max_concurrent=2) as server:
        lazy: list[socket.socket] = []
        for _ in range(2):
            connected = connect(server, buffer=4096)
            connected.sendall(request(server, original(long, stream=True)))
            lazy.append(connected)
        deadline = time.monotonic() + 20
        while (status := chat(server).status_code) != 200 and time.monotonic() < deadline:
            assert status == 429
            time.sleep(0.1)
        assert status == 200
        for connected in lazy:
            connected.close()


def test_a_client_of_http_1_0_gets_a_stream_without_chunks(echo: LocalServer) -> None:
    """HTTP/1.0 has no chunked coding, so its stream is the bare events, ended by the close."""
    data = request(echo, original("two words", stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    received_head, _, events = exchange(echo, data).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in received_head
    assert b"connection: close" in received_head
    assert events.startswith(b"data: {")
    assert events.endswith(b"data: [DONE]\n\n")
    assert events.count(b"data: ") == len(events.strip().split(b"\n\n"))


def test_a_declared_length_over_the_bound_is_refused_at_the_head() -> None:
    """A body over `max_body_bytes` gets 413 before it is read (L4)."""
    with LocalServer(engine="echo", max_body_bytes=1000) as server:
        data = head(server, "content-length: 1001", "connection: close") + b"\r\n"
        assert exchange(server, data).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_over_the_bound_is_refused() -> None:
    """A body without a declared length is refused once it is over the bound (L4)."""
    with LocalServer(engine="echo", max_body_bytes=1000) as server:
        chunks = (b"x" * 500 for _ in range(3))
        headers = {"content-type": "application/json"}
        answer = post(server, content=chunks, headers=headers)
        assert answer.status_code == 413
        assert post(server, json=original("x" * 300)).status_code == 200


def test_deep_json_is_refused(echo: LocalServer) -> None:
    """JSON nested 100,000 deep gets 400 on both protocols (L4)."""
    deep = b'{"messages": ' + b"[" * 100_000
    headers = {"content-type": "application/json"}
    assert post(echo, content=deep, headers=headers).status_code == 400
    name, port = address(echo)
    root = f"http://{name}:{port}"
    answer = httpx.post(f"{root}/v1/chat/completions", content=deep, headers=headers)
    assert answer.status_code == 400
