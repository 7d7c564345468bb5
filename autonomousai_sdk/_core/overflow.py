"""Errors of a conversation that is too long for the model: by how many tokens, in words.

Engines say it in fields or in prose; nothing else in an error's body is read here.
"""

from __future__ import annotations

import re

from attrs import frozen

from ..errors import APIStatusError
from .codec import is_object

_NEEDED = ("n_prompt_tokens", "prompt_tokens", "num_prompt_tokens")
_LIMIT = ("n_ctx", "max_context_length", "context_length")
_PROSE = (
    # llama.cpp; Ollama
    re.compile(r"\((?P<needed>\d+) tokens?\) exceeds the available context size \((?P<limit>\d+)"),
    # OpenAI, vLLM
    re.compile(
        r"maximum context length is (?P<limit>\d+) tokens?.*?"
        r"(?:resulted in|requested|has|contains) (?P<needed>\d+)",
        re.DOTALL,
    ),
    # Anthropic
    re.compile(r"prompt is too long: (?P<needed>\d+) tokens? > (?P<limit>\d+)"),
)


@frozen
class ContextOverflow:
    """How long a conversation is, and how long it may be, in tokens."""

    needed: int
    limit: int

    def __str__(self) -> str:
        return (
            f"The conversation has {self.needed} tokens, {self.needed - self.limit} more than the "
            f"model's context of {self.limit}"
        )


def context_overflow(error: APIStatusError) -> ContextOverflow | None:
    """What an error says of the context, or None if it is another error."""
    found = _in_fields(error.body)
    if found is None:
        for pattern in _PROSE:
            match = pattern.search(error.message)
            if match is not None:
                found = ContextOverflow(int(match["needed"]), int(match["limit"]))
                break
    return found if found is not None and found.needed > found.limit else None


def _in_fields(body: object) -> ContextOverflow | None:
    if not is_object(body):
        return None
    inner = body.get("error")
    fields = inner if is_object(inner) else body
    needed = next((fields[name] for name in _NEEDED if type(fields.get(name)) is int), None)
    limit = next((fields[name] for name in _LIMIT if type(fields.get(name)) is int), None)
    return None if needed is None or limit is None else ContextOverflow(needed, limit)
