"""Messages: checks those that callers pass and encodes them for the wire.

Owns the accepted forms and the encodings (spec: `ChatRequest.messages`, `contentEncoding: base64`
of the JSON list). Depends on no particular model and reads no files.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs

from ..errors import ConfigurationError
from .codec import encode, is_object, unstructure
from .display import MAX_LENGTH, display

_ADVICE = "a string, or a list of Message objects and {'role': …, 'content': …} mappings"


def encoded(messages: object, *, model: str, accepts_images: bool | None) -> str:
    """Encode messages as base64 of their JSON.

    Raises:
        ConfigurationError: as `checked_messages`, or JSON cannot represent the messages.
    """
    plain = checked_messages(messages, model=model, accepts_images=accepts_images)
    try:
        document = encode(plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"messages cannot be written as JSON: {error}.") from error
    return base64.b64encode(document).decode("ascii")


def checked_messages(
    messages: object, *, model: str, accepts_images: bool | None
) -> list[dict[str, Any]]:
    """Check messages and return them as a list of `{"role", "content"}`.

    Args:
        messages: a string, which is one user message, or a sequence of messages.
        model: the model's name, for errors.
        accepts_images: whether the model takes image parts, or None if unknown.

    Raises:
        ConfigurationError: no messages, or an invalid message.
    """
    plain = normalised(messages)
    if accepts_images is False:
        for position, message in enumerate(plain):
            if _has_image(message["content"]):
                raise ConfigurationError(
                    f"messages[{position}] has an image, and the model {model!r} takes none: "
                    "use model='vision', or leave the image out."
                )
    return plain


def normalised(messages: object) -> list[dict[str, Any]]:
    """Return messages as plain data: a list of `{"role", "content"}`.

    A message without a role before the last one is the assistant's: engines may leave it out of
    their answers. The last message needs one, since it is the one to be answered.

    Raises:
        ConfigurationError: as `encoded`.
    """
    if isinstance(messages, str):
        if not messages:
            raise ConfigurationError("messages is an empty string: there is nothing to answer.")
        return [{"role": "user", "content": messages}]
    if isinstance(messages, Mapping) or attrs.has(type(messages)):
        raise ConfigurationError(
            f"messages is a single message: put it in a list. It is {_ADVICE}."
        )
    if isinstance(messages, (bytes, bytearray)) or not isinstance(messages, Sequence):
        raise ConfigurationError(f"messages is {_ADVICE}; got {type(messages).__name__}.")
    if not messages:
        raise ConfigurationError("messages is empty: give at least one message.")
    given = cast("Sequence[object]", messages)
    last = len(given) - 1
    return [
        _message(message, f"messages[{n}]", default_role=None if n == last else "assistant")
        for n, message in enumerate(given)
    ]


def _plain(value: object, where: str) -> object:
    """Return a typed object as plain data, and any other value as it is."""
    if not attrs.has(type(value)):
        return value
    try:
        plain: object = unstructure(value)
    except (TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{where}: a field of this {type(value).__name__} has a value of the wrong type: "
            f"{str(error)[:MAX_LENGTH]}."
        ) from error
    return plain


def _message(message: object, where: str, default_role: str | None) -> dict[str, Any]:
    plain = _plain(message, where)
    if not is_object(plain):
        raise ConfigurationError(
            f"{where} is a Message or a {{'role': …, 'content': …}} mapping, "
            f"not {type(message).__name__}."
        )
    if attrs.has(type(message)) and hasattr(message, "message"):
        raise ConfigurationError(
            f"{where} is a {type(message).__name__}, not a message: pass its .message."
        )
    fields = {
        name: value for name, value in plain.items() if value is not None or name in _REQUIRED
    }
    if any(fields.get(name) for name in _CALLS):
        # The message has only tool calls; engines still require the key.
        fields.setdefault("content", None)
    if default_role is not None and fields.get("role") in (None, ""):
        fields = {**fields, "role": default_role}
    for name in _REQUIRED:
        if name not in fields:
            raise ConfigurationError(f"{where} has no {name!r}.")
    role = fields["role"]
    if not isinstance(role, str) or not role:
        raise ConfigurationError(
            f"{where}: role is a string such as 'user', 'assistant' or 'system'; got "
            f"{display(role)}."
        )
    if fields["content"] is None and role == "assistant":
        # A completion's message as history: tool calls only, or empty.
        fields["content"] = None if any(fields.get(name) for name in _CALLS) else ""
        return fields
    fields["content"] = _content(fields["content"], where)
    return fields


_REQUIRED = ("role", "content")
_CALLS = ("tool_calls", "function_call")


def _content(content: object, where: str) -> str | list[dict[str, Any]]:
    kind = type(content).__name__
    if isinstance(content, str):
        return content
    if isinstance(content, (bytes, bytearray, Mapping)) or not isinstance(content, Sequence):
        raise ConfigurationError(
            f"{where}: content is a string or a list of parts (TextPart, ImagePart), not {kind}."
        )
    parts = cast("Sequence[object]", content)
    if not parts:
        raise ConfigurationError(f"{where}: content is an empty list of parts.")
    return [_part(part, f"{where}.content[{n}]") for n, part in enumerate(parts)]


def _part(part: object, where: str) -> dict[str, Any]:
    plain = _plain(part, where)
    if not is_object(plain):
        raise ConfigurationError(
            f"{where} is a TextPart, an ImagePart or a mapping, not {type(part).__name__}."
        )
    fields = {name: value for name, value in plain.items() if value is not None}
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise ConfigurationError(f"{where} has no type, such as 'text' or 'image_url'.")
    if kind == "text" and not isinstance(fields.get("text"), str):
        raise ConfigurationError(f"{where}: a part of type 'text' has a string under 'text'.")
    if kind == "image_url":
        image = fields.get("image_url")
        if not is_object(image) or not isinstance(image.get("url"), str):
            raise ConfigurationError(
                f"{where}: a part of type 'image_url' has {{'url': …}} under 'image_url'."
            )
        fields["image_url"] = {key: value for key, value in image.items() if value is not None}
    return fields


def _has_image(content: str | list[dict[str, Any]] | None) -> bool:
    if not isinstance(content, list):
        return False
    return any(part["type"] == "image_url" for part in content)
