"""What the client needs to know of the spec: classes, models, operations and resources.

Turns nodes into values that are about Python already: names, annotations, docstrings.
Knows nothing of how a file is laid out.
"""

from __future__ import annotations

import keyword
import re
from typing import Any

from attrs import evolve, frozen

from .expressions import accepted, check, output
from .load import Node, SpecError
from .schemas import NOTES, OBJECT, admits, is_object, read_type
from .types import NULL, ArrayType, ClassType, LeafType, Type, parts, union, without_null

_METHODS = ("get", "post", "put", "patch", "delete")


@frozen(kw_only=True)
class FieldModel:
    """A field of a class."""

    name: str
    wire: str
    annotation: str
    param: str
    required: bool
    default: str | None
    doc: str
    metadata: dict[str, object]
    check: str | None


@frozen(kw_only=True)
class ClassModel:
    """A class: a schema with properties."""

    name: str
    doc: str
    fields: tuple[FieldModel, ...]
    is_input: bool
    is_closed: bool
    mixin: str | None


@frozen(kw_only=True)
class ArgumentModel:
    """A parameter of a method, and the part of the request it becomes."""

    name: str
    wire: str
    kind: str
    check: str | None
    location: str
    annotation: str
    required: bool
    default_from: str | None
    listed_by: str | None = None
    instead: str | None = None
    passed_on: bool = True
    keyword: bool = False
    doc: str


@frozen(kw_only=True)
class HeaderModel:
    """A header that the client sends unasked."""

    wire: str
    default: str | None
    option: str | None


@frozen(kw_only=True)
class MethodModel:
    """A method's name and prose."""

    name: str
    summary: str
    example: str


@frozen(kw_only=True)
class StreamModel:
    """An operation's event stream, and the method that returns it."""

    method: MethodModel
    class_name: str
    switch: str | None
    chunk: str
    sentinel: str | None
    result: str
    choice: str
    message: str


@frozen(kw_only=True)
class RouteModel:
    """How one protocol carries an operation: what one operation of the spec says.

    `path` is None where the model decides it.
    """

    protocol: str
    http_method: str
    path: str | None
    arguments: tuple[ArgumentModel, ...]
    headers: tuple[HeaderModel, ...]
    has_body: bool
    stream_body: dict[str, Any]


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
    """A method that makes a call, and the one that streams its answer if there is one.

    `arguments` is the signature: the arguments of its routes, merged.
    """

    resource: str
    call: MethodModel
    routes: tuple[RouteModel, ...]
    arguments: tuple[ArgumentModel, ...]
    result: str
    result_doc: str
    stream: StreamModel | None

    @property
    def constant(self) -> str:
        """The name of the operation among the generated ones."""
        return f"{self.resource}_{self.call.name}".upper()

    @property
    def has_body(self) -> bool:
        """Whether any of its requests has a JSON body."""
        return any(route.has_body for route in self.routes)


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
        return _camel(self.name)


@frozen(kw_only=True)
class Spec:
    """All of it."""

    base_url: str
    protocols: tuple[ProtocolModel, ...]
    default_model: str
    models: tuple[CatalogEntry, ...]
    classes: tuple[ClassModel, ...]
    resources: tuple[ResourceModel, ...]


def modelled(root: Node) -> Spec:
    """What the client needs to know of a spec.

    Raises:
        SpecError: something that is wrong or not known, with its pointer.
    """
    classes = tuple(
        _class(name, node)
        for name, node in root.at("components").members("schemas").items()
        if is_object(node) and not _python(node).get("skip")
    )
    operations = [
        operation
        for path, node in root.members("paths").items()
        for operation in _path_operations(path, node)
    ]
    models, default = _models(operations)
    return Spec(
        base_url=root.items("servers")[0].get("url"),
        protocols=_protocols(root, operations),
        default_model=default,
        models=models,
        classes=classes,
        resources=_resources(root, operations, {each.name: each for each in classes}),
    )


DEFAULT_PROTOCOL = "default"
"""The name of the only protocol of a spec without `x-protocols`."""


def _protocols(root: Node, operations: list[_SpecOperation]) -> tuple[ProtocolModel, ...]:
    nodes: dict[str, Node | None] = {**root.members("x-protocols")} or {DEFAULT_PROTOCOL: None}
    for operation in operations:
        if operation.protocol not in nodes:
            known = ", ".join(nodes)
            raise operation.node.error(f"x-protocol must be one of {known}: see x-protocols")
    protocols: list[ProtocolModel] = []
    for name, node in nodes.items():
        if node is not None:
            node.only("description", "basePath")
        own = [each for each in operations if each.protocol == name]
        routes = [_route(each) for each in own]
        options = [each.option for route in routes for each in route.headers if each.option]
        has_catalog = any(each.node.has("x-models") for each in own)
        protocols.append(
            ProtocolModel(
                name=name,
                base_path="" if node is None else node.get("basePath", ""),
                paths=tuple(dict.fromkeys(each.path for each in own if "{" not in each.path)),
                options=tuple(dict.fromkeys([*options, *(["models"] if has_catalog else [])])),
                has_catalog=has_catalog,
            )
        )
    base_paths = [each.base_path for each in protocols]
    if base_paths.count("") != 1 or len(set(base_paths)) != len(base_paths):
        raise SpecError("#/x-protocols: all protocols but one need a basePath of their own")
    return tuple(protocols)


@frozen(kw_only=True)
class _SpecOperation:
    """An operation as it stands in the spec: its path, its method and its node."""

    path: str
    http_method: str
    node: Node
    parameters: tuple[Node, ...]

    @property
    def protocol(self) -> str:
        """The name of the protocol that it belongs to."""
        return str(self.node.get("x-protocol", DEFAULT_PROTOCOL))


def _path_operations(path: str, node: Node) -> list[_SpecOperation]:
    node.only(*_METHODS, "summary", "description", "parameters")
    operations = [
        _SpecOperation(
            path=path,
            http_method=method.upper(),
            node=node.at(method),
            parameters=_parameters(node.items("parameters"), node.at(method).items("parameters")),
        )
        for method in _METHODS
        if node.has(method)
    ]
    if not operations:
        raise node.error(f"a path needs an operation: {', '.join(_METHODS)}")
    return operations


def _parameters(shared: list[Node], own: list[Node]) -> tuple[Node, ...]:
    """A path's parameters and an operation's own, which replace those of the same name."""
    found: dict[tuple[str, str], Node] = {}
    for group in (shared, own):
        seen: set[tuple[str, str]] = set()
        for node in map(Node.resolved, group):
            key = (str(node.get("in")), str(node.get("name")))
            if key in seen:
                raise node.error(f"there are two {key[0]} parameters named {key[1]!r}")
            seen.add(key)
            found[key] = node
    return tuple(found.values())


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _python(node: Node) -> dict[str, Any]:
    return dict(node.member("x-python").mapping()) if node.has("x-python") else {}


def _class(name: str, node: Node) -> ClassModel:
    node.only(*OBJECT, *NOTES)
    required = node.get("required", [])
    for missing in set(required) - set(node.get("properties")):
        raise node.error(f"{missing!r} is required, and no property")
    is_input = bool(_python(node).get("input"))
    return ClassModel(
        name=name,
        doc=_prose(node),
        fields=tuple(
            _field(wire, member, required=wire in required, is_input=is_input)
            for wire, member in node.members("properties").items()
        ),
        is_input=is_input,
        is_closed=node.get("additionalProperties") is False,
        mixin=_python(node).get("mixin"),
    )


def _field(wire: str, node: Node, *, required: bool, is_input: bool) -> FieldModel:
    # The decoder refuses anything but null for an error, so that none passes for an answer.
    type_ = NULL if _python(node).get("role") == "error" else read_type(node)
    default = _default(node, type_)
    if default is None and not required:
        type_, default = union([type_, NULL]), "None"
    return FieldModel(
        name=_name(node, wire),
        wire=wire,
        annotation=output(type_, "", "Sequence[{}]" if is_input else "tuple[{}, ...]"),
        param=accepted(read_type(node)),
        required=required,
        default=default,
        doc=_prose(node),
        metadata=_metadata(node, wire),
        check=check(read_type(node)) if is_input else None,
    )


def _default(node: Node, type_: Type) -> str | None:
    """The default of a field, as source."""
    resolved = node.resolved()
    if resolved.has("const"):
        return repr(resolved.get("const"))
    if not resolved.has("default"):
        return None
    value = resolved.get("default")
    if not admits(type_, value):
        raise resolved.member("default").error(f"{value!r} is not a value that the schema allows")
    if isinstance(type_, ClassType):
        return f"factory={type_.name}"
    if value == {}:
        return "factory=dict"
    return "()" if value == [] else repr(value)


_METADATA = ("nulls", "lenient", "parts", "also", "fallback")


def _metadata(node: Node, wire: str) -> dict[str, object]:
    """What the core is told about a field (`_core.fields` explains the keys)."""
    python = _python(node.resolved()) | _python(node)
    metadata: dict[str, object] = {"wire": wire} if _name(node, wire) != wire else {}
    if node.get("x-concatenate"):
        metadata["concatenate"] = True
    if node.get("contentMediaType") == "application/json" and not node.has("contentSchema"):
        metadata["json"] = True
    return metadata | {name: python[name] for name in _METADATA if name in python}


def _name(node: Node, wire: str) -> str:
    name = str(_python(node).get("name", wire))
    if not name.isidentifier() or keyword.iskeyword(name):
        raise node.error(f"{name!r} is no Python name: give one by x-python.name")
    return name


def _prose(node: Node) -> str:
    text = node.get("description") or node.resolved().get("description") or ""
    if not text:
        raise node.error("a description is missing")
    return " ".join(str(text).split())


def _models(operations: list[_SpecOperation]) -> tuple[tuple[CatalogEntry, ...], str]:
    models: list[CatalogEntry] = []
    default: str | None = None
    for operation in operations:
        for node in operation.node.items("x-models"):
            node.only("id", "aliases", "default", "acceptsImages", "description")
            model = CatalogEntry(
                id=node.get("id"),
                path=operation.path,
                aliases=tuple(node.get("aliases", [])),
                accepts_images=node.get("acceptsImages"),
                description=_prose(node),
            )
            if node.get("default"):
                if default is not None:
                    raise node.error("there is a default model already")
                default = model.id
            models.append(model)
    names = [name for model in models for name in (model.id, *model.aliases)]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"#/paths: two models go by the name {name!r}")
    if default is None:
        raise SpecError("#/paths: no model is the default")
    return tuple(models), default


def _resources(
    root: Node, operations: list[_SpecOperation], classes: dict[str, ClassModel]
) -> tuple[ResourceModel, ...]:
    """Operations by resource; the spec's operations that name one method become one."""
    grouped: dict[tuple[str, str], list[_SpecOperation]] = {}
    for each in operations:
        python = _python(each.node)
        if "resource" not in python or "method" not in python:
            raise each.node.error("x-python names no resource and method")
        grouped.setdefault((python["resource"], python["method"]["name"]), []).append(each)
    built: dict[str, list[OperationModel]] = {}
    for (resource, _), group in grouped.items():
        built.setdefault(resource, []).append(_operation(resource, group, classes))
    tags = {tag.get("name"): tag for tag in root.items("tags")}
    for resource in built:
        if resource not in tags:
            raise SpecError(f"#/tags: the resource {resource!r} has no tag to describe it")
    return tuple(
        ResourceModel(
            name=name,
            doc=_prose(tags[name]),
            mixin=_python(tags[name]).get("mixin"),
            operations=tuple(each),
        )
        for name, each in built.items()
    )


def _operation(
    resource: str, group: list[_SpecOperation], classes: dict[str, ClassModel]
) -> OperationModel:
    """One method of the client: the models' paths it has in the spec share everything else."""
    node = group[0].node
    by_protocol: dict[str, _SpecOperation] = {}
    for other in group:
        first = by_protocol.setdefault(other.protocol, other)
        if other is not first and not (first.node.has("x-models") and other.node.has("x-models")):
            raise other.node.error(
                f"{first.node.pointer} names the same method: without models, one may"
            )
        same = ["x-python", "responses"]
        same += ["parameters", "requestBody"] if other is not first else []
        for name in same:
            reference = group[0] if name in ("x-python", "responses") else first
            if other.node.get(name) != reference.node.get(name):
                raise other.node.error(
                    f"{name} differs from {reference.node.pointer}, for the same method"
                )
    python = _python(node)
    answer = node.at("responses").at("200").at("content")
    result_schema = _schema(answer)
    if result_schema.reference is None:
        raise answer.error("an answer is a named schema: put it into components")
    if answer.has("text/event-stream") != ("stream" in python):
        raise node.error("an event stream needs a stream method in x-python, and the reverse")
    routes = tuple(_route(each) for each in by_protocol.values())
    return OperationModel(
        resource=resource,
        call=_method(node, python["method"]),
        routes=routes,
        arguments=_merged(node, routes),
        result=result_schema.reference.rsplit("/", 1)[-1],
        result_doc=_prose(result_schema),
        stream=_stream(resource, node, answer, classes) if "stream" in python else None,
    )


def _merged(node: Node, routes: tuple[RouteModel, ...]) -> tuple[ArgumentModel, ...]:
    """The signature of a method: the arguments of all protocols, the required ones first."""
    merged: dict[str, ArgumentModel] = {}
    for route in routes:
        for argument in route.arguments:
            known = merged.setdefault(argument.name, argument)
            if known.listed_by is None:
                known = merged[argument.name] = evolve(known, listed_by=argument.listed_by)
            if argument.annotation != known.annotation or argument.required != known.required:
                raise node.error(
                    f"the protocols disagree on the type of {argument.name}: "
                    f"{known.annotation} and {argument.annotation}"
                )
    for name, argument in merged.items():
        having = [each.protocol for each in routes if name in {a.name for a in each.arguments}]
        if len(having) < len(routes):
            only = " and ".join(f"`{each}`" for each in having)
            doc = f"{argument.doc.rstrip('.')}. Only for the protocol {only}."
            merged[name] = evolve(argument, doc=doc)
    return tuple(sorted(merged.values(), key=lambda argument: not argument.required))


def _route(operation: _SpecOperation) -> RouteModel:
    node = operation.node
    node.only(
        "operationId",
        "tags",
        "summary",
        "description",
        "x-python",
        "x-models",
        "x-protocol",
        "parameters",
        "requestBody",
        "responses",
        "security",
    )
    arguments: list[ArgumentModel] = []
    headers: list[HeaderModel] = []
    for each in operation.parameters:
        if each.get("in") == "header" and _is_unasked(each):
            headers.append(_header(each))
        elif not _python(each).get("skip"):
            arguments.append(_parameter(each))
    _check_path(operation)
    body = _body(node)
    if body is not None:
        arguments += _arguments(body)
    names = [each.name for each in arguments]
    for name in names:
        if names.count(name) > 1:
            raise node.error(f"there are two arguments named {name!r}: x-python.name renames one")
    return RouteModel(
        protocol=operation.protocol,
        http_method=operation.http_method,
        path=None if node.has("x-models") else operation.path,
        arguments=tuple(arguments),
        headers=tuple(headers),
        has_body=body is not None,
        stream_body={} if body is None else _stream_body(body),
    )


def _check_path(operation: _SpecOperation) -> None:
    """Make sure that the parameters in the path are the ones declared."""
    in_path = re.findall(r"\{([^{}]*)\}", operation.path)
    declared = [str(each.get("name")) for each in operation.parameters if each.get("in") == "path"]
    for name in in_path:
        if in_path.count(name) > 1:
            raise operation.node.error(f"the path has {{{name}}} twice")
        if name not in declared:
            raise operation.node.error(f"the path's parameter {{{name}}} is not declared")
    for name in declared:
        if name not in in_path:
            raise operation.node.error(f"the path has no {{{name}}}, which is declared")
    if set("{}") & set(re.sub(r"\{[^{}]*\}", "", operation.path)):
        raise operation.node.error("the path's braces do not match")


def _body(node: Node) -> Node | None:
    """The schema of the request body, or None if there is none."""
    if not node.has("requestBody"):
        return None
    body = node.at("requestBody")
    body.only("required", "description", "content")
    return _schema(body.at("content")).resolved()


def _switch(body: Node | None) -> str | None:
    """The body field that asks for a stream."""
    properties = {} if body is None else body.members("properties")
    return next(
        (wire for wire, each in properties.items() if _python(each).get("role") == "stream"), None
    )


def _stream_body(body: Node) -> dict[str, Any]:
    """The fields that only a request for a stream has."""
    return {
        wire: _python(each)["whenStreaming"]
        for wire, each in body.members("properties").items()
        if "whenStreaming" in _python(each)
    }


def _schema(content: Node) -> Node:
    """The schema of a JSON body, as it stands: perhaps a reference."""
    media = content.at("application/json")
    return media.member("schema")


def _method(node: Node, value: dict[str, Any]) -> MethodModel:
    if set(value) - {"name", "summary", "example"}:
        raise node.error("a method in x-python has name, summary and example")
    return MethodModel(
        name=value["name"],
        summary=" ".join(value.get("summary", node.get("summary", "")).split()),
        example=value.get("example", "").rstrip(),
    )


def _arguments(body: Node) -> list[ArgumentModel]:
    switch = _switch(body)
    properties = body.members("properties")
    names = {wire: _name(node, wire) for wire, node in properties.items()}
    arguments: list[ArgumentModel] = []
    for wire, node in properties.items():
        python = _python(node)
        if wire == switch or "whenStreaming" in python:
            continue
        source = python.get("defaultFrom")
        if source is not None and source not in names:
            raise node.error(f"defaultFrom names no property: {source!r}")
        kind, checked, annotation = _kind(node)
        is_model = python.get("role") == "model"
        arguments.append(
            ArgumentModel(
                name=names[wire],
                wire=wire,
                kind=kind,
                check=checked,
                location="body",
                annotation=annotation,
                required=(wire in body.get("required", []) and source is None and not is_model),
                default_from=None if source is None else names[source],
                listed_by=python.get("listedBy"),
                instead=python.get("instead"),
                passed_on=python.get("passedOn", True),
                keyword=bool(python.get("keyword")),
                doc=" ".join(str(python.get("doc") or _prose(node)).split()),
            )
        )
    return arguments


def _kind(node: Node) -> tuple[str, str | None, str]:
    """How an argument is checked and encoded, its check, and its annotation."""
    resolved = node.resolved()
    role = _python(node).get("role")
    if role == "model":
        return "model_name" if "listedBy" in _python(node) else "model", None, "str"
    if role == "tools":
        return "tools", None, "Sequence[Callable[..., Any] | Mapping[str, Any]]"
    if role == "messages":
        return "messages", None, "Messages"
    if resolved.has("contentSchema"):
        if (resolved.get("contentEncoding"), resolved.get("contentMediaType")) != (
            "base64",
            "application/json",
        ):
            raise node.error("the one encoding known is base64 of JSON")
        return "encoded_messages", None, "Messages"
    type_ = without_null(read_type(node))
    return "value", check(type_), accepted(type_)


_PARAMETER_KEYS = ("name", "in", "description", "required", "schema", "x-python")


def _parameter(node: Node) -> ArgumentModel:
    """A parameter that the caller gives."""
    node.only(*_PARAMETER_KEYS)
    location = str(node.get("in"))
    if location not in ("path", "query", "header"):
        raise node.error(f"parameters are in path, query or header, not in {location!r}")
    if location == "path" and node.get("required") is not True:
        raise node.error("a path's parameter has required: true")
    wire = str(node.get("name"))
    kind, checked, annotation = _kind(node.member("schema"))
    type_ = without_null(read_type(node.member("schema")))
    items = type_.items if isinstance(type_, ArrayType) and location == "query" else type_
    if not all(isinstance(each, LeafType) for each in parts(items) or (items,)):
        raise node.error(
            "a parameter is a string, a number, a boolean or a date, or in the query a list of them"
        )
    return ArgumentModel(
        name=_name(node, wire),
        wire=wire.lower() if location == "header" else wire,
        kind=kind,
        check=checked,
        location=location,
        annotation=annotation,
        required=bool(node.get("required")),
        default_from=None,
        doc=" ".join(str(_python(node).get("doc") or _prose(node)).split()),
    )


def _is_unasked(node: Node) -> bool:
    """Whether the client sends a header by itself: it has a default, or an option sets it."""
    return "option" in _python(node) or node.at("schema").has("default")


def _header(node: Node) -> HeaderModel:
    node.only(*_PARAMETER_KEYS)
    default = node.at("schema").get("default")
    return HeaderModel(
        wire=str(node.get("name")).lower(),
        default=None if default is None else str(default),
        option=_python(node).get("option"),
    )


def _stream(resource: str, node: Node, answer: Node, classes: dict[str, ClassModel]) -> StreamModel:
    method = _method(node, _python(node)["stream"])
    media = answer.at("text/event-stream")
    media.only("itemSchema", "x-sentinel", "x-chunk", "x-accumulates")
    chunk = _class_named(media, "x-chunk", classes)
    result = _class_named(media, "x-accumulates", classes)
    choice = classes[_inner(result, "choices", media)]
    message = classes[_inner(choice, "message", media)]
    piece = classes[_inner(chunk, "choices", media)]
    delta = classes[_inner(piece, "delta", media)]
    for name in (each.name for each in delta.fields if "concatenate" in each.metadata):
        if name not in {each.name for each in message.fields}:
            raise node.error(f"{delta.name}.{name} is joined, and {message.name} has no such field")
    return StreamModel(
        method=method,
        class_name=_camel(resource)
        + ("" if method.name == "stream" else _camel(method.name))
        + "Stream",
        switch=_switch(_body(node)),
        chunk=chunk.name,
        sentinel=media.get("x-sentinel"),
        result=result.name,
        choice=choice.name,
        message=message.name,
    )


def _class_named(node: Node, name: str, classes: dict[str, ClassModel]) -> ClassModel:
    found = str(node.get(name, "")).rsplit("/", 1)[-1]
    if found not in classes:
        raise node.error(f"{name} names no schema that has properties")
    return classes[found]


def _inner(cls: ClassModel, name: str, node: Node) -> str:
    """The class that a field of a class holds, or holds several of."""
    for each in cls.fields:
        if each.name == name:
            return re.sub(r"tuple\[(\w+), \.\.\.\]", r"\1", each.annotation)
    raise node.error(f"{cls.name} has no {name!r}, which streams are put together by")
