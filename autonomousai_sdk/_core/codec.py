"""JSON to typed values and back.

Two paths give the same result. The fast path is msgspec's decoder, straight into the attrs
classes, at a third of the cost of `json.loads` alone. It refuses some documents that are valid:
a lone surrogate escape, for example, which is half an emoji at the cut between two chunks. The
standard path, json and cattrs, decodes whatever the fast one refuses, or raises an error that
says where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, MutableSequence
from contextlib import suppress
from datetime import date, datetime
from functools import cache
from threading import Lock
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

from .fields import class_in, own_reader, wire_name

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

BUILDING = Lock()
"""Held while a decoder is built.

msgspec stores what it learns of a class on the class before that is complete. A thread that
decodes with an incomplete entry crashes the process, as would a child forked at that moment.
"""


Names = tuple[str, ...]
"""The names of one field on the wire: its own, and others that it was seen under."""

Path = tuple[Names | int, ...]
Source = bytes | tuple[bytes, ...]
"""One document, or the chunks of a stream."""

LINK = "_source"
"""The attribute that holds the source and the path, or the bytes alone."""


class DecodeError(ValueError):
    """The bytes are not the expected JSON; the message says what is wrong and where."""


def decode(data: bytes, cls: type[T]) -> T:
    """Decode a JSON document into a typed value.

    Types are checked, not coerced, where a field carries the completion. Unknown fields are
    ignored.

    Raises:
        DecodeError: not UTF-8, not JSON, nested too deeply, or not what the class says.
    """
    key: Any = cls  # as in `decoder`
    nulls = _null_texts(key)
    try:
        # The fast path does not convert texts that mean null.
        if nulls is None or nulls.search(data) is None:
            value: T = _decoder(key)(data)
            if not lacks_value(value):
                return value
    except (ValueError, RecursionError):
        pass  # ValueError includes msgspec's errors and UnicodeDecodeError.
    return decode_standard(data, cls)


def linked(value: T, source: Source) -> T:
    """Return a typed value that keeps where it came from, as do all typed values in it."""
    rest: list[tuple[object, Path]] = [(value, ())]
    for each, path in rest:  # which the loop extends
        cls: Any = type(each)
        if not attrs.has(cls) or not hasattr(each, "__dict__"):
            continue
        # Defaults are shared by all instances, and are not in `__dict__`.
        own: dict[str, object] = each.__dict__
        for name, names in containers(cls).items():
            held: object = own.get(name)
            if isinstance(held, tuple):
                parts = cast("tuple[object, ...]", held)
                rest.extend([(part, (*path, names, at)) for at, part in enumerate(parts)])
            elif held is not None:
                rest.append((held, (*path, names)))
        object.__setattr__(each, LINK, (source, path))
    return value


def lacks_value(value: object) -> bool:
    """Return whether the standard path would find a value that the fast path leaves out.

    It has another name in the document, or is an object's position in its array.
    """
    rest = [value]
    for each in rest:  # which the loop extends
        inner, others, positions = _sought(cast("Any", type(each)))
        if not inner and not others:
            continue
        own: dict[str, object] = each.__dict__
        if not own.keys() >= others:
            return True
        for name in inner:
            held = own.get(name)
            if not isinstance(held, tuple):
                rest.append(held)
                continue
            parts = cast("tuple[object, ...]", held)
            rest += parts
            if len(parts) > 1 and name in positions:
                for part in parts:
                    if not part.__dict__.keys() >= positions[name]:
                        return True
    return False


@cache
def _sought(cls: Any) -> tuple[tuple[str, ...], frozenset[str], Mapping[str, frozenset[str]]]:
    """The fields of a class that `lacks_value` looks at.

    Returns:
        those that contain typed objects, those with other names, and of the first the fields
        that default to a position.
    """
    if not attrs.has(cls):
        return (), frozenset(), {}
    others = frozenset(
        each.name
        for each in attrs.fields(cls)
        if "also" in each.metadata and each.default is not attrs.NOTHING
    )
    inner: list[str] = []
    positions: dict[str, frozenset[str]] = {}
    for attribute, hint in _hints(cls):
        contained: Any = class_in(hint)
        if contained is None or contained is cls:
            continue
        named = frozenset(each.name for each in _positions(contained))
        if named:
            positions[attribute.name] = named
        if named or any(_sought(contained)):
            inner.append(attribute.name)
    return tuple(inner), others, positions


def _positions(cls: Any) -> list[attrs.Attribute[Any]]:
    """The fields of a class that default to the object's position in its array."""
    return [each for each in attrs.fields(cls) if "position" in each.metadata]


@cache
def containers(cls: Any) -> Mapping[str, Names]:
    """The fields of a class that contain typed objects, with their names on the wire."""
    hints = get_type_hints(cls)
    return {
        each.name: wire_names(each)
        for each in attrs.fields(cls)
        if class_in(hints[each.name]) is not None
    }


def wire_names(attribute: attrs.Attribute[Any]) -> Names:
    """The names of a field on the wire: its own, and others that it was seen under."""
    return (wire_name(attribute), *attribute.metadata.get("also", ()))


def decoder(cls: type[T]) -> Callable[[bytes], T]:
    """Return the fast path for a class; it raises ValueError or RecursionError."""
    key: Any = cls  # `cache` needs a hashable argument, which type checkers do not know of classes
    found: Callable[[bytes], T] = _decoder(key)
    return found


@cache
def _decoder(cls: Any) -> Callable[[bytes], Any]:
    if any("wire" in attribute.metadata for attribute in _all_fields(cls, [])):
        # msgspec reads Python names from the wire, so it would miss renamed fields.
        return lambda data: decode_standard(data, cls)
    if _has_datetime(cls, []):
        # msgspec takes one without a time zone.
        return lambda data: decode_standard(data, cls)
    try:
        with BUILDING:
            return msgspec.json.Decoder(cls).decode
    except TypeError:  # msgspec has no unions of several classes or mappings
        return lambda data: decode_standard(data, cls)


def decode_standard(data: bytes, cls: type[T]) -> T:
    """Decode by the standard path: json, then cattrs.

    Raises:
        DecodeError: as `decode`.
    """
    return structured(parse(data), cls)


def structured(document: object, cls: type[T]) -> T:
    """Structure plain data into a typed value.

    Raises:
        DecodeError: it is not what the class says; the message says where.
    """
    try:
        value: T = converter().structure(document, cls)
    except Exception as error:  # cattrs groups the exceptions of its hooks
        raise DecodeError(_explained(error)) from error
    return value


def parse(data: bytes) -> Any:
    """Parse a JSON document into plain data.

    Raises:
        DecodeError: not UTF-8, not JSON (NaN and infinities are not), nested too deeply,
            or with a number of more digits than Python takes.
    """
    try:
        text = data.decode("utf-8-sig").rstrip("\0")
        return _STANDARD.decode(text)
    except RecursionError as error:
        raise DecodeError("it is nested too deeply") from error
    except ValueError as error:
        raise DecodeError(str(error)) from error


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is a JSON object; narrows its type."""
    return isinstance(value, Mapping)


def objects_in(value: object) -> list[Any]:
    """Return the items of an array of objects, in any form that servers write it.

    Some send the only item alone, and PHP writes an array with gaps as an object of numbers.
    """
    if is_object(value):
        is_numbered = all(isinstance(key, str) and key.isdecimal() for key in value)
        return [*value.values()] if is_numbered else [value]
    return value if is_array(value) else []


def documents(data: bytes) -> list[bytes]:
    """Split an event's data that holds several JSON documents, or an array of objects.

    Some servers forget the blank line between two events, and some proxies repeat `data:`.

    Returns:
        the documents, and at the end the rest that is not JSON, such as an end marker; empty if
        the data does not begin with a document, or is one document.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return []
    found: list[bytes] = []
    at = _between(text, 0)
    while at < len(text):
        try:
            value, end = _STANDARD.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        if is_array(value) and value and all(map(is_object, value)):
            found += map(encode, value)
        else:
            found.append(text[at:end].encode())
        at = _between(text, end)
    if at and at < len(text):
        found.append(text[at:].encode())
    return found if found != [data] else []


_BETWEEN = re.compile(r"(?:[ \t\r\n]|data:)*")


def _between(text: str, at: int) -> int:
    """Return where the next document of an event's data begins."""
    found = _BETWEEN.match(text, at)
    return at if found is None else found.end()


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Return whether a value is a JSON array; narrows its type."""
    return isinstance(value, list)


def encode(value: object) -> bytes:
    """Encode plain data as ASCII JSON, which preserves lone surrogates.

    Raises:
        TypeError: a value that JSON cannot represent.
        ValueError: NaN, an infinity, or a value that contains itself.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def compact(data: bytes) -> bytes:
    """Return a JSON document on one line, without white space between its values.

    Raises:
        DecodeError: as `parse`.
    """
    try:
        msgspec.json.decode(data)  # because format() checks less
        return msgspec.json.format(data, indent=-1)
    except (ValueError, RecursionError):
        pass  # as in `decode`
    try:
        return encode(parse(data))
    except RecursionError as error:
        raise DecodeError("it is nested too deeply") from error


def unstructure(value: object) -> Any:
    """Convert a typed value to plain data, with the wire's names and without unset fields."""
    return converter().unstructure(value)


@cache
def converter() -> Converter:
    """Return the cattrs converter, created on first use: its import costs more than a call."""
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    made = Converter()
    for primitive in (str, int, bool):
        made.register_structure_hook(primitive, _exactly(primitive))
    made.register_structure_hook(float, _number)
    made.register_structure_hook(type(None), _nothing)
    made.register_structure_hook_factory(_is_scalar, _scalar)
    made.register_structure_hook_factory(_is_array, _array)
    made.register_structure_hook_factory(_is_mapping, _mapping)
    made.register_structure_hook_factory(_is_mixed, _mixed)
    made.register_structure_hook(datetime, _date_time)
    made.register_structure_hook(date, _date)
    made.register_unstructure_hook(datetime, datetime.isoformat)
    made.register_unstructure_hook(date, date.isoformat)
    made.register_structure_hook_factory(_is_array_or_scalar, _array_or_scalar)

    def overrides(cls: type) -> dict[str, Any]:
        return {
            attribute.name: override(rename=wire_name(attribute)) for attribute in attrs.fields(cls)
        }

    def structurer(cls: Any) -> Callable[[Any, Any], Any]:
        rules = [_Rule(attribute, hint, made) for attribute, hint in _hints(cls)]
        structure = make_dict_structure_fn(cls, made, **overrides(cls))

        def lenient(value: Mapping[str, Any], _: Any) -> Any:
            plain = dict(value)
            for rule in rules:
                rule.apply(plain)
            return structure(plain, cls)

        return _from_mapping(lenient, cls)

    def unstructurer(cls: Any) -> Callable[[Any], Any]:
        unstructure = make_dict_unstructure_fn(cls, made, **overrides(cls))
        aliases = [each for each in attrs.fields(cls) if "fallback" in each.metadata]

        def own_names(value: Any) -> dict[str, Any]:
            plain: dict[str, Any] = unstructure(value)
            for attribute in aliases:
                plain[wire_name(attribute)] = own_reader(attribute)(value)
            return plain

        return own_names if aliases else unstructure

    made.register_structure_hook_factory(attrs.has, structurer)
    made.register_unstructure_hook_factory(attrs.has, unstructurer)
    return made


def _from_mapping(structure: Callable[[Any, Any], Any], cls: Any) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        if not is_object(value):
            raise TypeError(f"expected an object, got {_kind(value)}")
        return structure(value, cls)

    return hook


class _Rule:
    """The normalisation of a field's value, by its metadata, before cattrs checks it."""

    def __init__(self, attribute: attrs.Attribute[Any], hint: Any, made: Converter) -> None:
        self.wire = wire_name(attribute)
        self.metadata = attribute.metadata
        self.has_default = attribute.default is not attrs.NOTHING
        self.hint = hint
        self.made = made
        members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        self.is_object = any(map(attrs.has, members))
        items = [class_in(member) for member in members if _is_array(member)]
        self.has_objects = any(items)
        self.positions = [wire_name(each) for item in items if item for each in _positions(item)]

    def apply(self, plain: dict[str, Any]) -> None:
        """Normalise the field's value in `plain`, its object."""
        metadata, wire = self.metadata, self.wire
        if "also" in metadata and not plain.get(wire):
            _take_other(plain, wire, metadata["also"])
        if wire not in plain:
            return
        value = plain[wire]
        if "parts" in metadata and isinstance(value, (list, dict)):
            del plain[wire]
            self._take_parts(cast("object", value), plain)
            return
        if "nulls" in metadata and (not value or value in metadata["nulls"]):
            value = None
        elif self.is_object and value == []:
            value = None  # PHP writes an empty object as an empty array.
        elif self.has_objects and (is_array(value) or (is_object(value) and value)):
            value = self._items(cast("object", value))
        elif "json" in metadata and not isinstance(value, (str, type(None))):
            value = encode(value).decode("ascii")
        if "lenient" in metadata and value is not None:
            value = self._converted(value)
        if value is None and self.has_default:
            del plain[wire]
        else:
            plain[wire] = value

    def _take_parts(self, value: object, plain: dict[str, Any]) -> None:
        try:
            _take_parts(value, self.metadata["parts"], plain, f".{self.wire}")
        except _PathError:
            if "lenient" not in self.metadata:
                raise

    def _items(self, value: object) -> list[Any]:
        """Return an array of objects without nulls, and each with its position."""
        items = [each for each in objects_in(value) if each is not None or not self.has_default]
        if self.positions and len(items) > 1:
            return [
                {**dict.fromkeys(self.positions, at), **_without_nulls(each, self.positions)}
                if is_object(each)
                else each
                for at, each in enumerate(items)
            ]
        return items

    def _converted(self, value: Any) -> Any:
        """Return the value if it has the field's type; a number becomes text where text belongs."""
        if type(value) in (int, float) and str in (self.hint, *get_args(self.hint)):
            return json.dumps(value)
        try:
            self.made.structure(value, self.hint)
        except (TypeError, ValueError, ExceptionGroup):  # cattrs groups the exceptions of its hooks
            return None
        return value


def _without_nulls(value: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Return an object without those of the named members that are null."""
    return {key: each for key, each in value.items() if each is not None or key not in names}


def _take_other(plain: dict[str, Any], wire: str, others: Mapping[str, str]) -> None:
    """Read the value from the other keys that servers use for it or for its members."""
    members: dict[str, Any] = {}
    for name, inner in others.items():
        value = plain.get(name)
        if not value:
            continue
        if not inner:
            plain[wire] = value
            return
        members[inner] = value
    if members:
        plain[wire] = members


def _take_parts(value: object, fields: Mapping[str, str], plain: dict[str, Any], path: str) -> None:
    """Add the text of parts to their fields."""
    parts = value if is_array(value) else [value]
    others = [is_other_part(part, fields) for part in parts]
    for position, part in enumerate(parts):
        where = f"{path}[{position}]" if is_array(value) else path
        if others[position] and not all(others):
            continue
        text: object = part
        if isinstance(part, str):
            key = next(iter(fields))
        elif is_object(part):
            key = next((name for name in fields if part.get(name) is not None), "")
            text = part.get(key)
        else:
            raise _PathError(f"expected a string or a part, got {_kind(part)}", where)
        if not key:
            raise _PathError("expected a part with text", where)
        if isinstance(text, str):
            plain[fields[key]] = (plain.get(fields[key]) or "") + text
        elif isinstance(text, (list, dict)):
            # A part of reasoning may contain parts, and text may be an object with annotations.
            inner = {"text": fields[key], "value": fields[key]}
            _take_parts(cast("object", text), inner, plain, f"{where}.{key}")
        else:
            raise _PathError(f"expected a string, got {_kind(text)}", f"{where}.{key}")


def is_other_part(part: object, fields: Collection[str]) -> bool:
    """Return whether a part of a message has a type, but no text, such as a reference."""
    return (
        is_object(part)
        and isinstance(part.get("type"), str)
        and all(part.get(name) is None for name in fields)
    )


class _PathError(TypeError):
    """A value of the wrong type at a path below the structured object."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


def _hints(cls: Any) -> list[tuple[attrs.Attribute[Any], Any]]:
    hints = get_type_hints(cls)
    return [(attribute, hints[attribute.name]) for attribute in attrs.fields(cls)]


# cattrs accepts any iterable as an array and any pairs as an object, so {} would become ().
# Its hooks for the abstract types report the path of an error.


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


def _is_array_or_scalar(cls: Any) -> bool:
    """Return whether a type is a union of one array type and scalars."""
    members = get_args(cls) if get_origin(cls) in (Union, UnionType) else ()
    arrays = [member for member in members if _is_array(member)]
    return len(arrays) == 1 and all(
        get_origin(member) is Literal or member in _NAMES
        for member in members
        if member not in arrays
    )


def _array_or_scalar(cls: Any, made: Converter) -> Callable[[Any, Any], Any]:
    (array,) = filter(_is_array, get_args(cls))
    scalar = cast("Any", Union)[tuple(each for each in get_args(cls) if each is not array)]
    structure_array = made.get_structure_hook(array)
    structure_scalar = made.get_structure_hook(scalar)

    def hook(value: Any, _: Any) -> Any:
        if is_array(value):
            return structure_array(value, array)
        return structure_scalar(value, scalar)

    return hook


def _is_scalar(cls: Any) -> bool:
    """Return whether a type is a literal, or a union of literals, primitives and dicts."""
    if get_origin(cls) is Literal:
        return True
    return get_origin(cls) in (Union, UnionType) and all(
        get_origin(member) is Literal or member in _NAMES for member in _members(cls)
    )


def _members(cls: Any) -> list[Any]:
    """Return a union's types, with `dict` for a free-form object."""
    return [dict if member == dict[str, Any] else member for member in get_args(cls)]


def _scalar(cls: Any) -> Callable[[Any, Any], Any]:
    """A hook for open enums and similar unions, which cattrs does not support."""
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
        if int in types and (whole := _whole(value)) is not None:
            return whole
        raise TypeError(f"expected {expected}, got {_kind(value)}")

    return hook


def _is_mixed(cls: Any) -> bool:
    """Whether a type is a union of which only the JSON kind, or a tag, tells the members apart."""
    if get_origin(cls) not in (Union, UnionType) or _is_scalar(cls):
        return False
    members = [member for member in get_args(cls) if member is not type(None)]
    compound = [each for each in members if attrs.has(each) or _is_mapping(each)]
    dated = [each for each in members if each in (date, datetime)]
    return len(members) > 1 and bool(compound or dated)


def _mixed(cls: Any, made: Converter) -> Callable[[Any, Any], Any]:
    members = list(get_args(cls))
    classes = [member for member in members if attrs.has(member)]
    tag, tagged = _tags(classes)
    by_kind = _by_kind(members)
    simple = [each for each in members if each not in (*classes, *by_kind.values())]
    scalar: Any = cast("Any", Union)[tuple(simple)] if simple else None
    if len(classes) == 1:
        by_kind["an object"] = classes[0]

    def chosen(value: Any) -> Any:
        if tagged and is_object(value):
            name = value.get(tag)
            found = tagged.get(name) if isinstance(name, str) else None
            if found is None and "an object" not in by_kind:
                known = " or ".join(map(repr, tagged))
                raise _PathError(f"expected {known}, got {str(name)[:60]!r}", f".{tag}")
            return by_kind["an object"] if found is None else found
        return by_kind.get(_kind(value), scalar)

    def hook(value: Any, _: Any) -> Any:
        member = chosen(value)
        if member is None:
            expected = " or ".join([*by_kind, *(["an object"] if tagged else [])])
            raise TypeError(f"expected {expected}, got {_kind(value)}")
        return made.structure(value, member)

    return hook


def _by_kind(members: list[Any]) -> dict[str, Any]:
    """The maps, arrays and dates in a union, by their kind in JSON."""
    by_kind: dict[str, Any] = {}
    for member in members:
        if _is_mapping(member):
            by_kind["an object"] = member
        elif _is_array(member):
            by_kind["an array"] = member
        elif member in (date, datetime):
            by_kind["a string"] = member
    return by_kind


def _tags(classes: list[Any]) -> tuple[str, dict[str, Any]]:
    """The field whose constants tell several classes apart, by its name on the wire."""
    if len(classes) < 2:
        return "", {}
    for attribute, _ in _hints(classes[0]):
        wire = wire_name(attribute)
        values = [_constant(each, wire) for each in classes]
        if all(values) and len(set(values)) == len(values):
            return wire, dict(zip(map(str, values), classes, strict=True))
    names = ", ".join(each.__name__ for each in classes)
    raise TypeError(f"no field tells {names} apart")


def _constant(cls: Any, wire: str) -> str | None:
    """The one string that a field of a class can be."""
    for attribute, hint in _hints(cls):
        if wire_name(attribute) == wire and get_origin(hint) is Literal:
            values = get_args(hint)
            return values[0] if len(values) == 1 and isinstance(values[0], str) else None
    return None


def _date_time(value: Any, _: Any) -> datetime:
    if isinstance(value, str):
        with suppress(ValueError):
            made = datetime.fromisoformat(value)
            if made.utcoffset() is not None:
                return made
    raise TypeError(f"expected a date-time with a time zone, got {_dated(value)}")


def _date(value: Any, _: Any) -> date:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise TypeError(f"expected a date, got {_dated(value)}")


def _dated(value: object) -> str:
    return repr(value[:60]) if isinstance(value, str) else _kind(value)


def _has_datetime(cls: object, seen: list[object]) -> bool:
    """Whether a type holds a point in time."""
    if any(cls is each for each in seen):
        return False
    seen.append(cls)
    inner: list[object] = list(get_args(cls))
    if isinstance(cls, type) and attrs.has(cls):
        inner += get_type_hints(cls).values()
    return cls is datetime or any(_has_datetime(each, seen) for each in inner)


def _exactly(cls: type) -> Callable[[Any, Any], Any]:
    """A hook without coercion; by default cattrs turns None into 'None' and "5" into 5."""

    def hook(value: Any, _: Any) -> Any:
        if type(value) is cls:
            return value
        if cls is int and (whole := _whole(value)) is not None:
            return whole
        raise TypeError(f"expected {_NAMES[cls]}, got {_kind(value)}")

    return hook


def _whole(value: object) -> int | None:
    """Return an integer written as `1.7e9` or in quotes, or None."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
        return int(value)
    return None


def _nothing(value: Any, _: Any) -> None:
    """A hook for null, which also accepts an empty value."""
    if value:
        raise TypeError(f"expected null, got {_kind(value)}")


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


_STANDARD = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _explained(error: BaseException) -> str:
    """Return cattrs' errors in one line, each with its path on the wire."""
    return "; ".join(f"{said} @ {path}" for said, path in _faults(error, "$"))


def _faults(error: BaseException, path: str) -> Iterator[tuple[str, str]]:
    """Yield each error of a group with its path."""
    from cattrs import AttributeValidationNote, ClassValidationError, IterableValidationError

    if isinstance(error, (ClassValidationError, IterableValidationError)):
        for inner in error.exceptions:
            step = ""
            # Only cattrs adds notes: one for each field or item on the way.
            for note in getattr(inner, "__notes__", ()):
                if isinstance(note, AttributeValidationNote):
                    step = f".{wire_name(attrs.fields_dict(error.cl)[note.name])}"
                else:
                    step = f"[{note.index!r}]"
            yield from _faults(inner, path + step)
    elif isinstance(error, KeyError):
        yield "required field missing", path
    elif isinstance(error, _PathError):
        yield str(error), path + error.path
    else:
        yield str(error), path


@cache
def _null_texts(cls: Any) -> re.Pattern[bytes] | None:
    """Return a pattern for fields whose text means null, or None if `cls` has none.

    Quotes inside a JSON string are escaped, so text never matches.
    """
    pairs = sorted(
        {
            (wire_name(attribute), text)
            for attribute in _all_fields(cls, [])
            for text in attribute.metadata.get("nulls", ())
        }
    )
    alternatives = (rf'"{re.escape(name)}"\s*:\s*"{re.escape(text)}"' for name, text in pairs)
    return re.compile("|".join(alternatives).encode()) if pairs else None


def _all_fields(cls: object, seen: list[object]) -> Iterator[attrs.Attribute[Any]]:
    """Yield the fields of a class and of every class that it contains."""
    if any(cls is each for each in seen):
        return
    seen.append(cls)
    inner: list[object] = list(get_args(cls))
    if isinstance(cls, type) and attrs.has(cls):
        yield from attrs.fields(cls)
        inner += get_type_hints(cls).values()
    for each in inner:
        yield from _all_fields(each, seen)
