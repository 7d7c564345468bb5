"""A GGUF model on this machine's CPU, by llama.cpp.

llama.cpp runs in a process of its own (`llama`), so that its memory goes when the server
does, an abort in native code takes nothing else with it, and Ctrl-C reaches the server
first. Once it runs it is an upstream like any other.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any

from anyio import CancelScope, fail_after
from attrs import define, evolve, field, frozen

from .._core.retry import Backoff
from .._core.secret import Secret
from ..errors import ConfigurationError
from . import llama
from .engine import EngineReply, Progress
from .models import model_entry, served_name
from .request import ParsedRequest
from .tool_call import ToolGrammar
from .upstream import Upstream
from .wire import RequestError

CONTEXT = 8192
"""Tokens of context by default: SmolLM2 was trained on as many."""

MAX_TOKENS = 1024
"""Tokens of a completion by default."""

EMBEDDING_TOKENS = 2048
"""The most tokens of a text to embed; llama.cpp's memory for it grows with their number."""

SMOLLM2_SAMPLING: dict[str, float] = {
    # Its makers' advice on the model card; llama.cpp's 0.8 suits larger models.
    "temp": 0.2,
    "top_p": 0.9,
    # Without a penalty it repeats itself and does not end; docs/local.md has the measurements.
    "penalty_repeat": 1.1,
    "penalty_last_n": 256,
}

STOP_TIMEOUT = 2.0
"""Seconds that the process gets to end by itself."""

STABLE_AFTER = 60.0
"""Seconds after which a process that ran is not counted as a failed start."""

_PROGRAM = str(Path(llama.__file__).absolute())
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d{1,5}")
_RESTARTS = Backoff(initial=1.0, longest=60.0, jitter=0.0)


@frozen
class ModelLimits:
    """What bounds an embedded model.

    Attributes:
        context: tokens of one conversation, its completion included.
        max_tokens: tokens of a completion whose request sets no limit.
    """

    context: int = CONTEXT
    max_tokens: int = MAX_TOKENS


@define(eq=False)
class Embedded:
    """A model run here.

    Attributes:
        path: the GGUF file.
        limits: its bounds.
        aliases: more names that it answers to.
        embeds: whether the process computes embeddings instead of completions.
    """

    path: Path
    limits: ModelLimits = field(factory=ModelLimits)
    aliases: tuple[str, ...] = ()
    embeds: bool = False
    _embedder: Embedded | None = field(init=False, default=None)
    _process: Process | None = field(init=False, default=None)
    _upstream: Upstream | None = field(init=False, default=None)
    _lock: asyncio.Lock = field(init=False, factory=asyncio.Lock)
    _output: deque[str] = field(init=False, factory=lambda: deque[str](maxlen=50))
    _tasks: list[asyncio.Task[None]] = field(init=False, factory=list["asyncio.Task[None]"])
    _failures: int = field(init=False, default=0)
    _started_at: float = field(init=False, default=0.0)
    _stopped: bool = field(init=False, default=True)

    @property
    def name(self) -> str:
        """The model's file name without its ending."""
        return self.path.stem

    async def start(self, progress: Progress) -> None:
        """Load the model and wait until it can answer."""
        self._stopped = False
        size = self.path.stat().st_size / 1e6
        progress(f"loading {self.name} ({size:.0f} MB)")
        began = monotonic()
        await self._launch()
        progress(f"{self.name} is ready after {monotonic() - began:.1f} s")

    async def stop(self) -> None:
        """End the process."""
        self._stopped = True
        with CancelScope(shield=True):
            if self._embedder is not None:
                await self._embedder.stop()
            await self._end()

    def redact(self, text: str) -> str:
        """A text without the process's key."""
        return text if self._upstream is None else self._upstream.redact(text)

    async def models(self) -> list[dict[str, Any]]:
        """The one model."""
        return [model_entry(self.name, self.aliases)]

    async def check(self) -> None:
        """Ask the process for its health; one that has died is started again."""
        upstream = await self.running()
        await upstream.check()

    @asynccontextmanager
    async def complete(self, request: ParsedRequest) -> AsyncGenerator[EngineReply, None]:
        """Pass a request to llama.cpp, with what this server adds to it."""
        request = self._prepared(request)
        grammar = ToolGrammar.of(request)
        upstream = await self.running()
        if grammar is None:
            async with upstream.complete(request) as reply:
                yield reply
            return
        async with upstream.complete(grammar.request) as reply:
            document = reply.document or b"{}"
        yield grammar.reply(reply.headers, document)

    async def embed(self, body: dict[str, Any]) -> EngineReply:
        """Pass a request for embeddings to llama.cpp, in a second process that starts with it."""
        served_name(body.get("model"), self.name, self.aliases)
        if body.get("dimensions") is not None:
            raise RequestError(
                400,
                f"The vectors of {self.name} have one length only: leave dimensions out.",
                param="dimensions",
            )
        if self._embedder is None:
            self._embedder = embedder = Embedded(self.path, self.limits, embeds=True)
            embedder._stopped = False
        upstream = await self._embedder.running()
        try:
            return await upstream.embed({**body, "model": self.name})
        except RequestError as error:
            if "too large to process" not in error.message:
                raise
            raise RequestError(
                400,
                f"An input is longer than {self._embedding_tokens} tokens: split it.",
                "input_too_long",
                param="input",
            ) from error

    @property
    def _embedding_tokens(self) -> int:
        return min(self.limits.context, EMBEDDING_TOKENS)

    def _prepared(self, request: ParsedRequest) -> ParsedRequest:
        served_name(request.model, self.name, self.aliases)
        if request.has_images:
            raise RequestError(
                400,
                f"{self.name} reads text only: leave images and other parts out.",
                "unsupported_content",
                param="messages",
            )
        body = dict(request.body)
        limit = body.pop("max_completion_tokens", None) or body.get("max_tokens")
        # llama.cpp's own count overflows; no completion is longer than the context.
        body["max_tokens"] = min(
            self.limits.max_tokens if limit is None else limit, self.limits.context
        )
        return evolve(request, model=self.name, body=body)

    async def running(self) -> Upstream:
        """The upstream, once the process runs; one that has died is started again.

        Raises:
            RequestError: 503; it died again a moment ago.
        """
        async with self._lock:
            process, upstream = self._process, self._upstream
            if process is not None and process.returncode is None and upstream is not None:
                return upstream
            if self._stopped:
                raise RequestError(503, "The server is shutting down.", "shutting_down")
            if self._failures and monotonic() - self._started_at > STABLE_AFTER:
                self._failures = 0
            wait = self._started_at - monotonic()
            if self._failures:
                wait += _RESTARTS.wait(self._failures, 0.0)
            if wait > 0:
                raise self._unavailable(wait)
            self._failures += 1
            await self._end()
            try:
                await self._launch()
            except ConfigurationError as error:
                raise self._unavailable(_RESTARTS.wait(self._failures, 0.0)) from error
            if self._upstream is None:
                raise AssertionError("unreachable: a launch sets the upstream or raises")
            return self._upstream

    def _unavailable(self, seconds: float) -> RequestError:
        return RequestError(
            503,
            f"The process of {self.name} ended; it is started again in {seconds:.0f} s."
            f"{self._said()}",
            "engine_restarting",
            headers={"retry-after": str(max(1, ceil(seconds)))},
        )

    async def _launch(self) -> None:
        """Start the process and wait for the address it writes.

        Raises:
            ConfigurationError: it cannot be started, or cannot load the model.
        """
        library = _library()
        key = Secret(secrets.token_urlsafe(32))
        self._output.clear()
        self._started_at = monotonic()
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            _PROGRAM,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=_environment(),
            cwd=sys.prefix,
            # Ctrl-C in a terminal goes to the whole group; the server decides for this one.
            start_new_session=True,
        )
        try:
            address = await self._configured(process, library, key)
        except BaseException:
            with CancelScope(shield=True):
                await self._end()
            raise
        self._upstream = upstream = Upstream(f"{address}/v1", key)
        await upstream.start(lambda _: None)

    async def _configured(self, process: Process, library: str, key: Secret) -> str:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("unreachable: all three are pipes")
        config = {
            "library": library,
            "model": str(self.path.absolute()),
            "name": self.name,
            "context": self.limits.context,
            "embeds": self.embeds,
            "embedding_tokens": self._embedding_tokens,
            "max_tokens": self.limits.max_tokens,
            "sampling": SMOLLM2_SAMPLING if self.path.name.startswith("SmolLM2") else {},
            # The key goes by a pipe: a command line can be read by everyone on the machine.
            "key": key.reveal(),
        }
        with suppress(OSError):  # a process that ended says why on its stderr
            process.stdin.write(json.dumps(config).encode() + b"\n")
            await process.stdin.drain()
        errors = asyncio.create_task(self._collect(process.stderr))
        self._tasks.append(errors)
        while line := await process.stdout.readline():
            text = line.decode("utf-8", "replace").strip()
            if _ADDRESS.fullmatch(text):
                self._tasks.append(asyncio.create_task(self._collect(process.stdout)))
                return text
            self._output.append(text)
        with suppress(TimeoutError), fail_after(1):
            await errors
        raise ConfigurationError(
            f"llama.cpp cannot load {self.path}.{self._said()} Check that the file is a complete "
            "GGUF model."
        )

    async def _collect(self, pipe: asyncio.StreamReader) -> None:
        """Keep the last lines of what the process writes, so that it never waits for a reader."""
        with suppress(ValueError):  # a line longer than the reader's limit
            while line := await pipe.readline():
                self._output.append(line.decode("utf-8", "replace").rstrip())
        while await pipe.read(2**16):
            pass

    def _said(self) -> str:
        lines = [line for line in self._output if line.strip()]
        if not lines:
            return ""
        return self.redact(f" Its last words: {' / '.join(lines[-3:])[:500].rstrip('.')}.")

    async def _end(self) -> None:
        """End the process; closing its input asks for that, and killing it makes sure."""
        upstream, self._upstream = self._upstream, None
        process, self._process = self._process, None
        if upstream is not None:
            await upstream.stop()
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            if upstream is None:
                _kill(process)  # it loads, and reads its input only afterwards
            try:
                with fail_after(STOP_TIMEOUT):
                    await process.wait()
            except TimeoutError:
                _kill(process)
                await process.wait()
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


def _library() -> str:
    """The folder that `xllamacpp` is in.

    Raises:
        ConfigurationError: it is not installed, or this program cannot run Python files.
    """
    if getattr(sys, "frozen", False) or not sys.executable:
        raise ConfigurationError(
            "A model runs in a Python process of its own, and this program was frozen into an "
            "executable, so it cannot start one: run 'autonomousai serve' from a Python "
            "environment, and pass its URL as base_url= or engine=."
        )
    spec = find_spec("xllamacpp")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            'Running a model here needs llama.cpp: pip install "autonomousai-sdk[local]"'
        )
    return str(Path(spec.origin).absolute().parent.parent)


def _environment() -> dict[str, str]:
    """The environment, without what would put the current folder on the process's path."""
    environment = dict(os.environ)
    here = Path.cwd()
    kept = [
        entry
        for entry in environment.pop("PYTHONPATH", "").split(os.pathsep)
        if entry and Path(entry).is_absolute() and Path(entry) != here
    ]
    if kept:
        environment["PYTHONPATH"] = os.pathsep.join(kept)
    environment.pop("PYTHONINSPECT", None)  # the process would wait for a person at its end
    return environment
