# Written from spec/autonomousai.yaml by `python -m spec.generator`.
# Edit the spec and run that again; `--check` finds whatever is edited here.

"""The operations: what each method's call is made of."""

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
from .models import ChatCompletion, ChatCompletionChunk, ChatMessage, Choice, ModelList

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
    result=ModelList,
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
            ),
            headers=(HeaderParameter(wire="accept", default="*/*"),),
            stream_body={"stream_options": {"include_usage": True}},
        ),
    },
    result=ChatCompletion,
    stream=StreamShape(
        switch="stream",
        chunk=ChatCompletionChunk,
        sentinel=b"[DONE]",
        accumulator=Accumulator(result=ChatCompletion, choice=Choice, message=ChatMessage),
    ),
)
