"""Options of calls: values from text, and errors for text that is not a value."""

from __future__ import annotations

import pytest

from autonomousai_sdk._core.call_option import CallOption, Kind
from autonomousai_sdk.errors import ConfigurationError


def option(*kinds: Kind) -> CallOption:
    """Return an option named `size` of these kinds."""
    return CallOption(name="size", description="Size.", kinds=kinds, protocols=("openai",))


@pytest.mark.parametrize(
    ("kinds", "text", "value"),
    [
        (("flag",), "On", True),
        (("flag",), " no ", False),
        (("integer",), "-3", -3),
        (("number",), "0.2", 0.2),
        (("number",), "2", 2.0),
        (("integer", "number"), "2.5", 2.5),
        (("json",), '{"a": [1]}', {"a": [1]}),
        (("text",), " END ", " END "),
        (("text", "json"), "auto", "auto"),
        (("text", "json"), '{"type": "function"}', {"type": "function"}),
        (("text", "json"), "5", "5"),
    ],
)
def test_a_text_becomes_a_value(kinds: tuple[Kind, ...], text: str, value: object) -> None:
    """`parse` returns the value that the text stands for, or the text if nothing else fits."""
    assert option(*kinds).parse(text) == value


@pytest.mark.parametrize(
    ("kinds", "text", "expected"),
    [
        (("flag",), "maybe", "size must be true or false; got 'maybe'."),
        (("integer",), "2.5", "size must be a whole number; got '2.5'."),
        (("number",), "warm", "size must be a number; got 'warm'."),
        (("json",), "5", "size must be a JSON object; got '5'."),
        (("integer", "json"), "[" * 10**5, "size must be a whole number or a JSON object"),
    ],
)
def test_other_text_is_an_error(kinds: tuple[Kind, ...], text: str, expected: str) -> None:
    """`parse` raises an error that names the option, the expected forms and the text."""
    with pytest.raises(ConfigurationError) as caught:
        option(*kinds).parse(text)

    assert str(caught.value).startswith(expected)
