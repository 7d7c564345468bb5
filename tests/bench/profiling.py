"""The cost of a chunk by layer: the layers of a stream, stacked one by one.

    python -m tests.bench.profiling

The bytes come from memory through a network backend for httpcore, without a kernel, so the numbers
vary little. Each line is a loop over a 1,000-chunk stream with one more layer than the line before;
the difference is that layer's cost.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import h11
import httpcore
import httpx

from autonomousai_sdk import ChatCompletionChunk, Client
from autonomousai_sdk._core.codec import decoder
from autonomousai_sdk._core.sse import MAX_EVENT_BYTES, EventParser
from autonomousai_sdk.transports._httpcore import PooledConnections
from autonomousai_sdk.transports._pool_options import pool_options
from autonomousai_sdk.transports._route import Route
from autonomousai_sdk.transports.httpx import LIBRARY

from . import wire
from .server import Script, stream_pieces

CHUNKS = 1000
_URL = "http://localhost"
_SCRIPTS = {
    "64 in one HTTP chunk": Script(CHUNKS, framed=64),
    "64 HTTP chunks at once": Script(CHUNKS, written=64),
    "one by one": Script(CHUNKS),
}


def main() -> None:
    """Print the table."""
    _print("", list(_SCRIPTS))
    layers: dict[str, list[float]] = {}
    for script in _SCRIPTS.values():
        for name, loop in _layers(script):
            layers.setdefault(name, []).append(_least(loop))
    for name, costs in layers.items():
        _print(name, [f"{cost:.2f}" for cost in costs])


def _layers(script: Script) -> Iterator[tuple[str, Callable[[], object]]]:
    events = wire.openai_events(CHUNKS)
    payloads = [event[6:-2] for event in events[:-1]]
    reads = stream_pieces(b"/chat", script)
    bodies = list(wire.joined(events, max(script.framed, script.written)))
    decode = decoder(ChatCompletionChunk)
    pool = LIBRARY.pool(network_backend=_Backend(reads))
    client = httpx.Client(transport=_Transport(pool))
    sdk = Client(base_url=_URL, transport=_InMemory(_Transport(pool)))
    yield "json.loads", lambda: [json.loads(payload) for payload in payloads]
    yield "typed decoding", lambda: [decode(payload) for payload in payloads]
    yield "events", lambda: _events(bodies)
    yield "h11", lambda: _parse(reads)
    yield "httpcore on h11", lambda: _core(pool)
    yield "httpx on httpcore", lambda: _raw(client)
    yield "the loop by hand", lambda: _by_hand(client)
    yield "this SDK", lambda: _typed(sdk)


def _events(bodies: list[bytes]) -> None:
    parser = EventParser(MAX_EVENT_BYTES, report_bare_json=True)
    for body in bodies:
        parser.feed(body)


def _parse(reads: list[bytes]) -> None:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "localhost")]))
    connection.send(h11.EndOfMessage())
    for data in reads:
        connection.receive_data(data)
        while type(connection.next_event()) in (h11.Response, h11.Data):
            pass


def _core(pool: httpcore.ConnectionPool) -> None:
    with pool.stream("POST", _URL, content=b"{}") as response:
        for _ in response.iter_stream():
            pass


def _raw(client: httpx.Client) -> None:
    with client.stream("POST", _URL, content=b"{}") as response:
        for _ in response.iter_raw():
            pass


def _by_hand(client: httpx.Client) -> None:
    with client.stream("POST", _URL, content=b"{}") as response:
        for line in response.iter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                json.loads(line[6:])["choices"][0]["delta"].get("content")


def _typed(sdk: Client) -> None:
    with sdk.chat.stream("x") as stream:
        for chunk in stream:
            _ = chunk.choices[0].delta.content


class _Transport(httpx.HTTPTransport):
    """Create httpx's transport on a given pool; its initialiser takes no network backend."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool


class _InMemory(PooledConnections):
    """Sends on a given transport of httpx, instead of one with connections."""

    def __init__(self, transport: _Transport) -> None:
        super().__init__(LIBRARY, pool_options(None, proxy=None, verify=True, max_connections=1))
        self._given = transport

    def _new_pool(self, route: Route) -> _Transport:
        return self._given


class _Stream(httpcore.NetworkStream):
    """Answers every request with the same bytes."""

    def __init__(self, reads: list[bytes]) -> None:
        self._reads = reads
        self._left: Iterator[bytes] = iter(())

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return next(self._left, b"")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._left = iter(self._reads)

    def close(self) -> None:
        """Do nothing: no resource is open."""

    def get_extra_info(self, info: str) -> Any:
        return None


class _Backend(httpcore.NetworkBackend):
    def __init__(self, reads: list[bytes]) -> None:
        self._reads = reads

    def connect_tcp(self, *_: object, **__: object) -> _Stream:
        return _Stream(self._reads)


def _least(loop: Callable[[], object], times: int = 20) -> float:
    """Return microseconds per chunk, the minimum of several runs."""
    costs: list[float] = []
    for _ in range(times):
        began = process_time()
        loop()
        costs.append(process_time() - began)
    return min(costs) / CHUNKS * 1e6


def _print(name: str, cells: list[str]) -> None:
    sys.stdout.write(name.ljust(20) + "".join(cell.rjust(25) for cell in cells) + "\n")


if __name__ == "__main__":
    main()
