"""Functions as tools: their definitions, and the arguments that a model gives them."""

from __future__ import annotations

import enum
import functools
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from attrs import frozen

from autonomousai_sdk._core.tool import (
    ToolArgumentsError,
    error_text,
    result_text,
    tool_of,
    tools_of,
)
from autonomousai_sdk.errors import ConfigurationError


class Unit(enum.Enum):
    """A unit of temperature."""

    C = "celsius"
    F = "fahrenheit"


@frozen
class Place:
    """Where."""

    city: str
    country: str = "FR"


class Filter(TypedDict):
    """What to look for."""

    words: list[str]


class Model(pydantic.BaseModel):
    """A pydantic parameter."""

    number: int


def get_weather(  # noqa: D417  # a parameter that no docstring describes is part of the test
    place: Place,
    unit: Unit = Unit.C,
    days: Annotated[int, "How many days.", msgspec.Meta(ge=1)] = 1,
    detail: Literal["low", "high"] | None = None,
) -> str:
    """Look up the weather.

    In any city of the world.

    Args:
        place: where to
            look.
        unit: the unit of temperatures.
        days: not read, since `Annotated` says it.

    Returns:
        The weather.
    """
    return f"{place.city} {unit.value} {days} {detail}"


def function_of(tool: Any) -> Any:
    """What a tool's definition says of its function."""
    assert tool.definition["type"] == "function"
    return tool.definition["function"]


def test_a_function_becomes_a_definition() -> None:
    """Name, docstring, annotations and defaults become the definition that a request carries."""
    assert function_of(tool_of(get_weather)) == {
        "name": "get_weather",
        "description": "Look up the weather.\n\nIn any city of the world.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"description": "where to look.", "$ref": "#/$defs/Place"},
                "unit": {
                    "description": "the unit of temperatures.",
                    "$ref": "#/$defs/Unit",
                    "default": "celsius",
                },
                "days": {
                    "description": "How many days.",
                    "type": "integer",
                    "minimum": 1,
                    "default": 1,
                },
                "detail": {
                    "anyOf": [{"enum": ["high", "low"]}, {"type": "null"}],
                    "default": None,
                },
            },
            "required": ["place"],
            "additionalProperties": False,
            "$defs": {
                "Place": {
                    "title": "Place",
                    "description": "Where.",
                    "type": "object",
                    "properties": {
                        "city": {"type": "string"},
                        "country": {"type": "string", "default": "FR"},
                    },
                    "required": ["city"],
                    "additionalProperties": False,
                },
                "Unit": {
                    "title": "Unit",
                    "description": "A unit of temperature.",
                    "enum": ["celsius", "fahrenheit"],
                },
            },
        },
    }


def numpy_style(a: int, b: int = 1, c: int = 2) -> int:
    """Add numbers.

    Parameters
    ----------
    a : int
        The first.
    b, c : int, optional
        The others.
    """
    return a + b + c


def rest_style(a: int) -> int:
    """Add numbers.

    :param a: The only one.
    """
    return a


@pytest.mark.parametrize(
    ("function", "descriptions"),
    [
        (numpy_style, {"a": "The first.", "b": "The others.", "c": "The others."}),
        (rest_style, {"a": "The only one."}),
    ],
)
def test_descriptions_of_parameters_come_from_the_docstring(
    function: Callable[..., Any], descriptions: dict[str, str]
) -> None:
    """NumPy and reST docstrings describe parameters, as Google's do."""
    about = function_of(tool_of(function))
    assert about["description"] == "Add numbers."
    assert {
        name: each["description"] for name, each in about["parameters"]["properties"].items()
    } == descriptions


def test_without_the_parser_the_docstring_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `docstring-parser` is not installed, the description is the whole docstring."""
    monkeypatch.setitem(sys.modules, "docstring_parser", None)
    about = function_of(tool_of(rest_style))
    assert about["description"] == "Add numbers.\n\n:param a: The only one."
    assert "description" not in about["parameters"]["properties"]["a"]


def test_a_docstring_that_cannot_be_parsed_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A docstring that the parser refuses is the description as it is."""
    import docstring_parser

    def refuse(text: str) -> None:
        raise docstring_parser.ParseError(text)

    monkeypatch.setattr(docstring_parser, "parse", refuse)
    assert "The only one." in function_of(tool_of(rest_style))["description"]


DEFAULT = object()


def test_a_function_without_docstring_and_annotations_is_a_tool() -> None:
    """A parameter without an annotation takes any JSON value."""

    def bare(a: Any, b: Any = DEFAULT) -> None: ...

    bare.__annotations__.clear()
    tool = tool_of(bare)
    assert function_of(tool) == {
        "name": "bare",
        "parameters": {
            "type": "object",
            "properties": {"a": {}, "b": {}},
            "required": ["a"],
            "additionalProperties": False,
        },
    }
    assert tool.arguments('{"a": [1]}') == {"a": [1]}


class Counter:
    """Counts."""

    def add(self, number: int) -> int:
        """Add a number."""
        return number

    def __call__(self, number: int) -> int:  # noqa: D102  # the class's docstring is what is tested
        return number


class AddOne:
    """Adds one."""

    async def __call__(self, number: int) -> int:  # noqa: D102  # as above
        return number + 1


class Documented:
    """A callable class."""

    def __call__(self, number: int) -> int:
        """Call it."""
        return number


@functools.wraps(numpy_style)
def wrapped(*arguments: Any, **others: Any) -> Any:
    """Pass everything on."""
    return numpy_style(*arguments, **others)


NUMBER = ["number"]


@pytest.mark.parametrize(
    ("function", "name", "description", "parameters"),
    [
        (Counter().add, "add", "Add a number.", NUMBER),
        (Counter(), "counter", "Counts.", NUMBER),
        (AddOne(), "add_one", "Adds one.", NUMBER),
        (Documented(), "documented", "Call it.", NUMBER),
        (functools.partial(numpy_style, b=3), "numpy_style", "Add numbers.", ["a", "c"]),
        (functools.partial(numpy_style, 3), "numpy_style", "Add numbers.", ["b", "c"]),
        (functools.partial(Counter().add), "add", "Add a number.", NUMBER),
        (wrapped, "numpy_style", "Add numbers.", ["a", "b", "c"]),
    ],
)
def test_other_callables_are_tools(
    function: Any, name: str, description: str, parameters: list[str]
) -> None:
    """Methods, callable objects, partials and decorated functions become tools."""
    about = function_of(tool_of(function))
    assert about["name"] == name
    assert about["description"] == description
    assert list(about["parameters"]["properties"]) == parameters


async def later(number: int) -> int:
    """Give it later."""
    return number


@pytest.mark.parametrize(
    ("function", "is_async"),
    [(later, True), (functools.partial(later), True), (AddOne(), True), (Counter().add, False)],
)
def test_whether_a_tool_is_async(function: Any, is_async: bool) -> None:
    """Coroutine functions are seen through partials and callable objects."""
    assert tool_of(function).is_async is is_async


def test_descriptions_in_annotations() -> None:
    """A description is read from a string, `Doc`, `Field` or `Meta` in `Annotated`."""

    def function(
        a: Annotated[int, "one"],
        b: Annotated[int, SimpleNamespace(documentation="two")],
        c: Annotated[int, pydantic.Field(description="three")],
        d: Annotated[int, msgspec.Meta(description="four")],
        e: Annotated[int, object()],
    ) -> None: ...

    properties = function_of(tool_of(function))["parameters"]["properties"]
    assert {name: each.get("description") for name, each in properties.items()} == {
        "a": "one",
        "b": "two",
        "c": "three",
        "d": "four",
        "e": None,
    }


def positional_only(a: int, /) -> None:
    """Take a positional argument."""


def several(*numbers: int) -> None:
    """Take several."""


def anything(**numbers: int) -> None:
    """Take anything."""


def unsupported(number: complex) -> None:
    """Take a complex number."""


def unresolved(number: int) -> None:
    """Take a number of a type that does not exist."""


unresolved.__annotations__["number"] = "Missing"


def nameless(number: int) -> None:
    """Go by a name that no engine takes."""


nameless.__name__ = "<lambda>"


def each_word(text: str) -> Iterator[str]:
    """Return the words."""
    yield from text.split()


async def each_word_async(text: str) -> AsyncIterator[str]:
    """Return the words."""
    for word in text.split():
        yield word


REFUSED: list[tuple[Any, str]] = [
    (positional_only, r"tools\[0\]: positional_only\(\): a: .* is positional-only"),
    (several, r"several\(\): \*numbers: .* any number of positional arguments"),
    (anything, r"anything\(\): \*\*numbers: .* any keyword arguments"),
    (unsupported, r"unsupported\(\): the parameter 'number': complex has no JSON schema"),
    (unresolved, r"unresolved\(\) has annotations that cannot be read: name 'Missing'"),
    (nameless, r"'<lambda>' cannot be a tool's name"),
    (Counter.__call__, r"__call__\(\) is a method without its object"),
    (each_word, r"each_word\(\) is a generator"),
    (each_word_async, r"each_word_async\(\) is a generator"),
    (Counter, r"Counter\(\) is a class"),
    (5, r"tools\[0\] is a function or a mapping, not int"),
    ({"type": "function"}, r"a mapping is \{'type': 'function'"),
    ({"type": "function", "function": {}}, "the function has no 'name'"),
    (
        {"type": "function", "function": {"name": "a", "parameters": []}},
        "'parameters' is a JSON schema, not list",
    ),
]


@pytest.mark.parametrize(("tool", "message"), REFUSED)
def test_what_cannot_be_a_tool_is_refused(tool: Any, message: str) -> None:
    """A tool that no model could call is an error that names it and says what to do."""
    with pytest.raises(ConfigurationError, match=message):
        tools_of([tool])


@pytest.mark.parametrize("tools", [get_weather, "get_weather", {"type": "function"}])
def test_tools_that_are_no_list_are_refused(tools: object) -> None:
    """A single function or mapping where a list belongs is an error."""
    with pytest.raises(ConfigurationError, match="tools= is a list of functions and mappings"):
        tools_of(tools)


def test_an_empty_list_of_tools_is_refused() -> None:
    """No tools at all is an error, since engines answer 400 to it."""
    with pytest.raises(ConfigurationError, match="tools= is empty"):
        tools_of([])


MAPPING = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}


def test_functions_and_mappings_are_mixed_in_order() -> None:
    """Mappings go out as they are, beside functions, in the given order."""
    tools = tools_of([MAPPING, get_weather])
    assert list(tools) == ["search", "get_weather"]
    assert tools["search"].definition == MAPPING
    assert tools["search"].function is None


def test_a_name_given_twice_is_refused() -> None:
    """Two tools of one name are an error, since a call could mean either."""
    with pytest.raises(ConfigurationError, match=r"tools\[1\]: another tool is named 'search'"):
        tools_of([MAPPING, MAPPING])


def test_a_mapping_is_refused_where_functions_are_called() -> None:
    """`chat.run` takes functions only, since a mapping names none."""
    with pytest.raises(ConfigurationError, match=r"tools\[0\] is a mapping, and chat.run\(\)"):
        tools_of([MAPPING], callable_only=True)


def combined(place: Place, filter: Filter, model: Model, unit: Unit = Unit.C) -> None:  # noqa: A002  # a parameter's name
    """Take arguments of several kinds."""


def test_arguments_are_structured_into_the_annotated_types() -> None:
    """A call's JSON arguments become values of the function's own types."""
    text = (
        '{"place": {"city": "Paris"}, "filter": {"words": ["a"]}, "model": {"number": 1}, '
        '"unit": "fahrenheit"}'
    )
    assert tool_of(combined).arguments(text) == {
        "place": Place("Paris"),
        "filter": {"words": ["a"]},
        "model": Model(number=1),
        "unit": Unit.F,
    }


def test_no_arguments_may_be_an_empty_text() -> None:
    """A call without arguments is taken as an empty object, which some engines send as ''."""

    def now() -> str:
        return "12:00"

    assert tool_of(now).arguments("") == tool_of(now).arguments("{}") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The arguments are not valid JSON: .*"),
        ("[" * 100_000, "The arguments are not valid JSON: .*"),
        ('{"days": NaN}', "The arguments are not valid JSON: NaN is not JSON"),
        ("[1]", r"The arguments are not a JSON object: \[1\]\."),
        (
            '{"place": {"city": 1}, "days": "2", "town": "Paris"}',
            r"\$\.days: expected int.*; \$\.place\.city: expected str.*; \$\.town: unknown arg",
        ),
        ('{"days": 0}', r"\$\.days: expected int >= 1, got 0; \$\.place: required, but missing\."),
    ],
)
def test_wrong_arguments_are_an_error_for_the_model(text: str, message: str) -> None:
    """Arguments that do not fit the function are an error that says all that is wrong."""
    with pytest.raises(ToolArgumentsError, match=message) as caught:
        tool_of(get_weather).arguments(text)
    assert error_text(caught.value) == f"Error: {caught.value}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        ({"a": [1, 2.5]}, '{"a":[1,2.5]}'),
        (Place("Paris"), '{"city":"Paris","country":"FR"}'),
        (Unit.C, '"celsius"'),
        ([Model(number=1)], '[{"number":1}]'),
    ],
)
def test_a_result_goes_back_as_text(value: object, text: str) -> None:
    """A string goes back to the model as it is, and anything else as JSON."""
    assert result_text(value) == text


def test_a_result_without_a_json_form_is_an_error() -> None:
    """A result that JSON has no form for is an error that names its type."""
    with pytest.raises(TypeError, match="the tool returned object, which has no JSON form"):
        result_text(object())


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no such city"), "Error: ValueError: no such city"),
        (KeyError(), "Error: KeyError"),
    ],
)
def test_an_exception_goes_back_as_text(error: Exception, text: str) -> None:
    """An exception goes back to the model as its class and its message."""
    assert error_text(error) == text
