"""anthropic-sdk-python as a client under test."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from attrs import field, frozen

from tests.support.case import named
from tests.support.client_under_test import Errors, Options

from .adapter import OTHER_WIRE, PeerUnderTest, openai_arguments, stainless


def _errors() -> Errors:
    anthropic: Any = import_module("anthropic")
    return Errors(
        base=anthropic.AnthropicError,
        interrupted=(anthropic.AnthropicError,),
        stream_decode_error=anthropic.AnthropicError,
        status=anthropic.APIError,
        response=anthropic.AnthropicError,
        connection=anthropic.APIConnectionError,
        timeout=anthropic.APITimeoutError,
        configuration=ValueError,
    )


@frozen
class Anthropic(PeerUnderTest):
    """anthropic-sdk-python, whose key is not in the header that `K8-user-in-url` looks at."""

    errors: Errors = field(init=False, factory=_errors)
    excluded: tuple[str, ...] = field(init=False, default=(*OTHER_WIRE, "K8-user-in-url"))
    endpoint: str = field(init=False, default="/v1/messages")

    def make(self, url: str, options: Options) -> Any:
        """Create an `Anthropic` or `AsyncAnthropic` client."""
        anthropic: Any = import_module("anthropic")
        blocking = self.backend == "sync"
        arguments = stainless("anthropic", blocking, url, options)
        return (anthropic.Anthropic if blocking else anthropic.AsyncAnthropic)(**arguments)

    def send(self, made: Any, prompt: str, stream: bool, options: dict[str, Any]) -> Any:
        """Call `messages.create`."""
        arguments = openai_arguments(prompt, stream, options)
        return made.messages.create(max_tokens=16, **arguments)

    def text(self, chunk: Any) -> str:
        """Return the text of an event; its type's name if it is not an event."""
        if not hasattr(chunk, "type"):
            return f"<{named(chunk)}>"
        return getattr(getattr(chunk, "delta", None), "text", "") or ""

    def answer(self, completion: Any) -> str:
        """Return the text of a message; empty if it is not a message."""
        try:
            return completion.content[0].text or ""
        except (AttributeError, IndexError, TypeError):
            return ""

    def code(self, error: BaseException) -> str | None:
        """Return the error's type, which is the code on this wire."""
        body: Any = getattr(error, "body", None)
        try:
            kind: str = body["error"]["type"]
        except (TypeError, LookupError):
            return None
        return kind
