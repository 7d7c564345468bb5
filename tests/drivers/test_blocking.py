"""What only the blocking driver has: processes that fork, and threads."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from attrs import define, field, frozen

import autonomousai_sdk as sdk
from autonomousai_sdk import APIConnectionError, Client, ConfigurationError, StreamError
from autonomousai_sdk._drivers.awaiting import AsyncConnections
from autonomousai_sdk._drivers.blocking import Connections
from autonomousai_sdk.transports import Request, Timeout
from tests.support.fault_server import FaultServer, Received
from tests.support.script import Answer, Gate, Send
from tests.support.wire import CHUNKED, DONE, FINISH, LAST_CHUNK, coded, deltas, document

from ..faults.pools import wants_stream

ROOT = Path(__file__).parent.parent.parent
AGAIN = 7
"""The number of the first request that the parent makes when its child has ended."""


@frozen
class Fork:
    """The results of a process that forked.

    Attributes:
        parent: what each of its clients said in the parent.
        child: the same in the child.
        callers: who used which connection.
    """

    parent: dict[str, str]
    child: dict[str, str]
    callers: set[tuple[int, str]]


@pytest.fixture(scope="module")
def fork() -> Fork:
    """A process that forks between two uses of its clients, and while a stream is open."""
    server = FaultServer(lambda request: _answer(server, request))
    with server:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.forking", server.url],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        callers = {(request.connection, request.prompt) for request in server.requests}
    child, parent = (json.loads(line) for line in done.stdout.splitlines())
    return Fork(parent, child, callers)


def _answer(server: FaultServer, request: Received) -> Answer:
    """Answer with the request's prompt; finish a stream only after the child has ended."""
    if request.number == AGAIN:
        server.open_gate()
    if not wants_stream(request):
        return document(request.prompt)
    rest = coded(deltas("!") + FINISH + DONE) + LAST_CHUNK
    return Send(CHUNKED + coded(deltas(request.prompt))), Gate(), Send(rest)


def test_a_fork_opens_connections_of_its_own(fork: Fork) -> None:
    """After a fork, parent and child both make calls, and share no connection."""
    assert fork.child["own"] == fork.child["unused"] == "child"
    assert fork.parent["own"] == fork.parent["again"] == "parent"
    connections = [connection for connection, _ in fork.callers]
    assert len(connections) == len(set(connections))


def test_a_fork_waits_for_a_decoder_that_a_thread_builds() -> None:
    """A child that is forked while a thread builds a decoder can decode."""
    program = [sys.executable, "-m", "tests.support.decoding", "forked"]
    assert subprocess.run(program, cwd=ROOT, check=False, timeout=30).returncode == 0


def test_a_fork_does_not_use_a_transport_that_its_parent_used(fork: Fork) -> None:
    """A caller's transport is refused in the child if the parent used it before the fork."""
    assert "used before the process forked" in fork.child["given"]
    assert fork.parent["given"] == "parent"
    assert fork.child["late"] == "child"


def test_a_fork_leaves_open_streams_to_its_parent(fork: Fork) -> None:
    """A parent's open stream is read to its end, although the child dropped its copy."""
    assert fork.parent["stream"] == "parent!"


@pytest.mark.parametrize("driver", ["blocking", "awaiting"])
def test_threads_share_one_transport(driver: str) -> None:
    """First calls at the same time, from several threads, make one transport for all of them."""
    made: list[object] = []

    def new() -> Any:
        sleep(0.05)  # so that every thread arrives before the first transport is there
        made.append(object())
        return made[-1]

    def transport(_: int) -> Any:
        if driver == "blocking":
            return blocking.transport()
        return asyncio.run(awaiting.transport())

    blocking, awaiting = Connections(new, own=False), AsyncConnections(new, own=False)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(transport, range(8))) == set(made)
    assert len(made) == 1


@define(eq=False)
class _ClosingTransport:
    """A transport whose client is closed, as by another thread, before `send` returns."""

    close_client: Callable[[], None] = field(init=False)
    aborted: bool = field(init=False, default=False)
    status: int = field(init=False, default=200)
    headers: tuple[tuple[str, str], ...] = field(
        init=False, default=(("content-type", "text/event-stream"),)
    )

    def send(self, request: Request, timeout: Timeout) -> Any:
        self.close_client()
        return self

    def read(self, timeout: float | None) -> bytes:
        assert self.aborted, "reads on after the client was closed"
        raise sdk.TransportError("broken", "aborted")

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("streams", [False, True])
def test_closing_as_the_response_arrives_ends_the_call(*, streams: bool) -> None:
    """A client closed just before `send` returns aborts the response, which nobody else would."""
    transport = _ClosingTransport()
    client = Client(transport=transport, max_retries=0)
    transport.close_client = client.close
    expected = StreamError if streams else APIConnectionError
    with pytest.raises(expected, match="The client was closed"):
        client.chat.stream("Hello").__enter__() if streams else client.chat.create("Hello")


def test_a_transport_made_after_closing_is_refused() -> None:
    """A client closed between the two checks of a first call makes no transport."""
    blocking: Any = Connections(pytest.fail, own=True)
    blocking.closing.set()
    awaiting: Any = AsyncConnections(pytest.fail, own=True)
    awaiting.closed = True
    for connections in (blocking, awaiting):
        with pytest.raises(ConfigurationError, match="was closed"):
            connections._make()
