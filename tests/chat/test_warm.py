"""`client.warm`: what the first call would import and make is there before it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from autonomousai_sdk import AsyncClient, Client
from tests.support.backends import on_each_backend
from tests.support.client_under_test import SDK, settled
from tests.support.fault_server import FaultServer
from tests.support.wire import document

PROGRAMS = {
    "sync": "client = sdk.Client(base_url=URL); client.warm()",
    "asyncio": "client = sdk.AsyncClient(base_url=URL); import asyncio; asyncio.run(client.warm())",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://127.0.0.1:9"])
def test_warming_imports_what_a_call_needs(program: str, url: str) -> None:
    """After warming, the libraries that the first call needs are loaded, and nothing was sent."""
    lines = [
        "import sys, warnings",
        "warnings.simplefilter('ignore', ResourceWarning)",
        "import autonomousai_sdk as sdk",
        f"URL = {url!r}",
        program,
        "missing = {'httpx', 'httpcore', 'cattrs'} - set(sys.modules)",
        "sys.exit(', '.join(missing) or 0)",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@on_each_backend
async def test_warming_sends_nothing_and_calls_work_after_it(client_under_test: SDK) -> None:
    """A warm client makes its first call on a connection that this call opens."""
    with FaultServer(document("a")) as server:
        async with client_under_test.client(server.url) as client:
            made: Any = getattr(client, "made", client)
            await settled(made.warm())
            assert server.connections == []
            assert (await client.chat.create("Hello")).text == "a"


@on_each_backend
async def test_a_callers_client_is_left_alone(client_under_test: SDK) -> None:
    """With a caller's own HTTP client there is nothing to make."""
    import httpx

    blocking = client_under_test.backend == "sync"
    http: Any = httpx.Client() if blocking else httpx.AsyncClient()
    client: Any = (
        Client(http_client=http, base_url="http://127.0.0.1:9")
        if blocking
        else AsyncClient(http_client=http, base_url="http://127.0.0.1:9")
    )
    await settled(client.warm())
    await settled(client.close())
    await settled(http.close() if blocking else http.aclose())


@on_each_backend
async def test_a_transport_without_warm_is_fine(client_under_test: SDK) -> None:
    """Any object with the transport's methods can be warmed: it is left as it is."""

    class Bare:
        def send(self, request: Any, timeout: Any) -> Any: ...
        def close(self) -> None: ...
        async def aclose(self) -> None: ...

    bare: Any = Bare()
    client: Any = (
        Client(transport=bare)
        if client_under_test.backend == "sync"
        else AsyncClient(transport=bare)
    )
    await settled(client.warm())
    await settled(client.close())
