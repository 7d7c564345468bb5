"""Errors of a conversation that is too long: by how many tokens."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.overflow import ContextOverflow, context_overflow
from autonomousai_sdk.errors import BadRequestError

LLAMA_CPP = "request (2050 tokens) exceeds the available context size (2048 tokens), try increasing"
OPENAI = (
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 "
    "tokens."
)
VLLM = "This model's maximum context length is 4096 tokens. However, you requested 4100 tokens"
ANTHROPIC = "prompt is too long: 200251 tokens > 200000 maximum"
FIELDS = {"error": {"code": 400, "message": "too long", "n_prompt_tokens": 2050, "n_ctx": 2048}}


@pytest.mark.parametrize(
    ("message", "body", "needed", "limit"),
    [
        (LLAMA_CPP, None, 2050, 2048),
        (OPENAI, None, 9000, 8192),
        (VLLM, None, 4100, 4096),
        (ANTHROPIC, None, 200251, 200000),
        ("too long", FIELDS, 2050, 2048),
        ("too long", FIELDS["error"], 2050, 2048),
    ],
)
def test_an_overflow_is_read_from_the_error(
    message: str, body: Any, needed: int, limit: int
) -> None:
    """Engines say it in fields or in prose, each in its own way."""
    error = BadRequestError(message, status=400, body=body)
    assert context_overflow(error) == ContextOverflow(needed, limit)


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("no such model", None),
        ("no such model", {"error": "no such model"}),
        ("no such model", {"error": {"n_ctx": 2048}}),
        ("strange", {"n_prompt_tokens": 5, "n_ctx": 2048}),
        ("strange", {"n_prompt_tokens": "5", "n_ctx": 4}),
    ],
)
def test_another_error_is_not_an_overflow(message: str, body: Any) -> None:
    """An error that does not say so, or whose numbers do not exceed the limit, is left alone."""
    assert context_overflow(BadRequestError(message, status=400, body=body)) is None


def test_an_overflow_says_by_how_much() -> None:
    """The text has both numbers and their difference."""
    assert str(ContextOverflow(2050, 2048)) == (
        "The conversation has 2050 tokens, 2 more than the model's context of 2048"
    )
