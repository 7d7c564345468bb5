"""Build a call's request from an operation and its arguments.

This module checks every argument of a call before anything is sent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic

from attrs import field, frozen

from .._version import __version__
from ..errors import ConfigurationError
from .catalog import Model
from .check import to_jsonable
from .codec import encode, is_array, is_object
from .coding import ACCEPTED
from .exchange import Request
from .failure import Context
from .headers import check_value, checked
from .message import encoded
from .operation import Argument, Operation, ResultT, StreamShape
from .secret import Secret
from .settings import CallOptions, Settings, checked_retries, header_values
from .timeout import Timeout
from .url import joined, query_string, segment

USER_AGENT = f"autonomousai-sdk/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"

_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "upgrade", "te"})
"""Headers that frame the message (RFC 9112). Only the transport sets them."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that may be sent again without harm (RFC 9110, section 9.2.2)."""


@frozen(kw_only=True)
class PreparedCall(Generic[ResultT]):
    """Everything a flow needs to make a call.

    Attributes:
        operation: the operation to call.
        request: the request, the same for every attempt.
        context: the details that every error of the call carries.
        shape: the shape of the event stream, or None for a call without one.
        timeout: the call's time limits.
        max_retries: the number of attempts after the first.
        max_bytes: the maximum size of one line, event or document, in bytes.
    """

    operation: Operation[ResultT]
    request: Request
    context: Context = field(repr=False)
    shape: StreamShape[Any, ResultT] | None
    timeout: Timeout
    max_retries: int
    max_bytes: int


def prepare_call(
    settings: Settings,
    operation: Operation[ResultT],
    arguments: Mapping[str, object],
    options: CallOptions,
    *,
    shape: StreamShape[Any, ResultT] | None,
    new_key: Callable[[], str],
) -> PreparedCall[ResultT]:
    """Check a call's arguments and build its request.

    Args:
        settings: the client's settings.
        operation: the operation to call.
        arguments: the operation's parameters by their Python names.
        options: the call's own settings, which override the client's.
        shape: the shape of the event stream to request, or None to request one document.
        new_key: creates the idempotency key that all attempts share.

    Raises:
        ConfigurationError: an argument cannot be sent; the message says what to do.
    """
    model = _model(settings, operation, arguments)
    path = operation.path if model is None else model.path
    if path is None:
        raise ConfigurationError(f"{operation.name} has no path and no model that determines one.")
    for argument in operation.arguments:
        if argument.required and arguments.get(argument.name) is None:
            raise ConfigurationError(f"{operation.name}: {argument.name} is missing.")
    content = _content(operation, arguments, options, model, shape) if operation.has_body else b""
    url = joined(settings.base_url, _filled(path, operation, arguments))
    return PreparedCall(
        operation=operation,
        request=Request(
            method=operation.method,
            url=url + _query(operation, arguments),
            headers=tuple(_headers(settings, operation, arguments, options, new_key).items()),
            content=content,
        ),
        context=Context(f"{operation.method} {url}", 1, settings.api_key),
        shape=shape,
        timeout=settings.timeout if options.timeout is None else Timeout.of(options.timeout),
        max_retries=(
            settings.max_retries
            if options.max_retries is None
            else checked_retries(options.max_retries)
        ),
        max_bytes=settings.max_event_bytes,
    )


def _model(
    settings: Settings, operation: Operation[Any], arguments: Mapping[str, object]
) -> Model | None:
    """The model of a call, or None if the operation has no model argument."""
    for argument in operation.arguments:
        if argument.kind == "model":
            name = arguments.get(argument.name)
            return settings.catalog.get(settings.model if name is None else name)
    return None


def _content(
    operation: Operation[ResultT],
    arguments: Mapping[str, object],
    options: CallOptions,
    model: Model | None,
    shape: StreamShape[Any, ResultT] | None,
) -> bytes:
    body = _body(operation, arguments, model)
    if shape is not None and shape.switch is not None:
        body[shape.switch] = True
    elif (switch := _switch(operation)) is not None:
        body[switch] = False
    if options.extra_body is not None:
        body |= _extra(options.extra_body)
    try:
        return encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"The request body cannot be encoded as JSON: {error}.") from error


def _filled(path: str, operation: Operation[Any], arguments: Mapping[str, object]) -> str:
    """The path with each of its parameters as one encoded segment."""
    for argument in operation.arguments:
        if argument.location == "path":
            (text,) = _texts(argument, arguments)
            path = path.replace(f"{{{argument.wire}}}", segment(text, argument.name))
    return path


def _query(operation: Operation[Any], arguments: Mapping[str, object]) -> str:
    return query_string(
        (argument.wire, text, argument.name)
        for argument in operation.arguments
        if argument.location == "query"
        for text in _texts(argument, arguments)
    )


def _argument_headers(operation: Operation[Any], arguments: Mapping[str, object]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for argument in operation.arguments:
        if argument.location == "header" and arguments.get(argument.name) is not None:
            (text,) = _texts(argument, arguments)
            check_value(text, argument.name)
            headers[argument.wire] = text
    return headers


def _texts(argument: Argument, arguments: Mapping[str, object]) -> list[str]:
    """An argument's value as text: several texts for an array, none when it is not given."""
    value = arguments.get(argument.name)
    if value is None:
        return []
    plain = _on_the_wire(argument, value, None)
    items = plain if is_array(plain) else [plain]
    return [item if isinstance(item, str) else encode(item).decode() for item in items]


def _body(
    operation: Operation[Any], arguments: Mapping[str, object], model: Model | None
) -> dict[str, object]:
    body: dict[str, object] = {}
    for argument in operation.arguments:
        value = arguments.get(argument.name)
        if argument.location != "body":
            continue
        if argument.kind == "model" and model is not None:
            body[argument.wire] = model.id
        elif value is not None:
            body[argument.wire] = _on_the_wire(argument, value, model)
    by_name = {argument.name: argument for argument in operation.arguments}
    for argument in operation.arguments:
        if argument.default_from is not None and argument.wire not in body:
            source = by_name[argument.default_from].wire
            if source in body:
                body[argument.wire] = body[source]
    return body


def _on_the_wire(argument: Argument, value: object, model: Model | None) -> object:
    if argument.kind == "messages":
        return encoded(
            value,
            model="" if model is None else model.id,
            accepts_images=None if model is None else model.accepts_images,
        )
    try:
        return argument.check.encode(value, argument.name)
    except RecursionError as error:
        raise ConfigurationError(f"{argument.name} is nested too deeply.") from error


def _switch(operation: Operation[Any]) -> str | None:
    shape: StreamShape[Any, Any] | None = getattr(operation, "stream", None)
    return None if shape is None else shape.switch


def _extra(extra: object) -> dict[str, object]:
    if not is_object(extra):
        raise ConfigurationError(
            f"extra_body must be a mapping of field names to values, not {type(extra).__name__}."
        )
    for name in extra:
        if not isinstance(name, str):
            raise ConfigurationError(f"extra_body: the field name {name!r} must be a string.")
    try:
        return {name: to_jsonable(value, f"extra_body[{name!r}]") for name, value in extra.items()}
    except RecursionError as error:
        raise ConfigurationError("extra_body is nested too deeply.") from error


def _headers(
    settings: Settings,
    operation: Operation[Any],
    arguments: Mapping[str, object],
    options: CallOptions,
    new_key: Callable[[], str],
) -> dict[str, str]:
    """All headers of a call. The call's override the client's, which override the SDK's."""
    # Check these before the key is in a local variable, which a traceback may show.
    declared = _argument_headers(operation, arguments)
    given = {} if options.headers is None else checked(options.headers, "headers=")
    for name in (*settings.headers, *given):
        if name in _FRAMING:
            raise ConfigurationError(
                f"headers=: {name!r} cannot be set, because the transport sets it."
            )
    headers = {
        "user-agent": USER_AGENT,
        "accept-encoding": ACCEPTED,
        **header_values(operation.headers, settings.options),
    }
    if operation.has_body:
        headers["content-type"] = "application/json"
    if operation.method not in _IDEMPOTENT:
        headers["idempotency-key"] = new_key()
    if settings.api_key is not None:
        headers["authorization"] = _bearer(settings.api_key)
    return {**headers, **settings.headers, **declared, **given}


def _bearer(key: Secret) -> str:
    return f"Bearer {key.reveal()}"
