"""An option of a call, for programs that take its value as text: the command line.

The generator writes a table of these from the spec. It has the options' descriptions, which
docstrings lose under `python -OO`, and imports nothing heavy, so that `--help` stays fast.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from attrs import frozen

from ..errors import ConfigurationError
from .display import display

Kind = Literal["flag", "integer", "number", "json", "text"]
"""A form of a value as text. Text is whatever the other forms do not match."""

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_EXPECTED: dict[Kind, str] = {
    "flag": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "json": "a JSON object",
}


@frozen(kw_only=True)
class CallOption:
    """An option of a call.

    Attributes:
        name: the Python name of the argument.
        description: what it does, in one or two sentences.
        kinds: the forms that its value can have as text.
        values: the values that the spec lists; others may be possible.
        is_list: whether it also takes several values.
        protocols: the protocols that send it.
    """

    name: str
    description: str
    kinds: tuple[Kind, ...]
    values: tuple[str, ...] = ()
    is_list: bool = False
    protocols: tuple[str, ...]

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for; its bounds are not checked.

        Raises:
            ConfigurationError: the text has none of the forms.
        """
        word = text.strip().lower()
        if "flag" in self.kinds and word in _FLAGS:
            return _FLAGS[word]
        if "integer" in self.kinds and (value := _number(int, word)) is not None:
            return value
        if "number" in self.kinds and (value := _number(float, word)) is not None:
            return value
        if "json" in self.kinds and (document := _document(text)) is not None:
            return document
        if "text" in self.kinds:
            return text
        expected = " or ".join(_EXPECTED[kind] for kind in self.kinds)
        raise ConfigurationError(f"{self.name} must be {expected}; got {display(text)}.")


def _number(kind: type[int | float], word: str) -> float | None:
    try:
        return kind(word)
    except ValueError:
        return None


def _document(text: str) -> Any:
    """The JSON object or list that a text is, or None."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
