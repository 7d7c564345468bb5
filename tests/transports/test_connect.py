"""Blocking connections and name lookups: one time limit for all of it, on real sockets."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable
from threading import Event, active_count
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest

from autonomousai_sdk.transports import TransportError
from autonomousai_sdk.transports._connect import connect, connecting
from autonomousai_sdk.transports._lookup import in_order, lookup, lookup_async
from tests.support.fault_server import black_hole, refused

Found = list[tuple[Any, ...]]


def at(port: int, host: str = "127.0.0.1") -> tuple[Any, ...]:
    """An address, as `getaddrinfo` returns it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], Found]]:
    """Names to look up, each with a function that finds its addresses."""
    known: dict[str, Callable[[], Found]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, **options: Any) -> Any:
        if host in known and not options.get("flags"):
            return known[host]()
        return real(host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def port_of(url: str) -> int:
    """The port of a URL."""
    return urlsplit(url).port or 0


def test_first_address_that_answers(names: dict[str, Callable[[], Found]]) -> None:
    """A refused and a silent address do not keep a connection from the address that answers."""
    with black_hole() as silent, refused() as closed, socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        names["many.test"] = lambda: [at(port_of(closed)), at(port_of(silent)), at(port)]
        began = monotonic()
        with connect("many.test", 0, began + 5, None) as connection:
            assert connection.getpeername()[1] == port
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert monotonic() - began < 3


def test_no_address_answers(names: dict[str, Callable[[], Found]]) -> None:
    """When every address refuses, the error has the reason of each."""
    with refused() as one, refused() as two:
        names["none.test"] = lambda: [at(port_of(one)), at(port_of(two))]
        with pytest.raises(OSError, match=r"refused; .*refused"):
            connect("none.test", 0, math.inf, None)


def test_one_limit_for_all_addresses(names: dict[str, Callable[[], Found]]) -> None:
    """Several silent addresses share one time limit."""
    with black_hole() as silent:
        names["silent.test"] = lambda: [at(port_of(silent))] * 5
        began = monotonic()
        with pytest.raises(TimeoutError):
            connect("silent.test", 0, began + 0.3, None)
        assert monotonic() - began < 1.5


def test_no_limit() -> None:
    """Without a limit, a connection may take as long as it takes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect("127.0.0.1", server.getsockname()[1], math.inf, None).close()


def test_local_address() -> None:
    """A connection can come from an address of the caller's; one that is not ours is an error."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with connect("127.0.0.1", port, math.inf, "127.0.0.2") as connection:
            assert connection.getsockname()[0] == "127.0.0.2"
        with pytest.raises(OSError, match="assign requested address"):
            connect("127.0.0.1", port, math.inf, "192.0.2.1")


def test_families_alternate() -> None:
    """The addresses of both families are tried in turn, the first family first."""
    one, two, three = at(1, "::1"), at(2, "::1"), at(3)
    ports = [address[1] for _, address in in_order([one, two, three])]
    assert ports == [1, 3, 2]


def test_waiters_share_a_lookup(names: dict[str, Callable[[], Found]]) -> None:
    """A name whose lookup hangs costs one thread, however many calls give up waiting for it."""
    over = Event()

    def hang() -> Found:
        over.wait(10)
        return [at(9)]

    names["hangs.test"] = hang
    before = active_count()
    began = monotonic()
    for _ in range(5):
        with pytest.raises(TimeoutError):
            connect("hangs.test", 9, monotonic() + 0.05, None)
    assert active_count() == before + 1
    assert monotonic() - began < 2
    future = lookup("hangs.test", 9)
    over.set()
    assert future.result(5) == [at(9)]
    names["hangs.test"] = lambda: [at(10)]
    assert lookup("hangs.test", 9).result(5) == [at(10)]


def test_event_loop_does_not_wait_for_a_lookup(names: dict[str, Callable[[], Found]]) -> None:
    """A lookup that hangs ends neither later than its waiter nor with the loop's error."""
    over = Event()

    def hang() -> Found:
        over.wait(10)
        return []

    names["loop.test"] = hang

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lookup_async("loop.test", 1), 0.1)

    began = monotonic()
    asyncio.run(give_up())
    assert monotonic() - began < 2
    future = lookup("loop.test", 1)
    over.set()  # its callback finds the loop closed
    assert future.result(5) == []


def test_failed_lookup_is_the_callers(names: dict[str, Callable[[], Found]]) -> None:
    """Whatever a lookup raises reaches who waits, on threads and on an event loop."""

    def fail() -> Found:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    names["nobody.test"] = fail
    with pytest.raises(socket.gaierror, match="not known"):
        connect("nobody.test", 1, math.inf, None)
    with pytest.raises(socket.gaierror, match="not known"):
        asyncio.run(lookup_async("nobody.test", 1))
    with pytest.raises(TransportError, match="label empty"), connecting():
        connect("a..b", 1, math.inf, None)
