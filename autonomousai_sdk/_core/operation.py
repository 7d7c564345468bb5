"""What the generated code tells the core of one operation: its arguments, routes and answers.

Values only. The generator writes instances of these classes from the endpoint spec;
the core reads them. Nothing here knows a particular endpoint.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from attrs import frozen

ResultT = TypeVar("ResultT")
ChunkT = TypeVar("ChunkT")

Kind = Literal["string", "boolean", "integer", "number", "messages", "model", "json"]
"""How an argument is checked and put on the wire.

`messages` is base64 of the JSON list (spec: `contentEncoding`, `contentSchema`);
`model` is looked up in the model table, which also gives the path; `json` goes as it is.
"""


@frozen(kw_only=True)
class Argument:
    """One parameter of an operation and the body field it becomes.

    Attributes:
        name: the Python name.
        wire: the name in the JSON body.
        kind: how it is checked and encoded.
        required: whether the caller must give it.
        default_from: the argument whose value on the wire stands in when this one is None.
    """

    name: str
    wire: str
    kind: Kind
    required: bool = False
    default_from: str | None = None


@frozen(kw_only=True)
class HeaderParameter:
    """A header the spec declares, with the client option that sets it, if one does."""

    wire: str
    default: str | None = None
    option: str | None = None


@frozen(kw_only=True)
class Accumulator(Generic[ResultT]):
    """How a stream's chunks become one answer (spec: `x-accumulates`, `x-concatenate`).

    Attributes:
        result: the class of the whole answer.
        choice: the class of one of its choices.
        message: the class of a choice's message.
        concatenated: the delta's fields whose pieces are joined; of any other field
            the last value that is not None counts.
        fixed: fields that name the class itself on the wire, and so keep the value
            that the result's class gives them.
    """

    result: type[ResultT]
    choice: type
    message: type
    concatenated: tuple[str, ...]
    fixed: tuple[str, ...] = ("object",)


@frozen(kw_only=True)
class StreamShape(Generic[ChunkT, ResultT]):
    """What an operation's event stream is made of.

    Attributes:
        switch: the body field that asks for a stream when true, or None.
        chunk: the class of one event's data; it has an `error`, a `finish_reason`, and
            `choices`, each with an `index`, a `delta` and a `finish_reason` of its own.
        sentinel: the data of the event that ends the stream, or None.
        accumulator: how the chunks become the whole answer.
    """

    chunk: type[ChunkT]
    accumulator: Accumulator[ResultT]
    switch: str | None = None
    sentinel: bytes | None = None


@frozen(kw_only=True)
class Operation(Generic[ResultT]):
    """One method of the client.

    Attributes:
        name: its dotted name, such as `chat.create`.
        method: the HTTP method.
        path: the path below the base URL, or None when the model decides it.
        arguments: the parameters that go into the JSON body, in the spec's order.
        headers: the headers the spec declares.
        result: the class of a whole answer.
    """

    name: str
    method: str
    path: str | None
    arguments: tuple[Argument, ...]
    headers: tuple[HeaderParameter, ...]
    result: type[ResultT]


@frozen(kw_only=True)
class StreamingOperation(Operation[ResultT], Generic[ResultT, ChunkT]):
    """An operation that can answer with an event stream as well."""

    stream: StreamShape[ChunkT, ResultT]
