# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The types of arguments: mappings that stand for objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

from . import models


class ImageURLParam(TypedDict):
    """Where an image is. As a mapping."""

    url: str
    """An `https:` URL, or a `data:` URL that holds the image itself."""
    detail: NotRequired[str]
    """How closely to look, for engines that know the setting."""


class TextPartParam(TypedDict):
    """A piece of text in a message. As a mapping."""

    text: str
    """The text."""
    type: Literal["text"]
    """The kind of part."""


class ImagePartParam(TypedDict):
    """An image in a message. As a mapping."""

    image_url: models.ImageURL | ImageURLParam
    """Where an image is."""
    type: Literal["image_url"]
    """The kind of part."""


class MessageParam(TypedDict):
    """One message of a conversation. As a mapping."""

    role: Literal["system", "user", "assistant", "tool"] | str
    """The author's role."""
    content: NotRequired[
        str | Sequence[models.TextPart | TextPartParam | models.ImagePart | ImagePartParam] | None
    ]
    """The text, or parts of text and images. Null beside tool calls."""
    name: NotRequired[str | None]
    """The author's name, to tell apart several authors of one role."""
    tool_call_id: NotRequired[str | None]
    """The id of the tool call that this message answers, in the role `tool`."""
    tool_calls: NotRequired[Sequence[models.ToolCall | ToolCallParam] | None]
    """The calls of tools that the model asked for."""
    refusal: NotRequired[str | None]
    """Why the model refused to answer."""
    reasoning_content: NotRequired[str | None]
    """The model's reasoning, under one of its two names on the wire."""
    reasoning: NotRequired[str | None]
    """The model's reasoning, under the other name."""
    function_call: NotRequired[models.FunctionCall | FunctionCallParam | None]
    """The function that the model called, from engines that predate tool calls."""


class FunctionCallParam(TypedDict):
    """The function that a tool call names, with its arguments. As a mapping."""

    name: NotRequired[str]
    """The function's name."""
    arguments: NotRequired[str]
    """The arguments as JSON text, exactly as the model wrote them."""


class ToolCallParam(TypedDict):
    """A call of a tool that the model asks for. As a mapping."""

    id: NotRequired[str]
    """The call's id, which the tool's result refers to."""
    type: NotRequired[str]
    """The kind of tool."""
    function: NotRequired[models.FunctionCall | FunctionCallParam]
    """The function that a tool call names, with its arguments."""


Messages = str | Sequence[models.Message | MessageParam | models.ChatMessage | Mapping[str, object]]
"""A conversation: one user message as a string, or a sequence of messages.

`MessageParam` is for dict literals, `Mapping[str, object]` for dicts in
variables, whose inferred type has no keys.

Type checkers accept a wrong key in a dict literal, which is also a
`Mapping[str, object]`: annotate the dict as `MessageParam` to have its keys checked.
"""


ModelName = Literal[
    "llama",
    "llama-3.3-70b",
    "qwen_coder",
    "qwen-2.5-coder-32b",
    "hermes",
    "hermes-3",
    "vision",
    "llama-3.2-90b",
    "summary",
    "llama-3.2-70b",
]
"""The names and aliases of the models in the spec, for completion in editors."""
