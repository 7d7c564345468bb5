"""What only the blocking driver has: processes that fork."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import frozen

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
