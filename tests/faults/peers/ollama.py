"""ollama-python as a client under test."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from attrs import field, frozen

from tests.support.case import named
from tests.support.client_under_test import Errors, Options

from .adapter import OTHER_WIRE, PeerUnderTest, default_headers

NOT_SSE = [
    "T1",
    "S16-comment-lines",
    "S3-before-blank-line",
    "S3-in-a-character",
    "S5-after-events",
    "S5-at-once",
    "S8-json",
]
"""Cases of server-sent events and of codes of errors: ollama's wire is lines of JSON, and an error
is a text."""

NO_OPTIONS_PER_CALL = [
    "T4",
    "T5",
    "R5-line-feed",
    "R5-carriage-return",
    "R5-nul",
    "R5-name",
    "P2-while-connecting",
]
"""Cases that set headers or a limit for one call."""


def _errors() -> Errors:
    ollama: Any = import_module("ollama")
    httpx: Any = import_module("httpx")
    return Errors(
        base=ollama.ResponseError,
        interrupted=(ollama.ResponseError,),
        stream_decode_error=ollama.ResponseError,
        status=ollama.ResponseError,
        response=ollama.ResponseError,
        connection=ConnectionError,
        timeout=httpx.TimeoutException,  # ollama has no error for it
        configuration=ValueError,
    )


@frozen
class Ollama(PeerUnderTest):
    """ollama-python."""

    errors: Errors = field(init=False, factory=_errors)
    excluded: tuple[str, ...] = field(
        init=False, default=(*OTHER_WIRE, *NOT_SSE, *NO_OPTIONS_PER_CALL)
    )
    endpoint: str = field(init=False, default="/api/chat")

    def make(self, url: str, options: Options) -> Any:
        """Create a `Client` or `AsyncClient`; a key is a header, for lack of an argument."""
        ollama: Any = import_module("ollama")
        arguments: dict[str, Any] = {"timeout": min(options.limits.values()), **options.route}
        headers = dict(default_headers(options))
        if options.api_key is not None:
            headers["authorization"] = f"Bearer {options.api_key}"
        if options.connections is not None:
            httpx: Any = import_module("httpx")
            arguments["limits"] = httpx.Limits(max_connections=options.connections)
        cls = ollama.Client if self.backend == "sync" else ollama.AsyncClient
        return cls(host=url, headers=headers, **arguments)

    def send(self, made: Any, prompt: str, stream: bool, options: dict[str, Any]) -> Any:
        """Call `chat`."""
        messages = [{"role": "user", "content": prompt}]
        return made.chat(**{"model": "llama", "messages": messages, "stream": stream, **options})

    def text(self, chunk: Any) -> str:
        """Return the text of a chunk; its type's name if it is not a chunk."""
        if not hasattr(chunk, "message"):
            return f"<{named(chunk)}>"
        return chunk.message.content or ""

    def answer(self, completion: Any) -> str:
        """Return the text of an answer; empty if it is not an answer."""
        return getattr(getattr(completion, "message", None), "content", None) or ""
