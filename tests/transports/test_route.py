"""Requests through real proxies, on each transport: what reaches the proxy, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

import autonomousai_sdk as sdk
from tests.support.backends import put_to
from tests.support.certificate import CERTIFICATE, server_context
from tests.support.client_under_test import SDK, clients_under_test, settled
from tests.support.fault_server import FaultServer
from tests.support.proxies import Proxy
from tests.support.wire import document

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")
USER_INFO = "m%C3%A9:s%40s%3A%25me"
CREDENTIALS = "mé".encode(), b"s@s:%me"
TEXT = "Hello world"

each_client = put_to(list(clients_under_test()))


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def ask(client_under_test: SDK, url: str, **arguments: Any) -> str:
    """Ask for a completion on the transport's own connections; its text."""
    blocking = client_under_test.backend == "sync"
    transport = type(client_under_test.new_transport())(**arguments)
    cls = sdk.Client if blocking else sdk.AsyncClient
    made: Any = cls(base_url=url, timeout=15, transport=transport, max_retries=0)
    try:
        calls = client_under_test.calls(made)
        texts = [client_under_test.answer(await calls.chat.create("Hello")) for _ in range(2)]
    finally:
        await settled(made.close())
        await settled(transport.close() if blocking else transport.aclose())
    assert texts[0] == texts[1]
    return texts[0]


def served(scheme: str) -> FaultServer:
    """A server that answers every request."""
    return FaultServer(document(), tls=server_context() if scheme == "https" else None)


@each_client
@pytest.mark.parametrize("user_info", ["", USER_INFO])
@pytest.mark.parametrize("host", ["service.example:8443", "192.0.2.1", "[2001:db8::1]:81"])
async def test_forwarding(client_under_test: SDK, host: str, user_info: str) -> None:
    """An HTTP proxy gets the whole URL of a plain request, and its credentials in UTF-8."""
    credentials = CREDENTIALS if user_info else None
    with served("http") as server, Proxy(server.url, credentials=credentials) as proxy:
        assert await ask(client_under_test, f"http://{host}/v9", proxy=proxy.url(user_info)) == TEXT
    assert {each.line for each in proxy.asked} == {f"POST http://{host}/v9/chat HTTP/1.1"}
    assert server.requests[0].headers["host"] == host


@each_client
@pytest.mark.parametrize("user_info", ["", USER_INFO])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_connect(client_under_test: SDK, scheme: str, user_info: str) -> None:
    """An HTTP or https proxy opens a tunnel to an https server, once for two requests."""
    credentials = CREDENTIALS if user_info else None
    tls = server_context() if scheme == "https" else None
    with (
        served("https") as server,
        Proxy(server.url, scheme, credentials=credentials, tls=tls) as proxy,
    ):
        url = f"https://localhost:{server.port}"
        given = {"proxy": proxy.url(user_info), "verify": CERTIFICATE}
        assert await ask(client_under_test, url, **given) == TEXT
    assert [each.line for each in proxy.asked] == [f"CONNECT localhost:{server.port} HTTP/1.1"]
    assert proxy.asked[0].headers["host"] == f"localhost:{server.port}"
    assert "authorization" not in proxy.asked[0].headers
    assert "proxy-authorization" not in server.requests[0].headers


@each_client
async def test_forwarding_through_tls(client_under_test: SDK) -> None:
    """An https proxy forwards plain requests, over TLS."""
    with served("http") as server, Proxy(server.url, "https", tls=server_context()) as proxy:
        given = {"proxy": proxy.url(), "verify": CERTIFICATE}
        assert await ask(client_under_test, "http://service.example", **given) == TEXT
    assert {each.line for each in proxy.asked} == {"POST http://service.example/chat HTTP/1.1"}


@each_client
@pytest.mark.parametrize("user_info", ["", USER_INFO])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_socks(client_under_test: SDK, scheme: str, user_info: str) -> None:
    """A SOCKS5 proxy opens a tunnel to a plain or https server, and resolves its name."""
    credentials = CREDENTIALS if user_info else None
    with served(scheme) as server, Proxy(server.url, "socks5", credentials) as proxy:
        given: dict[str, Any] = {"proxy": proxy.url(user_info)}
        if scheme == "https":
            given["verify"] = CERTIFICATE
        assert await ask(client_under_test, f"{scheme}://localhost:99", **given) == TEXT
    assert [each.line for each in proxy.asked] == ["localhost:99"]
    assert proxy.asked[0].credentials == credentials


@each_client
@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("192.0.2.1", "192.0.2.1:80"),
        ("[2001:db8::1]:81", "2001:db8::1:81"),
        ("service.example", "service.example:80"),
    ],
)
async def test_socks_addresses(client_under_test: SDK, host: str, asked: str) -> None:
    """A SOCKS5 proxy gets an address as an address, and a name as a name."""
    with served("http") as server, Proxy(server.url, "socks5") as proxy:
        assert await ask(client_under_test, f"http://{host}", proxy=proxy.url()) == TEXT
    assert proxy.asked[0].line == asked


@each_client
@pytest.mark.parametrize(
    ("scheme", "target", "user_info", "said"),
    [
        ("http", "https://localhost", "", "407"),
        ("http", "https://localhost", "me:wrong", "407"),
        ("socks5", "http://localhost", "", "user name and password"),
        ("socks5", "http://localhost", "me:wrong", "refused the user name and password"),
    ],
)
async def test_refused(
    client_under_test: SDK, scheme: str, target: str, user_info: str, said: str
) -> None:
    """A proxy that refuses the credentials is a connection error, which shows none of them."""
    with (
        Proxy(None, scheme, CREDENTIALS) as proxy,
        pytest.raises(sdk.APIConnectionError, match=said) as caught,
    ):
        await ask(client_under_test, target, proxy=proxy.url(user_info))
    assert "wrong" not in repr(caught.value) + str(caught.value)


@each_client
async def test_unreachable(client_under_test: SDK) -> None:
    """A SOCKS5 proxy's reason for not connecting is in the error."""
    with (
        Proxy(None, "socks5") as proxy,
        pytest.raises(sdk.APIConnectionError, match="host unreachable"),
    ):
        await ask(client_under_test, "http://localhost", proxy=proxy.url())


@each_client
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_environment(
    monkeypatch: pytest.MonkeyPatch, client_under_test: SDK, name: str
) -> None:
    """The environment's proxy applies to a transport made without one."""
    with served("http") as server, Proxy(server.url) as proxy:
        monkeypatch.setenv(name, proxy.url())
        assert await ask(client_under_test, "http://service.example") == TEXT
    assert proxy.asked[0].line == "POST http://service.example/chat HTTP/1.1"


@each_client
@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("example", "http://service.example"),
        ("*", "http://service.example"),
        ("192.0.2.0/24", "http://192.0.2.1"),
        ("2001:db8::/32", "http://[2001:db8::1]"),
        ("[2001:db8::1]", "http://[2001:db8::1]"),
        ("service.example:81", "http://service.example:81"),
    ],
)
async def test_no_proxy(
    monkeypatch: pytest.MonkeyPatch, client_under_test: SDK, no_proxy: str, url: str
) -> None:
    """No connection to the proxy is opened for a host that NO_PROXY excludes."""
    with Proxy(None) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        monkeypatch.setenv("NO_PROXY", no_proxy)
        transport = client_under_test.new_transport()
        request = sdk.transports.Request(method="POST", url=url, headers=(), content=b"")
        timeout = sdk.Timeout(connect=0.2, total=0.3)
        with pytest.raises(sdk.transports.TransportError):  # nobody is there
            await settled(transport.send(request, timeout))
        await settled(
            transport.close() if client_under_test.backend == "sync" else transport.aclose()
        )
        assert not proxy.asked


@each_client
async def test_unreadable_environment(
    monkeypatch: pytest.MonkeyPatch, client_under_test: SDK
) -> None:
    """A transport of the caller's finds an unreadable variable before it connects."""
    monkeypatch.setenv("ALL_PROXY", "http://me:ses#ame@proxy")
    with pytest.raises(sdk.ConfigurationError, match="ALL_PROXY: .* unescaped '#'"):
        await ask(client_under_test, "http://service.example")
