# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The classes of requests and responses.

They have no slots: the decoder checks each field that a response leaves out, and an empty slot
raises an exception, which takes longer than reading an attribute of the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from attrs import field, frozen

from .._core.completion import ChunkAccessors, CompletionAccessors, ToolCallAccessors
from .._core.embedding import EmbeddingAccessors, EmbeddingListAccessors
from .._core.extra import ExtraFields
from .._core.fields import class_defaults
from .._core.served_model import ServedModels


@class_defaults
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
    max_tokens: int | None = None
    """The most tokens that the model may generate."""
    temperature: float | None = None
    """How random the answer is; 0 is the most likely answer."""
    top_p: float | None = None
    """Choose from the most likely tokens that have this probability together."""
    stop: str | tuple[str, ...] | None = None
    """One or several texts at which the answer ends; it does not include them."""
    seed: int | None = None
    """Makes the answer repeatable, as far as the engine supports it."""
    frequency_penalty: float | None = None
    """How much to avoid tokens by how often they occurred."""
    presence_penalty: float | None = None
    """How much to avoid tokens that occurred at all."""
    response_format: dict[str, Any] | None = None
    """The form of the answer: `{"type": "json_object"}`, or `{"type": "json_schema",
    "json_schema": {"name": …, "schema": …}}`.
    """
    tools: tuple[dict[str, Any], ...] | None = None
    """The functions that the model may call: Python functions, or definitions as mappings."""
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    """Whether the model calls tools, or the definition of the one that it calls."""
    parallel_tool_calls: bool | None = None
    """Whether the model may call several tools at once."""
    n: int | None = None
    """How many answers to generate; each is one of the choices."""
    logprobs: bool | None = None
    """Whether to return the log probabilities of the tokens."""
    top_logprobs: int | None = None
    """How many alternatives to return for each token; needs `logprobs`."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | str | None = None
    """How much the model reasons before it answers."""


@class_defaults
@frozen(kw_only=True, slots=False)
class TextPart:
    """A piece of text in a message."""

    text: str
    """The text."""
    type: Literal["text"] = "text"
    """The kind of part."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ImageURL:
    """Where an image is."""

    url: str
    """An `https:` URL, or a `data:` URL that holds the image itself."""
    detail: str | None = None
    """How closely to look, for engines that know the setting."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ImagePart:
    """An image in a message."""

    image_url: ImageURL
    """Where an image is."""
    type: Literal["image_url"] = "image_url"
    """The kind of part."""


@class_defaults
@frozen(kw_only=True, slots=False)
class FunctionCall(ExtraFields):
    """The function that a tool call names, with its arguments."""

    name: str = ""
    """The function's name."""
    arguments: str = field(default="", metadata={"json": True})
    """The arguments as JSON text, exactly as the model wrote them."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ToolCall(ToolCallAccessors, ExtraFields):
    """A call of a tool that the model asks for."""

    id: str = field(default="", metadata={"lenient": True})
    """The call's id, which the tool's result refers to."""
    type: str = field(default="function", metadata={"lenient": True})
    """The kind of tool."""
    function: FunctionCall = field(
        factory=FunctionCall, metadata={"also": {"name": "name", "arguments": "arguments"}}
    )
    """The function that a tool call names, with its arguments."""


@class_defaults
@frozen(kw_only=True, slots=False)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"] | str
    """The author's role."""
    content: str | Sequence[TextPart | ImagePart] | None = None
    """The text, or parts of text and images. Null beside tool calls."""
    name: str | None = None
    """The author's name, to tell apart several authors of one role."""
    tool_call_id: str | None = None
    """The id of the tool call that this message answers, in the role `tool`."""
    tool_calls: Sequence[ToolCall] | None = None
    """The calls of tools that the model asked for."""
    refusal: str | None = None
    """Why the model refused to answer."""
    reasoning_content: str | None = None
    """The model's reasoning, under one of its two names on the wire."""
    reasoning: str | None = None
    """The model's reasoning, under the other name."""
    function_call: FunctionCall | None = None
    """The function that the model called, from engines that predate tool calls."""


@class_defaults
@frozen(kw_only=True, slots=False)
class StreamOptions:
    """What a stream contains besides the answer."""

    include_usage: bool | None = None
    """Whether the last chunk has the usage."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ChatCompletionRequest:
    """A request for an answer, in the OpenAI-compatible protocol."""

    messages: tuple[Message, ...]
    """The conversation."""
    model: str
    """The model's name. Without one, the client's own."""
    max_tokens: int | None = None
    """The most tokens that the model may generate."""
    temperature: float | None = None
    """How random the answer is; 0 is the most likely answer."""
    top_p: float | None = None
    """Choose from the most likely tokens that have this probability together."""
    stop: str | tuple[str, ...] | None = None
    """One or several texts at which the answer ends; it does not include them."""
    seed: int | None = None
    """Makes the answer repeatable, as far as the engine supports it."""
    frequency_penalty: float | None = None
    """How much to avoid tokens by how often they occurred."""
    presence_penalty: float | None = None
    """How much to avoid tokens that occurred at all."""
    response_format: dict[str, Any] | None = None
    """The form of the answer: `{"type": "json_object"}`, or `{"type": "json_schema",
    "json_schema": {"name": …, "schema": …}}`.
    """
    tools: tuple[dict[str, Any], ...] | None = None
    """The functions that the model may call: Python functions, or definitions as mappings."""
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    """Whether the model calls tools, or the definition of the one that it calls."""
    parallel_tool_calls: bool | None = None
    """Whether the model may call several tools at once."""
    n: int | None = None
    """How many answers to generate; each is one of the choices."""
    logprobs: bool | None = None
    """Whether to return the log probabilities of the tokens."""
    top_logprobs: int | None = None
    """How many alternatives to return for each token; needs `logprobs`."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | str | None = None
    """How much the model reasons before it answers."""
    stream: bool
    """Whether to answer by an event stream."""
    stream_options: StreamOptions | None = None
    """What a stream contains besides the answer."""


@class_defaults
@frozen(kw_only=True, slots=False)
class EmbeddingRequest:
    """A request for vectors."""

    input: str | tuple[str, ...] | tuple[int, ...] | tuple[tuple[int, ...], ...]
    """A text, several texts, or tokens."""
    model: str
    """The model's name."""
    encoding_format: Literal["float", "base64"] | None = None
    """How the server encodes the numbers; `vector` has them decoded."""
    dimensions: int | None = None
    """How many numbers a vector has, for models that support several sizes."""


@class_defaults
@frozen(kw_only=True, slots=False)
class Embedding(EmbeddingAccessors, ExtraFields):
    """The vector of one input."""

    object: str = "embedding"
    """The type of the document."""
    index: int = 0
    """The position of the input, from 0."""
    embedding: tuple[float, ...] | str
    """The numbers, or base64 of them; `vector` has them in either case."""


@class_defaults
@frozen(kw_only=True, slots=False)
class Usage(ExtraFields):
    """Token counts of the call. A count is null where the engine sent none, never 0."""

    prompt_tokens: int | None = field(default=None, metadata={"lenient": True})
    """Tokens of the conversation."""
    completion_tokens: int | None = field(default=None, metadata={"lenient": True})
    """Tokens of the answer."""
    total_tokens: int | None = field(default=None, metadata={"lenient": True})
    """Tokens of both together."""
    prompt_tokens_details: dict[str, Any] | None = field(default=None, metadata={"lenient": True})
    """Details of the conversation's tokens, in the engine's own terms."""
    completion_tokens_details: dict[str, Any] | None = field(
        default=None, metadata={"lenient": True}
    )
    """Details of the answer's tokens, in the engine's own terms."""


@class_defaults
@frozen(kw_only=True, slots=False)
class EmbeddingList(EmbeddingListAccessors, ExtraFields):
    """The vectors of all inputs."""

    object: str = "list"
    """The type of the document."""
    data: tuple[Embedding, ...]
    """The vectors; `vectors` has them in the order of the inputs."""
    model: str = ""
    """The engine's name for its model."""
    usage: Usage | None = field(default=None, metadata={"lenient": True})
    """Token counts of the call. A count is null where the engine sent none, never 0."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ModelList(ServedModels, ExtraFields):
    """The models that a server lists."""

    object: str = "list"
    """The type of the document."""
    data: tuple[dict[str, Any], ...] | None = None
    """The list in OpenAI's form; iterate the object itself for either form."""
    models: tuple[dict[str, Any], ...] | None = None
    """The list in AutonomousAI's form; iterate the object itself for either form."""
    default_model: str | None = None
    """The model that the server uses by default, if it says so."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ChatMessage(ExtraFields):
    """A message that the model wrote."""

    role: Literal["assistant"] | str = field(
        default="assistant", metadata={"nulls": [""], "lenient": True}
    )
    """The author's role, which is `assistant` unless the engine says otherwise."""
    content: str | None = field(
        default=None,
        metadata={
            "parts": {
                "text": "content",
                "thinking": "reasoning_content",
                "reasoning": "reasoning_content",
                "refusal": "refusal",
            }
        },
    )
    """The text."""
    refusal: str | None = field(
        default=None, metadata={"lenient": True, "parts": {"text": "refusal", "refusal": "refusal"}}
    )
    """Why the model refused to answer, from engines that send it apart."""
    reasoning_content: str | None = field(
        default=None,
        metadata={
            "lenient": True,
            "parts": {
                "text": "reasoning_content",
                "content": "reasoning_content",
                "thinking": "reasoning_content",
                "reasoning": "reasoning_content",
            },
        },
    )
    """The reasoning under one of its two names on the wire; use `reasoning`."""
    reasoning: str | None = field(
        default=None,
        metadata={
            "lenient": True,
            "parts": {
                "text": "reasoning",
                "content": "reasoning",
                "thinking": "reasoning",
                "reasoning": "reasoning",
            },
            "fallback": "reasoning_content",
        },
    )
    """The text of the model's reasoning, from engines that send it apart."""
    tool_calls: tuple[ToolCall, ...] | None = None
    """The calls of tools that the model asks for."""
    function_call: FunctionCall | None = None
    """The function to call, from engines that predate tool calls."""


@class_defaults
@frozen(kw_only=True, slots=False)
class Choice(ExtraFields):
    """One answer of a completion."""

    index: int = field(default=0, metadata={"position": True})
    """The answer's number, from 0."""
    message: ChatMessage = field(metadata={"also": {"delta": "", "text": "content"}})
    """A message that the model wrote."""
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"] | str | None = field(
        default=None, metadata={"nulls": ["", "null", "None", "NULL", "undefined"]}
    )
    """Why the answer ended; null until it has."""
    logprobs: dict[str, Any] | None = field(default=None, metadata={"lenient": True})
    """Log probabilities of the tokens, in the engine's own terms."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ChatCompletion(CompletionAccessors, ExtraFields):
    """A whole answer."""

    id: str = field(default="", metadata={"lenient": True})
    """The answer's id."""
    choices: tuple[Choice, ...]
    """The answers; engines send more than one only if asked to."""
    created: int = field(default=0, metadata={"lenient": True})
    """When the answer was made, in seconds since 1970."""
    model: str = field(default="", metadata={"lenient": True})
    """The engine's name for its model."""
    object: str = field(default="chat.completion", metadata={"lenient": True})
    """The kind of document."""
    usage: Usage | None = field(default=None, metadata={"lenient": True})
    """Token counts of the call. A count is null where the engine sent none, never 0."""
    system_fingerprint: str | None = field(default=None, metadata={"lenient": True})
    """A fingerprint of the engine's configuration."""
    service_tier: str | None = field(default=None, metadata={"lenient": True})
    """The tier of service that made the answer."""
    timings: dict[str, Any] | None = field(default=None, metadata={"lenient": True})
    """How long the engine took, in its own names and units."""


@class_defaults
@frozen(kw_only=True, slots=False)
class FunctionCallDelta(ExtraFields):
    """A piece of a function call."""

    name: str | None = field(default=None, metadata={"repeats": True})
    """The function's name, whole or the next piece of it."""
    arguments: str | None = field(default=None, metadata={"concatenate": True, "json": True})
    """The next piece of the arguments' JSON text."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ToolCallDelta(ExtraFields):
    """A piece of a tool call."""

    index: int | None = None
    """The call's number within the message, from engines that send one."""
    id: str | None = field(default=None, metadata={"lenient": True})
    """The call's id."""
    type: str | None = field(default=None, metadata={"lenient": True})
    """The kind of tool."""
    function: FunctionCallDelta | None = field(
        default=None, metadata={"also": {"name": "name", "arguments": "arguments"}}
    )
    """A piece of a function call."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ChoiceDelta(ExtraFields):
    """A piece of a message."""

    role: Literal["assistant"] | str | None = field(
        default=None, metadata={"nulls": [""], "lenient": True}
    )
    """The author's role, which is `assistant` unless the engine says otherwise."""
    content: str | None = field(
        default=None,
        metadata={
            "concatenate": True,
            "parts": {
                "text": "content",
                "thinking": "reasoning_content",
                "reasoning": "reasoning_content",
                "refusal": "refusal",
            },
        },
    )
    """The next piece of the text."""
    refusal: str | None = field(
        default=None,
        metadata={
            "concatenate": True,
            "lenient": True,
            "parts": {"text": "refusal", "refusal": "refusal"},
        },
    )
    """The next piece of a refusal, from engines that send it apart."""
    reasoning_content: str | None = field(
        default=None,
        metadata={
            "concatenate": True,
            "lenient": True,
            "parts": {
                "text": "reasoning_content",
                "content": "reasoning_content",
                "thinking": "reasoning_content",
                "reasoning": "reasoning_content",
            },
        },
    )
    """The reasoning under one of its two names on the wire; use `reasoning`."""
    reasoning: str | None = field(
        default=None,
        metadata={
            "concatenate": True,
            "lenient": True,
            "parts": {
                "text": "reasoning",
                "content": "reasoning",
                "thinking": "reasoning",
                "reasoning": "reasoning",
            },
            "fallback": "reasoning_content",
        },
    )
    """The next piece of the reasoning, from engines that send it apart."""
    tool_calls: tuple[ToolCallDelta, ...] | None = field(
        default=None, metadata={"concatenate": True}
    )
    """Pieces of tool calls."""
    function_call: FunctionCallDelta | None = field(default=None, metadata={"concatenate": True})
    """A piece of a function call."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ChunkChoice(ExtraFields):
    """What a chunk adds to one answer."""

    index: int = field(default=0, metadata={"position": True})
    """The answer's number, from 0."""
    delta: ChoiceDelta = field(
        factory=ChoiceDelta, metadata={"also": {"message": "", "text": "content"}}
    )
    """A piece of a message."""
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"] | str | None = field(
        default=None, metadata={"nulls": ["", "null", "None", "NULL", "undefined"]}
    )
    """Why the answer ended; null until it has."""
    logprobs: dict[str, Any] | None = field(default=None, metadata={"lenient": True})
    """Log probabilities of the tokens, in the engine's own terms."""
    error: None = None
    """Always None: the client raises an error that an engine puts here."""


@class_defaults
@frozen(kw_only=True, slots=False)
class ChatCompletionChunk(ChunkAccessors, ExtraFields):
    """A piece of an answer."""

    id: str = field(default="", metadata={"lenient": True})
    """The answer's id; the same in every chunk."""
    choices: tuple[ChunkChoice, ...] = ()
    """What the chunk adds to each answer; empty in a chunk that brings usage only."""
    created: int = field(default=0, metadata={"lenient": True})
    """When the answer was begun, in seconds since 1970."""
    model: str = field(default="", metadata={"lenient": True})
    """The engine's name for its model."""
    object: str = field(default="chat.completion.chunk", metadata={"lenient": True})
    """The kind of document."""
    usage: Usage | None = field(default=None, metadata={"lenient": True})
    """Token counts of the call. A count is null where the engine sent none, never 0."""
    system_fingerprint: str | None = field(default=None, metadata={"lenient": True})
    """A fingerprint of the engine's configuration."""
    service_tier: str | None = field(default=None, metadata={"lenient": True})
    """The tier of service that makes the answer."""
    timings: dict[str, Any] | None = field(default=None, metadata={"lenient": True})
    """How long the engine took, in its own names and units."""
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"] | str | None = field(
        default=None, metadata={"nulls": ["", "null", "None", "NULL", "undefined"]}
    )
    """Why the answer ended; null until it has."""
    error: None = None
    """Always None: the client raises an error that an engine puts here."""
