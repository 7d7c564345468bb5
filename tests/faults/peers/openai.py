"""openai-python as a client under test."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from attrs import field, frozen

from tests.support.client_under_test import Errors, Options

from .adapter import PeerUnderTest, openai_arguments, stainless


def errors() -> Errors:
    """Return the errors of openai-python, which litellm and any-llm raise as well."""
    openai: Any = import_module("openai")
    return Errors(
        base=openai.OpenAIError,
        interrupted=(openai.OpenAIError,),
        stream_decode_error=openai.OpenAIError,
        status=openai.APIError,
        response=openai.OpenAIError,
        connection=openai.APIConnectionError,
        timeout=openai.APITimeoutError,
        configuration=ValueError,
    )


@frozen
class OpenAI(PeerUnderTest):
    """openai-python."""

    errors: Errors = field(init=False, factory=errors)

    def make(self, url: str, options: Options) -> Any:
        """Create an `OpenAI` or `AsyncOpenAI` client."""
        openai: Any = import_module("openai")
        blocking = self.backend == "sync"
        arguments = stainless("openai", blocking, url, options)
        return (openai.OpenAI if blocking else openai.AsyncOpenAI)(**arguments)

    def send(self, made: Any, prompt: str, stream: bool, options: dict[str, Any]) -> Any:
        """Call `chat.completions.create`."""
        return made.chat.completions.create(**openai_arguments(prompt, stream, options))
