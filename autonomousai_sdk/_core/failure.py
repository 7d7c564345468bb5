"""Builds the error for a failure: tables from statuses and codes to classes.

Everything that an error shows passes through this module, which redacts secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from attrs import evolve, field, frozen

from ..errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AutonomousAIError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    RequestTooLargeError,
    StreamDecodeError,
    StreamError,
    StreamInterrupted,
    UnprocessableEntityError,
)
from .codec import DecodeError, is_array, is_object, objects_in, parse
from .exchange import Failure
from .headers import Headers
from .protocol import Advice
from .secret import Secret
from .url import without_credentials

KEPT_BYTES = 2**20
"""The part of an error's body that is read and kept, in bytes."""

EXCERPT = 1024
"""The part of a body that an error's message repeats, in characters."""

CLASS_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: RequestTimeoutError,
    409: ConflictError,
    413: RequestTooLargeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}

STATUS_BY_CODE: dict[str, int] = {
    # The codes and types in error objects of OpenAI-compatible engines. An error event has no HTTP
    # status, so its code stands for one.
    "invalid_request_error": 400,
    "bad_request": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "not_found": 404,
    "model_not_found": 404,
    "timeout_error": 408,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "too_many_requests": 429,
    "server_error": 500,
    "api_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "not_supported_error": 501,
    "unavailable_error": 503,
    "service_unavailable": 503,
    "overloaded_error": 529,
    # Google's status names, used by its OpenAI-compatible endpoint.
    "invalid_argument": 400,
    "failed_precondition": 400,
    "unauthenticated": 401,
    "resource_exhausted": 429,
    "internal": 500,
    "unavailable": 503,
    "deadline_exceeded": 504,
    # Names of exceptions in servers written in Python.
    "badrequesterror": 400,
    "authenticationerror": 401,
    "notfounderror": 404,
    "ratelimiterror": 429,
    "internalservererror": 500,
    "serviceunavailableerror": 503,
}

TIMEOUT_MESSAGES: dict[str, str] = {
    "connect": "Could not connect within {seconds:g} s (timeout: connect)",
    "read": "No data received for {seconds:g} s (timeout: read)",
    "write": "Could not send data for {seconds:g} s (timeout: write)",
    "pool": "No connection was free within {seconds:g} s (timeout: pool)",
    "total": "The call did not finish within {seconds:g} s (timeout: total)",
    "idle": "No event received for {seconds:g} s (timeout: idle)",
}


@frozen
class Context:
    """The facts that every error of an attempt shows, and the key that none may show.

    Attributes:
        endpoint: method and URL.
        attempt: the number of the attempt, from 1.
        secret: the client's key, or None.
        request_id: the server's id for the request, once a response arrived.
        advice: the advice of its errors.
    """

    endpoint: str
    attempt: int
    secret: Secret | None
    request_id: str | None = None
    advice: Advice = field(default=Advice(), repr=False)

    def answered(self, request_id: str) -> Context:
        """Return the context of a response with this request id."""
        return evolve(self, request_id=self.redact(request_id))

    def redact(self, text: str) -> str:
        return text if self.secret is None else self.secret.redact(text)

    def redact_bytes(self, data: bytes) -> bytes:
        return data if self.secret is None else self.secret.redact_bytes(data)

    def redact_headers(self, headers: Headers) -> Headers:
        return Headers((self.redact(name), self.redact(headers[name])) for name in headers)


def connection_error(failure: Failure, context: Context) -> AutonomousAIError:
    """Return the error for an attempt without a response."""
    kind = failure.error.kind
    cause = _without_tracebacks(failure.error, context)
    said = context.redact(failure.error.message)
    if kind == "request":
        error: AutonomousAIError = ConfigurationError(
            f"The request cannot be sent: {said}.", endpoint=context.endpoint
        )
    elif kind == "timeout":
        error = timeout_error(failure, context)
    else:
        error = APIConnectionError(
            f"{_CONNECTION_MESSAGES[kind]}: {said}.{_unreachable(failure, context)}",
            endpoint=context.endpoint,
            attempt=context.attempt,
        )
    error.__cause__ = cause
    return error


def _unreachable(failure: Failure, context: Context) -> str:
    """Return the advice for an unreachable server after a space; empty for other failures."""
    is_unreachable = failure.error.kind in ("connect", "tls") or (
        failure.error.kind == "timeout" and failure.limit == "connect"
    )
    return f" {context.advice.unreachable}".rstrip() if is_unreachable else ""


_NO_SUCH_ENDPOINT = frozenset({404, 405})

_CONNECTION_MESSAGES = {
    "connect": "No connection could be made",
    "tls": "TLS verification is on, and no secure connection could be made",
    "broken": "The connection broke before a response arrived",
}


def closed_error(context: Context, *, streaming: bool) -> AutonomousAIError:
    """Return the error for a call whose client was closed meanwhile."""
    if streaming:
        return StreamError(
            "The client was closed before the stream ended: make a new client.",
            endpoint=context.endpoint,
            attempt=context.attempt,
        )
    return APIConnectionError(
        "The client was closed during the call: make a new client.",
        endpoint=context.endpoint,
        attempt=context.attempt,
    )


def timeout_error(failure: Failure, context: Context) -> APITimeoutError:
    """Return the error for an expired limit, with its name and length."""
    message = TIMEOUT_MESSAGES[failure.limit].format(seconds=failure.seconds)
    detail = f": {failure.error.message}" if failure.limit == "pool" else ""
    return APITimeoutError(
        f"{message}{detail}.{_unreachable(failure, context)}",
        limit=failure.limit,
        seconds=failure.seconds,
        endpoint=context.endpoint,
        attempt=context.attempt,
    )


def interrupted_error(
    context: Context, reason: str, cause: BaseException | None
) -> StreamInterrupted:
    """Return the error for a stream that ended early."""
    error = StreamInterrupted(
        f"The stream ended before it was complete: {context.redact(reason)}.",
        request_id=context.request_id,
        endpoint=context.endpoint,
        attempt=context.attempt,
    )
    error.__cause__ = None if cause is None else _without_tracebacks(cause, context)
    return error


def stream_decode_error(
    context: Context, reason: str, data: bytes, cause: BaseException | None = None
) -> StreamDecodeError:
    """Return the error for an event that does not match the spec."""
    kept = context.redact_bytes(data)
    error = StreamDecodeError(
        f"An event of the stream cannot be decoded: {context.redact(reason)}{_quoted(kept)}",
        data=kept[:KEPT_BYTES],
        request_id=context.request_id,
        endpoint=context.endpoint,
        attempt=context.attempt,
    )
    error.__cause__ = cause
    return error


def response_error(
    context: Context,
    status: int,
    headers: Headers,
    body: bytes,
    reason: str,
    cause: BaseException | None = None,
) -> APIResponseError:
    """Return the error for a response that does not match the spec."""
    kept = context.redact_bytes(body)
    error = APIResponseError(
        f"Unexpected response (status {status}): {context.redact(reason)}{_quoted(kept)}",
        status=status,
        headers=context.redact_headers(headers),
        body=kept[:KEPT_BYTES],
        request_id=context.request_id,
        endpoint=context.endpoint,
        attempt=context.attempt,
    )
    error.__cause__ = cause
    return error


def status_error(
    context: Context, status: int, headers: Headers, body: bytes, note: str = ""
) -> APIStatusError:
    """Return the error for an error status; `note` replaces an empty body."""
    text = context.redact_bytes(body).decode("utf-8", "replace")
    content = _content(text, context)
    if 300 <= status < 400:
        target = without_credentials(headers.get("location", "nowhere"))
        said = f"a redirect to {target}, which is not followed: set base_url to where it leads"
    else:
        said = (_page_title(text) or _message_in(content) or text or note).strip()
        if status in _NO_SUCH_ENDPOINT and "model" not in said.lower() and context.advice.not_found:
            said = f"{said.rstrip('.')}. {context.advice.not_found}".lstrip(". ")
    message = f"{_named(status)}: {said}" if said else _named(status)
    return _built(context, status, headers, content, _code_in(content), message)


def error_in(document: object) -> object:
    """Return the error that a JSON document reports, or None.

    a non-empty `error`                 the error and the members beside it
    an array with such an object        that object
    an `error` in a choice              the error
    the finish reason `error`           an error without details
    no choices but a message or detail  the whole document
    """
    if is_array(document):
        return next(filter(_has_error_object, document), None)
    if not is_object(document) or document.get("error"):
        return document if is_object(document) else None
    choices = objects_in(document.get("choices"))
    if choices:
        return next(filter(None, map(_error_in_choice, choices)), None)
    if document.get("usage") or "choices" in document:
        return None
    is_error = "error" in (document.get("object"), document.get("type"))
    return document if is_error or any(map(_says_something, _messages(document))) else None


def _has_error_object(document: object) -> bool:
    return is_object(document) and is_object(document.get("error")) and bool(document["error"])


def without_errors(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without its error and the finish reason of the error."""
    plain = [
        {name: value for name, value in choice.items() if name not in ("error", "finish_reason")}
        for choice in objects_in(document.get("choices"))
        if is_object(choice)
    ]
    return {**document, "error": None, "choices": plain}


def _error_in_choice(choice: object) -> object:
    if is_object(choice):
        if choice.get("error"):
            return {"error": choice["error"]}
        if choice.get("finish_reason") == "error":
            return {"error": "the finish reason is 'error', without details"}
    return None


_MESSAGE_NAMES = ("message", "detail", "msg", "error_message", "error_msg", "errors")


_MESSAGE_LEVELS = 8
"""How deep inside an error its message is looked for."""


def _messages(document: Mapping[str, Any]) -> list[object]:
    return [document.get(name) for name in _MESSAGE_NAMES]


def _says_something(value: object) -> bool:
    """Return whether a value can be an error's message; a message of a conversation cannot."""
    return bool(value) and not (is_object(value) and ("role" in value or "content" in value))


def event_error(context: Context, headers: Headers, document: object) -> AutonomousAIError:
    """Return the error for an error object in place of a completion.

    It has no HTTP status; a known code or type stands for one.
    """
    try:
        body = _redacted(document, context)
    except RecursionError:
        body = "an error object that is nested too deeply to look into"
    status = _status_in(body)
    said = _message_in(body) or str(body)
    if status is None:
        return AutonomousAIError(
            f"The server reported an error: {_cut(said)}",
            endpoint=context.endpoint,
            attempt=context.attempt,
        )
    return _built(
        context,
        status,
        headers,
        body,
        _code_in(body),
        f"The server reported an error ({status}): {said}",
    )


def _built(
    context: Context,
    status: int,
    headers: Headers,
    body: object,
    code: str | None,
    message: str,
) -> APIStatusError:
    cls = CLASS_BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)
    return cls(
        _cut(context.redact(message)),
        status=status,
        headers=context.redact_headers(headers),
        body=body,
        code=None if code is None else context.redact(code),
        request_id=context.request_id,
        endpoint=context.endpoint,
        attempt=context.attempt,
    )


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _content(text: str, context: Context) -> object:
    """Return an error's body: parsed JSON, or text if it is not JSON or nested too deeply."""
    try:
        # Redact again: JSON may spell the key in escapes.
        content = _redacted(parse(text.encode("utf-8", "replace")), context)
    except (DecodeError, RecursionError):
        return text
    return text if content is None else content


def _message_in(document: object, levels: int = _MESSAGE_LEVELS) -> str | None:
    """Return the message, wherever the server puts it (spec: `Error`)."""
    if isinstance(document, str):
        return document
    if is_array(document) and levels:
        return "; ".join(filter(None, (_message_in(each, levels - 1) for each in document))) or None
    if is_object(document) and levels:
        for name in ("error", *_MESSAGE_NAMES):
            found = document.get(name)
            if not found or not (isinstance(found, str) or is_object(found) or is_array(found)):
                continue
            # Validation errors say where only in their other members.
            is_validation = name == "detail" and is_array(found)
            return (None if is_validation else _message_in(found, levels - 1)) or str(found)
    return None


def _layers(document: object) -> list[Mapping[str, object]]:
    """Return the objects that can hold the code: the innermost error object first."""
    layers: list[Mapping[str, object]] = []
    found = document
    while found is not None:
        if is_array(found):
            found = found[0] if found else None
        elif is_object(found):
            layers.insert(0, found)
            here = found
            found = next(filter(None, map(here.get, ("error", "detail", "errors"))), None)
        else:
            break
    return layers


def _code_in(document: object) -> str | None:
    for layer in _layers(document):
        for name in ("code", "type"):
            code = layer.get(name)
            if isinstance(code, (str, int)) and not isinstance(code, bool) and code != "":
                return str(code)
    return None


def _status_in(document: object) -> int | None:
    for layer in _layers(document):
        for name in _STATUS_NAMES:
            value = layer.get(name)
            if isinstance(value, str):
                value = (
                    int(value)
                    if re.fullmatch(r"[45]\d\d", value, re.ASCII)
                    else STATUS_BY_CODE.get(value.lower())
                )
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None


_STATUS_NAMES = (
    *("status", "status_code", "statusCode", "http_status", "http_code"),
    *("code", "type", "error"),
)


def _page_title(text: str) -> str | None:
    """Return the title of an HTML page, the useful part of a proxy's response."""
    if not text.lstrip()[:200].lower().startswith(("<!doctype html", "<html", "<head")):
        return None
    found = re.search(r"<title[^>]*>([^<]*)", text[:KEPT_BYTES], re.IGNORECASE)
    title = found[1].strip() if found else ""
    return f"an HTML page, {title!r}" if title else "an HTML page"


def _redacted(value: object, context: Context) -> object:
    """Redact the key in every text of a parsed document."""
    if isinstance(value, str):
        return context.redact(value)
    if is_array(value):
        return [_redacted(each, context) for each in value]
    if is_object(value):
        return {context.redact(key): _redacted(each, context) for key, each in value.items()}
    return value


def _quoted(data: bytes) -> str:
    if not data:
        return "."
    return f": {_cut(data[: EXCERPT * 4].decode('utf-8', 'replace'))!r}"


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}… ({len(text)} characters)"


def _without_tracebacks(error: BaseException, context: Context) -> BaseException | None:
    """Return an error that is safe as a cause, or None.

    The frames of the HTTP library hold the request with its key, and a traceback with locals would
    print it, so the tracebacks of the error and its causes are dropped. A cause whose text repeats
    the key is dropped too.
    """
    seen: BaseException | None = error
    last: BaseException | None = None
    while seen is not None:
        if context.redact(f"{seen!r} {seen}") != f"{seen!r} {seen}":
            if last is None:
                return None
            last.__cause__, last.__suppress_context__, last.__context__ = None, True, None
            break
        seen.__traceback__ = None
        last, seen = seen, seen.__cause__ or seen.__context__
    return error
