"""Write the typed layer as Python source: one function for each file.

Does not read the spec. The formatter sets the layout; only docstrings are wrapped here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from keyword import iskeyword
from textwrap import indent, wrap

from autonomousai_sdk._core.check import Enum, Null
from autonomousai_sdk._core.operation import MODEL_KINDS

from .expressions import accepted, as_text, call, check, output
from .model import (
    ClassModel,
    FieldModel,
    MethodModel,
    OperationModel,
    PagesModel,
    ResourceModel,
    RouteModel,
    Spec,
    StreamModel,
)
from .names import BUILTINS
from .options import ClientOption, client_options, option_imports
from .types import ArrayType, ClassType, LeafType, MapType, Type, parts

HEADER = """# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.
"""

_OPTIONS = [
    (
        "headers",
        "Mapping[str, str | None] | None",
        "sent with this call, over the client's; None leaves a header out.",
    ),
    ("extra_body", "Mapping[str, object] | None", "fields merged into the request body, last."),
    (
        "timeout",
        "Timeout | float | None",
        "seconds this call may take, or a `Timeout`, instead of the client's.",
    ),
    (
        "max_retries",
        "int | None",
        "the maximum number of retries of this call, instead of the client's.",
    ),
]
_WIDTH = 92

_DECORATOR = "@class_defaults\n@frozen(kw_only=True, slots=False)"
_MODELS_DOC = """The classes of requests and responses.

They have no slots: the decoder checks each field that a response leaves out, and an empty slot
raises an exception, which takes longer than reading an attribute of the class.
"""


def render(spec: Spec, sdk: str | None = None) -> dict[str, str]:
    """Return the source of each file, by its name.

    Args:
        spec: what to write.
        sdk: the package that has the core; None for the parent of the generated one.
    """
    files = _files(spec)
    if sdk is None:
        return files
    return {
        name: re.sub(
            r"^from \.\.(\w*)",
            lambda found: f"from {sdk}.{found[1]}" if found[1] else f"from {sdk}",
            source,
            flags=re.MULTILINE,
        )
        for name, source in files.items()
    }


def _files(spec: Spec) -> dict[str, str]:
    return {
        "__init__.py": f'{HEADER}"""The typed layer, generated from the endpoint spec."""\n',
        "models.py": _models(spec),
        "params.py": _params(spec),
        "checks.py": _checks(spec),
        "options.py": _options_type(client_options()),
        "call_options.py": _call_options(spec),
        "option_table.py": _option_table(spec),
        "catalog.py": _catalog(spec),
        "operations.py": _operations(spec),
        "methods.py": _methods(spec, _BLOCKING),
        "async_methods.py": _methods(spec, _AWAITING),
    }


def _module(doc: str, imports: Iterable[str], body: str) -> str:
    """Return the source of a module; the formatter sorts and removes imports."""
    return "\n".join(
        [HEADER, f'"""{doc}"""\n', "from __future__ import annotations\n", *imports, body]
    )


def _doc(text: str, depth: int = 1) -> str:
    """Return a docstring of one paragraph."""
    return _docstring(wrap(text, _WIDTH - 4 * depth), depth)


def _docstring(lines: list[str], depth: int) -> str:
    quotes = '"""'
    prefix = "r" if any("\\" in line for line in lines) else ""
    text = "\n".join(lines)
    if quotes in text or text.endswith(('"', "\\")) or "\0" in text:
        prefix = ""
        lines = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    if len(lines) == 1:
        return indent(f"{prefix}{quotes}{lines[0]}{quotes}", "    " * depth)
    return indent("\n".join([f"{prefix}{quotes}{lines[0]}", *lines[1:], quotes]), "    " * depth)


def _models(spec: Spec) -> str:
    mixins = sorted({each.mixin for each in spec.classes if each.mixin is not None})
    return _module(
        _MODELS_DOC,
        [
            "import datetime as dt",
            "from collections.abc import Sequence",
            "from typing import Any",
            "from typing import Literal",
            "from attrs import field",
            "from attrs import frozen",
            "from .._core.extra import ExtraFields",
            "from .._core.fields import class_defaults",
            "from .._core.fields import complete_hints",
            *(f"from .._core.{module} import {name}" for module, name in map(_split, mixins)),
        ],
        "\n\n".join(_class(each) for each in _dependencies_first(spec.classes))
        + _completed(spec.classes),
    )


def _completed(classes: tuple[ClassModel, ...]) -> str:
    """Return the call that completes the type hints of classes that contain themselves."""
    named = {
        each.name: {name for field in each.fields for name in _class_names(field.type)}
        for each in classes
    }
    recursive = [each.name for each in classes if each.name in _reachable(each.name, named)]
    return f"\n\ncomplete_hints({', '.join(recursive)})\n" if recursive else ""


def _reachable(name: str, named: Mapping[str, set[str]]) -> set[str]:
    """Return the classes that a class contains, at any depth."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = named.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _dependencies_first(classes: Iterable[ClassModel]) -> list[ClassModel]:
    """Return the classes in the spec's order, but each after the classes that its fields name.

    The constructor that attrs writes sees only the names defined before it, so
    `typing.get_type_hints` would fail for later ones.
    """
    by_name = {each.name: each for each in classes}
    placed: dict[str, ClassModel] = {}
    begun: set[str] = set()

    def place(cls: ClassModel) -> None:
        if cls.name in begun:
            return
        begun.add(cls.name)
        for each in cls.fields:
            for name in _class_names(each.type):
                if name in by_name:
                    place(by_name[name])
        placed[cls.name] = cls

    for cls in by_name.values():
        place(cls)
    return [*placed.values()]


def _class_names(type_: Type) -> list[str]:
    """Return the names of the classes in a type."""
    own = [type_.name] if isinstance(type_, ClassType) else []
    return own + [name for part in parts(type_) for name in _class_names(part)]


def _split(mixin: str) -> tuple[str, str]:
    module, _, name = mixin.rpartition(".")
    return module, name


def _bases(*names: str | None, prefix: str = "") -> str:
    """Return the bases of a class in parentheses, without those that are None."""
    bases = ", ".join(prefix + _split(name)[1] for name in names if name is not None)
    return f"({bases})" if bases else ""


def _class(cls: ClassModel) -> str:
    # A field named `extra` replaces the property of that name.
    has_extra = cls.is_output and all(each.name != "extra" for each in cls.fields)
    bases = _bases(cls.mixin, "extra.ExtraFields" if has_extra else None)
    lines = [_DECORATOR, f"class {cls.name}{bases}:", _doc(_sentence(cls.doc)), ""]
    for each in cls.fields:
        # Callers pass any sequence; decoded arrays are tuples, which are hashable.
        array = "Sequence[{}]" if cls.is_input and not cls.is_output else "tuple[{}, ...]"
        annotation = output(each.type, "", array)
        lines += [f"    {each.name}: {annotation}{_assigned(each)}", _doc(_sentence(each.doc))]
    return "\n".join(lines)


def _assigned(each: FieldModel) -> str:
    metadata = f"metadata={each.metadata!r}" if each.metadata else ""
    if each.default is not None and each.default.startswith("factory="):
        arguments = [each.default, metadata]
    elif metadata:
        arguments = [f"default={each.default}" if each.default is not None else "", metadata]
    else:
        return "" if each.default is None else f" = {each.default}"
    return f" = field({', '.join(filter(None, arguments))})"


def _params(spec: Spec) -> str:
    inputs = [each for each in spec.classes if each.is_input]
    body = "\n\n".join(_typed_dict(each) for each in inputs)
    if spec.messages is not None:
        message, answers = spec.messages.message, spec.messages.answers
        union = " | ".join(
            [f"models.{message}", f"{message}Param", *(f"models.{name}" for name in answers)]
        )
        body += (
            f"\n\nMessages = str | Sequence[{union} | Mapping[str, object]]\n"
            '"""A conversation: one user message as a string, or a sequence of messages.\n\n'
            f"`{message}Param` is for dict literals, "
            "`Mapping[str, object]` for dicts in\n"
            "variables, whose inferred type has no keys.\n\n"
            "Type checkers accept a wrong key in a dict literal, which is also a\n"
            f"`Mapping[str, object]`: annotate the dict as `{message}Param` to have its keys "
            "checked.\n"
            '"""\n'
        )
    names = [name for model in spec.models for name in (model.id, *model.aliases)]
    if any(each.kind in MODEL_KINDS for call in spec.operations for each in call.arguments):
        body += (
            f"\n\nModelName = {f'Literal{names!r}' if names else 'str'}\n"
            '"""The names and aliases of the models in the spec, for completion in editors."""\n'
        )
    return _module(
        "The types of arguments: mappings that stand for objects.",
        [
            "import datetime as dt",
            "from collections.abc import Mapping",
            "from collections.abc import Sequence",
            "from typing import Literal",
            "from typing import TypedDict",
            "from typing import NotRequired",
            "from . import models",
        ],
        body,
    )


def _checks(spec: Spec) -> str:
    return _module(
        "The checks of the objects that callers pass.",
        ["from .._core import check"],
        "\n\n".join(_object_check(each) for each in spec.classes if each.is_input),
    )


def _object_check(cls: ClassModel) -> str:
    """Return an object's check as a constant, which other checks and the check itself refer to."""
    properties = ", ".join(
        f"{each.wire!r}: "
        + call(
            "check.Property",
            {"check": check(each.check), "required": "True" if each.required else None},
        )
        for each in cls.fields
    ).replace("checks.", "")
    arguments = {
        "name": repr(cls.name),
        "properties": f"{{{properties}}}",
        "closed": "True" if cls.is_closed else None,
    }
    return f"{cls.name}: check.Check = {call('check.Object', arguments)}"


def _options_type(options: list[ClientOption]) -> str:
    lines = [
        "class ClientOptions(TypedDict, total=False):",
        _doc("The options that `with_options` can change: all but those that say how to connect."),
        "",
    ]
    for each in options:
        if not each.is_connection:
            lines += [f"    {each.name}: {each.annotation}", _doc(each.doc)]
    return _module(
        "The client options as a type, for `with_options`.",
        [*option_imports(), "from typing import TypedDict"],
        "\n".join(lines),
    )


def _call_options(spec: Spec) -> str:
    """Write the optional arguments of each completing call, for the methods built on it.

    Leaves out `timeout` and the arguments that the spec marks: such a method sets them itself.
    """
    classes: list[str] = []
    for operation, name in _completing(spec):
        lines = [
            f"class {name}Options(TypedDict, total=False):",
            _doc(f"The options of `{operation.name}` that the methods built on it pass on."),
            "",
        ]
        for each in operation.arguments:
            if not each.required and each.passed_on:
                lines += [f"    {each.name}: {each.annotation} | None", _doc(each.doc)]
        for option, annotation, text in _options(operation):
            if option != "timeout":
                lines += [f"    {option}: {annotation}", _doc(_sentence(text))]
        classes.append("\n".join(lines))
    return _module(
        "The options of calls as types, for the methods that are built on them.",
        [
            "import datetime as dt",
            "from collections.abc import Callable",
            "from collections.abc import Mapping",
            "from collections.abc import Sequence",
            "from typing import Any",
            "from typing import Literal",
            "from typing import TypedDict",
            "from . import models",
            "from .params import ModelName",
            *(f"from .params import {each.name}Param" for each in spec.classes if each.is_input),
        ],
        "\n\n".join(classes),
    )


def _option_table(spec: Spec) -> str:
    """Write the options of each completing call that can be given as text."""
    tables: list[str] = []
    for operation, name in _completing(spec):
        rows = ""
        for each in operation.arguments:
            if each.required or not each.passed_on or each.kind != "value" or each.type is None:
                continue
            carried = tuple(
                route.protocol
                for route in operation.routes
                if any(argument.name == each.name for argument in route.arguments)
            )
            row = {
                "name": repr(each.name),
                "description": _text(each.doc),
                **as_text(each.type),
                "protocols": repr(carried),
            }
            rows += call("CallOption", row) + ","
        tables.append(f"{name.upper()}_OPTIONS: tuple[CallOption, ...] = ({rows})\n")
    return _module(
        "The options of calls as a table, for the command line.",
        ["from .._core.call_option import CallOption"],
        "\n".join(tables),
    )


def _text(text: str) -> str:
    """Return a long string as an expression of several lines."""
    lines = wrap(text, _WIDTH - 8, drop_whitespace=False)
    return repr(text) if len(lines) == 1 else f"({' '.join(map(repr, lines))})"


def _completing(spec: Spec) -> Iterator[tuple[OperationModel, str]]:
    """Yield the calls that can be streamed and accumulated, with the names of their streams."""
    for operation in spec.operations:
        stream = operation.stream
        if operation.call is not None and stream is not None and stream.accumulator is not None:
            yield operation, stream.class_name.removesuffix("Stream")


def _typed_dict(cls: ClassModel) -> str:
    if not all(_can_be_attribute(each.wire) for each in cls.fields):
        return _functional_typed_dict(cls)
    lines = [f"class {cls.name}Param(TypedDict):", _doc(f"{_sentence(cls.doc)} As a mapping."), ""]
    for each in cls.fields:
        annotation = accepted(each.check)
        lines += [
            f"    {each.wire}: {annotation if each.required else f'NotRequired[{annotation}]'}",
            _doc(_sentence(each.doc)),
        ]
    return "\n".join(lines)


def _can_be_attribute(wire: str) -> bool:
    """Return whether a wire name is valid in a class body and does not shadow a type there."""
    return (
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", wire) is not None
        and not wire.startswith("__")
        and not iskeyword(wire)
        and wire not in BUILTINS - {"object", "type"}
        and wire not in ("models", "dt")
    )


def _functional_typed_dict(cls: ClassModel) -> str:
    """Return a TypedDict whose keys are not identifiers; its types are strings, for cycles."""
    items = ", ".join(
        f"{each.wire!r}: "
        + (
            f"{accepted(each.check)!r}"
            if each.required
            else f"NotRequired[{accepted(each.check)!r}]"
        )
        for each in cls.fields
    )
    name = f"{cls.name}Param"
    doc = _doc(f"{_sentence(cls.doc)} As a mapping.", 0)
    return f"{name} = TypedDict({name!r}, {{{items}}})\n{doc}"


def _catalog(spec: Spec) -> str:
    models = "".join(
        f"Model(id={each.id!r}, path={each.path!r}, aliases={each.aliases!r}, "
        f"accepts_images={each.accepts_images!r}, description={each.description!r}),"
        for each in spec.models
    )
    protocols = "".join(
        _call(
            "Protocol",
            name=repr(each.name),
            base_path=repr(each.base_path) if each.base_path else None,
            paths=repr(each.paths),
            options=repr(each.options) if each.options else None,
            has_catalog=True if each.has_catalog else None,
        )
        + ","
        for each in spec.protocols
    )
    others = tuple(each.default_url for each in spec.servers[1:])
    return _module(
        "The hosted service, its protocols and its models.",
        [
            "from .._core.catalog import Model",
            "from .._core.protocol import Protocol",
            "from .._core.protocol import Protocols",
            "from .._core.server import Server",
        ],
        f"BASE_URL = {spec.servers[0].default_url!r}\n"
        f"DEFAULT_MODEL = {spec.default_model!r}\n\n"
        f"PROTOCOLS = Protocols(({protocols}), BASE_URL, {others!r})\n\n"
        f"MODELS: tuple[Model, ...] = ({models})\n" + _servers(spec),
    )


def _servers(spec: Spec) -> str:
    """Return the table of servers, if there are several or they have variables."""
    if len(spec.servers) == 1 and not spec.servers[0].variables:
        return ""
    servers = "".join(
        f"{each.name!r}: "
        + call(
            "Server",
            {
                "url": repr(each.url),
                "description": repr(each.description) if each.description else None,
                "variables": repr(each.variables) if each.variables else None,
            },
        )
        + ","
        for each in spec.servers
    )
    return (
        f"\nSERVERS: dict[str, Server] = {{{servers}}}\n"
        '"""The servers by name, for `Client(base_url=SERVERS[name].at())`."""\n'
    )


def _operations(spec: Spec) -> str:
    operations = list(spec.operations)
    used = {
        _constant(argument.listed_by)
        for each in operations
        for argument in each.arguments
        if argument.listed_by is not None
    }
    operations.sort(key=lambda each: each.constant not in used)
    return _module(
        "The operations: a description of each method's call.",
        [
            "import datetime as dt",
            "from types import NoneType",
            "from typing import Any",
            "from typing import Literal",
            "from typing import cast",
            "from .._core import check",
            "from . import checks",
            "from . import models",
            *(
                f"from .._core.operation import {name}"
                for name in (
                    "Argument",
                    "Accumulator",
                    "HeaderParameter",
                    "Operation",
                    "Paging",
                    "Route",
                    "StreamShape",
                    "StreamingOperation",
                )
            ),
        ],
        "\n\n".join(_operation(each) for each in operations),
    )


def _call(cls: str, /, **values: object) -> str:
    given = ", ".join(f"{key}={value}" for key, value in values.items() if value is not None)
    return f"{cls}({given})"


def _route(route: RouteModel) -> str:
    arguments = "".join(
        _call(
            "Argument",
            name=repr(each.name),
            wire=repr(each.wire),
            kind=None if each.kind == "value" else repr(each.kind),
            check=None if each.type is None else check(each.type),
            location=None if each.location == "body" else repr(each.location),
            required=True if each.required else None,
            default_from=None if each.default_from is None else repr(each.default_from),
            listed_by=None if each.listed_by is None else _constant(each.listed_by),
            instead=None if each.instead is None else repr(each.instead),
        )
        + ","
        for each in route.arguments
    )
    headers = "".join(
        _call(
            "HeaderParameter",
            wire=repr(each.wire),
            default=None if each.default is None else repr(each.default),
            option=None if each.option is None else repr(each.option),
        )
        + ","
        for each in route.headers
    )
    return _call(
        "Route",
        method=repr(route.http_method),
        path=repr(route.path),
        arguments=f"({arguments})",
        headers=f"({headers})" if headers else None,
        has_body=None if route.has_body else False,
        stream_body=repr(route.stream_body) if route.stream_body else None,
        is_public=True if route.is_public else None,
    )


def _constant(name: str) -> str:
    return name.replace(".", "_").upper()


def _operation(operation: OperationModel) -> str:
    routes = "".join(f"{route.protocol!r}: {_route(route)}," for route in operation.routes)
    stream = operation.stream
    shape = None
    if stream is not None:
        accumulator = None
        if stream.accumulator is not None:
            accumulator = _call(
                "Accumulator",
                result=f"models.{stream.accumulator.result}",
                choice=f"models.{stream.accumulator.choice}",
                message=f"models.{stream.accumulator.message}",
            )
        shape = _call(
            "StreamShape",
            switch=None if stream.switch is None else repr(stream.switch),
            chunk=_class_value(stream.chunk),
            sentinel=None if stream.sentinel is None else repr(stream.sentinel.encode()),
            accumulator=accumulator,
        )
    return f"{operation.constant}{_operation_type(operation)} = " + _call(
        "Operation" if stream is None else "StreamingOperation",
        name=repr(operation.name),
        routes=f"{{{routes}}}",
        result=_result_value(operation),
        media=None if operation.result.media == "json" else repr(operation.result.media),
        paging=_paging(operation),
        stream=shape,
    )


def _operation_type(operation: OperationModel) -> str:
    """Return the annotation of an operation, if type checkers cannot infer it."""
    stream, result = operation.stream, operation.result.type
    types = [] if result is None else [result]
    types += [] if stream is None else [stream.chunk]
    if all(map(_is_class, types)):
        return ""
    if stream is None:
        return f": Operation[{_result(operation)}]"
    return f": StreamingOperation[{_result(operation)}, {output(stream.chunk)}]"


def _result(operation: OperationModel) -> str:
    """Return the annotation of a method's result."""
    result = operation.result
    if result.type is None:
        return {"none": "None", "bytes": "bytes", "text": "str"}[result.media]
    return output(result.type)


def _result_value(operation: OperationModel) -> str:
    """Return the class of a method's result, as an expression."""
    result = operation.result
    if result.type is None:
        return "NoneType" if result.media == "none" else _result(operation)
    return _class_value(result.type)


def _class_value(type_: Type) -> str:
    """Return a type as an expression."""
    annotation = output(type_)
    return annotation if _is_class(type_) else f'cast("Any", {annotation})'


def _is_class(type_: Type) -> bool:
    """Return whether type checkers accept a type, written as an expression, as a class."""
    if isinstance(type_, LeafType):
        return not isinstance(type_.check, (Enum, Null))
    return isinstance(type_, (ClassType, ArrayType, MapType))


def _stream_result(stream: StreamModel) -> str:
    """Return the annotation of the result that a stream's chunks combine into."""
    if stream.accumulator is None:
        return f"tuple[{output(stream.chunk)}, ...]"
    return f"models.{stream.accumulator.result}"


def _paging(operation: OperationModel) -> str | None:
    pages = operation.pages
    if pages is None:
        return None
    return _call(
        "Paging",
        parameter=repr(pages.parameter),
        items=repr(pages.items),
        next=None if pages.next is None else repr(pages.next),
        first=None if pages.first == 1 else repr(pages.first),
    )


class _Flavour:
    """The differences between the methods of the two clients."""

    def __init__(
        self, prefix: str, define: str, wait: str, driver: str, client: str, http_client: str
    ) -> None:
        self.prefix = prefix
        self.define = define
        self.wait = wait
        self.driver = driver
        self.client = client
        self.http_client = http_client

    def example(self, text: str, *, streamed: bool) -> str:
        """Return the blocking client's example, rewritten for this client."""
        if not self.prefix:
            return text
        if streamed:
            return re.sub(r"(>>> |\.\.\. +)(with|for) ", r"\1async \2 ", text)
        return re.sub(
            r"(client\.[\w.]+\(.*?\))(\.\w+)?$", r"(await \1)\2", text, flags=re.MULTILINE
        )


_BLOCKING = _Flavour("", "def", "", "blocking", "Client", "httpx.Client")
_AWAITING = _Flavour("Async", "async def", "await ", "awaiting", "AsyncClient", "httpx.AsyncClient")


def _methods(spec: Spec, backend: _Flavour) -> str:
    prefix = backend.prefix
    operations = spec.operations
    parts = [_stream_class(each, backend) for each in operations if each.stream is not None]
    parts += [_resource(each, backend) for each in spec.resources]
    parts.append(_client(spec.resources, backend))
    body = "\n\n".join(parts)
    return _module(
        f"The methods of `{backend.client}`.",
        [
            *dict.fromkeys(
                [
                    *option_imports(),
                    "import datetime as dt",
                    "from typing import Any",
                    "from collections.abc import Callable",
                    "from collections.abc import Mapping",
                    "from collections.abc import Sequence",
                    "from functools import cached_property",
                    "from typing import Literal",
                    "from typing import Self",
                    "from typing import Unpack",
                    "from .._base_client import BaseClient",
                    "from .._core.catalog import Catalog",
                    *(
                        f"from .._core.{module} import {prefix}{name}"
                        for module, name in (
                            _split(each.mixin) for each in spec.resources if each.mixin is not None
                        )
                    ),
                    "from .._core.raw_response import raw",
                    "from .._core.raw_response import async_raw",
                    "from .._core.settings import CallOptions",
                    "from .._core.settings import Options",
                    "from .._core.timeout import Timeout",
                ]
            ),
            "from .catalog import DEFAULT_MODEL",
            "from .catalog import MODELS",
            "from .catalog import PROTOCOLS",
            "from .options import ClientOptions",
            "from .. import transports",
            f"from ..transports import {prefix}Transport",
            f"from .._drivers.{backend.driver} import {prefix}CallRunner",
            f"from .._drivers.{backend.driver} import {prefix}Stream",
            f"from .._drivers.{backend.driver}_pages import {prefix}Pages",
            *(f"from .operations import {each.constant}" for each in operations),
            "from . import models",
            "from .params import Messages",
            "from .params import ModelName",
            *(f"from .params import {each.name}Param" for each in spec.classes if each.is_input),
        ],
        body,
    )


def _stream_class(operation: OperationModel, backend: _Flavour) -> str:
    stream = operation.stream
    if stream is None:
        return ""
    doc = _described(
        f"A response that arrives in chunks, each a `{output(stream.chunk, '')}`.",
        example=backend.example(stream.method.example, streamed=True),
        depth=1,
    )
    base = f"{backend.prefix}Stream[{output(stream.chunk)}, {_stream_result(stream)}]"
    return f"class {backend.prefix}{stream.class_name}({base}):\n{doc}\n"


def _resource(resource: ResourceModel, backend: _Flavour) -> str:
    bases = _bases(resource.mixin, prefix=backend.prefix)
    lines = [
        f"class {backend.prefix}{resource.class_name}{bases}:",
        _doc(_sentence(resource.doc)),
        "",
        f"    def __init__(self, runner: {backend.prefix}CallRunner) -> None:",
        "        self._runner = runner",
        "",
    ]
    if resource.mixin is not None:
        lines.insert(3, f"    _runner: {backend.prefix}CallRunner\n")
    for operation in resource.operations:
        if operation.pages is not None:
            lines.append(_pages_method(operation, operation.pages, backend))
        elif operation.call is not None:
            lines.append(_call_method(operation, operation.call, backend))
        if operation.stream is not None:
            lines.append(_stream_method(operation, operation.stream, backend))
    calls = [each for each in resource.operations if each.call is not None and each.pages is None]
    if not calls:
        return "\n".join(lines)
    raw = f"{backend.prefix}{resource.class_name}WithRawResponse"
    lines += [
        "    @cached_property",
        f"    def with_raw_response(self) -> {raw}:",
        _doc("The same methods, which return the raw response.", 2),
        f"        return {raw}(self._runner)",
        "",
    ]
    return "\n".join([*_raw_resource(raw, resource, calls, backend), *lines])


def _raw_resource(
    name: str, resource: ResourceModel, calls: list[OperationModel], backend: _Flavour
) -> list[str]:
    """Return the class of a resource's `with_raw_response`, whose methods return raw responses."""
    cls = f"{backend.prefix}{resource.class_name}"
    cast = "async_raw" if backend.prefix else "raw"
    return [
        f"class {name}:",
        _doc(f"The methods of `client.{resource.name}`, which return the raw response."),
        "",
        f"    def __init__(self, runner: {backend.prefix}CallRunner) -> None:",
        f"        methods = {cls}(runner.raw())",
        *(
            f"        self.{each.call.name} = {cast}(methods.{each.call.name})"
            for each in calls
            if each.call is not None
        ),
        "",
        "",
    ]


def _call_method(operation: OperationModel, method: MethodModel, backend: _Flavour) -> str:
    returns = "" if operation.result.media == "none" else _sentence(operation.result.doc)
    return (
        f"    {backend.define} {method.name}({_signature(operation)}) -> "
        f"{_result(operation)}:\n"
        f"{_method_doc(operation, method, returns, backend, streamed=False)}\n"
        f"        return {backend.wait}self._runner.call({operation.constant}, "
        f"{_passed(operation)})\n"
    )


def _pages_method(operation: OperationModel, pages: PagesModel, backend: _Flavour) -> str:
    if operation.call is None:
        return ""
    item, page = output(pages.item), _result(operation)
    returns = "The items, to iterate over; `.pages()` iterates over the pages that hold them."
    return (
        f"    def {operation.call.name}({_signature(operation)}) -> "
        f"{backend.prefix}Pages[{item}, {page}]:\n"
        f"{_method_doc(operation, operation.call, returns, backend, streamed=True)}\n"
        f"        return {backend.prefix}Pages(self._runner, {operation.constant}, "
        f"{_passed(operation)})\n"
    )


def _stream_method(operation: OperationModel, stream: StreamModel, backend: _Flavour) -> str:
    name = f"{backend.prefix}{stream.class_name}"
    returns = "The stream. The request goes out on entering it, or at the first step of a loop."
    return (
        f"    def {stream.method.name}({_signature(operation)}) -> {name}:\n"
        f"{_method_doc(operation, stream.method, returns, backend, streamed=True)}\n"
        f"        return self._runner.stream({name}, {operation.constant}, {_passed(operation)})\n"
    )


def _signature(operation: OperationModel) -> str:
    required = [
        f"{each.name}: {each.annotation}"
        for each in operation.arguments
        if each.required and not each.keyword
    ]
    keyword = [
        f"{each.name}: {each.annotation}"
        for each in operation.arguments
        if each.required and each.keyword
    ]
    optional = [
        f"{each.name}: {each.annotation} | None = None"
        for each in operation.arguments
        if not each.required
    ]
    options = [f"{name}: {annotation} = None" for name, annotation, _ in _options(operation)]
    return ", ".join(["self", *required, "*", *keyword, *optional, *options])


def _options(operation: OperationModel) -> list[tuple[str, str, str]]:
    """Return the options of any call, each with its annotation and description."""
    return [each for each in _OPTIONS if operation.has_body or each[0] != "extra_body"]


def _passed(operation: OperationModel) -> str:
    arguments = ", ".join(f'"{each.name}": {each.name}' for each in operation.arguments)
    options = ", ".join(f"{name}={name}" for name, _, _ in _options(operation))
    return f"{{{arguments}}}, CallOptions({options})"


def _method_doc(
    operation: OperationModel,
    method: MethodModel,
    returns: str,
    backend: _Flavour,
    *,
    streamed: bool,
) -> str:
    arguments = [(each.name, _lowered(each.doc)) for each in operation.arguments]
    arguments += [(name, text) for name, _, text in _options(operation)]
    raises = [
        ("ConfigurationError", "an argument is invalid; nothing was sent."),
        ("APIStatusError", "the server returned an error status."),
        ("APIConnectionError", "the connection failed or timed out."),
        ("APIResponseError", "the response does not match the spec."),
    ]
    if streamed:
        raises = [
            raises[0],
            ("AutonomousAIError", "the call failed, on entering or iterating the stream."),
        ]
    return _described(
        _sentence(method.summary),
        arguments=arguments,
        returns=returns,
        raises=raises,
        example=backend.example(method.example, streamed=streamed),
        depth=2,
    )


def _described(
    summary: str,
    *,
    arguments: list[tuple[str, str]] | None = None,
    returns: str = "",
    raises: list[tuple[str, str]] | None = None,
    example: str = "",
    depth: int,
) -> str:
    width = _WIDTH - 4 * depth
    lines = wrap(summary, width)
    for title, entries in (("Args", arguments), ("Raises", raises)):
        if title == "Raises" and returns:
            lines += ["", "Returns:", *_indented(returns, width)]
        if entries:
            lines += ["", f"{title}:"]
            for name, text in entries:
                lines += _indented(f"{name}: {text}", width, hanging=True)
    if example:
        lines += ["", "Examples:", *(f"    {line}" for line in example.splitlines())]
    return _docstring(lines, depth)


def _indented(text: str, width: int, *, hanging: bool = False) -> list[str]:
    after = "        " if hanging else "    "
    return wrap(text, width, initial_indent="    ", subsequent_indent=after)


def _client(resources: tuple[ResourceModel, ...], backend: _Flavour) -> str:
    # Named like the public class, which a TypeError of its methods then names.
    lines = [
        f"class {backend.client}(BaseClient):",
        _doc(f"The constructor of `{backend.client}`, and its attributes that make calls."),
        "",
        f"    _runner: {backend.prefix}CallRunner",
        "    _catalog = Catalog(MODELS)",
        "    _protocols = PROTOCOLS",
        "    _default_model = DEFAULT_MODEL",
        "",
        *_constructor(client_options(), backend),
        *_with_options(client_options(), backend),
    ]
    for each in resources:
        name = f"{backend.prefix}{each.class_name}"
        lines += [
            "    @cached_property",
            f"    def {each.name}(self) -> {name}:",
            _doc(_sentence(each.doc), 2),
            f"        return self._resource({each.name!r}, {name}(self._runner))",
            "",
        ]
    return "\n".join(lines)


def _constructor(options: list[ClientOption], backend: _Flavour) -> list[str]:
    # By the module, which imports the HTTP libraries when it is asked for their classes.
    http = f"transports.{backend.prefix}HTTPClient"
    transport = f"{backend.prefix}Transport"
    parameters = [
        *(f"{each.name}: {each.annotation} = {each.default}" for each in options),
        f"http_client: {http} | None = None",
        f"transport: {transport} | None = None",
    ]
    doc = _described(
        "Check the options; connections are opened when a call first needs one.",
        arguments=[
            *((each.name, _lowered(each.doc)) for each in options),
            ("http_client", f"your own `{backend.http_client}`, which the SDK never closes."),
            ("transport", f"your own `{transport}`, which the SDK never closes."),
        ],
        raises=[("ConfigurationError", "an option or environment variable is invalid.")],
        depth=2,
    )
    passed = ", ".join(f"{each.name}={each.name}" for each in options)
    secrets = ", ".join(each.name for each in options if each.is_secret)
    return [
        f"    def __init__(self, *, {', '.join(parameters)}) -> None:",
        doc,
        f"        options = Options({passed})",
        "        # A traceback that shows local variables would show these from here on.",
        f"        del {secrets}",
        "        self._set_up(options, self._connect(options, http_client, transport))",
        "",
    ]


def _with_options(options: list[ClientOption], backend: _Flavour) -> list[str]:
    connections = [*(each.name for each in options if each.is_connection), "http_client"]
    fixed = f"{', '.join(f'`{name}`' for name in connections)} and `transport`"
    doc = _described(
        "Return a copy with some options changed, which shares this client's connections.",
        arguments=[("**changes", f"options of the constructor, except {fixed}.")],
        returns="The copy. Closing it does nothing: the connections belong to this client.",
        raises=[("ConfigurationError", "an option does not exist, is invalid or is fixed.")],
        example=f">>> {backend.wait}client.with_options(timeout=5, max_retries=0)"
        '.chat.create("Quick!")',
        depth=2,
    )
    return [
        "    def with_options(self, **changes: Unpack[ClientOptions]) -> Self:",
        doc,
        "        return self._copied(changes)",
        "",
    ]


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _lowered(text: str) -> str:
    """Return a description that starts with a small letter, to follow a name and a colon."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
