"""A Python function as a tool: its definition for the model, and its arguments from the model.

Owns the way from a function's name, docstring and annotations to the definition that a request
carries (spec: `ChatRequest.tools`), and from the text of a call's arguments to the function's
keyword arguments. It never calls a function: the drivers do.

Parameters' descriptions come from `Annotated`, else from the docstring, which the package
`docstring-parser` (extra `tools`) takes apart. Without that package the whole docstring is the
tool's description, so the model reads the same text.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, NoReturn, cast, get_args, get_origin, get_type_hints

import msgspec
from attrs import field, frozen

from ..errors import ConfigurationError
from .class_schema import bounds
from .codec import is_object
from .schema import SchemaError, inlined, json_schemas, kind_of, structure

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What OpenAI's API accepts, which other engines follow."""

_REFUSED: Mapping[Any, str] = {
    inspect.Parameter.POSITIONAL_ONLY: "is positional-only",
    inspect.Parameter.VAR_POSITIONAL: "takes any number of positional arguments",
    inspect.Parameter.VAR_KEYWORD: "takes any keyword arguments",
}


class ToolArgumentsError(ValueError):
    """A call's arguments that do not fit the function; the message is meant for the model."""


@frozen(kw_only=True)
class Tool:
    """A tool that a model may call.

    Attributes:
        name: the name the model calls it by.
        definition: what the request carries: `{"type": "function", "function": {…}}`.
        function: the function, or None for a tool given as a mapping.
        types: the function's parameters and their types.
        required: the parameters without a default.
    """

    name: str
    definition: Mapping[str, Any]
    function: Callable[..., Any] | None = None
    types: Mapping[str, Any] = field(factory=dict[str, Any])
    required: frozenset[str] = frozenset()

    @property
    def is_async(self) -> bool:
        """Whether calling the function gives an awaitable."""
        return inspect.iscoroutinefunction(_plain(self.function))

    def arguments(self, text: str) -> dict[str, Any]:
        """Turn a call's arguments into the function's keyword arguments.

        Args:
            text: the arguments as the model wrote them: a JSON object, or nothing.

        Raises:
            ToolArgumentsError: not a JSON object, or not what the annotations say.
        """
        try:
            value: object = json.loads(text, parse_constant=_refuse) if text.strip() else {}
        except (ValueError, RecursionError) as error:
            raise ToolArgumentsError(f"The arguments are not valid JSON: {error}.") from error
        if not is_object(value):
            raise ToolArgumentsError(f"The arguments are not a JSON object: {kind_of(value)}.")
        problems = [f"$.{name}: unknown argument" for name in value if name not in self.types] + [
            f"$.{name}: required, but missing" for name in self.required if name not in value
        ]
        arguments: dict[str, Any] = {}
        for name, type_ in self.types.items():
            if name in value:
                try:
                    arguments[name] = structure(value[name], type_)
                except SchemaError as error:
                    problems += [f"$.{name}{each[1:]}" for each in error.problems]
        if problems:
            raise ToolArgumentsError(f"Wrong arguments: {'; '.join(sorted(problems))}.")
        return arguments


def tools_of(tools: object, *, callable_only: bool = False) -> dict[str, Tool]:
    """Make the tools of a request.

    Args:
        tools: functions, and mappings that are definitions already.
        callable_only: refuse mappings, which name no function to call.

    Returns:
        The tools by their names, in the given order.

    Raises:
        ConfigurationError: no tools, a function that cannot be a tool, or a name given twice.
    """
    if isinstance(tools, (str, bytes, Mapping)) or not isinstance(tools, Sequence):
        raise ConfigurationError(
            f"tools= is a list of functions and mappings, not {type(cast('Any', tools)).__name__}."
        )
    given = cast("Sequence[object]", tools)
    if not given:
        raise ConfigurationError("tools= is empty: give at least one function, or leave it out.")
    made: dict[str, Tool] = {}
    for position, each in enumerate(given):
        where = f"tools[{position}]"
        if is_object(each):
            if callable_only:
                raise ConfigurationError(
                    f"{where} is a mapping, and chat.run() calls functions: give the function, or "
                    "use chat.create() and call it yourself."
                )
            tool = _given(each, where)
        elif callable(each):
            tool = tool_of(each, where)
        else:
            raise ConfigurationError(
                f"{where} is a function or a mapping, not {type(each).__name__}."
            )
        if tool.name in made:
            raise ConfigurationError(
                f"{where}: another tool is named {tool.name!r} too; give each its own name."
            )
        made[tool.name] = tool
    return made


def tool_of(function: Callable[..., Any], where: str = "tools[0]") -> Tool:
    """Make a tool of a function.

    Raises:
        ConfigurationError: the function has no usable name, a parameter that a model cannot
            name, or an annotation without a JSON schema.
    """
    name = _name_of(function)
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{where}: {name!r} cannot be a tool's name; use a named function whose name has 1 to "
            "64 letters, digits, '_' and '-'."
        )
    parameters = _parameters(function, f"{where}: {name}()")
    description, described = _documented(function)
    types = {
        parameter.name: _with_description(parameter.annotation, described.get(parameter.name))
        for parameter in parameters
    }
    schemas, definitions = json_schemas(
        {f"{where}: {name}(): the parameter {key!r}:": type_ for key, type_ in types.items()}
    )
    properties = {
        parameter.name: schema | _default_of(parameter)
        for parameter, schema in zip(parameters, schemas, strict=True)
    }
    required = [each.name for each in parameters if each.default is inspect.Parameter.empty]
    schema = inlined(
        {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        definitions,
    )
    about = {"name": name, "description": description, "parameters": schema}
    if not description:
        del about["description"]
    return Tool(
        name=name,
        definition={"type": "function", "function": about},
        function=function,
        types=types,
        required=frozenset(required),
    )


def result_text(value: object) -> str:
    """What a function returned, as the text that goes back to the model.

    A string goes back as it is, anything else as JSON.

    Raises:
        TypeError: the value has no JSON form.
    """
    if isinstance(value, str):
        return value
    return _as_json(value).decode()


def error_text(error: Exception) -> str:
    """A function's exception as the text that goes back to the model."""
    said = str(error)
    if isinstance(error, ToolArgumentsError):
        return f"Error: {said}"
    return f"Error: {type(error).__name__}{': ' if said else ''}{said}"


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _encoded(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"the tool returned {type(value).__name__}, which has no JSON form")


def _given(definition: Mapping[str, Any], where: str) -> Tool:
    """A tool given as a mapping, checked as far as every engine needs it."""
    about = definition.get("function")
    if definition.get("type") != "function" or not is_object(about):
        raise ConfigurationError(
            f"{where}: a mapping is {{'type': 'function', 'function': {{'name': …, "
            "'parameters': …}}."
        )
    name = about.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{where}: the function has no 'name'.")
    parameters = about.get("parameters")
    if parameters is not None and not is_object(parameters):
        raise ConfigurationError(
            f"{where}: 'parameters' is a JSON schema, not {type(parameters).__name__}."
        )
    return Tool(name=name, definition=definition)


def _plain(function: Any) -> Any:
    """The function below partials, callable objects and bound methods."""
    function = _unbound(function)
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = type(function).__call__
    return function


def _unbound(function: Any) -> Any:
    """The function below partials."""
    while isinstance(function, partial):
        function = function.func
    return function


def _name_of(function: Any) -> str:
    function = _unbound(function)
    name = getattr(function, "__name__", None)
    if isinstance(name, str):
        return name
    # An object with __call__ goes by its class, as a function would be written.
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(function).__name__).lower()


def _parameters(function: Callable[..., Any], what: str) -> list[inspect.Parameter]:
    """The parameters that a model fills, with their annotations resolved."""
    plain = _plain(function)
    if inspect.isclass(plain):
        raise ConfigurationError(f"{what} is a class: give a function that makes one.")
    try:
        signature = inspect.signature(function)
        hints = get_type_hints(plain, include_extras=True)
    except (NameError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{what} has annotations that cannot be read: {error}. Define the types it names at "
            "the top of the module."
        ) from error
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        raise ConfigurationError(f"{what} is a generator: give a function that returns its result.")
    bound = set(function.keywords) if isinstance(function, partial) else set[str]()
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name in bound:
            continue
        if parameter.name == "self" and not parameters:
            raise ConfigurationError(
                f"{what} is a method without its object: give the method of an object, such as "
                f"instance.{_name_of(function)}."
            )
        if parameter.kind in _REFUSED:
            raise ConfigurationError(
                f"{what}: {parameter} {_REFUSED[parameter.kind]}, and a model gives arguments by "
                "name: wrap it in a function with named parameters."
            )
        parameters.append(parameter.replace(annotation=hints.get(parameter.name, Any)))
    return parameters


def _with_description(type_: Any, documented: str | None) -> Any:
    """A type that carries its description where msgspec finds it."""
    inner: Any = type_
    metadata: list[Any] = []
    if get_origin(type_) is Annotated:
        inner, *metadata = get_args(type_)
    said = next((text for each in metadata if (text := _description_in(each))), documented)
    for bound in bounds(metadata):
        inner = Annotated[inner, bound]
    return inner if not said else Annotated[inner, msgspec.Meta(description=said)]


def _description_in(metadata: Any) -> str | None:
    """The text in `Annotated[int, "text"]`, `Doc("text")` (PEP 727) or `Field(description=…)`."""
    if isinstance(metadata, str):
        return metadata
    for name in ("documentation", "description"):
        text = getattr(metadata, name, None)
        if isinstance(text, str):
            return text
    return None


def _default_of(parameter: inspect.Parameter) -> dict[str, Any]:
    """A parameter's default for its schema, if it has one with a JSON form."""
    if parameter.default is inspect.Parameter.empty:
        return {}
    try:
        return {"default": json.loads(_as_json(parameter.default))}
    except (TypeError, ValueError):
        return {}


def _as_json(value: object) -> bytes:
    return msgspec.json.encode(value, enc_hook=_encoded)


def _documented(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """A function's description, and those of its parameters."""
    bare: Any = _unbound(function)
    text = inspect.cleandoc(bare.__doc__ or "")
    if not inspect.isroutine(bare):
        # What an object's call does is said by its method, else by its class.
        text = inspect.cleandoc(bare.__call__.__doc__ or bare.__doc__ or "")
    if not text:
        return "", {}
    try:
        from docstring_parser import ParseError, parse
    except ImportError:
        return text.strip(), {}
    try:
        parsed = parse(text)
    except ParseError:
        return text.strip(), {}
    described = {
        name.strip(): " ".join((each.description or "").split())
        for each in parsed.params
        for name in each.arg_name.split(",")
    }
    return (parsed.description or "").strip(), described
