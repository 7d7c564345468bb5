"""Who may ask: hosts, origins, keys and content types."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from autonomousai_sdk import Client, ConfigurationError
from autonomousai_sdk._generated.catalog import MODELS
from autonomousai_sdk.local import LocalServer

from .wire import address, exchange, original, post, request

PAGE = "https://app.example"
ROUTES = (
    *(("POST", f"/api/v1/ai{path}") for path in sorted({model.path for model in MODELS})),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/embeddings"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/echo"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/nothing"),
)


def root(server: LocalServer) -> str:
    """The server's URL without a path."""
    return server.openai_base_url.removesuffix("/v1")


REFUSED = [
    ({"json": {"messages": "x"}}, 400, "does not follow the spec"),
    ({"json": original(messages="***")}, 400, "base64"),
    ({"json": original(messages=base64.b64encode(b"[]").decode())}, 400, "empty"),
    ({"json": original(aiAgent="nope")}, 404, "/chat serves llama"),
    ({"json": original(aiAgent="vision")}, 404, "'vision' has the path /chat-vision"),
    ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "not valid JSON"),
    ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "application/json"),
    ({"content": b"{}", "headers": {"content-type": ""}}, 415, "application/json"),
    ({"json": original(), "headers": {"content-encoding": "gzip"}}, 415, "'gzip'"),
    ({"content": b"", "headers": {"content-type": "application/json"}}, 400, "no body"),
    ({"json": original(), "headers": {"origin": "https://evil.example"}}, 403, "may not use"),
    ({"json": original(), "headers": {"origin": "null"}}, 403, "may not use"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), REFUSED)
def test_a_refusal_has_its_status_and_says_why(
    echo: LocalServer, arguments: dict[str, Any], status: int, message: str
) -> None:
    """Each refusal has its status and a JSON body with the reason, and no CORS header."""
    answer = post(echo, **arguments)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::1", "a b", ""]
)
def test_a_foreign_host_gets_421_on_every_route(
    echo: LocalServer, method: str, path: str, host: str
) -> None:
    """A request that names another or a malformed host gets 421 before routing (L1)."""
    lines = (f"{method} {path} HTTP/1.1", f"host: {host}", "connection: close", "", "")
    assert exchange(echo, "\r\n".join(lines).encode()).startswith(b"HTTP/1.1 421 ")


def test_one_host_field_is_required(echo: LocalServer) -> None:
    """A request without a host, or with two, gets 421 (L1)."""
    data = request(echo, original(), "connection: close")
    name, port = address(echo)
    field = f"host: {name}:{port}\r\n".encode()
    for changed in (data.replace(field, b""), data.replace(field, field * 2)):
        assert exchange(echo, changed).startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.1.2.3"])
def test_loopback_names_pass(echo: LocalServer, host: str) -> None:
    """Every name of loopback is the server's own (L1)."""
    answer = post(echo, json=original(), headers={"host": f"{host}:{address(echo)[1]}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://www.autonomous.ai"])
def test_known_origins_pass_without_a_cors_header(echo: LocalServer, origin: str) -> None:
    """This machine's pages and the original clients' origin pass, and nothing is reflected (L2)."""
    answer = post(echo, json=original(), headers={"origin": origin})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_preflights_are_answered_for_allowed_origins_only() -> None:
    """An origin in `cors_origins` gets its preflight and its header; no other does (L2)."""
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    with LocalServer(engine="echo", cors_origins=[PAGE], api_key="sk-1") as server:
        url = f"{server.openai_base_url}/chat/completions"
        allowed = httpx.options(url, headers={"origin": PAGE, **preflight})
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == PAGE
        assert "POST" in allowed.headers["access-control-allow-methods"]
        assert allowed.headers["access-control-allow-headers"] == "authorization, content-type"
        assert allowed.headers["vary"] == "origin"
        for origin in ("https://evil.example", "null", f"{PAGE}.evil.example"):
            refused = httpx.options(url, headers={"origin": origin, **preflight})
            assert refused.status_code == 403
            assert not any(name.startswith("access-control") for name in refused.headers)
        body = {"messages": [{"role": "user", "content": "Hello"}]}
        headers = {"origin": PAGE, "authorization": "Bearer sk-1"}
        answer = httpx.post(url, json=body, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == PAGE
        unauthorized = httpx.post(url, json=body, headers={"origin": PAGE})
        assert unauthorized.status_code == 401
        assert unauthorized.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origin", ["*", "null", "app.example", "https://app.example/", 5])
def test_an_origin_that_no_browser_sends_is_refused(origin: Any) -> None:
    """`cors_origins` takes exact origins, not patterns or URLs with a path."""
    with pytest.raises(ConfigurationError, match="is not an origin"):
        LocalServer(engine="echo", cors_origins=[origin])


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_wants_the_key(method: str, path: str) -> None:
    """Without a key, or with a wrong or non-ASCII one, every route answers 401 (L3)."""
    with LocalServer(engine="echo", api_key="sk-right") as server:
        url = root(server) + path
        body: dict[str, Any] = {"json": {}} if method == "POST" else {}
        missing = httpx.request(method, url, **body)
        assert missing.status_code == 401
        assert missing.json()["error"]["code"] == "missing_api_key"
        for key in ("sk-wrong", "sk-right2", "schlüssel"):
            headers = {b"authorization": f"Bearer {key}".encode()}
            wrong = httpx.request(method, url, headers=headers, **body)
            assert wrong.status_code == 401
            assert wrong.json()["error"]["code"] == "invalid_api_key"
            assert wrong.headers["www-authenticate"] == "Bearer"
        headers = {b"authorization": b"bEARER sk-right"}
        assert httpx.request(method, url, headers=headers, **body).status_code != 401


def test_the_right_key_is_served_to_both_clients() -> None:
    """The SDK's client with the key gets its completion."""
    with (
        LocalServer(engine="echo", api_key="sk-right") as server,
        Client(base_url=server.base_url, api_key="sk-right") as client,
    ):
        assert client.chat.create("Hello").text == "Hello"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104
def test_other_addresses_than_loopback_need_a_key(host: str) -> None:
    """Listening where other machines can connect is refused without a key (L3)."""
    with pytest.raises(ConfigurationError, match="pass api_key="):
        LocalServer(engine="echo", host=host)


@pytest.mark.parametrize("name", ["api_key", "engine_api_key"])
@pytest.mark.parametrize("key", ["", "a b", "abc\n", "\tabc", "schlüssel", "a\0b"])
def test_keys_are_checked_at_the_start_and_never_repeated(name: str, key: str) -> None:
    """A key that no header can hold is refused before anything starts, unseen (L15)."""
    arguments: dict[str, Any] = {name: key, "engine": "http://127.0.0.1:9/v1"}
    with pytest.raises(ConfigurationError) as caught:
        LocalServer(**arguments)
    assert name in caught.value.message
    assert len(key) < 3 or key not in caught.value.message


WRONG_PATHS = {
    "/chat/completions": "/v1/chat/completions",
    "/v1/v1/chat/completions": "/v1/chat/completions",
    "/api/v1/ai/v1/v1/chat/completions": "/v1/chat/completions",
    "/api/v1/ai/chat/completions": "/v1/chat/completions",
    "/v1/chat-hermes": "/api/v1/ai/chat-hermes",
    "/chat": "/api/v1/ai/chat",
    "/models": "/v1/models",
    "/v1/v1/models": "/v1/models",
    "/v1/models/": "/v1/models",
    "/v1//chat/completions": "/v1/chat/completions",
    "/v1/chat/completions/": "/v1/chat/completions",
}


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_a_wrong_path_gets_the_right_one_in_its_error(echo: LocalServer, path: str) -> None:
    """A path with a missing or doubled base gets 404 with the path that was meant."""
    method = "GET" if path.endswith("models/") else "POST"
    answer = httpx.request(method, root(echo) + path, json={})
    assert answer.status_code == 404
    message = answer.json()["error"]["message"]
    assert f"Did you mean {WRONG_PATHS[path]}?" in message


def test_the_advice_of_the_client_leads_to_the_openai_protocol(echo: LocalServer) -> None:
    """The base URL that the client names for `protocol="openai"` is served."""
    with pytest.raises(ConfigurationError) as caught:
        Client(base_url=echo.base_url, protocol="openai")
    advised = caught.value.message.split("'")[-2]
    with Client(base_url=advised) as client:
        assert client.chat.create("two words").text == "two words"
        assert [model.id for model in client.models.fetch()] == ["echo"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://{}/v1/models", 200),
        ("http://evil.example/v1/models", 400),
        ("evil:80", 400),
        ("HTTP://{}/v1/models", 200),
        ("ftp://{}/v1/models", 400),
        ("http://u@{}/v1/models", 400),
    ],
)
def test_a_url_as_target_must_name_the_host(echo: LocalServer, target: str, status: int) -> None:
    """A target with a host of its own is served only if it is that of the `host` field (L1)."""
    host = "{}:{}".format(*address(echo))
    data = f"GET {target.format(host)} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    assert exchange(echo, data.encode()).startswith(b"HTTP/1.1 %d " % status)


def test_a_wrong_method_is_told_apart(echo: LocalServer) -> None:
    """A known path with another method gets 405 with the method it takes."""
    answer = httpx.get(f"{echo.base_url}/chat")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert json.loads(answer.content)["error"]["code"] == "method_not_allowed"
