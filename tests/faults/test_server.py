"""The fault server itself, tested with plain sockets."""

from __future__ import annotations

import gc
import socket
import struct
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

from tests.support.fault_server import FaultServer, Received, black_hole, refused
from tests.support.script import Answer, Drip, Fin, Gate, Hold, Pace, Repeat, Reset, Send, Wait

REQUEST = b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"


@contextmanager
def connected(server: FaultServer) -> Generator[socket.socket]:
    """Open a plain connection to a server."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        yield plain


def everything(plain: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    parts: list[bytes] = []
    while part := plain.recv(2**16):
        parts.append(part)
    return b"".join(parts)


def echo(request: Received) -> Answer:
    """Respond with the body."""
    return (Send(request.body), Fin())


def soon(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; return whether it became true in time."""
    end = time.monotonic() + 3
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def test_requests_are_recorded() -> None:
    """Line, headers, body and connection of each request are recorded."""
    with FaultServer((Send(b"one"),), (Send(b"two"), Fin())) as server, connected(server) as plain:
        plain.sendall(REQUEST[:20])
        plain.sendall(REQUEST[20:])
        assert plain.recv(3) == b"one"
        plain.sendall(REQUEST)
        assert everything(plain) == b"two"
        with connected(server) as other:
            other.sendall(REQUEST)
            assert everything(other) == b"two"
        assert [each.connection for each in server.requests] == [1, 1, 2]
        first = server.requests[0]
        assert first.line == ("POST", "/chat")
        assert first.headers["content-length"] == "4"
        assert first.body == b"body"


def test_two_requests_in_one_read() -> None:
    """Pipelined requests are served one by one."""
    with FaultServer((Send(b"."),), (Send(b"!"), Fin())) as server, connected(server) as plain:
        plain.sendall(REQUEST + REQUEST)
        assert everything(plain) == b".!"


def test_answers_by_request() -> None:
    """A script can depend on the request."""
    with FaultServer(echo) as server, connected(server) as plain:
        plain.sendall(REQUEST)
        assert everything(plain) == b"body"


def test_fin_is_a_fin() -> None:
    """After a FIN the client has read everything without an error."""
    with FaultServer((Send(b"x" * 10**6), Fin())) as server, connected(server) as plain:
        plain.sendall(REQUEST)
        assert len(everything(plain)) == 10**6
        assert server.connections[0].ended == "server"


def test_reset_is_a_reset() -> None:
    """After a RST the client gets an error."""
    with FaultServer((Reset(),)) as server, connected(server) as plain:
        plain.sendall(REQUEST)
        with pytest.raises(ConnectionResetError):
            everything(plain)


def test_drip_repeat_and_wait() -> None:
    """Bytes arrive at the scripted pace."""
    script = (Drip(b"abc", 0.02), Repeat(b"d", 2, 0.02), Wait(0.05), Send(b"e"), Fin())
    with FaultServer(script) as server, connected(server) as plain:
        plain.sendall(REQUEST)
        began = time.monotonic()
        assert plain.recv(9) == b"a"
        assert everything(plain) == b"bcdde"
        assert time.monotonic() - began > 0.13


def test_gate() -> None:
    """A script waits at its gate until the test opens it."""
    with FaultServer((Send(b"a"), Gate(), Send(b"b"), Fin())) as server, connected(server) as plain:
        plain.sendall(REQUEST)
        assert plain.recv(9) == b"a"
        plain.settimeout(0.05)
        with pytest.raises(TimeoutError):
            plain.recv(9)
        plain.settimeout(5)
        server.open_gate()
        assert everything(plain) == b"b"


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_it_sees_how_the_client_leaves(how: str) -> None:
    """The time at which a client leaves during a hold is recorded."""
    with FaultServer((Send(b"a"), Hold())) as server:
        with connected(server) as plain:
            plain.sendall(REQUEST)
            assert plain.recv(9) == b"a"
            if how == "reset":
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert soon(lambda: server.connections[0].ended == how)
        assert server.connections[0].ended_at > server.requests[0].at
        assert server.open_connections == 0


def test_not_reading_blocks_the_client() -> None:
    """A server that does not read blocks the client's writes."""
    with FaultServer(reads=None) as server, connected(server) as plain:
        plain.settimeout(0.2)
        with pytest.raises(TimeoutError):
            plain.sendall(b"x" * 2**25)
        assert not server.requests


def test_a_connection_that_is_not_read_stays() -> None:
    """A connection that is not read survives garbage collection."""
    with FaultServer((Hold(),), reads=None) as server, connected(server) as plain:
        assert soon(lambda: server.open_connections == 1)
        for _ in range(5):
            time.sleep(0.01)
            gc.collect()
        plain.settimeout(0.05)
        with pytest.raises(TimeoutError):
            plain.recv(1)


def test_reading_slowly() -> None:
    """A server that reads at a pace delays a request accordingly."""
    with FaultServer((Fin(),), reads=Pace(20, 0.02)) as server, connected(server) as plain:
        began = time.monotonic()
        plain.sendall(REQUEST)
        everything(plain)
        assert time.monotonic() - began > 0.04


def test_not_accepting() -> None:
    """A client connects to a server that never accepts, and receives nothing."""
    with FaultServer(accepts=False) as server, connected(server) as plain:
        plain.sendall(REQUEST)
        plain.settimeout(0.05)
        with pytest.raises(TimeoutError):
            plain.recv(1)
        assert not server.connections


def test_black_hole() -> None:
    """Connecting to the black hole never completes."""
    with black_hole() as url, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=0.1)


def test_refused() -> None:
    """Connecting to a closed port is refused at once."""
    with refused() as url, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5)
