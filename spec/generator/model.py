"""The parts of the generated code, as values that `render` writes as source."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from .names import camel
from .types import Type


@frozen(kw_only=True)
class FieldModel:
    """A field of a class. `default` is an expression, or None without a default."""

    name: str
    wire: str
    type: Type
    required: bool
    default: str | None
    doc: str
    metadata: dict[str, object] = field(hash=False)
    check: Type


@frozen(kw_only=True)
class ClassModel:
    """A class: a schema with properties.

    Attributes:
        is_input: whether callers pass it, so that a mapping may stand for it.
        is_output: whether responses have it.
        is_closed: whether it has no other properties.
        mixin: the class of the core that adds methods, as `module.Class`.
    """

    name: str
    doc: str
    fields: tuple[FieldModel, ...]
    is_input: bool
    is_output: bool
    is_closed: bool
    mixin: str | None


@frozen(kw_only=True)
class ArgumentModel:
    """A parameter of a method, and the part of the request that it sets."""

    name: str
    wire: str
    kind: str
    type: Type | None
    location: str
    annotation: str
    required: bool
    default_from: str | None = None
    listed_by: str | None = None
    instead: str | None = None
    keyword: bool = False
    passed_on: bool = True
    default: Any = field(default=None, hash=False)
    doc: str


@frozen(kw_only=True)
class HeaderModel:
    """A header that the client sends without an argument."""

    wire: str
    default: str | None
    option: str | None


@frozen(kw_only=True)
class MethodModel:
    """A method's name, summary and example."""

    name: str
    summary: str
    example: str


@frozen(kw_only=True)
class ResultModel:
    """A method's result. `media` determines how the response's body is read."""

    type: Type | None
    media: str
    doc: str


@frozen(kw_only=True)
class AccumulatorModel:
    """The classes that a stream's chunks combine into."""

    result: str
    choice: str
    message: str


@frozen(kw_only=True)
class StreamModel:
    """An operation's event stream, and the method that returns it."""

    method: MethodModel
    class_name: str
    switch: str | None
    chunk: Type
    sentinel: str | None
    accumulator: AccumulatorModel | None


@frozen(kw_only=True)
class PagesModel:
    """How to request an operation's next page.

    Attributes:
        style: `cursor` or `page`.
        parameter: the argument that selects a page.
        items: the field of a page that holds its items.
        item: the type of an item.
        next: for `cursor`, the field of a page that has the next one's.
        first: for `page`, the number of the first page.
    """

    style: str
    parameter: str
    items: str
    item: Type
    next: str | None
    first: int


@frozen(kw_only=True)
class RouteModel:
    """How one protocol carries an operation.

    `path` is None if the model determines it.
    """

    protocol: str
    http_method: str
    path: str | None
    arguments: tuple[ArgumentModel, ...]
    headers: tuple[HeaderModel, ...]
    has_body: bool
    stream_body: dict[str, Any]
    is_public: bool


@frozen(kw_only=True)
class ProtocolModel:
    """A wire protocol, as `x-protocols` describes it."""

    name: str
    base_path: str
    paths: tuple[str, ...]
    options: tuple[str, ...]
    has_catalog: bool


@frozen(kw_only=True)
class OperationModel:
    """A method that makes a call, and the one that streams its response.

    One of the two may be missing. `arguments` is the signature: the arguments of its routes,
    merged.
    """

    resource: str
    call: MethodModel | None
    routes: tuple[RouteModel, ...]
    arguments: tuple[ArgumentModel, ...]
    result: ResultModel
    stream: StreamModel | None
    pages: PagesModel | None

    @property
    def name(self) -> str:
        """The dotted name, such as `chat.create`."""
        method = self.call if self.stream is None or self.call is not None else self.stream.method
        return f"{self.resource}.{'' if method is None else method.name}"

    @property
    def constant(self) -> str:
        """The name of the operation among the generated ones."""
        return self.name.replace(".", "_").upper()

    @property
    def has_body(self) -> bool:
        """Whether any of its requests has a JSON body."""
        return any(route.has_body for route in self.routes)


@frozen(kw_only=True)
class MessagesModel:
    """The classes in the type `Messages`: of a message, and of responses that can be messages."""

    message: str
    answers: tuple[str, ...]


@frozen(kw_only=True)
class ServerModel:
    """A server: its URL with variables in braces, and their default and allowed values."""

    name: str
    url: str
    description: str
    variables: dict[str, tuple[str, tuple[str, ...]]]

    @property
    def default_url(self) -> str:
        """The URL with the default of each variable."""
        url = self.url
        for name, (default, _) in self.variables.items():
            url = url.replace(f"{{{name}}}", default)
        return url


@frozen(kw_only=True)
class CatalogEntry:
    """A model of the model table."""

    id: str
    path: str
    aliases: tuple[str, ...]
    accepts_images: bool | None
    description: str


@frozen(kw_only=True)
class ResourceModel:
    """A group of methods: an attribute of the client."""

    name: str
    doc: str
    mixin: str | None
    operations: tuple[OperationModel, ...]

    @property
    def class_name(self) -> str:
        """The class that holds the methods."""
        return camel(self.name)


@frozen(kw_only=True)
class Spec:
    """Everything that the generator reads from the spec."""

    servers: tuple[ServerModel, ...]
    protocols: tuple[ProtocolModel, ...]
    default_model: str | None
    models: tuple[CatalogEntry, ...]
    classes: tuple[ClassModel, ...]
    messages: MessagesModel | None
    resources: tuple[ResourceModel, ...]

    @property
    def operations(self) -> tuple[OperationModel, ...]:
        """The operations of all resources."""
        return tuple(each for resource in self.resources for each in resource.operations)
