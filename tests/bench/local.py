"""What a chunk costs the local server, beside two other ways to pass it on.

`python -m tests.bench.local` starts a scripted engine, and in front of it, one after the
other, the server, an application that passes bytes on with httpx and does nothing else, and,
where it is installed, litellm's proxy.
The same streams are read through both, and the CPU time of each server's process is divided
by the number of chunks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from tempfile import NamedTemporaryFile
from threading import Thread
from typing import Any

from attrs import frozen

CHUNK = (
    b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" word"}}],'
    b'"created":1763000000,"id":"chatcmpl-0123456789abcdef0123456789abcdef",'
    b'"model":"SmolLM2-135M-Instruct.Q4_1","system_fingerprint":"b1-0000000",'
    b'"object":"chat.completion.chunk"}\n\n'
)
LAST = CHUNK.replace(b'"finish_reason":null', b'"finish_reason":"stop"').replace(
    b'{"content":" word"}', b"{}"
)
MODELS = b'{"object":"list","data":[{"id":"scripted","object":"model"}]}'
PACE = 0.02
"""Seconds between two chunks of a stream, so that each is a read of its own."""


@frozen
class Load:
    """How much is asked: streams at once, chunks of each."""

    streams: int
    chunks: int

    @property
    def total(self) -> int:
        return self.streams * self.chunks


@frozen
class Result:
    """What the load took of a server: CPU time for each chunk, memory for each stream."""

    name: str
    microseconds: float
    kibibytes: float


async def engine(chunks: int) -> None:
    """Serve the same stream to everyone; writes its port first."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            await reader.readexactly(length)
            if head.startswith(b"GET"):
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                    b"content-length: %d\r\n\r\n%s" % (len(MODELS), MODELS)
                )
                continue
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                b"transfer-encoding: chunked\r\n\r\n"
            )
            for _ in range(chunks):
                writer.write(b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK))
                await asyncio.sleep(PACE)
            end = LAST + b"data: [DONE]\n\n"
            writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(end), end))

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def ours(engine_port: int) -> None:
    """Run the local server; writes its URL, then what it used each time a line is read."""
    from autonomousai_sdk.local import LocalServer

    with LocalServer(engine=f"http://127.0.0.1:{engine_port}/v1", max_concurrent=4096) as server:
        _report(f"{server.openai_base_url}/chat/completions")


def bare(engine_port: int) -> None:
    """Run the bare pass-through; writes as `ours`."""
    import httpx
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    client = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None))  # noqa: S113
    target = f"http://127.0.0.1:{engine_port}/v1/chat/completions"

    async def pass_on(request: Request) -> StreamingResponse:
        content = await request.body()
        headers = {"content-type": "application/json"}
        passed_on = client.build_request("POST", target, content=content, headers=headers)
        response = await client.send(passed_on, stream=True)
        return StreamingResponse(response.aiter_raw(), media_type="text/event-stream")

    _serve(Starlette(routes=[Route("/chat", pass_on, methods=["POST"])]), "/chat")


def litellm(engine_port: int) -> None:
    """Run litellm's proxy; writes as `ours`."""
    sys.stdout = sys.stderr  # it writes a banner
    model = {"model": "openai/scripted", "api_key": "any"}
    model["api_base"] = f"http://127.0.0.1:{engine_port}/v1"
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it is fetched at the start
    with NamedTemporaryFile("w", suffix=".yaml") as config:
        json.dump({"model_list": [{"model_name": "scripted", "litellm_params": model}]}, config)
        config.flush()
        os.environ["WORKER_CONFIG"] = json.dumps({"config": config.name})
        proxy = import_module("litellm.proxy.proxy_server")
        _serve(proxy.app, "/v1/chat/completions")


def _serve(app: Any, path: str) -> None:
    """Run an application with uvicorn; writes as `ours`."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    _report(f"http://127.0.0.1:{port}{path}")


def _report(url: str) -> None:
    print(url, file=sys.__stdout__, flush=True)
    for _ in sys.stdin:
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = used.ru_utime + used.ru_stime
        print(seconds, used.ru_maxrss, file=sys.__stdout__, flush=True)


async def read_streams(url: str, load: Load) -> None:
    """Read all streams at once, each to its end."""
    host, _, rest = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    body = json.dumps(
        {"model": "scripted", "stream": True, "messages": [{"role": "user", "content": "Go."}]}
    ).encode()
    head = (
        f"POST /{rest} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    ).encode()

    async def read() -> None:
        reader, writer = await asyncio.open_connection(name, int(port), limit=2**20)
        writer.write(head + body)
        data = await reader.read()
        writer.close()
        count = data.count(b"data: {")
        # litellm repeats the last event without its text, in one of its own.
        if count < load.chunks + 1 or not data.endswith(b"0\r\n\r\n"):
            raise AssertionError(f"{count} of {load.chunks + 1} events, ending {data[-80:]!r}")

    async with asyncio.TaskGroup() as group:
        for _ in range(load.streams):
            group.create_task(read())


@contextmanager
def role(*arguments: object) -> Generator[subprocess.Popen[str]]:
    """This module in a process of its own, in one of its roles."""
    command = [sys.executable, "-m", "tests.bench.local", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def measure(name: str, load: Load) -> Result:
    """Measure one server under a load."""
    with role("engine", load.chunks) as engine_process:
        port = _line(engine_process)
        with role(name, port) as process:
            url = _line(process)
            asyncio.run(read_streams(url, Load(min(20, load.streams), load.chunks)))  # to warm up
            began, before = _used(process)
            asyncio.run(read_streams(url, load))
            ended, after = _used(process)
    return Result(name, (ended - began) / load.total * 1e6, (after - before) / load.streams)


def _line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise AssertionError("unreachable: it is a pipe")
    return process.stdout.readline().strip()


def _used(process: subprocess.Popen[str]) -> tuple[float, float]:
    if process.stdin is None:
        raise AssertionError("unreachable: it is a pipe")
    process.stdin.write("\n")
    process.stdin.flush()
    seconds, kibibytes = _line(process).split()
    return float(seconds), float(kibibytes)


SERVERS = {"ours": ours, "bare": bare, "litellm": litellm}


def main() -> None:
    """Measure the servers, or play one of the roles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", nargs="?", default="measure")
    parser.add_argument("value", nargs="?", type=int, default=0)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--chunks", type=int, default=300)
    given: Any = parser.parse_args()
    if given.role == "engine":
        asyncio.run(engine(given.value))
    elif given.role in SERVERS:
        SERVERS[given.role](given.value)
    else:
        load = Load(given.streams, given.chunks)
        for name in SERVERS:
            if name == "litellm" and find_spec(name) is None:
                continue
            result = measure(name, load)
            print(
                f"{result.name}: {result.microseconds:.1f} µs of CPU for each of {load.total} "
                f"chunks, {result.kibibytes:.0f} KiB for each of {load.streams} streams"
            )


if __name__ == "__main__":
    main()
