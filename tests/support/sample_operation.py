"""A small chat operation, written by hand in the form that the generator writes.

It keeps the tests of the core independent of the generated code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from autonomousai_sdk._core.catalog import Catalog, Model
from autonomousai_sdk._core.check import Boolean, Integer, Number, String
from autonomousai_sdk._core.completion import (
    ChunkAccessors,
    CompletionAccessors,
    ToolCallAccessors,
)
from autonomousai_sdk._core.extra import ExtraFields
from autonomousai_sdk._core.fields import class_defaults
from autonomousai_sdk._core.operation import (
    Accumulator,
    Argument,
    HeaderParameter,
    Operation,
    Route,
    StreamingOperation,
    StreamShape,
)
from autonomousai_sdk._core.protocol import Protocol, Protocols
from autonomousai_sdk._core.served_model import ServedModels
from autonomousai_sdk._core.settings import Options, Settings, resolve

DATA = Path(__file__).parent.parent / "data"
RECORDINGS = sorted((DATA / "recordings").glob("*.sse"))

KEY = "sk-sesame"
BASE_URL = "https://service.example/api"

Reason: TypeAlias = Literal["stop", "length"] | str | None  # noqa: PYI051  # as in generated code


ROLE: dict[str, Any] = {"nulls": [""], "lenient": True}
REASON: dict[str, Any] = {"nulls": ["", "null", "None"]}
LENIENT: dict[str, Any] = {"lenient": True}
PARTS: dict[str, Any] = {
    "parts": {"text": "content", "thinking": "reasoning_content", "refusal": "refusal"}
}
JOINED: dict[str, Any] = {"concatenate": True}
REASONING: dict[str, Any] = {
    "fallback": "reasoning_content",
    "parts": {"text": "reasoning"},
    "lenient": True,
}
FLAT: dict[str, Any] = {"also": {"name": "name", "arguments": "arguments"}}
POSITION: dict[str, Any] = {"position": True}


@class_defaults
@frozen(kw_only=True, slots=False)
class Usage(ExtraFields):
    """Tokens."""

    prompt_tokens: int | None = field(default=None, metadata=LENIENT)
    completion_tokens: int | None = field(default=None, metadata=LENIENT)


@class_defaults
@frozen(kw_only=True, slots=False)
class FunctionDelta(ExtraFields):
    """A piece of a function call."""

    name: str | None = field(default=None, metadata={"repeats": True})
    arguments: str | None = field(default=None, metadata=JOINED | {"json": True})


@class_defaults
@frozen(kw_only=True, slots=False)
class CallDelta(ExtraFields):
    """A piece of a tool call."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = field(default=None, metadata=FLAT)


@class_defaults
@frozen(kw_only=True, slots=False)
class Delta(ExtraFields):
    """A piece of a message."""

    role: str | None = field(default=None, metadata=ROLE)
    content: str | None = field(default=None, metadata=JOINED | PARTS)
    refusal: str | None = field(default=None, metadata=JOINED)
    reasoning_content: str | None = field(default=None, metadata=JOINED)
    reasoning: str | None = field(default=None, metadata=JOINED | REASONING)
    tool_calls: tuple[CallDelta, ...] | None = field(default=None, metadata=JOINED)


@class_defaults
@frozen(kw_only=True, slots=False)
class Piece(ExtraFields):
    """The part of a chunk for one choice."""

    index: int = field(default=0, metadata=POSITION)
    delta: Delta = field(factory=Delta, metadata={"also": {"message": "", "text": "content"}})
    finish_reason: Reason = field(default=None, metadata=REASON)
    logprobs: dict[str, Any] | None = field(default=None, metadata=LENIENT)
    error: None = None


@class_defaults
@frozen(kw_only=True, slots=False)
class Chunk(ChunkAccessors, ExtraFields):
    """A chunk of a completion."""

    id: str = field(default="", metadata=LENIENT)
    choices: tuple[Piece, ...] = ()
    created: int = field(default=0, metadata=LENIENT)
    object: str = "chunk"
    usage: Usage | None = field(default=None, metadata=LENIENT)
    temperature: float | None = None
    timings: dict[str, Any] | None = None
    finish_reason: Reason = field(default=None, metadata=REASON)
    error: None = None


@class_defaults
@frozen(kw_only=True, slots=False)
class Function(ExtraFields):
    """A function call."""

    name: str = ""
    arguments: str = field(default="", metadata={"json": True})


@class_defaults
@frozen(kw_only=True, slots=False)
class Call(ToolCallAccessors, ExtraFields):
    """A tool call."""

    id: str = ""
    type: str = "function"
    function: Function = field(factory=Function, metadata=FLAT)


@class_defaults
@frozen(kw_only=True, slots=False)
class Said(ExtraFields):
    """A whole message."""

    role: str = field(default="assistant", metadata=ROLE)
    content: str | None = field(default=None, metadata=PARTS)
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = field(default=None, metadata=REASONING)
    tool_calls: tuple[Call, ...] | None = None


@class_defaults
@frozen(kw_only=True, slots=False)
class Choice(ExtraFields):
    """One choice of a completion."""

    index: int = field(default=0, metadata=POSITION)
    message: Said = field(metadata={"also": {"delta": "", "text": "content"}})
    finish_reason: Reason = field(default=None, metadata=REASON)
    logprobs: dict[str, Any] | None = None


@class_defaults
@frozen(kw_only=True, slots=False)
class Completion(CompletionAccessors, ExtraFields):
    """A completion with all its choices."""

    id: str = field(default="", metadata=LENIENT)
    choices: tuple[Choice, ...]
    created: int = 0
    object: str = "completion"
    usage: Usage | None = None
    temperature: float | None = None
    timings: dict[str, Any] | None = None


@frozen(kw_only=True)
class Note:
    """A message as callers pass it."""

    role: str
    content: str | Sequence[Any]
    name: str | None = None


@frozen(kw_only=True)
class Part:
    """A part of a message as callers pass it."""

    type: str
    text: str | None = None
    image_url: dict[str, Any] | None = None


@frozen(kw_only=True)
class Renamed:
    """A class with a field that has another name on the wire."""

    thread: str = field(metadata={"wire": "threadId"})
    note: str | None = None


ACCUMULATOR = Accumulator(result=Completion, choice=Choice, message=Said)


@frozen(kw_only=True, slots=False)
class ModelList(ServedModels):
    """The models of a server."""

    data: tuple[dict[str, Any], ...] | None = None
    models: tuple[dict[str, Any], ...] | None = None


LIST = Operation(
    name="models.fetch",
    routes={"plain": Route(method="GET", path="/models", arguments=(), has_body=False)},
    result=ModelList,
)

SHAPE = StreamShape(chunk=Chunk, accumulator=ACCUMULATOR, switch="stream", sentinel=b"[DONE]")

CHAT_ROUTE = Route(
    method="POST",
    path=None,
    arguments=(
        Argument(name="messages", wire="messages", kind="encoded_messages", required=True),
        Argument(name="model", wire="aiAgent", kind="model"),
        Argument(name="thread_id", wire="threadId", check=String(), default_from="model"),
        Argument(name="use_tool", wire="useTool", check=Boolean()),
    ),
    headers=(
        HeaderParameter(wire="accept", default="*/*"),
        HeaderParameter(wire="country-code", default="US", option="country_code"),
        HeaderParameter(wire="socketid"),
    ),
)
PLAIN_CHAT_ROUTE = Route(
    method="POST",
    path="/chat/completions",
    arguments=(
        Argument(name="messages", wire="messages", kind="messages", required=True),
        Argument(name="model", wire="model", kind="model_name", listed_by=LIST),
        Argument(name="max_tokens", wire="max_tokens", check=Integer(), instead="max_new_tokens"),
    ),
    stream_body={"stream_options": {"include_usage": True}},
)

CHAT = StreamingOperation(
    name="chat.create",
    routes={"original": CHAT_ROUTE, "plain": PLAIN_CHAT_ROUTE},
    result=Completion,
    stream=SHAPE,
)

EMBED_ROUTE = Route(
    method="POST",
    path="/embeddings",
    arguments=(
        Argument(name="input", wire="input", required=True),
        Argument(name="dimensions", wire="dimensions", check=Integer()),
        Argument(name="scale", wire="scale", check=Number()),
        Argument(name="user", wire="user", check=String()),
        Argument(name="trace", wire="trace", check=String(), default_from="user"),
    ),
)
EMBED = Operation(name="embeddings.create", routes={"original": EMBED_ROUTE}, result=Completion)

CATALOG = Catalog(
    (
        Model(id="llama", path="/chat", aliases=("llama-3",), accepts_images=False),
        Model(id="vision", path="/chat-vision", accepts_images=True),
    )
)


ORIGINAL = Protocol(
    name="original",
    paths=("/chat", "/chat-vision"),
    options=("country_code", "models"),
    has_catalog=True,
)
PLAIN = Protocol(name="plain", base_path="/v1", paths=("/chat/completions", "/models"))
PROTOCOLS = Protocols((ORIGINAL, PLAIN), BASE_URL)
PLAIN_URL = "https://engine.example/v1"


def options(**changes: Any) -> Options:
    """A client's arguments, with its defaults."""
    given: dict[str, Any] = {
        "base_url": None,
        "api_key": None,
        "protocol": None,
        "model": None,
        "timeout": None,
        "max_retries": 2,
        "headers": None,
        "country_code": "US",
        "time_zone": "America/New_York",
        "models": None,
        "proxy": None,
        "verify": True,
        "max_event_bytes": 2**20,
        "allow_http_key": False,
    }
    return Options(**{**given, **changes})


def settings(environ: Mapping[str, str] | None = None, **changes: Any) -> Settings:
    """A client's settings."""
    return resolve(
        options(**changes),
        environ={} if environ is None else environ,
        catalog=CATALOG,
        protocols=PROTOCOLS,
        default_model="llama",
    )


def event(document: object) -> bytes:
    """Return an event whose data is this JSON document."""
    return f"data: {json.dumps(document)}\n\n".encode()


def chunk(
    content: str | None = None, *, index: int = 0, reason: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return the document of a chunk."""
    piece = {"index": index, "delta": {"content": content}, "finish_reason": reason}
    return {"id": "a", "choices": [piece], **more}


DONE = b"data: [DONE]\n\n"
HELLO = event(chunk("Hel")) + event(chunk("lo")) + event(chunk(reason="stop")) + DONE


def cuts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield every way to cut bytes in two."""
    return ((data[:cut], data[cut:]) for cut in range(len(data) + 1))


def single_bytes(data: bytes) -> list[bytes]:
    """Return the bytes one by one."""
    return [data[n : n + 1] for n in range(len(data))]
