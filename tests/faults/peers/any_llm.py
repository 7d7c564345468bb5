"""any-llm as a client under test."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from attrs import field, frozen

from tests.support.client_under_test import Errors, Options

from .adapter import KEY, PeerUnderTest, default_headers, only_basic, openai_arguments
from .openai import errors


@frozen
class AnyLLM(PeerUnderTest):
    """any-llm with the provider `openai`, whose errors it passes on by default."""

    errors: Errors = field(init=False, factory=errors)

    def make(self, url: str, options: Options) -> Any:
        """Create an `AnyLLM` client."""
        only_basic(options)
        any_llm: Any = import_module("any_llm")
        key = KEY if options.api_key is None else options.api_key
        arguments: dict[str, Any] = {
            "timeout": min(options.limits.values()),
            "default_headers": default_headers(options),
        }
        return any_llm.AnyLLM.create(
            "openai", api_key=key, api_base=url, max_retries=options.retries, **arguments
        )

    async def close(self, made: Any) -> None:
        """Do nothing: the client has no method for it."""

    def send(self, made: Any, prompt: str, stream: bool, options: dict[str, Any]) -> Any:
        """Call `completion` or `acompletion`."""
        call = made.completion if self.backend == "sync" else made.acompletion
        return call(**openai_arguments(prompt, stream, options))
