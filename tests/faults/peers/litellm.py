"""litellm as a client under test."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from attrs import field, frozen

from tests.support.client_under_test import Errors, Options

from .adapter import KEY, PeerUnderTest, default_headers, only_basic, openai_arguments
from .openai import errors


@frozen
class LiteLLM(PeerUnderTest):
    """litellm, whose calls are functions: it has no client to look into or to drop."""

    errors: Errors = field(init=False, factory=errors)
    excluded: tuple[str, ...] = field(init=False, default=("K3-client", "P4"))

    def make(self, url: str, options: Options) -> Any:
        """Return the arguments that the calls share."""
        only_basic(options)
        arguments: dict[str, Any] = {
            "api_base": url,
            "api_key": KEY if options.api_key is None else options.api_key,
            "timeout": min(options.limits.values()),
            "extra_headers": dict(default_headers(options)),
        }
        if options.retries is not None:
            arguments["max_retries"] = options.retries
        return arguments

    async def close(self, made: Any) -> None:
        """Do nothing: litellm keeps its connections for the life of the process."""

    def send(self, made: Any, prompt: str, stream: bool, options: dict[str, Any]) -> Any:
        """Call `completion` or `acompletion`."""
        litellm: Any = import_module("litellm")
        call = litellm.completion if self.backend == "sync" else litellm.acompletion
        arguments = made | openai_arguments(prompt, stream, options)
        return call(**arguments | {"model": f"openai/{arguments['model']}"})
