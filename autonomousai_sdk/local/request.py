"""A request for a completion, read from either protocol into one form.

The original protocol carries the messages in base64 and names the model `aiAgent`; the
OpenAI-compatible one carries both as they are. Whatever steers the completion has the same
name in both, is checked where this module has a rule for it, and goes to the engine.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, cast

from attrs import frozen

from .._core.codec import DecodeError, decode, is_array, is_object, parse
from .._core.message import normalised
from .._generated.models import ChatRequest
from ..errors import ConfigurationError
from .wire import RequestError

_ORIGINAL_FIELDS = frozenset({"messages", "threadId", "stream", "aiAgent", "userId", "useTool"})
"""What the original protocol says for itself; every other field is the engine's."""


@frozen
class ParsedRequest:
    """A request for a completion.

    Attributes:
        model: the model's name as the client gave it, or None.
        stream: whether the client asked for a stream.
        body: messages and options, as an OpenAI-compatible engine takes them.
        original: whether it came by the original protocol.
    """

    model: str | None
    stream: bool
    body: dict[str, Any]
    original: bool

    @property
    def has_images(self) -> bool:
        """Whether any message has a part that is not text."""
        return any(
            is_object(part) and part.get("type") not in ("text", "refusal")
            for message in self.body["messages"]
            if is_array(message.get("content"))
            for part in message["content"]
        )


def parse_original(data: bytes) -> ParsedRequest:
    """A request of the original protocol.

    Raises:
        RequestError: it does not follow the spec.
    """
    try:
        request = decode(data, ChatRequest)
        document = parse(data)
    except DecodeError as error:
        raise RequestError(400, f"The request does not follow the spec: {error}.") from error
    options = {name: value for name, value in document.items() if name not in _ORIGINAL_FIELDS}
    body = {"messages": _encoded_messages(request.messages), **_checked(options)}
    body.pop("stream_options", None)  # the server asks the engine for usage itself
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    return ParsedRequest(request.model, request.stream, body, original=True)


def parse_openai(data: bytes) -> ParsedRequest:
    """A request of the OpenAI-compatible protocol.

    Raises:
        RequestError: it has no messages, or an option that cannot be right.
    """
    document = parse_object(data)
    model = document.pop("model", None)
    if model is not None and not isinstance(model, str):
        raise RequestError(400, "model must be a string.", param="model")
    messages = document.pop("messages", None)
    if not is_array(messages) or not messages:
        raise RequestError(
            400, "messages must be a list of at least one message.", param="messages"
        )
    for number, message in enumerate(messages):
        if not is_object(message) or not isinstance(message.get("role"), str):
            raise RequestError(
                400, f"messages[{number}] must be an object with a role.", param="messages"
            )
    body = {"messages": messages, **_checked(document)}
    stream = body.pop("stream", False)
    if not isinstance(stream, bool):
        raise RequestError(400, f"stream must be true or false; got {stream!r}.", param="stream")
    return ParsedRequest(model or None, stream, body, original=False)


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object that a request's body must be."""
    try:
        document = parse(data)
    except DecodeError as error:
        raise RequestError(400, f"The request is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise RequestError(400, "The request must be a JSON object.")
    return cast("dict[str, Any]", document)


def _encoded_messages(encoded: str) -> list[dict[str, Any]]:
    """The messages inside the base64; text that is not a JSON list is one user message."""
    try:
        data = base64.b64decode(encoded, validate=True)
        text = data.decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            400, "messages must be the base64 of UTF-8 text, and is not.", param="messages"
        ) from error
    found = _list_in(data)
    try:
        return normalised(text if found is None else found)
    except ConfigurationError as error:
        raise RequestError(400, error.message, param="messages") from error


def _list_in(data: bytes) -> list[Any] | None:
    """The JSON list that some bytes are, or None."""
    try:
        document = parse(data)
    except DecodeError:
        return None
    return document if is_array(document) else None


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _between(low: float, high: float) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    )


def _count(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and _is_integer(value) and low <= value <= high


def _is_stop(value: object) -> bool:
    return isinstance(value, str) or (
        is_array(value) and all(isinstance(each, str) for each in value)
    )


def _is_typed_object(value: object) -> bool:
    return is_object(value) and isinstance(value.get("type"), str)


def _is_tools(value: object) -> bool:
    return is_array(value) and all(
        is_object(tool)
        and is_object(function := tool.get("function"))
        and isinstance(function.get("name"), str)
        for tool in value
    )


def _is_tool_choice(value: object) -> bool:
    return value in ("none", "auto", "required") or _is_typed_object(value)


_RULES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "max_tokens": (_count(1, 2**31 - 1), "a whole number of at least 1"),
    "max_completion_tokens": (_count(1, 2**31 - 1), "a whole number of at least 1"),
    "temperature": (_between(0, 2), "a number from 0 to 2"),
    "top_p": (_between(0, 1), "a number from 0 to 1"),
    "frequency_penalty": (_between(-2, 2), "a number from -2 to 2"),
    "presence_penalty": (_between(-2, 2), "a number from -2 to 2"),
    "seed": (_is_integer, "a whole number"),
    "stop": (_is_stop, "a string or a list of strings"),
    "n": (_count(1, 128), "a whole number from 1 to 128"),
    "logprobs": (lambda value: isinstance(value, bool), "true or false"),
    "top_logprobs": (_count(0, 20), "a whole number from 0 to 20"),
    "parallel_tool_calls": (lambda value: isinstance(value, bool), "true or false"),
    "response_format": (_is_typed_object, "an object with a type"),
    "tools": (_is_tools, "a list of functions, each with a name"),
    "tool_choice": (_is_tool_choice, "'none', 'auto', 'required' or an object that names a tool"),
    "reasoning_effort": (lambda value: isinstance(value, str), "a string"),
    "stream_options": (is_object, "an object"),
}


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given; null stands for one that was not."""
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        accepts, description = _RULES.get(name, (None, ""))
        if accepts is not None and not accepts(value):
            shown = repr(value)
            raise RequestError(400, f"{name} must be {description}; got {shown[:100]}.", param=name)
    if given.get("tool_choice", "auto") not in ("auto", "none") and not given.get("tools"):
        raise RequestError(
            400, "tool_choice asks for a tool, and tools has none.", param="tool_choice"
        )
    return given
