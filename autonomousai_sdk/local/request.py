"""A request for a completion, read from either protocol into one form.

The original protocol carries the messages in base64 and names the model `aiAgent`; the
OpenAI-compatible one carries both as they are. Whatever steers the completion has the same
name in both, is checked by the spec's table that the clients use too, and goes to the engine.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, cast

from attrs import frozen

from .._core.codec import DecodeError, is_array, is_object, parse
from .._core.message import normalised
from .._generated.operations import CHAT_CREATE
from ..errors import ConfigurationError
from .wire import RequestError

_ROUTES = CHAT_CREATE.routes
_OPTIONS = {argument.wire: argument for argument in _ROUTES["openai"].arguments}
_ORIGINAL = {
    argument.wire: argument
    for argument in _ROUTES["autonomousai"].arguments
    if argument.wire == "messages" or argument.wire not in _OPTIONS
}
"""What the original protocol says for itself; every other field is the engine's."""

_REQUIRED = ("messages", "aiAgent", "threadId", "stream")


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
    document = parse_object(data)
    for name in _REQUIRED:
        if name not in document:
            raise RequestError(
                400, f"The request does not follow the spec: {name} is missing.", param=name
            )
    own = {name: document.pop(name, None) for name in _ORIGINAL}
    stream = _flag(document.pop("stream"))
    for name, value in own.items():
        if not (isinstance(value, bool) if name == "useTool" else isinstance(value, str)):
            if value is None and name not in _REQUIRED:
                continue
            raise RequestError(
                400,
                f"The request does not follow the spec: {name} must not be {repr(value)[:100]}.",
                param=name,
            )
    body = {"messages": _with_typed_calls(_encoded_messages(own["messages"])), **_checked(document)}
    body.pop("stream_options", None)  # the server asks the engine for usage itself
    if stream:
        body["stream_options"] = {"include_usage": True}
    return ParsedRequest(own["aiAgent"], stream, body, original=True)


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
        content = message.get("content")
        if not (
            content is None
            or isinstance(content, str)
            or (is_array(content) and all(map(_is_part, content)))
        ):
            raise RequestError(
                400,
                f"messages[{number}].content must be a string or a list of parts: objects with a "
                f"type, and with a text where the type is 'text'; got {repr(content)[:100]}.",
                param="messages",
            )
    body = {"messages": _with_typed_calls(messages), **_checked(document)}
    stream = _flag(body.pop("stream", False))
    return ParsedRequest(model or None, stream, body, original=False)


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object that a request's body must be."""
    if not data.strip():
        raise RequestError(400, "The request has no body: send a JSON object.")
    try:
        document = parse(data)
    except DecodeError as error:
        raise RequestError(400, f"The request is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise RequestError(400, "The request must be a JSON object.")
    return cast("dict[str, Any]", document)


def _flag(stream: object) -> bool:
    if not isinstance(stream, bool):
        raise RequestError(
            400, f"stream must be true or false; got {repr(stream)[:100]}.", param="stream"
        )
    return stream


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


def _is_typed_object(value: object) -> bool:
    return is_object(value) and isinstance(value.get("type"), str)


def _is_part(value: object) -> bool:
    """Whether a value is a part of a message's content, with its text if it is one of text."""
    return (
        is_object(value)
        and isinstance(kind := value.get("type"), str)
        and (kind != "text" or isinstance(value.get("text"), str))
    )


def _with_typed_calls(messages: list[Any]) -> list[Any]:
    """The messages, each tool call in them with its type.

    Some engines leave the type out, and others refuse a call without it.

    Raises:
        RequestError: a call has no name or no arguments.
    """
    given = list(messages)
    for number, message in enumerate(given):
        calls = message.get("tool_calls")
        if not calls:
            continue
        if not (is_array(calls) and all(map(_is_tool_call, calls))):
            raise RequestError(
                400,
                f"messages[{number}].tool_calls must be a list of calls, each of a function "
                f"with a name and its arguments as text; got {repr(calls)[:100]}.",
                param="messages",
            )
        typed = [{"type": "function", **call} for call in calls]
        given[number] = {**message, "tool_calls": typed}
    return given


def _is_tool_call(value: object) -> bool:
    """Whether a value is a call in a message, of a function or of another type."""
    if not is_object(value) or not isinstance(kind := value.get("type", "function"), str):
        return False
    function = value.get("function")
    return kind != "function" or (
        is_object(function)
        and isinstance(function.get("name"), str)
        and isinstance(function.get("arguments"), str)
    )


def _is_tools(value: object) -> bool:
    return is_array(value) and all(
        is_object(tool)
        and is_object(function := tool.get("function"))
        and isinstance(function.get("name"), str)
        and _is_object_or_none(function.get("parameters"))
        for tool in value
    )


def _is_object_or_none(value: object) -> bool:
    return value is None or is_object(value)


def _is_response_format(value: object) -> bool:
    """Whether a value is a format; a schema may also stand beside the type, as for llama.cpp."""
    if not is_object(value) or not isinstance(value.get("type"), str):
        return False
    if value["type"] != "json_schema":
        return True
    named = value.get("json_schema")
    if named is None:
        return is_object(value.get("schema"))
    return is_object(named) and _is_object_or_none(named.get("schema"))


def _is_tool_choice(value: object) -> bool:
    return value in ("none", "auto", "required") or _is_typed_object(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


_RULES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "max_completion_tokens": (_is_count, "a whole number of at least 1"),
    "response_format": (
        _is_response_format,
        "an object with a type, and for json_schema with an object of that name",
    ),
    "tools": (_is_tools, "a list of functions, each with a name and parameters that are an object"),
    "tool_choice": (_is_tool_choice, "'none', 'auto', 'required' or an object that names a tool"),
    "stream_options": (is_object, "an object"),
}
"""What the spec's table does not say, or says of a client's arguments rather than of JSON."""


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given; null stands for one that was not."""
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name in _RULES:
            accepts, description = _RULES[name]
            if not accepts(value):
                raise RequestError(
                    400, f"{name} must be {description}; got {repr(value)[:100]}.", param=name
                )
        elif name in _OPTIONS:
            try:
                _OPTIONS[name].check.encode(value, name)
            except ConfigurationError as error:
                raise RequestError(400, error.message, param=name) from error
    if given.get("tool_choice", "auto") not in ("auto", "none") and not given.get("tools"):
        raise RequestError(
            400, "tool_choice asks for a tool, and tools has none.", param="tool_choice"
        )
    return given
