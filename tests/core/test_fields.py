"""Field metadata, and defaults that live in the class."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import attrs
import pytest
from attrs import field, frozen

from autonomousai_sdk._core.codec import decoder, unstructure
from autonomousai_sdk._core.fields import (
    class_defaults,
    class_in,
    complete_hints,
    own_reader,
    wire_name,
)
from tests.support.sample_operation import Choice, Delta, Renamed, Said


@class_defaults
@frozen(kw_only=True, slots=False)
class Inner:
    """A class that a field holds by default."""

    name: str = "inner"


@class_defaults
@frozen(kw_only=True, slots=False)
class Outer:
    """A class with each kind of default."""

    needed: int
    count: int = 0
    inner: Inner = field(factory=Inner)
    items: list[int] = field(factory=list[int])


@class_defaults
@frozen(kw_only=True, slots=False)
class Shelf:
    """A class that refers to a later one, and whose constructor is wrapped."""

    label: str | None = field(default=None, metadata={"fallback": "name"})
    name: str | None = None
    books: tuple[Book, ...] = ()


@class_defaults
@frozen(kw_only=True, slots=False)
class Book:
    """A class that refers to itself and to an earlier one."""

    shelf: Shelf | None = None
    sequel: Book | None = None


def test_constructors_of_recursive_classes_have_type_hints() -> None:
    """After `complete_hints`, `get_type_hints` resolves constructors that name later classes."""
    complete_hints(Shelf, Book)
    assert typing.get_type_hints(Shelf.__init__)["books"] == tuple[Book, ...]
    assert typing.get_type_hints(Book.__init__)["shelf"] == Shelf | None


def test_a_decoded_instance_stores_only_what_was_sent() -> None:
    """Defaults are read from the class, so an absent field takes no room in the instance."""
    value = decoder(Outer)(b'{"needed": 1}')
    assert value == Outer(needed=1)
    assert (value.count, value.inner, value.items) == (0, Inner(), [])
    assert set(vars(value)) == {"needed", "items"}
    assert attrs.asdict(value) == attrs.asdict(Outer(needed=1))
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    assert not hasattr(Outer, "needed")


def test_a_mutable_default_is_not_shared() -> None:
    """Only frozen objects are shared by all instances of a class."""
    one, other = (decoder(Outer)(b'{"needed": 1}') for _ in range(2))
    assert one.items is not other.items
    assert one.inner is other.inner


@pytest.mark.parametrize("cls", [Delta, Said])
@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_a_fallback_reads_the_other_field(cls: Any, name: str) -> None:
    """One attribute has the text whichever name it came under, decoded or constructed."""
    decoded = decoder(cls)(f'{{"{name}": "hm"}}'.encode())
    constructed = cls(**{name: "hm"})
    for value in (decoded, constructed, pickle.loads(pickle.dumps(decoded)), copy.copy(decoded)):
        assert value.reasoning == "hm"
        assert value == constructed
        own = {each.name: own_reader(each)(value) for each in attrs.fields(cls)}
        assert {key for key in ("reasoning", "reasoning_content") if own[key]} == {name}
    plain = unstructure(constructed)
    assert (plain["reasoning"], plain["reasoning_content"]).count("hm") == 1
    assert plain[name] == "hm"


def test_a_value_of_its_own_comes_before_the_fallback() -> None:
    """A field with both values keeps them apart, and null does not hide the other."""
    both = decoder(Said)(b'{"reasoning": "a", "reasoning_content": "b"}')
    assert (both.reasoning, both.reasoning_content) == ("a", "b")
    for data in (
        b'{"reasoning": "a", "reasoning_content": null}',
        b'{"reasoning": null, "reasoning_content": "a"}',
    ):
        assert decoder(Said)(data).reasoning == "a"
    assert decoder(Said)(b"{}").reasoning is Said().reasoning is None


def test_an_instance_with_a_fallback_is_frozen() -> None:
    """The property that reads the fallback cannot be assigned."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(Said(), "reasoning", "x")  # noqa: B010  # a checker refuses the plain assignment


def test_names_on_the_wire() -> None:
    """A field goes by its own name unless its metadata has another."""
    names = {each.name: wire_name(each) for each in attrs.fields(Renamed)}
    assert names == {"thread": "threadId", "note": "note"}


@pytest.mark.parametrize(
    ("hint", "found"),
    [
        (Said, Said),
        (tuple[Choice, ...], Choice),
        (tuple[Choice, ...] | None, Choice),
        (dict[str, Any] | None, None),
        (int, None),
        (None, None),
    ],
)
def test_the_class_in_a_type_is_found(hint: Any, found: type | None) -> None:
    """It is found in arrays and unions; other types hold none."""
    assert class_in(hint) is found
