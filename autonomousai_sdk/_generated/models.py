# Written from spec/autonomousai.yaml by `python -m spec.generator`.
# Edit the spec and run that again; `--check` finds whatever is edited here.

"""The shapes of requests and answers.

Without slots: the decoder asks of every field that an answer leaves out whether it is set,
and an empty slot answers by raising an exception, which takes longer than reading a field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from attrs import field, frozen

from .._core.completion import CompletionAccessors


@frozen(kw_only=True, slots=False)
class ChatRequest:
    """A request for an answer, as it goes over the wire."""

    messages: str
    """The conversation: base64 (RFC 4648, section 4) of a JSON list of messages. Text that is
    no JSON list stands for one user message.
    """
    model: str = field(metadata={"wire": "aiAgent"})
    """The model: a name or an alias of the model table, or a name given to the client. Without
    one, the client's own.
    """
    thread_id: str = field(metadata={"wire": "threadId"})
    """The conversation's id. Without one, the model's name."""
    stream: bool
    """Whether to answer by an event stream."""
    user_id: str | None = field(default=None, metadata={"wire": "userId"})
    """The caller's id, a UUID."""
    use_tool: bool | None = field(default=None, metadata={"wire": "useTool"})
    """Whether the service may use tools; false wherever it was seen."""


@frozen(kw_only=True, slots=False)
class ImageURL:
    """Where an image is."""

    url: str
    """An `https:` URL, or a `data:` URL that holds the image itself."""
    detail: str | None = None
    """How closely to look, for engines that know the setting."""


@frozen(kw_only=True, slots=False)
class TextPart:
    """A piece of text in a message."""

    text: str
    """The text."""
    type: Literal["text"] = "text"
    """The kind of part."""


@frozen(kw_only=True, slots=False)
class ImagePart:
    """An image in a message."""

    image_url: ImageURL
    """Where an image is."""
    type: Literal["image_url"] = "image_url"
    """The kind of part."""


@frozen(kw_only=True, slots=False)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"] | str
    """Who speaks."""
    content: str | Sequence[TextPart | ImagePart]
    """The text, or parts of text and images."""


@frozen(kw_only=True, slots=False)
class Usage:
    """What the answer took, in tokens."""

    prompt_tokens: int = 0
    """Tokens of the conversation."""
    completion_tokens: int = 0
    """Tokens of the answer."""
    total_tokens: int = 0
    """Both together."""
    prompt_tokens_details: dict[str, Any] | None = None
    """More on the conversation's tokens, as the engine gives it."""
    completion_tokens_details: dict[str, Any] | None = None
    """More on the answer's tokens, as the engine gives it."""


@frozen(kw_only=True, slots=False)
class ChatMessage:
    """What the model said."""

    role: Literal["assistant"] | str | None = None
    """Who speaks; `assistant`, but for what nobody announced."""
    content: str | None = None
    """The text."""
    reasoning_content: str | None = None
    """The text of the model's reasoning, from engines that give it apart."""


@frozen(kw_only=True, slots=False)
class Choice:
    """One answer of a completion."""

    index: int = 0
    """Which answer this is, from 0."""
    message: ChatMessage
    """What the model said."""
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"] | str | None = None
    """Why the answer ended; null as long as it goes on."""
    logprobs: dict[str, Any] | None = None
    """Log probabilities of the tokens, as the engine gives them."""


@frozen(kw_only=True, slots=False)
class ChatCompletion(CompletionAccessors):
    """A whole answer."""

    id: str = ""
    """The answer's id."""
    choices: tuple[Choice, ...]
    """The answers; engines give more than one only if asked to."""
    created: int = 0
    """When the answer was made, in seconds since 1970."""
    model: str = ""
    """The engine's name for its model."""
    object: str = "chat.completion"
    """What this document is."""
    usage: Usage | None = None
    """What the answer took, in tokens."""
    system_fingerprint: str | None = None
    """The engine's configuration, as a fingerprint."""
    service_tier: str | None = None
    """The tier of service that made the answer."""
    timings: dict[str, Any] | None = None
    """How long the engine took; its own names and units."""


@frozen(kw_only=True, slots=False)
class ChoiceDelta:
    """A piece of a message."""

    role: Literal["assistant"] | str | None = None
    """Who speaks; `assistant`, but for what nobody announced."""
    content: str | None = None
    """The next piece of the text."""
    reasoning_content: str | None = None
    """The next piece of the reasoning, from engines that give it apart."""


@frozen(kw_only=True, slots=False)
class ChunkChoice:
    """What one answer gains by a chunk."""

    index: int = 0
    """Which answer this is, from 0."""
    delta: ChoiceDelta = field(factory=ChoiceDelta)
    """A piece of a message."""
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"] | str | None = None
    """Why the answer ended; null as long as it goes on."""
    logprobs: dict[str, Any] | None = None
    """Log probabilities of the tokens, as the engine gives them."""


@frozen(kw_only=True, slots=False)
class ChatCompletionChunk:
    """A piece of an answer, as it comes."""

    id: str = ""
    """The answer's id; the same in every chunk."""
    choices: tuple[ChunkChoice, ...]
    """What each answer gains; empty in a chunk that brings usage alone."""
    created: int = 0
    """When the answer was begun, in seconds since 1970."""
    model: str = ""
    """The engine's name for its model."""
    object: str = "chat.completion.chunk"
    """What this document is."""
    usage: Usage | None = None
    """What the answer took, in tokens."""
    system_fingerprint: str | None = None
    """The engine's configuration, as a fingerprint."""
    service_tier: str | None = None
    """The tier of service that makes the answer."""
    timings: dict[str, Any] | None = None
    """How long the engine took; its own names and units."""
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"] | str | None = None
    """Why the answer ended; null as long as it goes on."""
    error: dict[str, Any] | str | None = None
    """An error that ends the answer, from engines that put it beside the choices. The client
    raises it, so no chunk that it hands out has one.
    """
