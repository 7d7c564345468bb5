"""JSON to typed values and back: the one place that knows how either is done.

Two paths, one answer. The fast one is msgspec's decoder straight into the attrs classes,
measured at a third of what `json.loads` alone costs. It refuses what the standard
library takes: a lone surrogate escape, such as half an emoji at the cut between two
chunks. So whatever it refuses goes through the standard path, json and cattrs, which
decides whether it is an error and says where.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence
from functools import cache
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NoReturn,
    TypeGuard,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
import msgspec

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


class DecodeError(ValueError):
    """Bytes that are not the JSON they should be; the message says what and where."""


def decode(data: bytes, cls: type[T]) -> T:
    """The typed value that a JSON document stands for.

    Types are checked, never coerced: `"5"` is no number and null is no text. Fields the
    class does not have are passed over, unread as far as that goes.

    Raises:
        DecodeError: not UTF-8, not JSON, nested too deeply, or not what the class says.
    """
    try:
        return decoder(cls)(data)
    except (ValueError, RecursionError):
        # ValueError: msgspec's own errors and UnicodeDecodeError are kinds of it.
        return decode_standard(data, cls)


def decoder(cls: type[T]) -> Callable[[bytes], T]:
    """The fast path for one class; raises ValueError or RecursionError on what it refuses."""
    key: Any = cls  # a cached function wants to hear that a class is hashable
    found: Callable[[bytes], T] = _decoder(key)
    return found


@cache
def _decoder(cls: Any) -> Callable[[bytes], Any]:
    if _any_rename(cls, []):
        # msgspec takes the Python name for the wire's, so it would miss these fields.
        return lambda data: decode_standard(data, cls)
    return msgspec.json.Decoder(cls).decode


def decode_standard(data: bytes, cls: type[T]) -> T:
    """The standard path: json, then cattrs.

    Raises:
        DecodeError: as `decode`.
    """
    return structured(parse(data), cls)


def structured(document: object, cls: type[T]) -> T:
    """The typed value that a plain one stands for.

    Raises:
        DecodeError: it is not what the class says; the message says where.
    """
    try:
        value: T = converter().structure(document, cls)
    except Exception as error:  # cattrs groups whatever its hooks raise
        raise DecodeError(_explained(error)) from error
    return value


def parse(data: bytes) -> Any:
    """The plain value that a JSON document stands for.

    Raises:
        DecodeError: not UTF-8, not JSON (NaN and infinities are not), nested too deeply,
            or with a number of more digits than Python takes.
    """
    try:
        text = data.decode("utf-8")
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise DecodeError("it is nested too deeply") from error
    except ValueError as error:
        raise DecodeError(str(error)) from error


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a plain value is a JSON object, for type checkers too."""
    return isinstance(value, Mapping)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a plain value is a JSON array, for type checkers too."""
    return isinstance(value, list)


def encode(value: object) -> bytes:
    """A plain value as JSON, in ASCII, so that lone surrogates survive.

    Raises:
        TypeError: a value that JSON has no form for.
        ValueError: NaN, an infinity, or a value that contains itself.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def unstructure(value: object) -> Any:
    """A typed value as plain ones, under the wire's names and without what was left unset."""
    return converter().unstructure(value)


@cache
def converter() -> Converter:
    """The cattrs converter, made when it is first needed: its import costs more than a call."""
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    made = Converter()
    for primitive in (str, int, bool):
        made.register_structure_hook(primitive, _exactly(primitive))
    made.register_structure_hook(float, _number)
    made.register_structure_hook_factory(_is_scalar, _scalar)
    made.register_structure_hook_factory(_is_array, _array)
    made.register_structure_hook_factory(_is_mapping, _mapping)

    def overrides(cls: type) -> dict[str, Any]:
        return {
            attribute.name: override(rename=attribute.metadata.get("wire", attribute.name))
            for attribute in attrs.fields(cls)
        }

    def structurer(cls: Any) -> Callable[[Any, Any], Any]:
        return _from_mapping(make_dict_structure_fn(cls, made, **overrides(cls)), cls)

    def unstructurer(cls: Any) -> Callable[[Any], Any]:
        return make_dict_unstructure_fn(cls, made, **overrides(cls))

    made.register_structure_hook_factory(attrs.has, structurer)
    made.register_unstructure_hook_factory(attrs.has, unstructurer)
    return made


def _from_mapping(structure: Callable[[Any, Any], Any], cls: Any) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        if not is_object(value):
            raise TypeError(f"expected an object, got {_kind(value)}")
        return structure(value, cls)

    return hook


# cattrs takes any iterable for an array and any pairs for an object, so {} would become ().
# The abstract types have its own hooks, which know the path to an error.


def _is_array(cls: Any) -> bool:
    return get_origin(cls) is list or (get_origin(cls) is tuple and get_args(cls)[1:] == (...,))


def _array(cls: Any, made: Converter) -> Callable[[Any, Any], Any]:
    build: Any = get_origin(cls)
    like = cast("Any", MutableSequence)[get_args(cls)[0]]
    structure = made.get_structure_hook(like)

    def hook(value: Any, _: Any) -> Any:
        if not is_array(value):
            raise TypeError(f"expected an array, got {_kind(value)}")
        return build(structure(value, like))

    return hook


def _is_mapping(cls: Any) -> bool:
    return get_origin(cls) is dict


def _mapping(cls: Any, made: Converter) -> Callable[[Any, Any], Any]:
    like = cast("Any", MutableMapping)[get_args(cls)]
    return _from_mapping(made.get_structure_hook(like), like)


def _is_scalar(cls: Any) -> bool:
    """Whether a type is a literal, or a union of literals, primitives and free-form objects."""
    if get_origin(cls) is Literal:
        return True
    return get_origin(cls) in (Union, UnionType) and all(
        get_origin(member) is Literal or member in _NAMES for member in _members(cls)
    )


def _members(cls: Any) -> list[Any]:
    """A union's types, with the plain one for a free-form object."""
    return [dict if member == dict[str, Any] else member for member in get_args(cls)]


def _scalar(cls: Any) -> Callable[[Any, Any], Any]:
    """Open enums and their kind, which cattrs refuses to tell apart."""
    members = [cls] if get_origin(cls) is Literal else _members(cls)
    types = [kind for kind in _NAMES if kind in members]
    literals: list[tuple[type, Any]] = [
        (type(value), value)
        for member in members
        if get_origin(member) is Literal
        for value in get_args(member)
        if type(value) not in types
    ]
    names = [_NAMES[kind] for kind in types] + [json.dumps(value) for _, value in literals]
    expected = " or ".join(names)

    def hook(value: Any, _: Any) -> Any:
        if type(value) in types or (type(value), value) in literals:
            return value
        if type(value) is int and float in types:
            return float(value)
        raise TypeError(f"expected {expected}, got {_kind(value)}")

    return hook


def _exactly(cls: type) -> Callable[[Any, Any], Any]:
    """Nothing is coerced; cattrs does so by default: None becomes 'None', and "5" becomes 5."""

    def hook(value: Any, _: Any) -> Any:
        if type(value) is not cls:
            raise TypeError(f"expected {_NAMES[cls]}, got {_kind(value)}")
        return value

    return hook


def _number(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError(f"expected a number, got {_kind(value)}")
    return float(value)


_NAMES: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def _kind(value: object) -> str:
    return _NAMES.get(type(value), type(value).__name__)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is larger than any number there is room for")
    return number


def _explained(error: Exception) -> str:
    """What cattrs found, in one line with the path to it."""
    from cattrs import transform_error
    from cattrs.v import format_exception

    def said(cause: BaseException, expected: type | None) -> str:
        # A missing field is cattrs' own; anything else, a hook of this module said.
        return format_exception(cause, expected) if isinstance(cause, KeyError) else str(cause)

    return "; ".join(transform_error(error, format_exception=said))


def _any_rename(cls: object, seen: list[object]) -> bool:
    """Whether a class, or one it holds, has a field under another name on the wire."""
    if any(cls is each for each in seen):
        return False
    seen.append(cls)
    inner: list[object] = list(get_args(cls))
    if isinstance(cls, type) and attrs.has(cls):
        if any("wire" in attribute.metadata for attribute in attrs.fields(cls)):
            return True
        inner += get_type_hints(cls).values()
    return any(_any_rename(each, seen) for each in inner)
