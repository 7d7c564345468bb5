"""Many streams at once."""

from __future__ import annotations

import json
import os

import anyio
import httpx
import pytest

from autonomousai_sdk.local import LocalServer
from tests.support import fault_server
from tests.support.fault_server import FaultServer, Received
from tests.support.script import Answer, Repeat, Send
from tests.support.wire import CHUNKED, DONE, FINISH, LAST_CHUNK, coded, deltas

from .wire import PATIENCE, openai

STREAMS = 1000


@pytest.mark.thorough
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_thousand_streams_at_once_are_neither_lost_nor_mixed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """1,000 streams at once each get all of their own chunks, in less than 200 KiB each."""

    def answer(request: Received) -> Answer:
        piece = coded(deltas(f"<{request.prompt}>"))
        end = Send(coded(FINISH + DONE) + LAST_CHUNK)
        return Send(CHUNKED), Repeat(piece, 5, 0.05), end

    monkeypatch.setattr(fault_server, "LIFETIME", PATIENCE)
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    limits = httpx.Limits(max_connections=STREAMS)
    try:
        with (
            FaultServer(answer) as engine,
            LocalServer(engine=f"{engine.url}/v1", max_concurrent=STREAMS) as server,
        ):
            before = memory()
            async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:
                url = f"{server.openai_base_url}/chat/completions"

                async def read(number: int) -> None:
                    body = openai(f"{number}", model="m", stream=True)
                    reply = await client.post(url, json=body)
                    assert text_of(reply.text) == f"<{number}>" * 5

                async with anyio.create_task_group() as group:
                    for number in range(STREAMS):
                        group.start_soon(read, number)
            # The engine and the client run here, too, so this is an upper bound.
            assert (memory() - before) / STREAMS < 200 * 1024
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def text_of(stream: str) -> str:
    """The text of a whole stream."""
    *parts, end = [part.removeprefix("data: ") for part in stream.split("\n\n") if part]
    assert end == "[DONE]"
    chunks = [json.loads(part) for part in parts]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def memory() -> int:
    """The memory that this process uses, in bytes."""
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
