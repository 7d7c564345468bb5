"""What only the awaiting driver has: one event loop after the other."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from autonomousai_sdk import AsyncClient, ConfigurationError
from tests.support.backends import awaiting
from tests.support.client_under_test import AWAITING, SDK, Options
from tests.support.fault_server import FaultServer
from tests.support.script import Fin
from tests.support.wire import body, completion


@awaiting
async def test_closing_where_a_client_was_not_used_is_nothing(client_under_test: SDK) -> None:
    """A client that never made a call has opened nothing."""
    client = AsyncClient()
    await client.aclose()
    await client.aclose()


@pytest.mark.parametrize("client_under_test", [SDK(each, "httpx") for each in AWAITING], ids=str)
def test_a_client_works_in_one_event_loop_after_the_other(client_under_test: SDK) -> None:
    """A client used in two event loops opens connections in each, and is closed in the last."""
    with FaultServer((*body(200, completion(), "connection: close"), Fin())) as server:
        client: AsyncClient = client_under_test.make(server.url, Options())

        async def call() -> str:
            return (await client.chat.create("Hello")).text

        async def close() -> None:
            await client.aclose()
            with pytest.raises(ConfigurationError, match="was closed"):
                await call()

        assert [client_under_test.run(call) for _ in range(2)] == ["Hello world"] * 2
        client_under_test.run(close)
    assert len(server.connections) == 2


@awaiting
async def test_clients_that_were_closed_leave_nothing_on_their_loop(client_under_test: SDK) -> None:
    """Closed clients and their transports are collected while their event loop still runs."""
    left: list[weakref.ref[Any]] = []
    with FaultServer(body(200, completion())) as server:
        for _ in range(3):
            client: Any = client_under_test.make(server.url, Options())
            await client.chat.create("Hello")
            connections = client._runner.connections
            left += [weakref.ref(connections), weakref.ref(await connections.transport())]
            await client.aclose()
            del client, connections
    gc.collect()
    assert [each() for each in left] == [None] * 6
