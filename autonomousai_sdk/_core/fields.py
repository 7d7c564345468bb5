"""What a generated class says about its fields, and how its instances store them.

The generator writes these keys into a field's metadata, from the spec's extensions:

    wire         the field's name on the wire, where it is not the Python name
    concatenate  pieces from several chunks are joined (`x-concatenate`)
    nulls        values that mean null, such as `""`
    lenient      the field describes the answer but does not carry it: a value of the
                 wrong type becomes the default
    json         text that holds JSON: a value sent as JSON itself is taken as its text
    parts        for text sent as a list of parts: a part's key -> the field its text goes to
    also         other keys the value was seen under -> the field inside it they stand for,
                 or "" when they stand for the value itself
    fallback     the field that this one reads while it is None or empty
    repeats      text sent in pieces, or whole in every chunk
    position     a number that defaults to the object's position in its array

Does not decode: `codec` and `accumulator` read the metadata.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from operator import attrgetter
from typing import Any, TypeVar, cast, get_args

import attrs

T = TypeVar("T")


def class_defaults(cls: type[T]) -> type[T]:
    """Let a class's attributes hold its fields' defaults.

    msgspec stores a default in each new instance, unless the class has the attribute
    already. So a field that a chunk leaves out costs neither time nor memory.
    """
    for attribute in attrs.fields(cast("Any", cls)):
        fallback = attribute.metadata.get("fallback")
        default = attribute.default
        if fallback is not None:
            _fall_back(cls, attribute.name, fallback)
        elif isinstance(default, cast("type[Any]", attrs.Factory)):
            # Only a frozen object may be shared by all instances.
            if attrs.has(default.factory):
                setattr(cls, attribute.name, default.factory())
        elif default is not attrs.NOTHING:
            setattr(cls, attribute.name, default)
    return cls


def complete_hints(*classes: type) -> None:
    """Let `typing.get_type_hints` resolve the constructors of classes that refer to each other.

    The constructor that attrs writes sees only the names defined before its class.
    """
    names = {cls.__name__: cls for cls in classes}
    for cls in classes:
        constructor: Any = unwrap(cast("Any", cls).__init__)
        constructor.__globals__.update(names)


def wire_name(attribute: attrs.Attribute[Any]) -> str:
    """A field's name on the wire."""
    name: str = attribute.metadata.get("wire", attribute.name)
    return name


def own_reader(attribute: attrs.Attribute[Any]) -> Callable[[Any], Any]:
    """Reads a field's value as it was set, which a fallback does not stand in for."""
    has_fallback = "fallback" in attribute.metadata
    return attrgetter(_own(attribute.name) if has_fallback else attribute.name)


def class_in(hint: Any) -> type | None:
    """The attrs class in a type such as `tuple[ToolCall, ...] | None`."""
    if isinstance(hint, type) and attrs.has(hint):
        return hint
    return next(filter(None, map(class_in, get_args(hint))), None)


def _own(name: str) -> str:
    return f"_{name}"


def _fall_back(cls: type[Any], name: str, fallback: str) -> None:
    """Make a field a property that reads another field while it has no value of its own."""
    own = _own(name)
    initialise: Callable[..., None] = cls.__init__
    # The decoder reads every field that a chunk leaves out, and attributes named in source are
    # read twice as fast as by getattr. The names are attributes' names, from the spec.
    value = f"self.{own} or self.{fallback} or self.{own}"  # an empty value of its own is the last
    source = f"lambda self: self.{fallback} if self.{own} is None else {value}"
    read: Callable[[Any], Any] = eval(source)  # noqa: S307  # see above

    def store(self: Any, value: Any) -> None:
        object.__setattr__(self, own, value)

    @wraps(initialise)
    def initialise_and_store(self: Any, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        # attrs writes a frozen class's fields into __dict__, past the property.
        store(self, self.__dict__.pop(name))

    # On Python 3.14 `wraps` copies `__annotate__`, which the constructors of attrs lack.
    initialise_and_store.__annotations__ = initialise.__annotations__
    setattr(cls, own, None)
    setattr(cls, name, property(read, store))
    setattr(cls, "__init__", initialise_and_store)  # noqa: B010  # assigning it is an error to checkers
