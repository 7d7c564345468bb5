"""The servers that are measured, each in front of the scripted engine in a process of its own.

Each writes its URL, then what it has used so far whenever a line is read.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from tempfile import NamedTemporaryFile
from threading import Thread
from typing import Any, cast

from .wire import KEY


def copy(engine_port: int) -> None:
    """Copy bytes between two TCP connections, on uvloop: what any server in Python pays."""
    import uvloop

    class Half(asyncio.Protocol):
        """One direction."""

        def __init__(self, other: Half | None = None) -> None:
            self._other = other
            self._held: list[bytes] = []
            self.write: Callable[[bytes], None] = self._held.append
            self._task: asyncio.Task[Any] | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            write = cast("asyncio.Transport", transport).write
            for data in self._held:
                write(data)
            self.write = write
            if self._other is None:
                other = self._other = Half(self)
                loop = asyncio.get_running_loop()
                connecting = loop.create_connection(lambda: other, "127.0.0.1", engine_port)
                self._task = loop.create_task(connecting)

        def data_received(self, data: bytes) -> None:
            if self._other is not None:
                self._other.write(data)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Half, "127.0.0.1", 0, backlog=4096)
        port: int = server.sockets[0].getsockname()[1]
        Thread(target=_report, args=(f"http://127.0.0.1:{port}/v1/chat/completions",)).start()
        await server.serve_forever()

    uvloop.run(serve())


def ours(engine_port: int) -> None:
    """Run the local server."""
    from autonomousai_sdk.local import LocalServer

    with LocalServer(engine=f"http://127.0.0.1:{engine_port}/v1", max_concurrent=4096) as server:
        _report(f"{server.openai_base_url}/chat/completions")


def bare(engine_port: int) -> None:
    """Pass the bytes on with Starlette and httpx, and do nothing else."""
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
    """Run litellm's proxy: one worker, one model, no database."""
    sys.stdout = sys.stderr  # it writes a banner
    model = {"model": "openai/scripted", "api_key": "any"}
    model["api_base"] = f"http://127.0.0.1:{engine_port}/v1"
    os.environ |= {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it is fetched at the start
        "LITELLM_LOG": "ERROR",
        "REPEATED_STREAMING_CHUNK_LIMIT": "1000000",  # the script repeats one chunk
        "LITELLM_MASTER_KEY": KEY,
    }
    with NamedTemporaryFile("w", suffix=".yaml") as config:
        json.dump({"model_list": [{"model_name": "scripted", "litellm_params": model}]}, config)
        config.flush()
        os.environ["WORKER_CONFIG"] = json.dumps({"config": config.name})
        proxy = import_module("litellm.proxy.proxy_server")
        _serve(proxy.app, "/v1/chat/completions")


SERVERS: Mapping[str, tuple[Callable[[int], None], str]] = {
    "copy": (copy, "a copy between two TCP connections, on uvloop"),
    "ours": (ours, "this server"),
    "bare": (bare, "Starlette and httpx, which pass the bytes on"),
    "litellm": (litellm, "litellm's proxy, one worker"),
}
"""Each server with what it is."""


def _serve(app: Any, path: str) -> None:
    import uvicorn

    config = uvicorn.Config(app, port=0, log_level="critical", backlog=4096)
    server = uvicorn.Server(config)
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
    os._exit(0)
