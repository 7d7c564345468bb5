"""The conformance suite: every transport keeps to the protocol, on real sockets.

Each test runs on every backend, on a transport's own connections and on a caller's client.
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from threading import Timer
from time import monotonic
from typing import Any

import anyio
import pytest
from attrs import evolve, field, frozen

import autonomousai_sdk as sdk
from autonomousai_sdk import (
    APITimeoutError,
    ConfigurationError,
    StreamInterrupted,
    Timeout,
    TransportError,
)
from autonomousai_sdk.transports import ErrorKind
from tests.support.case import created, fine, owed, streamed
from tests.support.client_under_test import PROTOCOLS, SAFETY
from tests.support.contestants import (
    CONTESTANTS,
    NO_LIMITS,
    Contestant,
    Response,
    Sender,
    closed,
    contest,
)
from tests.support.fault_server import FaultServer, Received, black_hole, refused
from tests.support.script import Action, Answer, Drip, Fin, Gate, Hold, Pace, Reset, Send, Wait
from tests.support.wire import (
    BEGUN,
    CHUNKED,
    DONE,
    FINISH,
    LAST_CHUNK,
    TEXTS,
    WHOLE,
    body,
    coded,
    deltas,
    document,
    head,
)

CANNOT: dict[str, dict[str, str]] = {}
"""Tests that a library makes impossible to pass, with the reason."""

in_each = contest(CANNOT)
in_each_protocol = contest(
    CANNOT, [evolve(each, protocol=protocol) for protocol in PROTOCOLS for each in CONTESTANTS]
)
"""For calls of the SDK's clients, whose requests and responses have a protocol."""

AT_ONCE = 1.0
"""Seconds that "at once" may take on a busy machine."""

OPEN: tuple[Action, ...] = (Send(CHUNKED + coded(b"one")), Hold())
"""A body that begins, and stays open until the client leaves."""

SAID = deltas(*TEXTS) + FINISH + DONE
"""The events of a complete stream."""

UNTIL_CLOSED: tuple[Action, ...] = (Send(head(200, "connection: close") + b"one"), Hold())
"""The same, delimited by the end of the connection."""


@asynccontextmanager
async def exchange(
    client_under_test: Contestant, *script: Action, limits: Mapping[str, float | None] = NO_LIMITS
) -> AsyncGenerator[tuple[FaultServer, Response]]:
    """A server with one script, and the response to a request to it."""
    with FaultServer(script) as server:
        async with (
            client_under_test.sender() as sender,
            await sender.send(server.url, limits=limits) as response,
        ):
            yield server, response


async def left(
    client_under_test: Contestant, server: FaultServer, open_connections: int = 0
) -> bool:
    """Whether the server soon has at most that many open connections."""
    return await client_under_test.until(
        lambda: server.open_connections <= open_connections, AT_ONCE
    )


def lines(request: Received) -> list[tuple[str, str]]:
    """A request's headers in order, with names in lower case, as aiohttp capitalizes them."""
    pairs = (line.partition(":") for line in request.head.decode("latin-1").split("\r\n")[1:])
    return [(name.lower(), value.strip()) for name, _, value in pairs]


# The request

METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE")
TARGETS = (
    "/",
    "/v1/chat",
    "/?b=2&a=1&a=&c",
    "/a%2Fb/%2e%2E/c%20d/%C3%A9/%c3%a9",
    "/?q=%2F%20+%C3%A9%c3%a9%26%3d%25",
    "/-._~!$&()*+,;=:@/?-._~!$&()*+,;=:@/?",
)
BODIES = {
    "empty": b"",
    "one-byte": b"{",
    "every-byte": bytes(range(256)),
    "long": bytes(range(256)) * 2**14,
}
HEADERS = (
    ("authorization", "Bearer key"),
    ("accept", "text/event-stream"),
    ("accept-encoding", "identity"),
    ("user-agent", "suite/1"),
    ("content-type", "application/json; charset=utf-8"),
    ("x-twice", "1"),
    ("x-between", 'a,  b; c="d"'),
    ("x-twice", "2"),
    ("x-empty", ""),
)
CONNECTION = {"host", "content-length", "connection"}
"""The headers of the connection, which a transport adds."""

NOTHING: frozenset[str] = frozenset()
ADDED = {"accept", "accept-encoding", "content-type", "user-agent"}
"""Headers that a caller's client adds to a request without them."""


@in_each
async def test_the_method_and_the_target_arrive_as_given(client_under_test: Contestant) -> None:
    """Every method and every legal target, percent-encoded or not, is sent unchanged."""
    asked = [("POST", target) for target in TARGETS] + [(method, "/") for method in METHODS]
    with FaultServer(body(200, b"")) as server:
        async with client_under_test.sender() as sender:
            for method, target in asked:
                async with await sender.send(server.url + target, method=method) as response:
                    assert await response.rest() == b""
    assert [request.line for request in server.requests] == asked


@in_each
async def test_the_headers_arrive_as_given(client_under_test: Contestant) -> None:
    """Headers are sent in order, repeated ones included, plus those of the connection."""
    with FaultServer(body(200, b"")) as server:
        async with client_under_test.sender() as sender:
            await (await sender.send(server.url, b"{}", headers=HEADERS)).close()
    (request,) = server.requests
    assert [pair for pair in lines(request) if pair[0] not in CONNECTION] == list(HEADERS)
    assert request.headers["host"] == server.url.removeprefix("http://")


@in_each
async def test_no_header_is_added(client_under_test: Contestant) -> None:
    """A transport adds no headers but the connection's and those of the caller's library."""
    allowed = ADDED if client_under_test.whose == "given" else NOTHING
    with FaultServer(body(200, b"")) as server:
        async with client_under_test.sender() as sender:
            for method, content in (("POST", b"{}"), ("GET", b"")):
                await (await sender.send(server.url, content, method=method)).close()
    for request in server.requests:
        assert {name for name, _ in lines(request)} <= CONNECTION | allowed


@pytest.mark.parametrize("content", BODIES.values(), ids=BODIES)
@in_each
async def test_the_body_arrives_as_given(client_under_test: Contestant, content: bytes) -> None:
    """A body is sent byte for byte, with one content-length and no transfer coding."""
    with FaultServer(body(200, b"")) as server:
        async with client_under_test.sender() as sender:
            await (await sender.send(server.url, content)).close()
    (request,) = server.requests
    assert request.body == content
    names = [name for name, _ in lines(request)]
    assert "transfer-encoding" not in names
    assert [value for name, value in lines(request) if name == "content-length"] == [
        str(len(content))
    ]


@in_each
async def test_a_body_that_is_read_slowly_arrives(client_under_test: Contestant) -> None:
    """The write timeout applies to the next bytes, not to the whole body."""
    content = bytes(4 * 2**20)
    with FaultServer(body(200, b""), reads=Pace(2**16 - 1, 0.006)) as server:
        async with client_under_test.sender() as sender:
            began = monotonic()
            await (await sender.send(server.url, content, limits={"write": 0.3})).close()
    assert monotonic() - began > 0.3
    assert server.requests[0].body == content


@contest({}, [each for each in CONTESTANTS if each.whose == "given" and "httpx" in str(each)])
async def test_a_body_goes_out_again_with_credentials(client_under_test: Contestant) -> None:
    """A caller's client that authenticates after a 401 sends the same body again."""
    challenge = 'www-authenticate: Digest realm="r", nonce="n", qop="auth"'
    login = import_module(client_under_test.transport).DigestAuth("user", "password")
    with FaultServer(body(401, b"", challenge), body(200, b"ok")) as server:
        async with (
            client_under_test.sender(auth=login) as sender,
            await sender.send(server.url, b"{}") as response,
        ):
            assert await response.rest() == b"ok"
    assert [request.body for request in server.requests] == [b"{}", b"{}"]


# The head of the answer

REDIRECTS = (301, 302, 303, 307, 308)
STATUSES = (200, 201, 207, 299, 400, 404, 418, 429, 500, 503, 599, 600, 999)
ANSWERED = [
    ("Content-Type", "text/plain"),
    ("X-Twice", "1"),
    ("x-between", "caf\xe9 \xff"),
    ("X-Twice", "2"),
    ("x-empty", ""),
    ("Set-Cookie", "a=1; Path=/"),
    ("Set-Cookie", "b=2"),
    ("Content-Length", "2"),
]


@in_each
async def test_the_status_is_the_answers(client_under_test: Contestant) -> None:
    """Any final status is reported with its body; interim responses are skipped."""
    early = head(103, "link: </a>; rel=preload")
    answers = [(Send(early + head(status, "content-length: 2") + b"ok"),) for status in STATUSES]
    with FaultServer(*answers) as server:
        async with client_under_test.sender() as sender:
            for status in STATUSES:
                async with await sender.send(server.url) as response:
                    assert (response.status, await response.rest()) == (status, b"ok")


@in_each
async def test_the_headers_are_the_answers(client_under_test: Contestant) -> None:
    """Response headers keep their names, values, order and repetitions."""
    sent = "".join(f"{name}: {value}\r\n" for name, value in ANSWERED).encode("latin-1")
    async with exchange(client_under_test, Send(b"HTTP/1.1 200 OK\r\n" + sent + b"\r\nok")) as (
        _,
        response,
    ):
        assert response.headers == ANSWERED


@in_each
async def test_no_redirect_is_followed(client_under_test: Contestant) -> None:
    """A redirect is a response, even if the caller's client is configured to follow it."""
    settings = {} if client_under_test.transport == "aiohttp" else {"follow_redirects": True}
    answers = [body(status, b"there", "location: /there") for status in REDIRECTS]
    with FaultServer(*answers) as server:
        async with client_under_test.sender(**settings) as sender:
            for status in REDIRECTS:
                async with await sender.send(server.url, b"{}") as response:
                    assert (response.status, await response.rest()) == (status, b"there")
                    assert ("location", "/there") in response.headers
    assert len(server.requests) == len(REDIRECTS)


# The body of the answer

FIRST, SECOND = b"data: one\n\n", b"data: \xf0\x9f\x92"
FRAMINGS: dict[str, tuple[bytes, Callable[[bytes], bytes], tuple[Action, ...]]] = {
    "chunked": (head(200, "transfer-encoding: chunked"), coded, (Send(LAST_CHUNK),)),
    "content-length": (head(200, f"content-length: {len(FIRST + SECOND)}"), bytes, ()),
    "until-the-end": (head(200, "connection: close"), bytes, (Fin(),)),
}


@pytest.mark.parametrize("framing", FRAMINGS)
@in_each
async def test_the_body_is_read_as_it_comes(client_under_test: Contestant, framing: str) -> None:
    """Each piece can be read before the next is sent; reads after the end return no bytes."""
    begin, framed, end = FRAMINGS[framing]
    script = (Send(begin + framed(FIRST)), Gate(), Send(framed(SECOND)), *end)
    async with exchange(client_under_test, *script) as (server, response):
        assert await response.read() == FIRST
        server.open_gate()
        assert await response.read() == SECOND
        for timeout in (SAFETY, None, 0.1):
            assert await response.read(timeout) == b""


@pytest.mark.parametrize("framing", FRAMINGS)
@in_each
async def test_only_the_end_is_empty(client_under_test: Contestant, framing: str) -> None:
    """A read that receives only framing waits for body bytes; only the end is empty."""
    begin, framed, end = FRAMINGS[framing]
    script = (Send(begin), Drip(framed(FIRST) + framed(SECOND), 0.001), *end)
    async with exchange(client_under_test, *script) as (_, response):
        assert await response.rest() == FIRST + SECOND


@in_each
async def test_a_long_body_comes_whole(client_under_test: Contestant) -> None:
    """A body of megabytes that arrives faster than it is read is complete."""
    content = BODIES["long"]
    async with exchange(client_under_test, *body(200, content)) as (_, response):
        assert await response.rest() == content


@in_each
async def test_an_answer_without_a_body_is_at_its_end(client_under_test: Contestant) -> None:
    """A response without a body, by its status or length, ends without waiting."""
    heads = [head(204), head(304), head(200, "content-length: 0")]
    with FaultServer(*[(Send(each),) for each in heads]) as server:
        async with client_under_test.sender() as sender:
            for _ in heads:
                async with await sender.send(server.url) as response:
                    assert await response.read() == b""
    assert [request.connection for request in server.requests] == [1, 1, 1]


CODED = {
    "gzip": gzip.compress(FIRST * 9),
    "deflate": zlib.compress(FIRST * 9),
}


@pytest.mark.parametrize("coding", CODED)
@in_each
async def test_content_codings_are_not_undone(client_under_test: Contestant, coding: str) -> None:
    """The body stays coded and has its header; a session that decodes loses the header too."""
    script = body(200, CODED[coding], f"content-encoding: {coding}")
    async with exchange(client_under_test, *script) as (_, response):
        said = [value for name, value in response.headers if name == "content-encoding"]
        read = await response.rest()
    if client_under_test.decodes:
        assert (said, read) == ([], FIRST * 9)
    else:
        assert (said, read) == ([coding], CODED[coding])


@contest({}, [each for each in CONTESTANTS if each.decodes])
async def test_a_session_that_decodes_nothing_is_taken_at_its_word(
    client_under_test: Contestant,
) -> None:
    """A session with `auto_decompress=False` leaves the coding and its header."""
    with FaultServer(body(200, CODED["gzip"], "content-encoding: gzip")) as server:
        async with (
            client_under_test.sender(auto_decompress=False) as sender,
            await sender.send(server.url) as response,
        ):
            assert ("content-encoding", "gzip") in response.headers
            assert await response.rest() == CODED["gzip"]


# Connections


@pytest.mark.parametrize("framing", ["chunked", "content-length"])
@in_each
async def test_a_body_read_to_its_end_gives_its_connection_back(
    client_under_test: Contestant, framing: str
) -> None:
    """After a body is read to its end, the next request reuses the connection."""
    begin, framed, end = FRAMINGS[framing]
    with FaultServer((Send(begin + framed(FIRST + SECOND)), *end)) as server:
        async with client_under_test.sender() as sender:
            for _ in range(3):
                async with await sender.send(server.url, b"{}") as response:
                    assert await response.rest() == FIRST + SECOND
            assert [request.connection for request in server.requests] == [1, 1, 1]
            assert server.open_connections == 1


@in_each
async def test_a_response_closed_in_the_middle_closes_its_connection(
    client_under_test: Contestant,
) -> None:
    """Closing a half-read response closes its connection; the next request opens another."""
    with FaultServer(OPEN, body(200, b"ok")) as server:
        async with client_under_test.sender() as sender:
            response = await sender.send(server.url)
            assert await response.read() == b"one"
            await response.close()
            assert await left(client_under_test, server)
            async with await sender.send(server.url) as response:
                assert await response.rest() == b"ok"
    assert [request.connection for request in server.requests] == [1, 2]


@pytest.mark.parametrize("script", [OPEN, UNTIL_CLOSED], ids=["chunked", "until-the-end"])
@in_each
async def test_aborting_from_another_thread_wakes_who_reads(
    client_under_test: Contestant, script: Answer
) -> None:
    """`abort()` from a thread ends a waiting read and the connection; `close()` still works."""
    async with exchange(client_under_test, *script) as (server, response):
        assert await response.read() == b"one"
        timer = Timer(0.05, response.abort)
        timer.start()
        await broken_off(response)
        timer.join()
        assert await left(client_under_test, server)
        response.abort()


@in_each
async def test_aborting_from_another_task_wakes_who_reads(client_under_test: Contestant) -> None:
    """`abort()` from a task, even twice, ends a waiting read and the connection."""
    async with exchange(client_under_test, *OPEN) as (server, response):
        assert await response.read() == b"one"

        async def act(number: int) -> None:
            if number == 0:
                await broken_off(response)
            else:
                await client_under_test.sleep(0.05)
                response.abort()
                response.abort()

        await client_under_test.each(2, act)
        assert await left(client_under_test, server)


async def broken_off(response: Response) -> None:
    """Assert that a read ends at once, without bytes."""
    began = monotonic()
    try:
        assert await response.read() == b""
    except TransportError as error:
        assert error.kind == "broken"  # noqa: PT017  # an empty read is allowed, too
    assert monotonic() - began < AT_ONCE


@in_each
async def test_an_aborted_response_closes_its_connection(client_under_test: Contestant) -> None:
    """`abort()` closes the connection of a response that is not being read."""
    async with exchange(client_under_test, *OPEN) as (server, response):
        response.abort()
        assert await left(client_under_test, server)


@in_each
async def test_closing_closes_what_the_transport_opened(client_under_test: Contestant) -> None:
    """Closing a transport closes its own connections, but not those of a caller's client."""
    kept = int(client_under_test.whose == "given")
    with FaultServer(body(200, b"ok")) as server:
        async with client_under_test.http_client() as http_client:
            for _ in range(2):
                sender = client_under_test.over(http_client)
                async with await sender.send(server.url) as response:
                    assert await response.rest() == b"ok"
                await sender.close()
                assert await left(client_under_test, server, kept)
                assert server.open_connections == kept
    assert [request.connection for request in server.requests] == ([1, 1] if kept else [1, 2])


@contest({}, [each for each in CONTESTANTS if each.whose == "own"])
async def test_closing_closes_connections_in_use(client_under_test: Contestant) -> None:
    """Closing a transport closes the connections of open responses, which can still be closed."""
    with FaultServer(OPEN) as server:
        async with client_under_test.sender() as sender:
            response = await sender.send(server.url)
            assert await response.read() == b"one"
            await sender.close()
            assert await left(client_under_test, server)
            await response.close()


# Failures


@frozen(kw_only=True)
class Failing:
    """A failure and the error expected of it.

    Attributes:
        where: makes the server.
        kind: the expected kind.
        phase: for a timeout, the expected phase.
        limits: the request's time limits.
        content: the request's body.
    """

    where: Callable[[], AbstractContextManager[Any]]
    kind: ErrorKind
    phase: str | None = None
    limits: Mapping[str, float] = field(factory=dict[str, float])
    content: bytes = b"{}"


def failing(*script: Action, kind: ErrorKind = "broken", **how: Any) -> Failing:
    """A failure caused by a server that runs a script for each request."""
    return Failing(where=lambda: FaultServer(script), kind=kind, **how)


HALF = head(200, "content-length: 9")
SENDING = {
    "refused": Failing(where=refused, kind="connect"),
    "no-such-name": Failing(where=lambda: nullcontext("http://name.invalid"), kind="connect"),
    "black-hole": Failing(
        where=black_hole, kind="timeout", phase="connect", limits={"connect": 0.06}
    ),
    "silence": failing(Hold(), kind="timeout", phase="read", limits={"read": 0.06}),
    "silence-in-the-head": failing(
        Send(HALF[:20]), Hold(), kind="timeout", phase="read", limits={"read": 0.06}
    ),
    "not-read": Failing(
        where=lambda: FaultServer((Hold(),), reads=None),
        kind="timeout",
        phase="write",
        limits={"write": 0.1},
        content=bytes(2**24),
    ),
    "closed-without-an-answer": failing(Fin()),
    "reset-without-an-answer": failing(Reset()),
    "closed-in-the-head": failing(Send(HALF[:20]), Fin()),
    "reset-in-the-head": failing(Send(HALF[:20]), Reset()),
    "no-http": failing(Send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), Hold()),
    "no-status": failing(Send(b"HTTP/1.1 OK\r\n\r\n"), Hold()),
    "no-header": failing(Send(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"), Hold()),
    "no-length": failing(Send(head(200, "content-length: some")), Hold()),
}
READING = {
    "length-cut": failing(Send(HALF + b"one"), Fin()),
    "length-reset": failing(Send(HALF + b"one"), Reset()),
    "chunk-cut": failing(Send(CHUNKED + coded(b"one") + b"9\r\ntw"), Fin()),
    "chunks-cut": failing(Send(CHUNKED + coded(b"one")), Fin()),
    "last-chunk-cut": failing(Send(CHUNKED + coded(b"one") + b"0\r\n"), Fin()),
    "chunks-reset": failing(Send(CHUNKED + coded(b"one")), Reset()),
    "no-chunk": failing(Send(CHUNKED + coded(b"one") + b"no size\r\n"), Hold()),
    "no-chunk-later": failing(*OPEN[:1], Wait(0.05), Send(b"no size\r\n"), Hold()),
    "silence": failing(*OPEN, kind="timeout", phase="read"),
    "silence-until-the-end": failing(*UNTIL_CLOSED, kind="timeout", phase="read"),
}


@pytest.mark.parametrize("host", ["xn--", "xn--ls8h.invalid", f"{'a' * 70}.invalid", "a..invalid"])
@in_each
async def test_a_host_name_that_idna_forbids_is_a_transport_error(
    client_under_test: Contestant, host: str
) -> None:
    """Some libraries refuse such a name and others look it up; neither error escapes."""
    async with client_under_test.sender() as sender:
        with pytest.raises(TransportError) as caught:
            await sender.send(f"http://{host}/", b"{}")
    assert caught.value.kind in ("request", "connect")


@pytest.mark.parametrize("failing", SENDING.values(), ids=SENDING)
@in_each
async def test_a_request_that_fails_says_how(
    client_under_test: Contestant, failing: Failing
) -> None:
    """A failed request raises a TransportError with its kind, phase and cause."""
    with failing.where() as where:
        url = where if isinstance(where, str) else where.url
        async with client_under_test.sender() as sender:
            with pytest.raises(TransportError) as caught:
                await sender.send(url, failing.content, limits=failing.limits)
    judge(failing, caught.value)


@pytest.mark.parametrize("failing", READING.values(), ids=READING)
@in_each
async def test_a_body_that_fails_says_how(client_under_test: Contestant, failing: Failing) -> None:
    """A failed read raises a TransportError with its kind, and the connection is closed."""
    with failing.where() as server:
        async with client_under_test.sender() as sender:
            with pytest.raises(TransportError) as caught:
                await read_whole(sender, server.url, 0.08 if failing.phase else SAFETY)
            assert await left(client_under_test, server)
    judge(failing, caught.value)


async def read_whole(sender: Sender, url: str, timeout: float) -> None:
    """Send, and read until the expected error."""
    async with await sender.send(url) as response:
        await read_on(response, timeout)


async def read_on(response: Response, timeout: float) -> None:
    """Read the rest, with a limit for each read."""
    while await response.read(timeout):
        pass


def judge(failing: Failing, error: TransportError) -> None:
    """Assert that an error is the expected one."""
    assert error.kind == failing.kind
    assert failing.phase in {None, error.phase}
    assert error.message
    assert isinstance(error.__cause__, Exception)


@in_each
async def test_a_pool_that_is_used_up_says_so(client_under_test: Contestant) -> None:
    """A full pool raises a pool timeout; closing a response frees its slot."""
    with FaultServer(OPEN, body(200, b"ok")) as server:
        async with client_under_test.sender(connections=1) as sender:
            held = await sender.send(server.url)
            with pytest.raises(TransportError) as caught:
                await sender.send(server.url, limits={"pool": 0.06})
            await held.close()
            async with await sender.send(server.url) as response:
                assert await response.rest() == b"ok"
    judge(failing(kind="timeout", phase="pool"), caught.value)
    assert len(server.requests) == 2


@in_each
async def test_each_read_has_a_limit_of_its_own(client_under_test: Contestant) -> None:
    """Each read of a body obeys its own timeout, not that of the head or of earlier reads."""
    script = (Send(CHUNKED + coded(b"one")), Wait(0.2), Send(coded(b"two")), Hold())
    async with exchange(client_under_test, *script, limits={"read": 0.15}) as (_, response):
        assert await response.read(0.15) == b"one"
        assert await response.read(None) == b"two"
        began = monotonic()
        with pytest.raises(TransportError) as caught:
            await response.read(0.05)
        assert 0.03 < monotonic() - began < AT_ONCE
    judge(failing(kind="timeout", phase="read"), caught.value)


@in_each
async def test_a_short_read_beside_a_long_one(client_under_test: Contestant) -> None:
    """Two concurrent reads each obey their own timeout."""
    with FaultServer(OPEN) as server:
        async with client_under_test.sender() as sender:
            waiting = [await sender.send(server.url) for _ in range(2)]

            async def act(number: int) -> float:
                await client_under_test.sleep(number * 0.05)
                began = monotonic()
                with pytest.raises(TransportError):
                    await read_on(waiting[number], 0.25 if number == 0 else 0.05)
                return monotonic() - began

            long, short = await client_under_test.each(2, act)
            for response in waiting:
                await response.close()
    assert short < 0.2 < long < AT_ONCE


@in_each_protocol
async def test_the_total_holds_while_headers_drip(client_under_test: Contestant) -> None:
    """A head that arrives byte by byte is cut off by the total limit."""
    with FaultServer((Drip(head(200, f"x-long: {'x' * 40}"), 0.01),)) as server:
        async with (
            client_under_test.http_client() as http_client,
            client_under_test.chatting(server.url, http_client) as client,
        ):
            outcome = await created(client_under_test, client, timeout=0.1)
    owed(outcome, APITimeoutError, "total")
    assert outcome.seconds < 0.6


@in_each
async def test_a_request_may_have_no_limits(client_under_test: Contestant) -> None:
    """With None for every limit, a request is sent and its response is read."""
    none: dict[str, None] = dict.fromkeys(("connect", "read", "write", "pool"))
    with FaultServer(body(200, b"ok")) as server:
        async with (
            client_under_test.sender() as sender,
            await sender.send(server.url, limits=none) as response,
        ):
            assert await response.read(None) == b"ok"


# Together


@in_each_protocol
async def test_a_whole_chat(client_under_test: Contestant) -> None:
    """Whole answers, streams and cut streams work; a caller's client outlives the SDK's."""
    cut = (Send(CHUNKED + coded(BEGUN)), Fin())
    with FaultServer(document(), WHOLE, cut, document()) as server:
        async with client_under_test.http_client() as http_client:
            async with client_under_test.chatting(server.url, http_client) as client:
                fine(await created(client_under_test, client), "".join(TEXTS))
                fine(await streamed(client_under_test, client), "".join(TEXTS))
                broken = owed(await streamed(client_under_test, client), StreamInterrupted)
                client_under_test.check_partial(broken, "".join(TEXTS[:2]))
            async with client_under_test.chatting(server.url, http_client) as client:
                fine(await created(client_under_test, client), "".join(TEXTS))


@in_each_protocol
async def test_no_stream_waits_for_a_silent_server(client_under_test: Contestant) -> None:
    """A silent stream ends by the idle limit; a complete one does not wait for its body's end."""
    begun, whole = ((Send(CHUNKED + coded(data)), Hold()) for data in (BEGUN, SAID))
    with FaultServer(begun, whole) as server:
        async with (
            client_under_test.http_client() as http_client,
            client_under_test.chatting(server.url, http_client) as client,
        ):
            silent = await streamed(client_under_test, client, timeout=Timeout(idle=0.06))
            ended = await streamed(client_under_test, client)
    owed(silent, APITimeoutError, "idle")
    fine(ended, "".join(TEXTS))
    assert silent.seconds < AT_ONCE
    assert ended.seconds < AT_ONCE


@in_each
async def test_many_use_it_at_once(client_under_test: Contestant) -> None:
    """Twenty concurrent threads or tasks each get the response to their own request."""
    with FaultServer(lambda request: body(200, request.body * 99)) as server:
        async with client_under_test.sender() as sender:

            async def act(number: int) -> None:
                for turn in range(5):
                    asked = b"%d-%d;" % (number, turn)
                    async with await sender.send(server.url, asked) as response:
                        assert await response.rest() == asked * 99

            await client_under_test.each(20, act)
    assert len(server.requests) == 100


@pytest.mark.parametrize("cls", [sdk.Client, sdk.AsyncClient])
def test_a_client_for_a_transport_is_refused(cls: Any) -> None:
    """An HTTP client passed as the transport is named, with the argument that it belongs to."""
    kind = "Client" if cls is sdk.Client else "AsyncClient"
    with pytest.raises(ConfigurationError, match="pass it as http_client= instead"):
        cls(transport=getattr(import_module("httpx"), kind)())


WRONG = [
    (sdk.Client, "httpx", "AsyncClient"),
    (sdk.AsyncClient, "httpx", "Client"),
    (sdk.Client, "httpx2", "AsyncClient"),
    (sdk.AsyncClient, "httpx2", "Client"),
    (sdk.Client, "aiohttp", "ClientSession"),
]


@pytest.mark.parametrize(("cls", "library", "kind"), WRONG)
def test_the_wrong_kind_of_client_is_refused(cls: Any, library: str, kind: str) -> None:
    """A client of the wrong colour is refused with the list of supported ones."""
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")

    async def act() -> None:
        http_client = getattr(import_module(library), kind)()
        with pytest.raises(ConfigurationError, match=r"httpx\.(Async)?Client, httpx2\."):
            cls(http_client=http_client)
        with pytest.raises(ConfigurationError, match="transport= cannot be a"):
            cls(transport=http_client)
        await closed(http_client)

    anyio.run(act)


@pytest.mark.parametrize(
    "contestant", [each for each in CONTESTANTS if each.transport == "aiohttp"]
)
def test_aiohttp_says_that_it_is_for_asyncio(contestant: Contestant) -> None:
    """The aiohttp transport on trio raises a ConfigurationError that names asyncio."""
    loop = asyncio.new_event_loop()
    opened = contestant.http_client()
    http_client = loop.run_until_complete(opened.__aenter__())

    async def act() -> None:
        async with contestant.chatting("http://127.0.0.1:9", http_client) as client:
            owed(await created(contestant, client), ConfigurationError, "asyncio only")

    anyio.run(act, backend="trio")
    loop.run_until_complete(opened.__aexit__(None, None, None))
    loop.close()
