"""The server's side of the protocol: requests decoded, errors and events encoded.

The request's shape is the generated one, so it follows the spec.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from attrs import frozen

from .._core.codec import DecodeError, decode, is_array, parse
from .._core.message import normalised
from .._generated.models import ChatRequest
from ..errors import ConfigurationError


class RequestError(Exception):
    """A request the server answers with an error.

    Args:
        status: the HTTP status.
        message: what is wrong, for the person who sent it.
        code: the error's code, for programs.
        headers: sent along.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers: dict[str, str] = headers or {}

    @property
    def body(self) -> bytes:
        """The error as the JSON body of an answer."""
        return error_body(self.message, self.code)


@frozen
class ParsedRequest:
    """A request, decoded: which model is asked what, and how the answer is to come."""

    model: str
    messages: list[dict[str, Any]]
    stream: bool


def question(body: bytes) -> ParsedRequest:
    """What a request's body asks.

    Raises:
        RequestError: it is not what the spec says.
    """
    try:
        request = decode(body, ChatRequest)
    except DecodeError as error:
        raise RequestError(400, f"The request is not what the spec says: {error}.") from error
    try:
        return ParsedRequest(request.model, _messages(request.messages), request.stream)
    except ConfigurationError as error:
        raise RequestError(400, error.message) from error


def _messages(encoded: str) -> list[dict[str, Any]]:
    """The messages inside the base64; text that is no JSON list is one user message."""
    try:
        data = base64.b64decode(encoded, validate=True)
        text = data.decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            400, "messages is base64 of UTF-8 text, and what came is not."
        ) from error
    return normalised(text if (given := _list_in(data)) is None else given)


def _list_in(data: bytes) -> list[Any] | None:
    """The JSON list that some bytes are, or None."""
    try:
        document = parse(data)
    except DecodeError:
        return None
    return document if is_array(document) else None


def error_body(message: str, code: str) -> bytes:
    """An error object, as JSON."""
    return json.dumps({"error": {"message": message, "type": code, "code": code}}).encode()


def event(data: bytes) -> bytes:
    """A server-sent event of one data line."""
    return b"data: " + data + b"\n\n"


DONE = event(b"[DONE]")
"""The event that ends a stream."""
