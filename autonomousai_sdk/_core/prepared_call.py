"""Build a call's request from an operation and its arguments.

This module checks every argument of a call before anything is sent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic

from attrs import evolve, field, frozen

from .._version import __version__
from ..errors import APIStatusError, AutonomousAIError, ConfigurationError
from .catalog import Model, checked_model_name
from .check import to_jsonable
from .codec import encode, is_array, is_object
from .coding import ACCEPTED
from .display import display
from .exchange import Request
from .failure import Context
from .headers import changes, check_value
from .message import checked_messages, encoded
from .operation import Argument, Operation, ResultT, Route, StreamShape
from .secret import Secret
from .settings import CallOptions, Settings, checked_retries
from .timeout import Timeout
from .url import query_string, segment

USER_AGENT = f"autonomousai-sdk/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"

_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "upgrade", "te"})
"""Headers that frame the message (RFC 9112). Only the transport sets them."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that may be sent again without harm (RFC 9110, section 9.2.2)."""

_REFUSED = frozenset({400, 422})
"""The statuses of responses that refuse a body field."""


@frozen(kw_only=True)
class Fallback:
    """A body field that some servers refuse, and the name that they require instead.

    Attributes:
        wire: the field's name in the JSON body.
        instead: the other name, or None to leave the field out.
    """

    wire: str
    instead: str | None = None


@frozen(kw_only=True)
class PreparedCall(Generic[ResultT]):
    """Everything a flow needs to make a call.

    Attributes:
        operation: the operation to call.
        request: the request, the same for every attempt.
        body: the JSON body before it was encoded.
        model_wire: the body field that names the model, or None.
        model_list: the call that lists the server's models, if the body still lacks one.
        fallbacks: what to change in the body if the server refuses a field of it.
        applied: the fallbacks that this call has applied already.
        context: the details that every error of the call carries.
        shape: the shape of the event stream, or None for a call without one.
        timeout: the call's time limits.
        max_retries: the number of attempts after the first.
        max_bytes: the maximum size of one line, event or document, in bytes.
    """

    operation: Operation[ResultT]
    request: Request
    body: Mapping[str, object] = field(factory=dict[str, object], repr=False)
    model_wire: str | None = None
    model_list: PreparedCall[Any] | None = None
    fallbacks: tuple[Fallback, ...] = ()
    applied: tuple[Fallback, ...] = ()
    context: Context = field(repr=False)
    shape: StreamShape[Any, ResultT] | None
    timeout: Timeout
    max_retries: int
    max_bytes: int

    def fallback_after(self, error: AutonomousAIError) -> Fallback | None:
        """The fallback for a body field that the server refused, if the error names one."""
        if not self.fallbacks or not isinstance(error, APIStatusError):
            return None
        if error.status not in _REFUSED:
            return None
        said = str(error.body)
        return next((each for each in self.fallbacks if (each.instead or each.wire) in said), None)

    def with_model(self, name: str) -> PreparedCall[ResultT]:
        """The call with this model in its body."""
        wire = self.model_wire
        body = self.body if wire is None else {**self.body, wire: name}
        return evolve(self, body=body, model_list=None, request=self._request(body))

    def with_fallback(self, fallback: Fallback) -> PreparedCall[ResultT]:
        """The call without a field that the server refused, or with its other name.

        A server may answer a repeated idempotency key from memory, so the key changes too.
        """
        body = dict(self.body)
        value = body.pop(fallback.wire)
        if fallback.instead is not None:
            body[fallback.instead] = value
        return evolve(
            self,
            body=body,
            request=self._request(body, key_suffix=f"-{fallback.instead or fallback.wire}"),
            fallbacks=tuple(each for each in self.fallbacks if each != fallback),
            applied=(*self.applied, fallback),
        )

    def _request(self, body: Mapping[str, object], key_suffix: str = "") -> Request:
        headers = tuple(
            (name, value + key_suffix if name == "idempotency-key" else value)
            for name, value in self.request.headers
        )
        return evolve(self.request, content=encode(body), headers=headers)


def prepare_call(
    settings: Settings,
    operation: Operation[ResultT],
    arguments: Mapping[str, object],
    options: CallOptions,
    *,
    shape: StreamShape[Any, ResultT] | None,
    new_key: Callable[[], object],
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
    route = _route(settings, operation, arguments)
    model_argument = route.model_argument
    model = _model(settings, model_argument, arguments)
    path = route.path if route.path is not None or model is None else model.path
    if path is None:
        raise ConfigurationError(f"{operation.name} has no path and no model that determines one.")
    for argument in route.arguments:
        if argument.required and not _is_given(argument, arguments):
            raise ConfigurationError(f"{operation.name}: {argument.name} is missing.")
    body = _body(operation, route, arguments, options, model, shape) if route.has_body else {}
    url = settings.base_url + (_filled(path, route, arguments) if route.path_arguments else path)
    return PreparedCall(
        operation=operation,
        request=Request(
            method=route.method,
            url=url + _query(route, arguments) if route.query_arguments else url,
            headers=tuple(_headers(settings, route, arguments, options, new_key).items()),
            content=_encoded(body) if route.has_body else b"",
        ),
        body=body,
        model_wire=None if model_argument is None else model_argument.wire,
        model_list=(
            _model_list(settings, model_argument, options, new_key)
            if model_argument is not None and model_argument.wire not in body
            else None
        ),
        fallbacks=_fallbacks(route, body, options, shape),
        context=Context(f"{route.method} {url}", 1, settings.api_key, advice=settings.advice),
        shape=shape,
        timeout=settings.timeout if options.timeout is None else Timeout.of(options.timeout),
        max_retries=(
            settings.max_retries
            if options.max_retries is None
            else checked_retries(options.max_retries)
        ),
        max_bytes=settings.max_event_bytes,
    )


def _route(settings: Settings, operation: Operation[Any], arguments: Mapping[str, object]) -> Route:
    """How the client's protocol carries an operation.

    Raises:
        ConfigurationError: the protocol lacks the operation or one of the arguments passed.
    """
    protocol = settings.protocol.name
    route = operation.routes.get(protocol)
    if route is None:
        names = " or ".join(repr(name) for name in operation.routes)
        raise ConfigurationError(
            f"{operation.name} is not part of the {protocol!r} protocol of {settings.base_url}: "
            f"use a server of the {names} protocol, or pass protocol= if this is one."
        )
    for name, value in arguments.items():
        if value is not None and name not in route.wires:
            raise ConfigurationError(
                f"{operation.name}: the {protocol!r} protocol has no {name}: leave it out."
            )
    return route


def _is_given(argument: Argument, arguments: Mapping[str, object]) -> bool:
    """Whether an argument has a value: not None, or null where the spec allows it."""
    if arguments.get(argument.name) is not None:
        return True
    return argument.name in arguments and argument.kind == "value" and argument.check.takes(None)


def _model(
    settings: Settings, argument: Argument | None, arguments: Mapping[str, object]
) -> Model | None:
    """The model of a call; None if the operation has none, or the server determines it."""
    if argument is None:
        return None
    name = arguments.get(argument.name)
    if name is None:
        name = settings.model
    if argument.kind == "model":
        known = settings.catalog.by_name.get(name) if isinstance(name, str) else None
        return known or settings.catalog.get(name)  # which raises the error
    return None if name is None else Model(id=checked_model_name(name), path="")


def _model_list(
    settings: Settings,
    argument: Argument,
    options: CallOptions,
    new_key: Callable[[], object],
) -> PreparedCall[Any] | None:
    """The call that lists the server's models, with the settings of the call that needs one."""
    if argument.listed_by is None:
        return None
    options = evolve(options, extra_body=None)
    return prepare_call(settings, argument.listed_by, {}, options, shape=None, new_key=new_key)


def _body(
    operation: Operation[Any],
    route: Route,
    arguments: Mapping[str, object],
    options: CallOptions,
    model: Model | None,
    shape: StreamShape[Any, Any] | None,
) -> dict[str, object]:
    body = _argument_fields(route, arguments, model)
    if shape is not None:
        body |= route.stream_body
    streamed: StreamShape[Any, Any] | None = getattr(operation, "stream", None)
    if shape is not None and shape.switch is not None:
        body[shape.switch] = True
    elif streamed is not None and streamed.switch is not None:
        body[streamed.switch] = False
    if options.extra_body is not None:
        body |= _extra(options.extra_body)
    return body


def _encoded(body: Mapping[str, object]) -> bytes:
    try:
        return encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"The request body cannot be encoded as JSON: {error}.") from error


def _fallbacks(
    route: Route,
    body: Mapping[str, object],
    options: CallOptions,
    shape: StreamShape[Any, Any] | None,
) -> tuple[Fallback, ...]:
    """The fallbacks for fields of a body, without those that the caller set by `extra_body`."""
    if not route.alternatives and (shape is None or not route.stream_body):
        return ()
    extra = options.extra_body or {}
    found: list[Fallback] = []
    for argument in route.alternatives:
        wire = argument.wire
        if wire in body and wire not in extra and argument.instead not in body:
            found.append(Fallback(wire=wire, instead=argument.instead))
    if shape is not None:
        wires = route.stream_body
        found += [Fallback(wire=wire) for wire in wires if wire in body and wire not in extra]
    return tuple(found)


def _filled(path: str, route: Route, arguments: Mapping[str, object]) -> str:
    """The path with each of its parameters as one encoded segment."""
    for argument in route.path_arguments:
        (text,) = _texts(argument, arguments)
        path = path.replace(f"{{{argument.wire}}}", segment(text, argument.name))
    return path


def _query(route: Route, arguments: Mapping[str, object]) -> str:
    return query_string(
        (argument.wire, text, argument.name)
        for argument in route.query_arguments
        for text in _texts(argument, arguments)
    )


def _argument_headers(route: Route, arguments: Mapping[str, object]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for argument in route.header_arguments:
        if arguments.get(argument.name) is not None:
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


def _argument_fields(
    route: Route, arguments: Mapping[str, object], model: Model | None
) -> dict[str, object]:
    body: dict[str, object] = {}
    for argument in route.body_arguments:
        value = arguments.get(argument.name)
        if argument is route.model_argument:
            if model is not None:
                body[argument.wire] = model.id
        elif value is not None or argument.required:
            body[argument.wire] = _on_the_wire(argument, value, model)
    for argument in route.body_arguments:
        if argument.default_from is not None and argument.wire not in body:
            source = route.wires[argument.default_from]
            if source in body:
                body[argument.wire] = body[source]
    return body


def _on_the_wire(argument: Argument, value: object, model: Model | None) -> object:
    if argument.kind in ("messages", "encoded_messages"):
        encode_messages = encoded if argument.kind == "encoded_messages" else checked_messages
        return encode_messages(
            value,
            model="" if model is None else model.id,
            accepts_images=None if model is None else model.accepts_images,
        )
    if argument.kind == "tools":
        from .tool import tools_of  # inspects functions, which most calls do without

        return [tool.definition for tool in tools_of(value).values()]
    try:
        return argument.check.encode(value, argument.name)
    except RecursionError as error:
        raise ConfigurationError(f"{argument.name} is nested too deeply.") from error


def _extra(extra: object) -> dict[str, object]:
    if not is_object(extra):
        raise ConfigurationError(
            f"extra_body must be a mapping of field names to values, not {type(extra).__name__}."
        )
    for name in extra:
        if not isinstance(name, str):
            raise ConfigurationError(
                f"extra_body: the field name {display(name)} must be a string."
            )
    try:
        return {name: to_jsonable(value, f"extra_body[{name!r}]") for name, value in extra.items()}
    except RecursionError as error:
        raise ConfigurationError("extra_body is nested too deeply.") from error


def _headers(
    settings: Settings,
    route: Route,
    arguments: Mapping[str, object],
    options: CallOptions,
    new_key: Callable[[], object],
) -> dict[str, str]:
    """All headers of a call. The call's override the client's, which override the SDK's."""
    # Check these before the key is in a local variable, which a traceback may show.
    declared = _argument_headers(route, arguments) if route.header_arguments else {}
    given: dict[str, str] = {}
    removed: frozenset[str] = frozenset()
    if options.headers is not None:
        given, removed = changes(options.headers, "headers=")
    for name in (*settings.headers, *given):
        if name in _FRAMING:
            raise ConfigurationError(
                f"headers=: {name!r} cannot be set, because the transport sets it."
            )
    headers = {"user-agent": USER_AGENT, "accept-encoding": ACCEPTED}
    for parameter in route.headers:
        value = settings.options.get(parameter.option or "", parameter.default)
        if value is not None:
            headers[parameter.wire] = value
    if route.has_body:
        headers["content-type"] = "application/json"
    if route.method not in _IDEMPOTENT:
        headers["idempotency-key"] = str(new_key())
    if settings.api_key is not None and not route.is_public:
        headers["authorization"] = _bearer(settings.api_key)
    merged = {**headers, **settings.headers, **declared, **given}
    for name in removed:
        merged.pop(name, None)
    return merged


def _bearer(key: Secret) -> str:
    return f"Bearer {key.reveal()}"
