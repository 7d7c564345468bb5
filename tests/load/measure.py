"""Measures the CPU time of a server's process while many streams pass through it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from attrs import frozen

from .wire import END, KEY

BODY = json.dumps(
    {"model": "scripted", "stream": True, "messages": [{"role": "user", "content": "Go."}]}
).encode()


@frozen
class Load:
    """How much is asked of a server.

    Attributes:
        name: what it is, for people.
        streams: how many are read at once.
        lengths: chunks of a short and of a long stream; their difference tells the cost of a
            chunk from that of a stream.
        batch: how many chunks the engine writes at a time.
        pace: seconds between two writes of a stream.
    """

    name: str
    streams: int
    lengths: tuple[int, int]
    batch: int
    pace: float


@frozen
class Cost:
    """What a load took of a server.

    Attributes:
        chunk: microseconds of CPU time for each chunk.
        stream: milliseconds of CPU time for each stream, without its chunks.
        memory: KiB for each stream that is open.
    """

    chunk: float
    stream: float
    memory: float


def measure(server: str, load: Load) -> Cost:
    """Measure one server under a load."""
    (short, memory), (long, _) = (_used(server, load, chunks) for chunks in load.lengths)
    low, high = load.lengths
    chunk = (long - short) / (high - low) / load.streams
    stream = short / load.streams - low * chunk
    return Cost(chunk * 1e6, stream * 1e3, memory / load.streams)


def _used(server: str, load: Load, chunks: int) -> tuple[float, float]:
    """The CPU time in seconds, and the KiB of memory, for streams of one length."""
    with (
        _role("engine", chunks, load.batch, load.pace) as engine,
        _role(server, _line(engine)) as process,
    ):
        url = _line(process)
        asyncio.run(_read_streams(url, min(16, load.streams), chunks))  # to warm up
        began, before = _asked(process)
        asyncio.run(_read_streams(url, load.streams, chunks))
        ended, after = _asked(process)
    return ended - began, after - before


async def _read_streams(url: str, streams: int, chunks: int) -> None:
    """Read streams at once, each to its end, and check that all chunks are there."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    head = (
        f"POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {KEY}\r\ncontent-length: {len(BODY)}\r\n\r\n"
    ).encode()

    async def read() -> None:
        reader, writer = await asyncio.open_connection(name, int(port), limit=2**26)
        writer.write(head + BODY)
        data = await reader.readuntil(END)
        writer.close()
        count = data.count(b"data: {")
        # litellm repeats the last event without its text, in one of its own.
        if count < chunks + 1 or b"data: [DONE]" not in data:
            raise AssertionError(f"{count} of {chunks + 1} events, ending {data[-80:]!r}")

    async with asyncio.TaskGroup() as group:
        for _ in range(streams):
            group.create_task(read())


@contextmanager
def _role(*arguments: object) -> Generator[subprocess.Popen[str]]:
    """A process that plays one role."""
    command = [sys.executable, "-m", "tests.load", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise AssertionError("unreachable: it is a pipe")
    return process.stdout.readline().strip()


def _asked(process: subprocess.Popen[str]) -> tuple[float, float]:
    """The CPU time and the memory that a server's process has used."""
    if process.stdin is None:
        raise AssertionError("unreachable: it is a pipe")
    process.stdin.write("\n")
    process.stdin.flush()
    seconds, kibibytes = _line(process).split()
    return float(seconds), float(kibibytes)
