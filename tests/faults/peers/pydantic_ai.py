"""pydantic-ai as a client under test, for the comparison in `docs/` alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from attrs import field, frozen

from tests.support.client_under_test import Errors, Options

from .adapter import KEY, PeerUnderTest, default_headers, only_basic


def _errors() -> Errors:
    errors: Any = import_module("pydantic_ai.exceptions")
    return Errors(
        base=errors.AgentRunError,
        interrupted=(errors.AgentRunError,),
        stream_decode_error=errors.AgentRunError,
        status=errors.AgentRunError,
        response=errors.AgentRunError,
        connection=errors.ModelAPIError,
        timeout=errors.ModelTimeoutError,
        configuration=errors.UserError,
    )


@frozen
class PydanticAI(PeerUnderTest):
    """pydantic-ai with its OpenAI model."""

    errors: Errors = field(init=False, factory=_errors)

    def make(self, url: str, options: Options) -> Any:
        """Create an `Agent`."""
        only_basic(options)
        pydantic_ai: Any = import_module("pydantic_ai")
        models: Any = import_module("pydantic_ai.models.openai")
        providers: Any = import_module("pydantic_ai.providers.openai")
        key = KEY if options.api_key is None else options.api_key
        provider = providers.OpenAIProvider(base_url=url, api_key=key)
        settings = {
            "timeout": min(options.limits.values()),
            "extra_headers": dict(default_headers(options)),
        }
        return pydantic_ai.Agent(
            models.OpenAIChatModel("llama", provider=provider), model_settings=settings
        )

    async def close(self, made: Any) -> None:
        """Do nothing: an agent has no method for it."""

    def send(self, made: Any, prompt: str, stream: bool, options: dict[str, Any]) -> Any:
        """Call `run` or `run_stream`."""
        settings = {"extra_headers": options["headers"]} if "headers" in options else {}
        if stream:
            return _texts(made, prompt, settings)
        return made.run(prompt, model_settings=settings)

    def text(self, chunk: Any) -> str:
        """Return the chunk, which is a text."""
        return str(chunk)

    def answer(self, completion: Any) -> str:
        """Return the text of a result."""
        return str(completion.output)


async def _texts(agent: Any, prompt: str, settings: dict[str, Any]) -> AsyncIterator[str]:
    async with agent.run_stream(prompt, model_settings=settings) as result:
        async for text in result.stream_text(delta=True, debounce_by=None):
            yield text
