"""Descriptions of operations: their arguments, paths, headers and responses.

The generator writes instances of these classes from the endpoint spec, and the core reads
them. This module contains no behaviour and names no endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

from attrs import Factory, field, frozen

from .check import ANYTHING, Check

ResultT = TypeVar("ResultT")
ChunkT = TypeVar("ChunkT")

Kind = Literal["value", "messages", "encoded_messages", "model", "model_name", "tools"]
"""How an argument is checked and encoded.

The argument's `check` decides for a `value`. `messages` is sent as a JSON list,
`encoded_messages` as base64 of it (spec: `contentEncoding`, `contentSchema`). `model` is looked
up in the model table, which also determines the path. `model_name` is sent unchanged. `tools`
are functions, whose definitions are sent, and definitions.
"""

MODEL_KINDS = frozenset({"model", "model_name"})
"""The kinds of the argument that names the model."""

Location = Literal["body", "path", "query", "header"]
"""Where in a request an argument goes."""


@frozen(kw_only=True)
class Argument:
    """A parameter of an operation and the part of the request that it sets.

    Attributes:
        name: the Python name.
        wire: the name in the JSON body, the path, the query string or the headers.
        kind: how the value is checked and encoded.
        check: what a `value` must be.
        location: where in the request it goes.
        required: whether the caller must pass it.
        default_from: the argument whose encoded value is sent when this one is None.
        listed_by: for `model_name`, the operation that lists the server's models. A call
            without a model uses the only one of them.
        instead: the name in the JSON body that some servers require instead of `wire`.
    """

    name: str
    wire: str
    kind: Kind = "value"
    check: Check = ANYTHING
    location: Location = "body"
    required: bool = False
    default_from: str | None = None
    listed_by: Operation[Any] | None = None
    instead: str | None = None


@frozen(kw_only=True)
class HeaderParameter:
    """A header that the spec declares, and the client option that sets it, if any."""

    wire: str
    default: str | None = None
    option: str | None = None


@frozen(kw_only=True)
class Accumulator(Generic[ResultT]):
    """How a stream's chunks combine into one result (spec: `x-accumulates`).

    Attributes:
        result: the class of the result.
        choice: the class of one of its choices.
        message: the class of a choice's message.
        fixed: fields that name the type of the document, so they keep the default of
            the result's class.
    """

    result: type[ResultT]
    choice: type
    message: type
    fixed: tuple[str, ...] = ("object",)


@frozen(kw_only=True)
class StreamShape(Generic[ChunkT, ResultT]):
    """The event stream of an operation.

    Attributes:
        switch: the body field that requests a stream when true, or None.
        chunk: the class of one event's data. It has an `error`, a `finish_reason` and
            `choices`, each with an `index`, a `delta` and a `finish_reason`.
        sentinel: the data of the event that ends the stream, or None.
        accumulator: how the chunks combine into one result; None for chunks of any other
            form, whose result is the tuple of them.
    """

    chunk: type[ChunkT]
    accumulator: Accumulator[ResultT] | None = None
    switch: str | None = None
    sentinel: bytes | None = None


def _arguments_in(location: Location) -> Any:
    return field(
        init=False,
        repr=False,
        eq=False,
        default=Factory(
            lambda self: tuple(each for each in self.arguments if each.location == location),
            takes_self=True,
        ),
    )


@frozen(kw_only=True)
class Route:
    """How one protocol carries an operation.

    Attributes:
        method: the HTTP method.
        path: the path below the base URL, with its parameters in braces, or None when
            the model determines it.
        arguments: the parameters, in the spec's order.
        headers: the headers that the client sends without an argument.
        has_body: whether the request has a JSON body.
        stream_body: fields of the JSON body that only requests for a stream have. A server
            that refuses one of them gets the request without it.
        is_public: whether the request has no API key.
    """

    method: str
    path: str | None
    arguments: tuple[Argument, ...]
    headers: tuple[HeaderParameter, ...] = ()
    has_body: bool = True
    stream_body: Mapping[str, object] = field(factory=dict[str, object], hash=False)
    is_public: bool = False
    # Derived from the arguments once, rather than by each call.
    path_arguments: tuple[Argument, ...] = _arguments_in("path")
    query_arguments: tuple[Argument, ...] = _arguments_in("query")
    header_arguments: tuple[Argument, ...] = _arguments_in("header")
    body_arguments: tuple[Argument, ...] = _arguments_in("body")
    alternatives: tuple[Argument, ...] = field(
        init=False,
        repr=False,
        eq=False,
        default=Factory(
            lambda self: tuple(each for each in self.arguments if each.instead is not None),
            takes_self=True,
        ),
    )
    wires: Mapping[str, str] = field(
        init=False,
        repr=False,
        eq=False,
        default=Factory(
            lambda self: {each.name: each.wire for each in self.arguments}, takes_self=True
        ),
    )
    model_argument: Argument | None = field(
        init=False,
        repr=False,
        eq=False,
        default=Factory(
            lambda self: next((each for each in self.arguments if each.kind in MODEL_KINDS), None),
            takes_self=True,
        ),
    )


Media = Literal["json", "text", "bytes", "none"]
"""How a response's body becomes the result: decoded, as text, as it is, or not at all."""


@frozen(kw_only=True)
class Paging:
    """How the pages of an operation follow each other (spec: `x-paginated`).

    Attributes:
        parameter: the argument that selects a page.
        items: the attribute of a page that holds its items.
        next: the attribute of a page that has the next page's cursor; None where pages
            have numbers.
        first: the number of the first page.
    """

    parameter: str
    items: str
    next: str | None = None
    first: int = 1


@frozen(kw_only=True)
class Operation(Generic[ResultT]):
    """A method of the client.

    Attributes:
        name: the dotted name, such as `chat.create`.
        routes: how each protocol that has this operation carries it, by the protocol's name.
        result: the class of the response's document.
    """

    name: str
    routes: Mapping[str, Route] = field(hash=False)
    result: type[ResultT]
    media: Media = "json"
    paging: Paging | None = None


@frozen(kw_only=True)
class StreamingOperation(Operation[ResultT], Generic[ResultT, ChunkT]):
    """An operation that can also respond with an event stream."""

    stream: StreamShape[ChunkT, ResultT]
