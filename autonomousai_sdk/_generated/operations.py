# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The operations: a description of each method's call."""

from __future__ import annotations

from .._core import check
from .._core.operation import (
    Accumulator,
    Argument,
    HeaderParameter,
    Operation,
    Route,
    StreamingOperation,
    StreamShape,
)
from . import models

MODELS_FETCH = Operation(
    name="models.fetch",
    routes={
        "openai": Route(
            method="GET",
            path="/models",
            arguments=(),
            headers=(HeaderParameter(wire="accept", default="*/*"),),
            has_body=False,
        ),
    },
    result=models.ModelList,
)

CHAT_CREATE = StreamingOperation(
    name="chat.create",
    routes={
        "autonomousai": Route(
            method="POST",
            path=None,
            arguments=(
                Argument(name="messages", wire="messages", kind="encoded_messages", required=True),
                Argument(name="model", wire="aiAgent", kind="model"),
                Argument(
                    name="thread_id", wire="threadId", check=check.String(), default_from="model"
                ),
                Argument(name="user_id", wire="userId", check=check.String()),
                Argument(name="use_tool", wire="useTool", check=check.Boolean()),
                Argument(
                    name="max_tokens",
                    wire="max_tokens",
                    check=check.Integer(minimum=1),
                    instead="max_completion_tokens",
                ),
                Argument(
                    name="temperature", wire="temperature", check=check.Number(minimum=0, maximum=2)
                ),
                Argument(name="top_p", wire="top_p", check=check.Number(minimum=0, maximum=1)),
                Argument(
                    name="stop",
                    wire="stop",
                    check=check.Union(
                        options=(
                            check.String(min_length=1),
                            check.Array(items=check.String(min_length=1), min_items=1),
                        )
                    ),
                ),
                Argument(
                    name="seed",
                    wire="seed",
                    check=check.Integer(minimum=-9223372036854775808, maximum=9223372036854775807),
                ),
                Argument(
                    name="frequency_penalty",
                    wire="frequency_penalty",
                    check=check.Number(minimum=-2, maximum=2),
                ),
                Argument(
                    name="presence_penalty",
                    wire="presence_penalty",
                    check=check.Number(minimum=-2, maximum=2),
                ),
                Argument(
                    name="response_format",
                    wire="response_format",
                    check=check.Map(values=check.ANYTHING),
                ),
                Argument(name="tools", wire="tools", kind="tools"),
                Argument(
                    name="tool_choice",
                    wire="tool_choice",
                    check=check.Union(
                        options=(
                            check.Enum(values=("none", "auto", "required")),
                            check.Map(values=check.ANYTHING),
                        )
                    ),
                ),
                Argument(
                    name="parallel_tool_calls", wire="parallel_tool_calls", check=check.Boolean()
                ),
                Argument(name="n", wire="n", check=check.Integer(minimum=1, maximum=128)),
                Argument(name="logprobs", wire="logprobs", check=check.Boolean()),
                Argument(
                    name="top_logprobs",
                    wire="top_logprobs",
                    check=check.Integer(minimum=0, maximum=20),
                ),
                Argument(
                    name="reasoning_effort",
                    wire="reasoning_effort",
                    check=check.Union(
                        options=(
                            check.Enum(values=("none", "minimal", "low", "medium", "high")),
                            check.String(min_length=1),
                        )
                    ),
                ),
            ),
            headers=(
                HeaderParameter(wire="accept", default="*/*"),
                HeaderParameter(wire="accept-language", default="en-US,en;q=0.9"),
                HeaderParameter(wire="country-code", default="US", option="country_code"),
                HeaderParameter(wire="origin", default="https://www.autonomous.ai"),
                HeaderParameter(wire="referer", default="https://www.autonomous.ai/"),
                HeaderParameter(wire="time-zone", default="America/New_York", option="time_zone"),
            ),
        ),
        "openai": Route(
            method="POST",
            path="/chat/completions",
            arguments=(
                Argument(name="messages", wire="messages", kind="messages", required=True),
                Argument(name="model", wire="model", kind="model_name", listed_by=MODELS_FETCH),
                Argument(
                    name="max_tokens",
                    wire="max_tokens",
                    check=check.Integer(minimum=1),
                    instead="max_completion_tokens",
                ),
                Argument(
                    name="temperature", wire="temperature", check=check.Number(minimum=0, maximum=2)
                ),
                Argument(name="top_p", wire="top_p", check=check.Number(minimum=0, maximum=1)),
                Argument(
                    name="stop",
                    wire="stop",
                    check=check.Union(
                        options=(
                            check.String(min_length=1),
                            check.Array(items=check.String(min_length=1), min_items=1),
                        )
                    ),
                ),
                Argument(
                    name="seed",
                    wire="seed",
                    check=check.Integer(minimum=-9223372036854775808, maximum=9223372036854775807),
                ),
                Argument(
                    name="frequency_penalty",
                    wire="frequency_penalty",
                    check=check.Number(minimum=-2, maximum=2),
                ),
                Argument(
                    name="presence_penalty",
                    wire="presence_penalty",
                    check=check.Number(minimum=-2, maximum=2),
                ),
                Argument(
                    name="response_format",
                    wire="response_format",
                    check=check.Map(values=check.ANYTHING),
                ),
                Argument(name="tools", wire="tools", kind="tools"),
                Argument(
                    name="tool_choice",
                    wire="tool_choice",
                    check=check.Union(
                        options=(
                            check.Enum(values=("none", "auto", "required")),
                            check.Map(values=check.ANYTHING),
                        )
                    ),
                ),
                Argument(
                    name="parallel_tool_calls", wire="parallel_tool_calls", check=check.Boolean()
                ),
                Argument(name="n", wire="n", check=check.Integer(minimum=1, maximum=128)),
                Argument(name="logprobs", wire="logprobs", check=check.Boolean()),
                Argument(
                    name="top_logprobs",
                    wire="top_logprobs",
                    check=check.Integer(minimum=0, maximum=20),
                ),
                Argument(
                    name="reasoning_effort",
                    wire="reasoning_effort",
                    check=check.Union(
                        options=(
                            check.Enum(values=("none", "minimal", "low", "medium", "high")),
                            check.String(min_length=1),
                        )
                    ),
                ),
            ),
            headers=(HeaderParameter(wire="accept", default="*/*"),),
            stream_body={"stream_options": {"include_usage": True}},
        ),
    },
    result=models.ChatCompletion,
    stream=StreamShape(
        switch="stream",
        chunk=models.ChatCompletionChunk,
        sentinel=b"[DONE]",
        accumulator=Accumulator(
            result=models.ChatCompletion, choice=models.Choice, message=models.ChatMessage
        ),
    ),
)

EMBEDDINGS_CREATE = Operation(
    name="embeddings.create",
    routes={
        "openai": Route(
            method="POST",
            path="/embeddings",
            arguments=(
                Argument(
                    name="input",
                    wire="input",
                    check=check.Union(
                        options=(
                            check.String(min_length=1),
                            check.Array(items=check.String(min_length=1), min_items=1),
                            check.Array(items=check.Integer(), min_items=1),
                            check.Array(
                                items=check.Array(items=check.Integer(), min_items=1), min_items=1
                            ),
                        )
                    ),
                    required=True,
                ),
                Argument(
                    name="model", wire="model", check=check.String(min_length=1), required=True
                ),
                Argument(
                    name="encoding_format",
                    wire="encoding_format",
                    check=check.Enum(values=("float", "base64")),
                ),
                Argument(name="dimensions", wire="dimensions", check=check.Integer(minimum=1)),
            ),
            headers=(HeaderParameter(wire="accept", default="*/*"),),
        ),
    },
    result=models.EmbeddingList,
)
