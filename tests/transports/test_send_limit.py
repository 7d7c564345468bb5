"""A caller's own client behind proxies and servers that stall before the response."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

import autonomousai_sdk as sdk
from tests.support.backends import put_to
from tests.support.case import created
from tests.support.client_under_test import SDK, clients_under_test
from tests.support.contestants import closed
from tests.support.fault_server import FaultServer
from tests.support.proxies import Proxy, dripping
from tests.support.wire import document

CLIENTS = [each for each in clients_under_test() if each.transport != "aiohttp"]

CONNECT_DRIP = b"HTTP/1.1 200 OK\r\nx: " + b"x" * 1000


async def outcome_of(client_under_test: SDK, url: str, timeout: sdk.Timeout, proxy: str) -> Any:
    """Make a call on a caller's client that goes through a proxy; how it ended."""
    library = import_module(client_under_test.transport)
    blocking = client_under_test.backend == "sync"
    http_client = (library.Client if blocking else library.AsyncClient)(proxy=proxy)
    cls = sdk.Client if blocking else sdk.AsyncClient
    made: Any = cls(base_url=url, http_client=http_client, timeout=timeout, max_retries=0)
    try:
        return await created(client_under_test, client_under_test.calls(made))
    finally:
        await closed(made)
        await closed(http_client)


@put_to(CLIENTS)
@pytest.mark.parametrize(
    ("scheme", "url"),
    [("socks5", "http://service.test"), ("http", "https://service.test")],
)
@pytest.mark.parametrize("limit", ["connect", "total"])
async def test_silent_proxy(client_under_test: SDK, scheme: str, url: str, limit: str) -> None:
    """A caller's proxy that accepts and is silent is held to `connect` and `total`."""
    limits = {"connect": 8.0, "total": 8.0, limit: 0.3}
    with FaultServer(accepts=False) as proxy:
        outcome = await outcome_of(
            client_under_test, url, sdk.Timeout(**limits), f"{scheme}://127.0.0.1:{proxy.port}"
        )
    assert isinstance(outcome.error, sdk.APITimeoutError)
    assert outcome.error.limit == limit
    assert outcome.seconds < 2


@put_to(CLIENTS)
async def test_dripping_proxy(client_under_test: SDK) -> None:
    """A caller's proxy that drips its response to CONNECT is held to `connect`."""
    with dripping(CONNECT_DRIP) as port:
        outcome = await outcome_of(
            client_under_test,
            "https://service.test",
            sdk.Timeout(connect=0.3, total=8),
            f"http://127.0.0.1:{port}",
        )
    assert isinstance(outcome.error, sdk.APITimeoutError)
    assert outcome.error.limit == "connect"
    assert outcome.seconds < 2


@put_to(CLIENTS)
async def test_working_proxy(client_under_test: SDK) -> None:
    """A caller's proxy that works is not disturbed by limits that it keeps to."""
    with FaultServer(document()) as server, Proxy(server.url, "socks5") as proxy:
        outcome = await outcome_of(
            client_under_test, "http://service.test", sdk.Timeout(connect=5, total=8), proxy.url()
        )
    assert outcome.error is None
    assert outcome.text == "Hello world"
