"""A Python type as a JSON schema, and a JSON value as a value of that type.

Owns what both tools and structured answers need of a user's own types: attrs classes,
dataclasses, TypedDicts, msgspec Structs, pydantic models, enums, literals, and containers and
unions of these. The schema is msgspec's (pydantic's for pydantic). Values are structured by
cattrs, strictly: nothing is coerced, and every wrong field is reported with its path.

It must not know about messages, models or requests. msgspec and cattrs are imported when the
first schema is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    MutableSequence,
    Sequence,
)
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    cast,
    get_args,
    get_origin,
)
from uuid import UUID

import attrs
import msgspec

from ..errors import ConfigurationError
from .class_schema import REFERENCE, ClassSchemas, bounds
from .codec import is_array, is_object
from .display import MAX_LENGTH, display
from .record import (
    RecordField,
    alias_value,
    fields_of,
    is_alias,
    is_attrs_or_dataclass,
    is_named_tuple,
    is_struct,
    is_typed_dict,
    is_union,
)

if TYPE_CHECKING:
    from cattrs import Converter

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MAX_SHOWN = 60
"""Characters of a wrong value that an error shows."""


class SchemaError(ValueError):
    """A JSON value that does not match its type.

    Attributes:
        problems: one line for each wrong field: its path, and what is wrong.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@attrs.frozen
class Schema:
    """A type and its JSON schema.

    Attributes:
        type: the type, as the caller wrote it; a name for a schema that has no Python type.
        json: the JSON schema.
    """

    type: Any
    json: dict[str, Any]

    @classmethod
    def of(cls, type_: Any, what: str) -> Schema:
        """Make the schema of a type.

        Args:
            type_: the type.
            what: where the type comes from, such as `into=`; for errors.

        Raises:
            ConfigurationError: the type has no JSON schema.
        """
        (schema,), definitions = json_schemas({what: type_})
        return cls(type_, inlined(schema, definitions))

    def structure(self, value: object) -> Any:
        """Turn a JSON value into a value of the type.

        Raises:
            SchemaError: it does not match the type.
        """
        return structure(value, self.type)


def json_schemas(
    types: Mapping[str, Any],
) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """Make the JSON schemas of several types.

    Args:
        types: the types, each under the name that an error calls it by.

    Returns:
        A schema for each type, and the definitions that they refer to as `#/$defs/…`.

    Raises:
        ConfigurationError: a type without a JSON schema.
    """
    definitions: dict[str, Any] = {}

    def from_pydantic(cls: Any) -> dict[str, Any]:
        if not _is_pydantic(cls):
            raise NotImplementedError
        schema: dict[str, Any] = cls.model_json_schema(ref_template="#/$defs/{model}")
        for name, definition in schema.pop("$defs", {}).items():
            _define(name, definition)
        return schema

    def _define(name: str, definition: dict[str, Any]) -> None:
        if definitions.setdefault(name, definition) != definition:
            raise ConfigurationError(
                f"Two types named {name!r} are part of one JSON schema: rename one of them."
            )

    schemas: list[dict[str, Any]] = []
    for what, type_ in types.items():
        try:
            schemas.append(_schema(type_, from_pydantic, _define))
        except (TypeError, NotImplementedError, NameError, SyntaxError, ValueError) as error:
            reason = str(error).rpartition("\n")[2][:MAX_LENGTH]
            raise ConfigurationError(
                f"{what} {_named(type_)} has no JSON schema{': ' if reason else ''}{reason}. Use "
                "attrs classes, dataclasses, TypedDicts, msgspec Structs, pydantic models, enums, "
                "Literal, str, int, float, bool, and lists and dicts of these."
            ) from (error if len(str(error)) <= MAX_LENGTH else None)
    return tuple(_closed(schema) for schema in schemas), _closed(definitions)


def _schema(
    type_: Any,
    custom: Callable[[Any], dict[str, Any]],
    define: Callable[[str, dict[str, Any]], None],
) -> dict[str, Any]:
    """The schema of one type: by msgspec in one go, else class by class."""
    try:
        (schema,), components = msgspec.json.schema_components(
            (_bounded(type_),), schema_hook=custom, ref_template=REFERENCE
        )
    except (TypeError, RecursionError):  # of an alias that refers to itself
        return ClassSchemas(define, custom).schema(type_)
    for name, definition in components.items():
        define(name, definition)
    return schema


def _bounded(type_: Any) -> Any:
    """A type with the bounds of its annotation in msgspec's form."""
    if not _is_annotated(type_):
        return type_
    inner, *metadata = get_args(type_)
    for bound in bounds(metadata):
        inner = Annotated[inner, bound]
    return inner


def inlined(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """One schema with its definitions; a reference at the top is replaced by what it names."""
    if not definitions:
        return schema
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    if name not in definitions:
        return {**schema, "$defs": definitions}
    top = definitions[name]
    others = {key: value for key, value in definitions.items() if key != name}
    if f'"#/$defs/{name}"' in json.dumps(definitions):
        others = definitions
    return {**top, "$defs": others} if others else dict(top)


def requires_all(schema: object) -> bool:
    """Whether every object in a schema requires all its properties, as OpenAI's `strict` asks."""
    if is_array(schema):
        return all(requires_all(each) for each in schema)
    if not is_object(schema):
        return True
    if "properties" in schema and set(schema["properties"]) - set(schema.get("required", ())):
        return False
    return all(requires_all(each) for each in schema.values())


def structure(value: object, type_: Any) -> Any:
    """Turn a JSON value into a value of a type.

    Raises:
        SchemaError: it does not match the type.
    """
    try:
        return _converter().structure(value, type_)
    except Exception as error:  # cattrs groups what hooks and users' validators raise
        raise SchemaError(tuple(_problems(error, "$"))) from error


def kind_of(value: object) -> str:
    """A JSON value as an error shows it: its start, in JSON."""
    text = json.dumps(value, default=repr, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _closed(schema: Any) -> Any:
    """A schema whose objects take no other properties, in the forms that engines understand."""
    if is_array(schema):
        return [_closed(each) for each in schema]
    if not is_object(schema):
        return schema
    made = {key: _closed(value) for key, value in schema.items()}
    if is_object(made.get("properties")) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    if made.get("items") is False:
        # llama.cpp prefers `items` to `prefixItems`; the length is bounded by `maxItems`.
        del made["items"]
    return made


def _is_pydantic(cls: Any) -> bool:
    return isinstance(cls, type) and hasattr(cls, "model_validate_json")


def _named(type_: Any) -> str:
    name = getattr(type_, "__qualname__", None)
    return name if isinstance(name, str) and name else display(type_)


@cache
def _converter() -> Converter:
    """The strict converter of users' types. A later factory goes before an earlier one."""
    from cattrs import Converter

    made = Converter()

    made.register_structure_hook_factory(is_attrs_or_dataclass, _object)
    made.register_structure_hook_factory(is_typed_dict, _object)
    for scalar in _SCALARS:
        made.register_structure_hook(scalar, _scalar)
    made.register_structure_hook_factory(_is_container, _container)
    # After containers, which an enum of flags looks like.
    made.register_structure_hook_factory(_is_choice, _choice)
    made.register_structure_hook_factory(_is_dict, _mapping)
    made.register_structure_hook_factory(is_struct, _struct)
    made.register_structure_hook_factory(_is_pydantic, _pydantic)
    made.register_structure_hook_factory(is_union, _union)
    made.register_structure_hook_factory(_is_annotated, _annotated)
    made.register_structure_hook_factory(is_alias, _alias)
    return made


Hook = Callable[[Any, Any], Any]


_SCALARS = frozenset(
    {str, int, float, bool, type(None), bytes, datetime, date, time, timedelta, Decimal, UUID}
)


def _is_scalar(cls: Any) -> bool:
    return cls is None or cls in _SCALARS


def _scalar(value: Any, cls: Any) -> Any:
    # cattrs takes an enum of a scalar's kind, such as `IntEnum`, for that scalar.
    return _choice(cls)(value, cls) if _is_choice(cls) else _converted(value, cls)


def _converted(value: Any, cls: Any) -> Any:
    """A scalar by msgspec, which takes a whole number for a float and coerces nothing else."""
    try:
        return msgspec.convert(value, cls)
    except msgspec.ValidationError as error:
        said = str(error).replace("`", "").partition(", got ")[0]
        raise TypeError(f"{said[:1].lower()}{said[1:]}, got {kind_of(value)}") from error


def _is_choice(cls: Any) -> bool:
    return get_origin(cls) is Literal or (isinstance(cls, type) and issubclass(cls, Enum))


def _choice(cls: Any) -> Hook:
    choices: list[tuple[Any, Any]] = (
        [(value, value) for value in get_args(cls)]
        if get_origin(cls) is Literal
        else [(each.value, each) for each in cls]
    )

    def hook(value: Any, _: Any) -> Any:
        for wire, chosen in choices:
            # True == 1 in Python, but not in JSON.
            if value == wire and isinstance(value, bool) == isinstance(wire, bool):
                return chosen
        allowed = ", ".join(json.dumps(wire, default=repr) for wire, _ in choices)
        raise TypeError(f"expected one of {allowed}, got {kind_of(value)}")

    return hook


_CONTAINERS: tuple[tuple[type, Callable[[Iterable[Any]], Any]], ...] = (
    (tuple, tuple),
    (frozenset, frozenset),
    (AbstractSet, set),
    (MutableSequence, list),
    (Collection, tuple),
)


def _is_container(cls: Any) -> bool:
    origin = get_origin(cls) or cls
    return (
        isinstance(origin, type)
        and issubclass(origin, Collection)
        and not issubclass(origin, (str, bytes, Mapping))
        and not is_attrs_or_dataclass(origin)
    )


def _container(cls: Any) -> Hook:
    origin = get_origin(cls) or cls
    types = get_args(cls)
    if is_named_tuple(cls):
        return _fixed(cls, fields_of(cls), lambda items: origin(*items))
    build = next(made for abstract, made in _CONTAINERS if issubclass(origin, abstract))
    if origin is tuple and types and types[-1] is not Ellipsis:
        return _fixed(cls, [RecordField("", "", each, required=True) for each in types], tuple)
    inner = types[0] if types else Any

    def hook(value: Any, _: Any) -> Any:
        if not is_array(value):
            raise TypeError(f"expected an array, got {kind_of(value)}")
        return build(_structured(((key, each, inner) for key, each in enumerate(value)), cls))

    return hook


def _fixed(cls: Any, fields: Sequence[RecordField], build: Callable[[Any], Any]) -> Hook:
    """An array with a type for each place."""
    most, least = len(fields), sum(each.required for each in fields)
    types = [each.type for each in fields]
    length = f"{most}" if least == most else f"{least} to {most}"

    def hook(value: Any, _: Any) -> Any:
        if not is_array(value):
            raise TypeError(f"expected an array, got {kind_of(value)}")
        if not least <= len(value) <= most:
            raise TypeError(f"expected an array of {length} items, got {len(value)}")
        return build(
            # The last items may be absent.
            _structured(zip(range(most), value, types, strict=False), cls)
        )

    return hook


def _is_dict(cls: Any) -> bool:
    origin = get_origin(cls) or cls
    return isinstance(origin, type) and issubclass(origin, Mapping) and not is_typed_dict(cls)


def _mapping(cls: Any) -> Hook:
    key_type, value_type = get_args(cls) or (Any, Any)

    def hook(value: Any, _: Any) -> Any:
        if not is_object(value):
            raise TypeError(f"expected an object, got {kind_of(value)}")
        keys = _structured(((key, _key(key, key_type), key_type) for key in value), cls)
        values = _structured(((key, each, value_type) for key, each in value.items()), cls)
        return dict(zip(keys, values, strict=True))

    return hook


def _key(key: str, type_: Any) -> object:
    """An object's key as a value; a number's text is a number where the type needs one."""
    if type_ is Any or not _NUMBER.fullmatch(key):
        return key
    try:
        _converter().structure(key, type_)
    except Exception:  # noqa: BLE001  # users' validators raise what they like
        return json.loads(key)
    return key


def _structured(items: Iterable[tuple[object, Any, Any]], cls: Any) -> list[Any]:
    """Structure (key, value, type) items, and raise the errors of all of them together."""
    from cattrs import IterableValidationError, IterableValidationNote

    converter = _converter()
    done: list[Any] = []
    errors: list[Exception] = []
    for key, value, type_ in items:
        try:
            done.append(value if type_ is Any else converter.structure(value, type_))
        except Exception as error:  # noqa: BLE001  # users' validators raise what they like
            error.add_note(_note(IterableValidationNote, key, type_))
            errors.append(error)
    if errors:
        raise _group(IterableValidationError, errors, cls)
    return done


def _note(cls: Any, step: object, type_: Any) -> str:
    """A note with a step of the path, as cattrs leaves one on an error."""
    note: str = cls("", step, type_)
    return note


def _group(kind: Any, errors: list[Exception], cls: Any) -> Exception:
    """Errors of one value together, in the form that cattrs raises them."""
    grouped: Exception = kind("", errors, cls)
    return grouped


def _struct(cls: Any) -> Hook:
    origin: Any = get_origin(cls) or cls
    config = origin.__struct_config__
    tag = config.tag
    if config.array_like:
        fields = fields_of(cls)
        first = () if tag is None else (RecordField("", "", Literal[tag], required=True),)
        return _fixed(cls, (*first, *fields), lambda items: origin(*items[len(first) :]))
    hook = _record(cls, origin, closed=config.forbid_unknown_fields, known={config.tag_field})

    def tagged(value: Any, _: Any) -> Any:
        if is_object(value) and value.get(config.tag_field) != tag:
            raise TypeError(
                f"expected {json.dumps(tag)} under {json.dumps(config.tag_field)}, "
                f"got {kind_of(value.get(config.tag_field))}"
            )
        return hook(value, cls)

    return hook if config.tag_field is None else tagged


def _object(cls: Any) -> Hook:
    return _record(cls, dict if is_typed_dict(cls) else get_origin(cls) or cls)


def _record(
    cls: Any, build: Callable[..., Any], *, closed: bool = False, known: Collection[Any] = ()
) -> Hook:
    """An object by its fields; a closed one has no others, except those that are known."""
    fields = fields_of(cls)
    names = {*known, *(each.wire for each in fields)}

    def hook(value: Any, _: Any) -> Any:
        from cattrs import AttributeValidationNote, ClassValidationError

        if not is_object(value):
            raise TypeError(f"expected an object, got {kind_of(value)}")
        values: dict[str, Any] = {}
        errors: list[Exception] = []
        for each in fields:
            try:
                if each.wire in value:
                    values[each.name] = _converter().structure(value[each.wire], each.type)
                elif each.required:
                    raise KeyError(each.wire)  # noqa: TRY301  # grouped with the others
            except Exception as error:  # noqa: BLE001  # users' validators raise what they like
                error.add_note(_note(AttributeValidationNote, each.wire, each.type))
                errors.append(error)
        for name in value if closed else ():
            if name not in names:
                unknown = TypeError("not a field of the type")
                unknown.add_note(_note(AttributeValidationNote, name, Any))
                errors.append(unknown)
        if errors:
            raise _group(ClassValidationError, errors, cls)
        return build(**values)

    return hook


def _pydantic(cls: Any) -> Hook:
    # By JSON, where `strict` takes a date's or an enum's text, but never "5" for 5.
    return lambda value, _: cls.model_validate_json(json.dumps(value), strict=True)


def _union(cls: Any) -> Hook:
    members = get_args(cls)

    def hook(value: Any, _: Any) -> Any:
        if value is None and type(None) in members:
            return None
        failures: list[tuple[int, Exception]] = []
        for member in members:
            if member is type(None):
                continue
            try:
                return _converter().structure(value, member)
            except Exception as error:  # noqa: BLE001  # users' validators raise what they like
                failures.append((_depth(value, member), error))
        # The members that have the value's kind say more than those that do not.
        best = max(depth for depth, _ in failures)
        errors = [error for depth, error in failures if depth == best]
        if len(errors) == 1:
            raise errors[0]
        raise TypeError("no type of the union matches: " + "; or ".join(_first(errors)))

    return hook


def _depth(value: object, member: Any) -> int:
    """1 if a JSON value has a type's kind (an object for a class, an array for a list), else 0."""
    if is_object(value):
        return int(not (_is_scalar(member) or _is_choice(member) or _is_container(member)))
    if is_array(value):
        return int(_is_container(member))
    return int(_is_scalar(member) or _is_choice(member))


def _first(errors: Iterable[Exception]) -> Iterator[str]:
    return (next(_problems(error, "$")).removeprefix("$: ") for error in errors)


def _is_annotated(cls: Any) -> bool:
    origin: object = get_origin(cls)
    return origin is Annotated


def _annotated(cls: Any) -> Hook:
    inner, *metadata = get_args(cls)
    limits = list(bounds(metadata))

    def hook(value: Any, _: Any) -> Any:
        structured = _converter().structure(value, inner)
        if limits:
            like = inner if _is_scalar(inner) else cast("Any", type(value))
            for bound in limits:
                _converted(value, Annotated[like, bound])
        return structured

    return hook


def _alias(cls: Any) -> Hook:
    return lambda value, _: _converter().structure(value, alias_value(cls))


def _problems(error: Exception, path: str) -> Iterator[str]:
    """What is wrong, one line for each field, with its path."""
    from cattrs import (
        AttributeValidationNote,
        BaseValidationError,
        IterableValidationNote,
    )

    if isinstance(error, BaseValidationError):
        for each in error.exceptions:
            step = ""
            for note in getattr(each, "__notes__", ()):
                if isinstance(note, AttributeValidationNote):
                    step = f".{note.name}"
                elif isinstance(note, IterableValidationNote):
                    step = f"[{json.dumps(note.index)}]"
            yield from _problems(each, f"{path}{step}")
    elif hasattr(error, "errors") and hasattr(error, "error_count"):  # pydantic's
        for each in cast("Any", error).errors(include_url=False):
            steps = "".join(
                f"[{step}]" if isinstance(step, int) else f".{step}" for step in each["loc"]
            )
            yield f"{path}{steps}: {each['msg'][:1].lower()}{each['msg'][1:]}"
    elif isinstance(error, KeyError):
        yield f"{path}: required, but missing"
    else:
        yield f"{path}: {error}"
