"""The spec's operations as methods of the client."""

from __future__ import annotations

import re
from typing import Any

from attrs import evolve, frozen

from .classes import ON_A_CLASS, ON_A_PROPERTY, Classes, prose
from .expressions import accepted
from .load import Node
from .model import (
    AccumulatorModel,
    ArgumentModel,
    FieldModel,
    HeaderModel,
    MessagesModel,
    MethodModel,
    OperationModel,
    PagesModel,
    ResultModel,
    RouteModel,
    StreamModel,
)
from .names import (
    ARGUMENTS,
    METHODS,
    camel,
    check_name,
    check_unique,
    extensions,
    python_name,
)
from .options import client_options
from .schemas import (
    NOTES,
    OBJECT,
    ObjectSchema,
    admits,
    checked_default,
    is_object,
    object_schema,
)
from .types import STRING, ArrayType, ClassType, LeafType, Type, UnionType, is_null, without_null

DEFAULT_PROTOCOL = "default"
"""The name of the only protocol of a spec without `x-protocols`."""

HTTP_METHODS = ("get", "post", "put", "patch", "delete")
_BODYLESS = ("get", "delete")

_OWN_HEADERS = frozenset(
    {
        *("authorization", "content-type", "content-length", "host", "accept-encoding"),
        *("connection", "expect", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)
"""Headers that the client or the transport sets."""

_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
"""A path without its parameters (RFC 3986, section 3.3)."""

_PARAMETER_KEYS = (
    *("name", "in", "description", "required", "schema", "style", "explode", "x-python"),
    *("example", "examples"),
)


@frozen(kw_only=True)
class SpecOperation:
    """An operation of the spec: its path, its HTTP method and its node."""

    path: str
    http_method: str
    node: Node
    parameters: tuple[Node, ...]

    @property
    def protocol(self) -> str:
        """The name of its protocol."""
        return str(self.node.get("x-protocol", DEFAULT_PROTOCOL))

    @property
    def method(self) -> tuple[str, str]:
        """The names of the client's resource and method for it."""
        python = extensions(self.node, "resource", "method", "stream")
        if "resource" not in python or not {"method", "stream"} & set(python):
            raise self.node.error(
                "x-python names no method of the client: it has a resource, and a method, a "
                "stream or both"
            )
        node = self.node.member("x-python")
        return node.string("resource"), node.member(
            "method" if "method" in python else "stream"
        ).string("name")


def path_operations(path: str, node: Node) -> list[SpecOperation]:
    """Return the operations of a path."""
    node.only(*HTTP_METHODS, "summary", "description", "parameters")
    operations = [
        SpecOperation(
            path=path,
            http_method=method.upper(),
            node=node.at(method),
            parameters=_parameters(node.items("parameters"), node.at(method).items("parameters")),
        )
        for method in HTTP_METHODS
        if node.has(method)
    ]
    if not operations:
        raise node.error(f"a path needs an operation: {', '.join(HTTP_METHODS)}")
    for each in operations:
        _check_operation(each)
    return operations


def _check_operation(operation: SpecOperation) -> None:
    node = operation.node
    node.only(
        *("operationId", "tags", "summary", "description", "parameters", "requestBody"),
        *("responses", "security", "x-python", "x-models", "x-protocol", "x-paginated"),
    )
    node.strings("tags")
    fixed = re.sub(r"\{[^{}]*\}", "", operation.path)
    if not operation.path.startswith("/") or set("?#") & set(operation.path):
        raise node.error("a path starts with a slash, and has no query or fragment")
    in_path = re.findall(r"\{([^{}]*)\}", operation.path)
    declared = [str(each.get("name")) for each in operation.parameters if each.get("in") == "path"]
    for name in in_path:
        if in_path.count(name) > 1:
            raise node.error(f"the path has {{{name}}} twice")
        if name not in declared:
            raise node.error(f"the path's parameter {{{name}}} is not declared: add it")
    for name in declared:
        if name not in in_path:
            raise node.error(f"the path has no {{{name}}}, which is declared: take it out")
    if set("{}") & set(fixed):
        raise node.error("the path's braces do not match")
    if not _PATH.fullmatch(fixed) or {".", ".."} & set(operation.path.split("/")):
        raise node.error(
            "a path has the characters that RFC 3986 allows, and no segment . or ..: "
            "percent-encode the others"
        )


def _parameters(shared: list[Node], own: list[Node]) -> tuple[Node, ...]:
    """Merge a path's parameters with an operation's own, which take precedence."""
    found: dict[tuple[str, str], Node] = {}
    for group in (shared, own):
        seen: set[tuple[str, str]] = set()
        for node in map(Node.resolved, group):
            key = (node.string("in"), node.string("name"))
            if key[0] == "header":
                key = (key[0], key[1].lower())
            if key in seen:
                raise node.error(f"there are two {key[0]} parameters named {key[1]!r}")
            seen.add(key)
            found[key] = node
    return tuple(found.values())


class Operations:
    """Builds the operations of a spec, and records how they use its classes."""

    def __init__(self, classes: Classes) -> None:
        self.classes = classes
        self.schemas = classes.schemas

    def operation(self, resource: str, group: list[SpecOperation]) -> OperationModel:
        """Build one method of the client from the spec's operations that name it."""
        first = group[0]
        node = first.node
        by_protocol = _by_protocol(group)
        python = node.member("x-python")
        routes = tuple(self.route(each) for each in by_protocol.values())
        name, response = _success(node)
        stream = self._stream(resource, first, response) if python.has("stream") else None
        is_stream = response.has("content") and response.at("content").has("text/event-stream")
        if is_stream != python.has("stream"):
            raise node.error("an event stream needs a stream method in x-python, and the reverse")
        owner = f"{camel(resource)}{camel(first.method[1])}"
        has_method = python.has("method")
        if has_method and stream is not None and stream.switch is None:
            raise node.error(
                "the method and the stream would send the same request: give a property of the "
                "body the role stream"
            )
        result = (
            self._result(name, response, owner)
            if has_method
            else ResultModel(type=None, media="none", doc="nothing")
        )
        arguments = _merged(node, routes)
        return OperationModel(
            resource=resource,
            call=_method(node, python.member("method")) if has_method else None,
            routes=routes,
            arguments=arguments,
            result=result,
            stream=stream,
            pages=self._pages(node, arguments, result) if node.has("x-paginated") else None,
        )

    def route(self, operation: SpecOperation) -> RouteModel:
        """Return how one protocol carries a method."""
        node = operation.node
        arguments: list[ArgumentModel] = []
        headers: list[HeaderModel] = []
        for each in operation.parameters:
            _check_parameter(each)
            if each.get("in") == "header" and _is_unasked(each):
                headers.append(self._header(each))
            elif extensions(each).get("skip"):
                if each.flag("required"):
                    raise each.error("a required parameter cannot be left out by skip")
            else:
                arguments.append(self._parameter(each))
        body = self._body(operation)
        if body is not None:
            arguments += self._arguments(body)
            self._check_streaming(operation, body)
        for wire in (each.wire for each in headers):
            if wire in [each.wire for each in arguments if each.location == "header"]:
                raise node.error(f"there are two headers named {wire!r}")
        check_unique(node, [each.name for each in arguments], "arguments")
        return RouteModel(
            protocol=operation.protocol,
            http_method=operation.http_method,
            path=None if node.has("x-models") else operation.path,
            arguments=tuple(arguments),
            headers=tuple(headers),
            has_body=body is not None,
            stream_body={} if body is None else self._stream_body(body),
            is_public=_is_public(node),
        )

    def _check_streaming(self, operation: SpecOperation, body: ObjectSchema) -> None:
        """Check the properties that request a stream: a boolean, and only if there is a stream."""
        has_stream = "stream" in extensions(operation.node)
        for node in body.properties.values():
            python = extensions(node)
            is_switch = python.get("role") == "stream"
            if not has_stream and (is_switch or "whenStreaming" in python):
                raise node.error("the operation has no stream in x-python, which this is for")
            if is_switch and accepted(self.schemas.type_of(node)) != "bool":
                raise node.error("the property that asks for a stream is a boolean")

    def _stream_body(self, body: ObjectSchema) -> dict[str, Any]:
        """Return the fields of the body that only requests for a stream have."""
        fields: dict[str, Any] = {}
        for wire, node in body.properties.items():
            if "whenStreaming" in extensions(node):
                member = node.member("x-python").member("whenStreaming")
                type_ = self.schemas.type_of(node, f"{body.name}{camel(wire)}")
                if isinstance(type_, ClassType):
                    member.only(*self.schemas.objects[type_.name].properties)
                elif not admits(type_, member.value):
                    raise member.error(f"{member.value!r} is not a value that the schema allows")
                fields[wire] = member.value
        return fields

    def _body(self, operation: SpecOperation) -> ObjectSchema | None:
        """Return the schema of the request's body, or None without a body."""
        if not operation.node.has("requestBody"):
            return None
        body = operation.node.at("requestBody")
        body.only("required", "description", "content")
        body.flag("required")
        if operation.http_method.lower() in _BODYLESS:
            raise body.error(f"a {operation.http_method} request has no body: use parameters")
        content = body.member("content")
        content.only("application/json")
        media = content.member("application/json")
        media.only("schema", "example", "examples")
        schema = media.at("schema")
        if not is_object(schema):
            raise schema.error("a request's body is an object with properties, which are arguments")
        name = schema.pointer.rsplit("/", 1)[-1]
        known = self.schemas.objects.get(name)
        if known is not None and known.node.pointer == schema.pointer:
            return known
        owner = "".join(map(camel, operation.method))
        return object_schema(f"{owner}Body", schema)

    def _arguments(self, body: ObjectSchema) -> list[ArgumentModel]:
        switch = _switch(body)
        names = {
            wire: python_name(node, wire, ARGUMENTS, "an argument")
            for wire, node in body.properties.items()
        }
        return [
            self._argument(body, wire, names)
            for wire, node in body.properties.items()
            if wire != switch and "whenStreaming" not in extensions(node)
        ]

    def _argument(self, body: ObjectSchema, wire: str, names: dict[str, str]) -> ArgumentModel:
        node = body.properties[wire]
        python = extensions(node, *(ON_A_CLASS if is_object(node) else ()), *ON_A_PROPERTY)
        source = python.get("defaultFrom")
        if source is not None and (source not in names or source == wire):
            raise node.error(f"defaultFrom names no other property: {source!r}")
        is_model = python.get("role") == "model"
        for key, role in (("listedBy", "model"), ("answers", "messages")):
            if key in python and python.get("role") != role:
                raise node.error(f"{key} belongs to the role {role}: take it out")
        required = wire in body.required and source is None and not is_model
        kind, type_, annotation = self._kind(node, f"{body.name}{camel(wire)}", keeps_null=required)
        return ArgumentModel(
            name=names[wire],
            wire=wire,
            kind=kind,
            type=type_,
            location="body",
            annotation=annotation,
            required=required,
            default_from=None if source is None else names[source],
            listed_by=python.get("listedBy"),
            instead=python.get("instead"),
            keyword=bool(python.get("keyword")),
            passed_on=python.get("passedOn", True),
            doc=_documented(node),
        )

    def _kind(self, node: Node, name: str, *, keeps_null: bool) -> tuple[str, Type | None, str]:
        """Return how an argument is checked and encoded, its type, and its annotation.

        An optional argument that is None is not sent, so only a required one can be null.
        """
        resolved = node.resolved()
        python = extensions(node)
        role = python.get("role")
        if role == "model":
            return "model_name" if "listedBy" in python else "model", None, "ModelName | str"
        if role == "tools":
            return "tools", None, "Sequence[Callable[..., Any] | Mapping[str, Any]]"
        if role == "messages":
            self._messages(node)
            return (
                "encoded_messages" if resolved.has("contentSchema") else "messages",
                None,
                ("Messages"),
            )
        if role is not None:
            raise node.error(f"the generator does not know the role {role!r} for an argument")
        if resolved.has("contentSchema"):
            raise node.error("only the role messages has an encoded document")
        type_ = self.schemas.type_of(node, name)
        checked_default(node, type_)
        if not keeps_null:
            type_ = without_null(type_)
        if is_null(type_):
            raise node.error("an argument whose only value is null has no effect: leave it out")
        self.classes.passed(type_, node)
        return "value", type_, accepted(type_)

    def _messages(self, node: Node) -> None:
        """Record the classes of the type `Messages`."""
        resolved = node.resolved()
        array = resolved
        if resolved.has("contentSchema"):
            if (resolved.get("contentEncoding"), resolved.get("contentMediaType")) != (
                "base64",
                "application/json",
            ):
                raise node.error("the one encoding known is base64 of JSON")
            array = resolved.at("contentSchema")
        type_ = self.schemas.type_of(array)
        if not isinstance(type_, ArrayType) or not isinstance(type_.items, ClassType):
            raise node.error("the role messages has a list of one kind of object")
        answers: list[str] = []
        for pointer in extensions(node).get("answers", []):
            name = str(pointer).rsplit("/", 1)[-1]
            if name not in self.schemas.objects:
                raise node.error(f"answers lists objects in components/schemas, not {pointer!r}")
            answers.append(name)
        found = MessagesModel(message=type_.items.name, answers=tuple(answers))
        known = self.classes.messages
        if known is not None and known != found:
            raise node.error(f"Messages has another type elsewhere: {known}")
        self.classes.messages = found
        self.classes.passed(type_, node)

    def _parameter(self, node: Node) -> ArgumentModel:
        """Return the argument for a parameter."""
        location = node.string("in")
        wire = node.string("name")
        schema = node.member("schema")
        type_ = self.schemas.type_of(schema)
        default = checked_default(schema, type_)
        type_ = without_null(type_)
        items = type_.items if isinstance(type_, ArrayType) and location == "query" else type_
        members = items.members if isinstance(items, UnionType) else (items,)
        if not all(isinstance(each, LeafType) and not is_null(each) for each in members):
            raise node.error(
                "a parameter is a string, a number, a boolean or a date, or in the query a list "
                "of them"
            )
        doc = _documented(node)
        if default is not None and default.value is not None:
            doc = f"{doc.rstrip('.')}. Without it, the server uses {default.value!r}."
        return ArgumentModel(
            name=python_name(node, wire, ARGUMENTS | {"self"}, "an argument"),
            wire=wire.lower() if location == "header" else wire,
            kind="value",
            type=type_,
            location=location,
            annotation=accepted(type_),
            required=node.flag("required"),
            default=None if default is None else default.value,
            doc=doc,
        )

    def _header(self, node: Node) -> HeaderModel:
        schema = node.member("schema")
        type_ = self.schemas.type_of(schema)
        if not isinstance(type_, LeafType):
            raise node.error("a header that the client sends is a string, a number or a boolean")
        checked = checked_default(schema, type_)
        default = None if checked is None else checked.value
        text = default if isinstance(default, str) or default is None else str(default).lower()
        if text is not None and not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", text):
            raise node.error(f"{text!r} cannot be a header's value (RFC 9110, section 5.5)")
        option = extensions(node).get("option")
        known = [each.name for each in client_options()]
        if option is not None and option not in known:
            raise node.error(f"the client has no option {option!r}, only {', '.join(known)}")
        return HeaderModel(wire=node.string("name").lower(), default=text, option=option)

    def _result(self, status: str, response: Node, owner: str) -> ResultModel:
        """Return the result of a call, which the media type of its response determines."""
        doc = prose(response)
        content = response.at("content") if response.has("content") else None
        kinds = [] if content is None else [*content.mapping()]
        if "text/event-stream" in kinds:
            kinds.remove("text/event-stream")
        if content is None or not kinds:
            if status != "204" and kinds == [] and content is not None:
                raise response.error("a method needs a response that is not a stream")
            return ResultModel(type=None, media="none", doc=doc)
        if len(kinds) > 1:
            raise content.error(
                f"a response has one content type beside a stream, not {', '.join(kinds)}"
            )
        if status == "204":
            raise content.error("a 204 response has no content")
        media = content.member(kinds[0])
        media.only("schema", "example", "examples")
        if kinds[0] == "application/json":
            return self._document(media.member("schema"), f"{owner}Result", doc)
        return _file(content, media, kinds[0], doc)

    def _document(self, schema: Node, name: str, doc: str) -> ResultModel:
        type_ = self.schemas.type_of(schema, name)
        self.classes.returned(type_, schema)
        has_own = any(place.has("description") for place in (schema, schema.resolved()))
        return ResultModel(type=type_, media="json", doc=prose(schema) if has_own else doc)

    def _stream(self, resource: str, operation: SpecOperation, response: Node) -> StreamModel:
        node = operation.node
        method = _method(node, node.member("x-python").member("stream"))
        content = response.at("content")
        media = content.member("text/event-stream")
        media.only("itemSchema", "x-sentinel", "x-chunk", "x-accumulates", "example", "examples")
        sentinel = media.string("x-sentinel") if media.has("x-sentinel") else None
        if sentinel == "":
            raise media.member("x-sentinel").error("an empty event is a keep-alive, not an end")
        if sentinel is not None and set("\r\n") & set(sentinel):
            raise media.member("x-sentinel").error("the sentinel is one line of an event")
        owner = f"{camel(resource)}{camel(method.name)}"
        chunk = self.schemas.type_of(_chunk_node(media), f"{owner}Chunk")
        self.classes.returned(chunk, media)
        accumulator: AccumulatorModel | None = None
        if media.has("x-accumulates"):
            accumulator = self._accumulator(media, chunk)
        body = self._body(operation)
        return StreamModel(
            method=method,
            class_name=camel(resource)
            + ("" if method.name == "stream" else camel(method.name))
            + "Stream",
            switch=None if body is None else _switch(body),
            chunk=chunk,
            sentinel=sentinel,
            accumulator=accumulator,
        )

    def _accumulator(self, media: Node, chunk: Type) -> AccumulatorModel:
        """Return the classes that chunks with choices combine into."""
        node = media.member("x-accumulates")
        result = self.schemas.type_of(Node(node.root, {"$ref": node.text()}, node.pointer))
        if not isinstance(result, ClassType) or not isinstance(chunk, ClassType):
            raise node.error("chunks that have choices are objects, and make an object")
        choice = self._inner(result, "choices", node)
        message = self._inner(choice, "message", node)
        delta = self._inner(self._inner(chunk, "choices", node), "delta", node)
        for name in ("error", "finish_reason"):
            if name not in {each.name for each in self.classes.fields(chunk.name)}:
                raise node.error(f"{chunk.name} needs a property {name!r}, which may be null")
        names = {each.name for each in self.classes.fields(message.name)}
        for each in self.classes.fields(delta.name):
            if "concatenate" in each.metadata and each.name not in names:
                raise node.error(
                    f"{delta.name}.{each.name} is joined, and {message.name} has no such field"
                )
        self.classes.returned(result, node)
        return AccumulatorModel(result=result.name, choice=choice.name, message=message.name)

    def _inner(self, cls: ClassType, name: str, node: Node) -> ClassType:
        """Return the class of a field's value, or of the items of its list."""
        for each in self.classes.fields(cls.name):
            if each.name == name:
                type_ = without_null(each.type)
                type_ = type_.items if isinstance(type_, ArrayType) else type_
                if isinstance(type_, ClassType):
                    return type_
        raise node.error(
            f"{cls.name} has no {name!r} of a class, which streams are put together by: without "
            "x-accumulates, a stream's chunks stay apart"
        )

    def _pages(
        self, node: Node, arguments: tuple[ArgumentModel, ...], result: ResultModel
    ) -> PagesModel:
        pages = node.member("x-paginated")
        pages.only("style", "parameter", "items", "next", "first")
        style = pages.string("style")
        if style not in ("cursor", "page"):
            raise pages.error(f"the style of pages is cursor or page, not {style!r}")
        wire = pages.string("parameter")
        argument = next((each for each in arguments if each.wire == wire), None)
        if argument is None or argument.location not in ("query", "body"):
            raise pages.error(f"there is no parameter {wire!r} in the query")
        if argument.required:
            raise pages.error(f"the parameter {wire!r} is optional, since the first page has none")
        held, following = self._page_fields(pages, result)
        first = pages.get("first", 1)
        if isinstance(first, bool) or not isinstance(first, int):
            raise pages.error(f"the number of the first page is an integer, not {first!r}")
        if style == "cursor":
            _check_cursor(pages, argument, following)
        else:
            _check_numbers(pages, argument, following, first)
        items: Any = without_null(held.type)
        return PagesModel(
            style=style,
            parameter=argument.name,
            items=held.name,
            item=items.items,
            next=following,
            first=first,
        )

    def _page_fields(self, pages: Node, result: ResultModel) -> tuple[FieldModel, str | None]:
        """Return the field with a page's items, and the name of the field with the next cursor."""
        if not isinstance(result.type, ClassType):
            raise pages.error("a page is an object that holds a list of items")
        fields = {each.wire: each for each in self.classes.fields(result.type.name)}
        held = fields.get(pages.string("items"))
        if held is None or not isinstance(without_null(held.type), ArrayType):
            raise pages.error(f"{result.type.name} has no list {pages.get('items')!r}")
        if not pages.has("next"):
            return held, None
        following = fields.get(pages.string("next"))
        if following is None or without_null(following.type) != STRING:
            raise pages.error(f"{result.type.name} has no string {pages.get('next')!r}")
        return held, following.name


def _check_cursor(pages: Node, argument: ArgumentModel, following: str | None) -> None:
    """Check that a page's cursor can select the next page."""
    if following is None:
        raise pages.error("'next' is missing: the field of a page that has the next cursor")
    if pages.has("first"):
        raise pages.error("pages by cursor have no first number: take it out")
    if argument.annotation != "str":
        raise pages.error(f"the parameter {argument.wire!r} is a string, as the cursor is")


def _check_numbers(pages: Node, argument: ArgumentModel, following: str | None, first: int) -> None:
    """Check that numbers select each page exactly once."""
    if following is not None:
        raise pages.error("pages by number have no next: give the number of the first")
    if argument.annotation != "int":
        raise pages.error(f"the parameter {argument.wire!r} is an integer")
    if argument.default not in (None, first):
        raise pages.error(
            f"the first page is {first}, and {argument.wire!r} has the default "
            f"{argument.default!r}: set 'first' to it"
        )


def _by_protocol(group: list[SpecOperation]) -> dict[str, SpecOperation]:
    """Return the operations of one method by protocol; models may have several paths."""
    by_protocol: dict[str, SpecOperation] = {}
    for other in group:
        first = by_protocol.setdefault(other.protocol, other)
        if other is not first and not (first.node.has("x-models") and other.node.has("x-models")):
            raise other.node.error(
                f"{first.node.pointer} names the same method: give one of them another name in "
                "x-python, or x-models to both"
            )
        same = [(name, group[0]) for name in ("x-python", "responses", "x-paginated")]
        if other is not first:
            same += [(name, first) for name in ("parameters", "requestBody")]
        for name, reference in same:
            if other.node.get(name) != reference.node.get(name):
                raise other.node.error(
                    f"{name} differs from {reference.node.pointer}, for the same method"
                )
    return by_protocol


def _merged(node: Node, routes: tuple[RouteModel, ...]) -> tuple[ArgumentModel, ...]:
    """Return the arguments of all protocols, the required ones first."""
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


def _success(node: Node) -> tuple[str, Node]:
    """Return the status and the response of a successful call."""
    responses = node.member("responses")
    found: list[str] = []
    for status in responses.mapping():
        response = responses.at(status)
        response.only("description", "content")
        prose(response)
        if re.fullmatch(r"2(\d\d|XX)", status):
            found.append(status)
        elif status != "default" and not re.fullmatch(r"[45](\d\d|XX)", status):
            raise responses.error(
                f"{status!r} is not a status that the client returns or raises: 2xx, 4xx, 5xx or "
                "default"
            )
    if len(found) != 1:
        raise responses.error(
            f"an operation has one response of status 2xx, not {', '.join(found) or 'none'}"
        )
    return found[0], responses.at(found[0])


def _file(content: Node, media: Node, kind: str, doc: str) -> ResultModel:
    """Return a result that is not JSON: text or bytes."""
    if media.has("schema"):
        schema = media.at("schema")
        schema.only("type", "description", "format", "contentMediaType")
        if schema.get("type", "string") != "string":
            raise schema.error(f"what is not JSON is a string, not {schema.get('type')!r}")
    if kind in ("text/plain", "text/html", "text/csv", "text/markdown"):
        return ResultModel(type=None, media="text", doc=doc)
    if re.fullmatch(r"(image|audio|video|font)/[\w.+*-]+|application/[\w.+-]+|\*/\*", kind):
        if "json" in kind:
            raise content.error(f"{kind} is not application/json, which alone is decoded")
        return ResultModel(type=None, media="bytes", doc=doc)
    raise content.error(f"the generator does not know the content type {kind!r}")


def _chunk_node(media: Node) -> Node:
    """Return the schema of a stream's chunks: x-chunk, or else the contentSchema of the data."""
    described = _data_schema(media) if media.has("itemSchema") else None
    if not media.has("x-chunk"):
        if described is None:
            raise media.error("x-chunk is missing: it points to the schema of an event's data")
        return described
    node = media.member("x-chunk")
    chunk = Node(node.root, {"$ref": node.text()}, node.pointer)
    if described is not None:
        options = [*described.items("oneOf"), *described.items("anyOf"), described]
        if chunk.resolved().pointer not in {each.resolved().pointer for each in options}:
            raise node.error(f"{node.text()!r} is not a schema of the event's data in itemSchema")
    return chunk


def _data_schema(media: Node) -> Node | None:
    """Return the schema of the JSON document in an event's data, or None without one."""
    event = media.at("itemSchema")
    event.only(*OBJECT, *NOTES)
    if not event.has("properties") or not event.member("properties").has("data"):
        return None
    data = event.member("properties").at("data")
    if data.has("oneOf") or data.has("anyOf"):
        data = _document_beside_sentinel(data, media.get("x-sentinel"))
    data.only("type", "contentMediaType", "contentSchema", *NOTES)
    if data.has("contentSchema") and data.get("contentMediaType") != "application/json":
        raise data.error("the contentMediaType of an event's data is application/json")
    return data.member("contentSchema") if data.has("contentSchema") else None


def _document_beside_sentinel(data: Node, sentinel: object) -> Node:
    """Return the option of an event's data that is a JSON document; the other is the sentinel."""
    data.only("oneOf" if data.has("oneOf") else "anyOf", "type", *NOTES)
    options = [*data.items("oneOf"), *data.items("anyOf")]
    ends = [option for option in options if option.has("const")]
    for end in ends:
        end.only("const", "type", *NOTES)
        if end.get("const") != sentinel:
            raise end.member("const").error(f"the sentinel is {sentinel!r} by x-sentinel")
    if len(options) - len(ends) != 1:
        raise data.error("an event's data is a JSON document or the sentinel, nothing else")
    return next(option for option in options if option not in ends)


def _check_parameter(node: Node) -> None:
    node.only(*_PARAMETER_KEYS)
    extensions(node, "name", "option", "skip", "doc")
    location, name = node.string("in"), node.string("name")
    if location not in ("path", "query", "header"):
        raise node.error(f"parameters are in path, query or header, not in {location!r}")
    if location == "path" and not node.flag("required"):
        raise node.error("a path's parameter has required: true")
    if location == "header":
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise node.error(f"{name!r} cannot name a header (RFC 9110, section 5.1)")
        if name.lower() in _OWN_HEADERS:
            raise node.error(f"the client sets the header {name!r} itself: take it out")
    if node.get("style", "form" if location == "query" else "simple") != (
        "form" if location == "query" else "simple"
    ):
        raise node.error("the style of a parameter is form in the query, else simple")
    if node.has("explode") and not node.flag("explode") and location == "query":
        raise node.error("a list in the query repeats its name: explode is true")
    if not node.has("schema"):
        raise node.error("'schema' is missing")


def _is_unasked(node: Node) -> bool:
    """Return whether the client sends a header without an argument: by a default or an option."""
    return "option" in extensions(node) or node.at("schema").has("default")


def _switch(body: ObjectSchema) -> str | None:
    """Return the body field that requests a stream, or None."""
    found = [
        wire for wire, each in body.properties.items() if extensions(each).get("role") == "stream"
    ]
    if len(found) > 1:
        raise body.node.error(f"one property has the role stream, not {', '.join(found)}")
    return found[0] if found else None


def _is_public(node: Node) -> bool:
    """Return whether an operation needs no key: its `security`, or the document's, is empty."""
    root = Node(node.root, node.root)
    holder = next((each for each in (node, root) if each.has("security")), None)
    return holder is not None and not any(each.mapping() for each in holder.items("security"))


def _method(node: Node, method: Node) -> MethodModel:
    method.only("name", "summary", "example")
    name = method.string("name")
    check_name(method, name, METHODS, "a method", "give another one")
    holder = method if method.has("summary") else node
    if not holder.has("summary"):
        raise method.error("'summary' is missing")
    for place in [
        holder.member("summary"),
        *([method.member("example")] if method.has("example") else []),
    ]:
        if not "".join(place.text().split("\n")).isprintable():
            raise place.error("a character in it cannot be printed")
    return MethodModel(
        name=name,
        summary=" ".join(holder.string("summary").split()),
        example=method.string("example").rstrip() if method.has("example") else "",
    )


def _documented(node: Node) -> str:
    doc = extensions(node).get("doc")
    return " ".join(str(doc).split()) if doc else prose(node)
