"""Checks of arguments, and their encoding as JSON.

The generator writes instances of these classes from the spec's schemas. `encode` checks a value
and returns its form in the request, so values that the spec forbids are never sent. Strings,
numbers and their bounds follow JSON Schema (draft 2020-12, Validation).
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from numbers import Integral, Real
from typing import Any

import attrs
from attrs import field, frozen

from ..errors import ConfigurationError
from .codec import is_object
from .display import display


class Check:
    """A check of a value."""

    @property
    def expected(self) -> str:
        """The expected type, for an error: such as `a string`."""
        raise NotImplementedError

    def takes(self, value: object, /) -> bool:
        """Return whether a value has the right type; `encode` may still refuse its content."""
        raise NotImplementedError

    def encode(self, value: object, where: str) -> Any:
        """Check a value and return its form in JSON.

        Args:
            value: what the caller passed.
            where: the argument's name and the path into it, for errors.

        Raises:
            ConfigurationError: the spec does not allow the value.
        """
        if not self.takes(value):
            raise ConfigurationError(
                f"{where} must be {self.expected}, not {type(value).__name__}."
            )
        return self.encode_content(value, where)

    def encode_content(self, value: Any, _where: str, /) -> Any:
        """Check and encode a value of the right type."""
        return value


@frozen(kw_only=True)
class Boolean(Check):
    """True or false."""

    @property
    def expected(self) -> str:
        return "True or False"

    def takes(self, value: object, /) -> bool:
        return isinstance(value, bool)


@frozen(kw_only=True)
class Null(Check):
    """JSON's null."""

    @property
    def expected(self) -> str:
        return "None"

    def takes(self, value: object, /) -> bool:
        return value is None


@frozen(kw_only=True)
class String(Check):
    """A string, with the bounds on its length and the pattern that it must contain."""

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    @property
    def expected(self) -> str:
        return "a string"

    def takes(self, value: object, /) -> bool:
        return isinstance(value, str)

    def encode_content(self, value: Any, where: str, /) -> Any:
        _check_count(len(value), self.min_length, self.max_length, "character", where)
        # JSON Schema's patterns are ECMA-262's, whose \d and \w are ASCII.
        if self.pattern is not None and not re.search(self.pattern, value, re.ASCII):
            raise ConfigurationError(
                f"{where} must match the pattern {self.pattern!r}; got {display(value)}."
            )
        return value


@frozen(kw_only=True)
class Number(Check):
    """A finite number within bounds."""

    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    multiple_of: float | None = None

    @property
    def expected(self) -> str:
        return f"a number{self._range}"

    @property
    def _range(self) -> str:
        """The bounds in words, after the kind of number."""
        rules = " and ".join(f"{words} {bound}" for bound, words, _ in self._bounds)
        return f" of {rules}" if rules else ""

    @property
    def _bounds(self) -> list[tuple[float, str, Callable[[Any, Any], bool]]]:
        return [
            (bound, words, holds)
            for bound, words, holds in (
                (self.minimum, "at least", operator.ge),
                (self.exclusive_minimum, "greater than", operator.gt),
                (self.maximum, "at most", operator.le),
                (self.exclusive_maximum, "less than", operator.lt),
            )
            if bound is not None
        ]

    def takes(self, value: object, /) -> bool:
        # Python counts bool as an int. The numbers of numpy are of these abstract types.
        return isinstance(value, Real) and not isinstance(value, bool)

    def encode_content(self, value: Any, where: str, /) -> Any:
        if not isinstance(value, (int, float)):
            value = int(value) if isinstance(value, Integral) else float(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigurationError(
                f"{where} must be a finite number{self._range}; got {display(value)}."
            )
        bounds = self._bounds
        if not all(holds(value, bound) for bound, _, holds in bounds):
            rules = " and ".join(f"{words} {bound}" for bound, words, _ in bounds)
            raise ConfigurationError(f"{where} must be {rules}; got {display(value)}.")
        # In decimals, since 0.3 % 0.1 is not 0 in binary.
        step = self.multiple_of
        if step is not None and Decimal(str(value)) % Decimal(str(step)):
            raise ConfigurationError(f"{where} must be a multiple of {step}; got {display(value)}.")
        return value


@frozen(kw_only=True)
class Integer(Number):
    """A whole number within bounds."""

    @property
    def expected(self) -> str:
        return f"a whole number{self._range}"

    def takes(self, value: object, /) -> bool:
        return isinstance(value, Integral) and not isinstance(value, bool)


@frozen(kw_only=True)
class Enum(Check):
    """One of several values."""

    values: tuple[str | int | float | bool | None, ...]

    @property
    def expected(self) -> str:
        return _alternatives([repr(value) for value in self.values])

    def takes(self, value: object, /) -> bool:
        return any(_kind(value) is _kind(each) for each in self.values)

    def encode(self, value: object, where: str) -> Any:
        for each in self.values:
            # True equals 1 in Python, not in JSON.
            if value == each and _kind(value) is _kind(each):
                return each
        raise ConfigurationError(f"{where} must be {self.expected}; got {display(value)}.")


@frozen(kw_only=True)
class DateTime(Check):
    """A date and time with a time zone (RFC 3339)."""

    @property
    def expected(self) -> str:
        return "a datetime"

    def takes(self, value: object, /) -> bool:
        return isinstance(value, datetime)

    def encode_content(self, value: Any, where: str, /) -> Any:
        if value.utcoffset() is None:
            raise ConfigurationError(
                f"{where} must have a time zone: use datetime.now(timezone.utc), or "
                f"replace(tzinfo=…); got {display(value)}."
            )
        return value.isoformat().replace("+00:00", "Z")


@frozen(kw_only=True)
class Date(Check):
    """A date (RFC 3339)."""

    @property
    def expected(self) -> str:
        return "a date"

    def takes(self, value: object, /) -> bool:
        # Python counts a datetime as a date.
        return isinstance(value, date) and not isinstance(value, datetime)

    def encode_content(self, value: Any, _where: str, /) -> Any:
        return value.isoformat()


@frozen(kw_only=True)
class Array(Check):
    """A sequence, with the bounds on its length."""

    items: Check
    min_items: int | None = None
    max_items: int | None = None
    unique: bool = False

    @property
    def expected(self) -> str:
        return "a sequence"

    def takes(self, value: object, /) -> bool:
        return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))

    def encode_content(self, value: Any, where: str, /) -> Any:
        _check_count(len(value), self.min_items, self.max_items, "item", where)
        encoded = [self.items.encode(item, f"{where}[{n}]") for n, item in enumerate(value)]
        if self.unique:
            seen: set[str] = set()
            for n, item in enumerate(encoded):
                text = json.dumps(item, sort_keys=True)
                if text in seen:
                    raise ConfigurationError(f"{where}[{n}] repeats the item {display(item)}.")
                seen.add(text)
        return encoded


@frozen(kw_only=True)
class Map(Check):
    """A mapping with any names, whose values all have one check."""

    values: Check
    min_properties: int | None = None
    max_properties: int | None = None

    @property
    def expected(self) -> str:
        return "a mapping"

    def takes(self, value: object, /) -> bool:
        return isinstance(value, Mapping)

    def encode_content(self, value: Any, where: str, /) -> Any:
        _check_count(len(value), self.min_properties, self.max_properties, "entry", where)
        return {
            _name(name, where): self.values.encode(each, f"{where}[{name!r}]")
            for name, each in value.items()
        }


@frozen(kw_only=True)
class Property:
    """A member of an object."""

    check: Check
    required: bool = False


@frozen(kw_only=True)
class Object(Check):
    """An object of a generated class, or a mapping.

    Attributes:
        name: the class's name.
        properties: the members, by their names on the wire.
        closed: whether the object may have no other members.
    """

    name: str
    properties: Mapping[str, Property] = field(hash=False)
    closed: bool = False

    @property
    def expected(self) -> str:
        return f"a {self.name} or a mapping"

    def takes(self, value: object, /) -> bool:
        return isinstance(value, Mapping) or attrs.has(type(value))

    def encode_content(self, value: Any, where: str, /) -> Any:
        members = wire_members(value)
        encoded: dict[str, Any] = {}
        for name, member in self.properties.items():
            given = members.get(name)
            if given is not None or (name in members and member.required):
                encoded[name] = member.check.encode(given, f"{where}.{name}")
            elif member.required:
                raise ConfigurationError(f"{where} must have {name!r}.")
        for name, given in members.items():
            if name in self.properties:
                continue
            if self.closed:
                known = ", ".join(self.properties)
                raise ConfigurationError(f"{where} must not have {name!r}; it can have {known}.")
            encoded[_name(name, where)] = to_jsonable(given, f"{where}.{name}")
        return encoded


@frozen(kw_only=True)
class Tagged(Check):
    """One of several objects, which the value of one member distinguishes.

    Attributes:
        tag: the member's name on the wire.
        options: the objects, by the tag's value.
    """

    tag: str
    options: Mapping[str, Check] = field(hash=False)

    @property
    def expected(self) -> str:
        return _alternatives([option.expected for option in self.options.values()])

    def takes(self, value: object, /) -> bool:
        return isinstance(value, Mapping) or attrs.has(type(value))

    def encode_content(self, value: Any, where: str, /) -> Any:
        tag = wire_members(value).get(self.tag)
        option = self.options.get(tag) if isinstance(tag, str) else None
        if option is None:
            known = _alternatives([repr(each) for each in self.options])
            raise ConfigurationError(f"{where}.{self.tag} must be {known}; got {display(tag)}.")
        return option.encode(value, where)


@frozen(kw_only=True)
class Union(Check):
    """A value that one of several checks allows; the first of these encodes it."""

    options: tuple[Check, ...]

    @property
    def expected(self) -> str:
        return _alternatives([option.expected for option in self.options])

    def takes(self, value: object, /) -> bool:
        return any(option.takes(value) for option in self.options)

    def encode(self, value: object, where: str) -> Any:
        errors: list[ConfigurationError] = []
        for option in self.options:
            if option.takes(value):
                try:
                    return option.encode(value, where)
                except ConfigurationError as error:
                    errors.append(error)
        if errors:
            raise ConfigurationError(" ".join(error.message for error in errors))
        raise ConfigurationError(f"{where} must be {self.expected}, not {type(value).__name__}.")


@frozen(kw_only=True)
class Anything(Check):
    """Any value that JSON can hold."""

    @property
    def expected(self) -> str:
        return "a value that JSON can hold"

    def takes(self, _value: object, /) -> bool:
        return True

    def encode(self, value: object, where: str) -> Any:
        return to_jsonable(value, where)


ANYTHING = Anything()


@frozen(kw_only=True)
class Ref(Check):
    """A reference to a check, which may contain this reference."""

    target: Callable[[], Check] = field(eq=False)

    @property
    def expected(self) -> str:
        return self.target().expected

    def takes(self, value: object, /) -> bool:
        return self.target().takes(value)

    def encode(self, value: object, where: str) -> Any:
        return self.target().encode(value, where)


def to_jsonable(value: object, where: str) -> Any:
    """Return any value in its form in JSON.

    Raises:
        ConfigurationError: JSON cannot express the value.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    for check in (Number(), DateTime(), Date(), Array(items=ANYTHING)):
        if check.takes(value):
            return check.encode(value, where)
    if is_object(value) or attrs.has(type(value)):
        return Map(values=ANYTHING).encode(wire_members(value), where)
    raise ConfigurationError(
        f"{where} must be a value that JSON can hold, not {type(value).__name__}."
    )


def wire_members(value: object) -> Mapping[str, Any]:
    """Return the members of a mapping or of an attrs object, by their names on the wire."""
    if is_object(value):
        return value
    cls: Any = type(value)  # a cached function needs a hashable argument, as classes are
    return {wire: getattr(value, name) for name, wire in _wire_names(cls)}


@cache
def _wire_names(cls: Any) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.metadata.get("wire", each.name)) for each in attrs.fields(cls))


def _name(name: object, where: str) -> str:
    if not isinstance(name, str):
        raise ConfigurationError(f"{where} must have strings for names; got {display(name)}.")
    return name


def _check_count(count: int, least: int | None, most: int | None, noun: str, where: str) -> None:
    if count >= (least or 0) and (most is None or count <= most):
        return
    rules = [f"at least {least}"] if least is not None else []
    rules += [f"at most {most}"] if most is not None else []
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    nouns = noun if rules[-1].endswith(" 1") else plural
    raise ConfigurationError(f"{where} must have {' and '.join(rules)} {nouns}; got {count}.")


def _alternatives(words: Sequence[str]) -> str:
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} or {last}" if first else last


def _kind(value: object) -> type:
    """Return the type of a value in JSON: a number, a boolean, a string or null."""
    for kind in (bool, str, type(None)):
        if isinstance(value, kind):
            return kind
    return float if isinstance(value, (int, float)) else type(value)
