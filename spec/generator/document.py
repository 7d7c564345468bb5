"""Read the whole document: its servers, protocols, models and resources."""

from __future__ import annotations

import re

from autonomousai_sdk._core.url import checked_base_url
from autonomousai_sdk.errors import ConfigurationError

from .classes import Classes, prose
from .load import Node, SpecError
from .model import (
    CatalogEntry,
    OperationModel,
    ProtocolModel,
    ResourceModel,
    ServerModel,
    Spec,
)
from .names import METHODS, camel, check_name, client_attributes, extensions, mixin
from .operations import (
    DEFAULT_PROTOCOL,
    Operations,
    SpecOperation,
    path_operations,
)
from .schemas import Schemas


def build_spec(root: Node) -> Spec:
    """Read a spec.

    Raises:
        SpecError: something is wrong or not supported; the message starts with its pointer.
    """
    _check_document(root)
    schemas = Schemas(root)
    operations = [
        operation
        for path, node in root.members("paths").items()
        for operation in path_operations(path, node)
    ]
    if not operations:
        raise root.error("there are no operations in 'paths'")
    _check_operation_ids(operations)
    classes = Classes(schemas)
    builder = Operations(classes)
    models, default = _models(operations)
    resources = _resources(root, operations, builder)
    _check_lists(root, resources)
    return Spec(
        servers=_servers(root),
        protocols=_protocols(root, operations, builder),
        default_model=default,
        models=models,
        classes=classes.models(),
        messages=classes.messages,
        resources=resources,
    )


def _check_document(root: Node) -> None:
    root.only(
        *("openapi", "info", "servers", "security", "tags", "paths", "components"),
        *("externalDocs", "x-protocols"),
    )
    version = root.string("openapi")
    if not re.fullmatch(r"3\.[12]\.\d+", version):
        raise root.member("openapi").error(
            f"the generator reads OpenAPI 3.1 and 3.2, not {version}"
        )
    root.member("info").only("title", "version", "summary", "description", "license", "contact")
    components = root.member("components") if root.has("components") else None
    schemes: dict[str, Node] = {}
    if components is not None:
        components.only("schemas", "parameters", "responses", "requestBodies", "securitySchemes")
        schemes = components.members("securitySchemes")
    for scheme in schemes.values():
        scheme.only("type", "scheme", "description", "bearerFormat")
        if (scheme.get("type"), str(scheme.get("scheme")).lower()) != ("http", "bearer"):
            raise scheme.error(
                "the client authenticates by a bearer token only: type http, scheme bearer"
            )
    _check_security(root, schemes)
    for tag in root.items("tags"):
        tag.only("name", "description", "summary", "x-python", "externalDocs")
        extensions(tag, "mixin")


def _check_security(node: Node, schemes: dict[str, Node]) -> None:
    places = [node] if node.has("security") else []
    for path in node.members("paths").values():
        places += [
            path.at(method)
            for method in path.mapping()
            if method in ("get", "post", "put", "patch", "delete")
            and path.at(method).has("security")
        ]
    for place in places:
        for requirement in place.items("security"):
            if len(requirement.mapping()) > 1:
                raise requirement.error("a call has one bearer token, so it has one scheme")
            for name in requirement.mapping():
                if name not in schemes:
                    raise requirement.error(f"there is no security scheme {name!r}")
                if requirement.values(name):
                    raise requirement.member(name).error("a bearer token has no scopes")


def _check_operation_ids(operations: list[SpecOperation]) -> None:
    seen: dict[str, Node] = {}
    for each in operations:
        if each.node.has("operationId"):
            name = each.node.string("operationId")
            if name in seen:
                raise each.node.error(f"{seen[name].pointer} has the operationId {name!r} too")
            seen[name] = each.node


def _servers(root: Node) -> tuple[ServerModel, ...]:
    servers = tuple(
        _server(node, "default" if position == 0 else "")
        for position, node in enumerate(root.items("servers"))
    )
    if not servers:
        raise root.error("'servers' needs a server: its URL is the client's default")
    names = [each.name for each in servers]
    if len(set(names)) < len(names):
        raise root.member("servers").error("two servers have the same name")
    return servers


def _server(node: Node, name: str) -> ServerModel:
    node.only("url", "name", "description", "variables")
    name = node.string("name") if node.has("name") else name
    if not name:
        raise node.error("a server after the first needs a name")
    url = node.string("url")
    variables = {name: _variable(each) for name, each in node.members("variables").items()}
    used = re.findall(r"\{([^{}]*)\}", url)
    for variable in used:
        if variable not in variables:
            raise node.error(f"the URL's variable {{{variable}}} is not declared in variables")
    for variable in variables:
        if variable not in used:
            raise node.error(f"the URL has no {{{variable}}}, which variables declares")
    server = ServerModel(
        name=name,
        url=url,
        description=" ".join(node.string("description").split()) if node.has("description") else "",
        variables=variables,
    )
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[^\s?#{}]*)?", server.default_url):
        raise node.error(f"{url!r} is not an absolute http or https URL without a query")
    try:
        checked_base_url(server.default_url, "the URL")
    except ConfigurationError as error:
        raise node.error(error.message) from None
    if server.default_url.endswith("/"):
        raise node.error("a server's URL has no slash at its end: paths start with one")
    return server


def _variable(node: Node) -> tuple[str, tuple[str, ...]]:
    """Return a server variable's default, and its allowed values, if they are limited."""
    node.only("default", "enum", "description")
    default, values = node.string("default"), tuple(node.strings("enum"))
    if node.has("enum") and default not in values:
        raise node.error(f"the default {default!r} is not one of the enum's values")
    for value in (default, *values):
        if not re.fullmatch(r"[A-Za-z0-9._~-]+", value) or value in (".", ".."):
            raise node.error(f"{value!r} cannot be a part of a URL as it stands")
    return default, values


def _protocols(
    root: Node, operations: list[SpecOperation], builder: Operations
) -> tuple[ProtocolModel, ...]:
    nodes: dict[str, Node | None] = {**root.members("x-protocols")} or {DEFAULT_PROTOCOL: None}
    for operation in operations:
        if operation.protocol not in nodes:
            known = ", ".join(nodes)
            raise operation.node.error(f"x-protocol must be one of {known}: see x-protocols")
    protocols: list[ProtocolModel] = []
    for name, node in nodes.items():
        if node is not None:
            node.only("description", "basePath")
            if node.has("basePath") and not re.fullmatch(
                r"(/[A-Za-z0-9._~-]+)+", node.string("basePath")
            ):
                raise node.error("a basePath starts with a slash, and has none at its end")
        own = [each for each in operations if each.protocol == name]
        routes = [builder.route(each) for each in own]
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


def _models(operations: list[SpecOperation]) -> tuple[tuple[CatalogEntry, ...], str | None]:
    models: list[CatalogEntry] = []
    default: str | None = None
    for operation in operations:
        for node in operation.node.items("x-models"):
            node.only("id", "aliases", "default", "acceptsImages", "description")
            model = CatalogEntry(
                id=node.string("id"),
                path=operation.path,
                aliases=tuple(node.strings("aliases")),
                accepts_images=node.flag("acceptsImages") if node.has("acceptsImages") else None,
                description=prose(node),
            )
            if node.flag("default"):
                if default is not None:
                    raise node.error("there is a default model already")
                default = model.id
            models.append(model)
    names = [name for model in models for name in (model.id, *model.aliases)]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"#/paths: two models go by the name {name!r}")
    if models and default is None:
        raise SpecError("#/paths: no model is the default: give one default: true in x-models")
    return tuple(models), default


def _resources(
    root: Node, operations: list[SpecOperation], builder: Operations
) -> tuple[ResourceModel, ...]:
    """Group operations by resource; operations that name the same method become one."""
    grouped: dict[tuple[str, str], list[SpecOperation]] = {}
    for each in operations:
        grouped.setdefault(each.method, []).append(each)
    built: dict[str, list[OperationModel]] = {}
    taken = client_attributes()
    for (resource, _), group in grouped.items():
        node = group[0].node.member("x-python")
        check_name(node, resource, METHODS - {"models"} | taken, "a resource", "give another one")
        built.setdefault(resource, []).append(builder.operation(resource, group))
    tags = {tag.string("name"): tag for tag in root.items("tags")}
    for resource in built:
        if resource not in tags:
            raise SpecError(f"#/tags: the resource {resource!r} has no tag to describe it")
    resources = tuple(
        ResourceModel(
            name=name,
            doc=prose(tags[name]),
            mixin=mixin(tags[name]),
            operations=tuple(each),
        )
        for name, each in built.items()
    )
    _check_methods(resources)
    return resources


_IMPORTED = (
    *("BaseClient", "Catalog", "CallOptions", "CallRunner", "ClientOptions", "HTTPClient"),
    *("Client", "Mapping", "Messages", "Options", "Pages", "Self", "Sequence", "Stream"),
    *("Timeout", "Transport", "Unpack", "Literal", "Any"),
)
"""Names that the modules of methods import, so generated classes cannot have them."""


def _check_lists(root: Node, resources: tuple[ResourceModel, ...]) -> None:
    """Check that each listedBy names an operation."""
    names = {each.name for resource in resources for each in resource.operations}
    for resource in resources:
        for operation in resource.operations:
            for argument in operation.arguments:
                if argument.listed_by is not None and argument.listed_by not in names:
                    raise root.member("paths").error(
                        f"listedBy of {operation.name} names no operation: {argument.listed_by!r}"
                    )


def _check_methods(resources: tuple[ResourceModel, ...]) -> None:
    """Check that methods, streams and operations have different names."""
    classes = [*_IMPORTED, *(each.mixin.partition(".")[2] for each in resources if each.mixin)]
    constants: list[str] = []
    for resource in resources:
        classes += [camel(resource.name), f"{camel(resource.name)}WithRawResponse"]
        methods: list[str] = []
        for each in resource.operations:
            constants.append(each.constant)
            methods += [] if each.call is None else [each.call.name]
            if each.stream is not None:
                methods.append(each.stream.method.name)
                classes.append(each.stream.class_name)
        for name in methods:
            if methods.count(name) > 1:
                raise SpecError(f"#/paths: {resource.name} has two methods named {name!r}")
    for names, what in ((classes, "classes"), (constants, "operations")):
        for name in names:
            if names.count(name) > 1:
                raise SpecError(
                    f"#/paths: two {what} would have the name {name}: rename a resource or a "
                    "method in x-python"
                )
