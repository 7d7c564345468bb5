"""What only the awaiting driver has: event loops, and a limit over whatever a transport does."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from autonomousai_sdk import APITimeoutError, AsyncClient, ConfigurationError, TransportError

from ..faults.script import Fin
from ..faults.server import FaultServer
from ..faults.subject import AWAITING, SDK, Options
from ..faults.wire import body, completion
from .colours import awaiting


class Deaf:
    """A transport that minds no limit."""

    async def send(self, request: Any, timeout: Any) -> Any:
        """Never answer."""
        await anyio.sleep_forever()

    async def aclose(self) -> None:
        """Close nothing."""


@awaiting
async def test_the_total_holds_whatever_the_transport_does(subject: SDK) -> None:
    """A transport of the caller's own need not keep time."""
    async with AsyncClient(transport=Deaf(), timeout=0.1) as client:
        with pytest.raises(APITimeoutError) as caught:
            await client.chat.create("Hello")
    assert caught.value.limit == "total"
    assert isinstance(caught.value.__cause__, TransportError)


@awaiting
async def test_closing_where_a_client_was_not_used_is_nothing(subject: SDK) -> None:
    """A client that never made a call has opened nothing."""
    client = AsyncClient()
    await client.aclose()
    await client.aclose()


@pytest.mark.parametrize("subject", [SDK(each, "httpx") for each in AWAITING], ids=str)
def test_a_client_works_in_one_event_loop_after_the_other(subject: SDK) -> None:
    """On connections of each loop; closing it in the last is enough."""
    with FaultServer((*body(200, completion(), "connection: close"), Fin())) as server:
        client: AsyncClient = subject.make(server.url, Options())

        async def call() -> str:
            return (await client.chat.create("Hello")).text

        async def close() -> None:
            await client.aclose()
            with pytest.raises(ConfigurationError, match="was closed"):
                await call()

        assert [subject.run(call) for _ in range(2)] == ["Hello world"] * 2
        subject.run(close)
    assert len(server.connections) == 2
