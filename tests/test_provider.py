"""The original interface, and the original provider itself, against the local server."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import subprocess
import textwrap
import threading
import venv
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autonomousai_sdk import AutonomousAI, ConfigurationError, FinishReason, MessageParam
from autonomousai_sdk.local import LocalServer
from tests.support.fault_server import FaultServer
from tests.support.wire import WHOLE, document

ORIGINAL = "g4f==0.4.1.0"
HOSTED = "https://chatgpt.autonomous.ai/api/v1/ai"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A local server without a model."""
    with LocalServer(engine="echo") as running:
        yield running


@pytest.fixture
async def provider(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[type[AutonomousAI], None]:
    """The provider with the local server's base URL in the environment."""
    monkeypatch.setenv("AUTONOMOUSAI_BASE_URL", server.base_url)
    yield AutonomousAI
    await AutonomousAI.aclose()


def test_attributes_are_the_original_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented class attributes have the original's values."""
    monkeypatch.delenv("AUTONOMOUSAI_BASE_URL", raising=False)
    assert AutonomousAI.url == "https://www.autonomous.ai/anon/"
    assert AutonomousAI.api_endpoints == {
        "llama": f"{HOSTED}/chat",
        "qwen_coder": f"{HOSTED}/chat",
        "hermes": f"{HOSTED}/chat-hermes",
        "vision": f"{HOSTED}/chat-vision",
        "summary": f"{HOSTED}/summary",
    }
    assert AutonomousAI.working
    assert AutonomousAI.supports_stream
    assert AutonomousAI.supports_system_message
    assert AutonomousAI.supports_message_history
    assert AutonomousAI.default_model == "llama"
    assert AutonomousAI.models == ["llama", "qwen_coder", "hermes", "vision", "summary"]
    assert AutonomousAI.model_aliases["llama-3.3-70b"] == "llama"
    assert len(AutonomousAI.model_aliases) == 5


def test_the_environment_moves_the_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """`AUTONOMOUSAI_BASE_URL` applies as soon as it is set, and an entry can be replaced."""
    monkeypatch.setenv("AUTONOMOUSAI_BASE_URL", "http://127.0.0.1:1/x/")
    assert AutonomousAI.api_endpoints["hermes"] == "http://127.0.0.1:1/x/chat-hermes"
    monkeypatch.setitem(AutonomousAI.api_endpoints, "hermes", "http://127.0.0.1:2/y")
    assert AutonomousAI.api_endpoints["hermes"] == "http://127.0.0.1:2/y"


@pytest.mark.anyio
async def test_the_first_example(provider: type[AutonomousAI]) -> None:
    """A call without a stream yields the text, which the original lost, and a FinishReason."""
    messages: list[MessageParam] = [{"role": "user", "content": "Hello, how are you?"}]
    pieces = [
        piece async for piece in provider.create_async_generator(model="llama", messages=messages)
    ]
    assert pieces == ["Hello, how are you?", FinishReason("stop")]


class ForwardingProxy:
    """An HTTP proxy on loopback: accepts absolute URLs and forwards bytes both ways."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.lines: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with client:
            request = b""
            while b"\r\n" not in request:
                request += client.recv(65536)
            line = request.split(b"\r\n", 1)[0].decode()
            self.lines.append(line)
            target = line.split(" ")[1].removeprefix("http://")
            address, _, path = target.partition("/")
            host, _, port = address.partition(":")
            with socket.create_connection((host, int(port))) as upstream:
                upstream.sendall(
                    request.replace(f"http://{address}/{path}".encode(), f"/{path}".encode(), 1)
                )
                back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
                back.start()
                _pump(client, upstream)
                back.join()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.mark.anyio
async def test_the_second_example(provider: type[AutonomousAI]) -> None:
    """A streamed call with `proxy=` goes through the proxy."""
    proxy = ForwardingProxy()
    try:
        pieces = [
            piece
            async for piece in provider.create_async_generator(
                model="hermes-3",
                messages=[{"role": "user", "content": "Tell me a joke"}],
                proxy=proxy.url,
                stream=True,
            )
        ]
    finally:
        await provider.aclose()
        proxy.close()
    assert pieces == ["Tell", " me", " a", " joke", FinishReason("stop")]
    assert proxy.lines == [f"POST {AutonomousAI.api_endpoints['hermes']} HTTP/1.1"]


@pytest.mark.anyio
async def test_the_third_example(provider: type[AutonomousAI]) -> None:
    """Calls for several models reuse one connection per address."""
    for model in ("llama", "qwen_coder", "hermes"):
        text = ""
        async for piece in provider.create_async_generator(
            model=model, messages=[{"role": "user", "content": f"I am {model}"}], stream=True
        ):
            if isinstance(piece, str):
                text += piece
        assert text == f"I am {model}"


@pytest.mark.anyio
async def test_an_unknown_model_is_named(provider: type[AutonomousAI]) -> None:
    """An unknown model raises an error that lists the models."""
    with pytest.raises(ConfigurationError, match="Known models: llama"):
        async for _ in provider.create_async_generator("nope", "Hello"):
            pass


OPTIONS: dict[str, Any] = {
    "temperature": 0.5,
    "seed": 7,
    "stop": ["x"],
    "top_k": 40,
    "thread_id": "t-1",
}
SENT = {"temperature": 0.5, "seed": 7, "stop": ["x"], "top_k": 40, "threadId": "t-1"}


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [True, False])
async def test_options_reach_the_engine(stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What steers an answer goes into the request, known or not; what steers g4f does not."""
    answer = WHOLE if stream else document()
    with FaultServer(answer) as service:
        monkeypatch.setenv("AUTONOMOUSAI_BASE_URL", service.url)
        more: dict[str, Any] = {
            **OPTIONS,
            "conversation": object(),
            "provider": object,
            "max_tokens": None,
        }
        ours = AutonomousAI.create_async_generator("llama", "Hi", stream=stream, **more)
        assert [piece async for piece in ours][-1] == FinishReason("stop")
        blocking = AutonomousAI.create_completion("llama", "Hi", stream=stream, **more)
        assert list(blocking)[-1] == FinishReason("stop")
        await AutonomousAI.aclose()
    for request in service.requests:
        sent = json.loads(request.body)
        assert {name: sent[name] for name in SENT} == SENT
        assert not {"conversation", "provider", "max_tokens"} & sent.keys()


def test_an_option_out_of_range_is_refused() -> None:
    """An option that cannot be right raises before anything is sent."""
    with pytest.raises(ConfigurationError, match="temperature"):
        list(AutonomousAI.create_completion("llama", "Hi", temperature=3))


@pytest.mark.anyio
async def test_create_async_returns_the_text(provider: type[AutonomousAI]) -> None:
    """`create_async` returns the text of a whole answer, and of a stream."""
    for stream in (False, True):
        assert await provider.create_async("llama", "two words", stream=stream) == "two words"


def test_create_completion_works_in_threads(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads share the kept connections, and each gets its own answer."""
    monkeypatch.setenv("AUTONOMOUSAI_BASE_URL", server.base_url)

    def ask(number: int) -> bool:
        pieces = AutonomousAI.create_completion("llama", f"call {number}", stream=number % 2 == 0)
        return "".join(piece for piece in pieces if isinstance(piece, str)) == f"call {number}"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(40)))
    AutonomousAI.close()


@pytest.mark.anyio
async def test_a_key_a_base_url_and_images_are_the_call_s_own() -> None:
    """`api_key`, `base_url` and `media` go into the request that the call sends."""
    picture = b"\x89PNG\r\n\x1a\n" + bytes(20)
    with FaultServer(document()) as service:
        for media in ([picture], [(picture, "a.png")], [(io.BytesIO(picture), "a.png")]):
            text = await AutonomousAI.create_async(
                "vision", "What is this?", media=media, api_key="sk-1", base_url=service.url
            )
            assert text == "Hello world"
        await AutonomousAI.aclose()
    for request in service.requests:
        assert request.line[1] == "/chat-vision"
        assert request.headers["authorization"] == "Bearer sk-1"
        (message,) = json.loads(base64.b64decode(json.loads(request.body)["messages"]))
        assert [part["type"] for part in message["content"]] == ["text", "image_url"]


def test_names_are_resolved_as_g4f_does() -> None:
    """`get_model` resolves aliases and the default, and refuses other names."""
    assert AutonomousAI.get_model("") == AutonomousAI.get_model("auto") == "llama"
    assert AutonomousAI.get_model("hermes-3") == "hermes"
    assert AutonomousAI.get_models(api_key="sk-1") == AutonomousAI.models
    assert AutonomousAI.vision_models == ["vision"]
    with pytest.raises(ConfigurationError, match="Known models"):
        AutonomousAI.get_model("nope")


def test_what_g4f_shows_of_a_provider() -> None:
    """`params`, `get_parameters` and `get_dict` describe the call and the class."""
    assert "temperature," in AutonomousAI.params
    assert AutonomousAI.get_parameters()["stream"].default is False
    assert AutonomousAI.get_parameters(as_json=True)["model"] == "llama"
    assert AutonomousAI.get_dict()["name"] == AutonomousAI.get_parent() == "AutonomousAI"


@pytest.fixture(scope="module")
def original_python() -> Path:
    """The interpreter of an environment with the original provider."""
    root = Path(os.environ.get("NOX_ENVDIR", Path(__file__).parents[1] / ".nox")) / "original"
    python = root / "bin" / "python"
    if not python.exists():
        venv.create(root, with_pip=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", ORIGINAL, "aiohttp"],
        check=True,
        capture_output=True,
    )
    return python


@pytest.mark.thorough
def test_the_original_itself_streams_all_models(server: LocalServer, original_python: Path) -> None:
    """The original provider, with only its hosts replaced, streams every model."""
    script = f"""
        import asyncio, json
        from g4f.Provider import AutonomousAI as original

        original.api_endpoints = {{
            name: url.replace({HOSTED!r}, {server.base_url!r})
            for name, url in original.api_endpoints.items()
        }}

        async def ask(model):
            messages = [{{"role": "user", "content": "I am " + model}}]
            generator = original.create_async_generator(model, messages, stream=True)
            return "".join([piece async for piece in generator if isinstance(piece, str)])

        async def main():
            print(json.dumps({{model: await ask(model) for model in original.models}}))

        asyncio.run(main())
    """
    run = subprocess.run(
        [original_python, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    answers = json.loads(run.stdout.splitlines()[-1])
    assert answers == {model: f"I am {model}" for model in AutonomousAI.models}
