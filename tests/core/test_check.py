"""Checks: what each allows, its form in JSON, and the error for anything else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from fractions import Fraction
from itertools import count
from numbers import Integral
from typing import Any

import pytest
from attrs import field, frozen

from autonomousai_sdk._core.check import (
    Anything,
    Array,
    Boolean,
    Check,
    Date,
    DateTime,
    Enum,
    Integer,
    Map,
    Null,
    Number,
    Object,
    Property,
    Ref,
    String,
    Tagged,
    Union,
    to_jsonable,
    wire_members,
)
from autonomousai_sdk.errors import ConfigurationError

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
EAST = datetime(2026, 11, 25, 12, 0, 0, 500, tzinfo=timezone(timedelta(hours=2)))


class Size(StrEnum):
    """A caller's own enumeration."""

    SMALL = "s"


@frozen(kw_only=True)
class Address:
    """An input class, as the generator writes them."""

    street: str
    zip_code: str | None = field(default=None, metadata={"wire": "zipCode"})


@Integral.register
class Whole:
    """A whole number of another library, such as numpy's."""

    def __int__(self) -> int:
        return 7


class Unprintable:
    """A caller's object whose repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


ADDRESS = Object(
    name="Address",
    properties={
        "street": Property(check=String(min_length=1), required=True),
        "zipCode": Property(check=String(pattern=r"^\d{5}\Z")),
    },
)
CLOSED = Object(name="Point", properties={"x": Property(check=Integer())}, closed=True)
NULLABLE = Object(
    name="Note",
    properties={"text": Property(check=Union(options=(String(), Null())), required=True)},
)
PET = Tagged(
    tag="kind",
    options={
        "cat": Object(
            name="Cat",
            properties={
                "kind": Property(check=Enum(values=("cat",)), required=True),
                "lives": Property(check=Integer(maximum=9)),
            },
        ),
        "dog": Object(name="Dog", properties={"kind": Property(check=String(), required=True)}),
    },
)
TREE: Check = Object(
    name="Tree", properties={"children": Property(check=Array(items=Ref(target=lambda: TREE)))}
)

ALLOWED: list[tuple[Check, object, object]] = [
    (Boolean(), True, True),
    (Null(), None, None),
    (String(), "", ""),
    (String(), "\ud83d", "\ud83d"),
    (String(min_length=2, max_length=3), "ab", "ab"),
    (String(min_length=2, max_length=3), "äöü", "äöü"),
    (String(pattern="b+"), "abc", "abc"),
    (Number(), 1, 1),
    (Number(), 1.5, 1.5),
    (Number(maximum=1), Fraction(1, 2), 0.5),
    (Number(), Whole(), 7),
    (Integer(maximum=7), Whole(), 7),
    (Number(minimum=0, maximum=2), 0, 0),
    (Number(minimum=0, maximum=2), 2.0, 2.0),
    (Number(exclusive_minimum=0, exclusive_maximum=1), 0.5, 0.5),
    (Number(multiple_of=0.1), 0.3, 0.3),
    (Integer(), 10**400, 10**400),
    (Integer(multiple_of=5), 10, 10),
    (Enum(values=("s", "m")), Size.SMALL, "s"),
    (Enum(values=(1, None)), 1, 1),
    (Enum(values=(1, None)), None, None),
    (DateTime(), NOON, "2026-11-25T12:00:00Z"),
    (DateTime(), EAST, "2026-11-25T12:00:00.000500+02:00"),
    (Date(), date(2026, 11, 25), "2026-11-25"),
    (Array(items=Integer()), (1, 2), [1, 2]),
    (Array(items=Integer(), min_items=1, max_items=2), [1], [1]),
    (Array(items=Anything(), unique=True), [1, True, "1", {"a": 1}], [1, True, "1", {"a": 1}]),
    (Map(values=DateTime()), {"a": NOON}, {"a": "2026-11-25T12:00:00Z"}),
    (ADDRESS, Address(street="x", zip_code="12345"), {"street": "x", "zipCode": "12345"}),
    (ADDRESS, Address(street="x"), {"street": "x"}),
    (ADDRESS, {"street": "x", "note": NOON}, {"street": "x", "note": "2026-11-25T12:00:00Z"}),
    (CLOSED, {"x": 1}, {"x": 1}),
    (NULLABLE, {"text": None}, {"text": None}),
    (PET, {"kind": "cat", "lives": 9}, {"kind": "cat", "lives": 9}),
    (PET, {"kind": "dog", "name": "Rex"}, {"kind": "dog", "name": "Rex"}),
    (Union(options=(String(), Array(items=String(), max_items=4))), ["a"], ["a"]),
    (Union(options=(Enum(values=("auto",)), String())), "other", "other"),
    (TREE, {"children": [{"children": []}]}, {"children": [{"children": []}]}),
    (Ref(target=Boolean), False, False),
    (
        Anything(),
        {"a": (1, 2.5, None, {"b": date(2026, 1, 2)})},
        {"a": [1, 2.5, None, {"b": "2026-01-02"}]},
    ),
    (Anything(), Address(street="x"), {"street": "x", "zipCode": None}),
]


@pytest.mark.parametrize(("check", "value", "encoded"), ALLOWED, ids=map(str, count()))
def test_an_allowed_value_is_encoded(check: Check, value: object, encoded: object) -> None:
    """A check takes the values that it allows and returns their form in JSON."""
    assert check.takes(value)
    result = check.encode(value, "x")
    assert result == encoded
    assert type(result) is type(encoded)


REFUSED: list[tuple[Check, object, str]] = [
    (Boolean(), 1, "x must be True or False, not int"),
    (Null(), 0, "x must be None, not int"),
    (String(), b"a", "x must be a string, not bytes"),
    (
        String(min_length=2, max_length=3),
        "a",
        "x must have at least 2 and at most 3 characters; got 1",
    ),
    (String(min_length=1), "", "x must have at least 1 character; got 0"),
    (String(pattern="^a\\Z"), "a\n", r"x must match the pattern '\^a\\+Z'; got 'a\\n'"),
    (String(pattern="a"), "b" * 999, "x must match the pattern 'a'; got 'b{199}…"),
    (Number(), True, "x must be a number, not bool"),
    (Number(), "1", "x must be a number, not str"),
    (Number(), math.nan, "x must be a finite number; got nan"),
    (Number(minimum=0, maximum=2), "1", "x must be a number of at least 0 and at most 2, not str"),
    (Number(maximum=2), math.inf, "x must be a finite number of at most 2; got inf"),
    (Integer(minimum=1), True, "x must be a whole number of at least 1, not bool"),
    (Number(minimum=0, maximum=2), 2.1, "x must be at least 0 and at most 2; got 2.1"),
    (Number(minimum=0, maximum=2), -1, "x must be at least 0 and at most 2; got -1"),
    (Number(exclusive_minimum=0), 0, "x must be greater than 0; got 0"),
    (Number(exclusive_maximum=1), 1.0, r"x must be less than 1; got 1\.0"),
    (Number(multiple_of=0.1), 0.25, r"x must be a multiple of 0\.1; got 0\.25"),
    (Integer(maximum=1), 10**5000, "x must be at most 1; got <int>"),
    (Integer(), 1.0, "x must be a whole number, not float"),
    (Integer(), True, "x must be a whole number, not bool"),
    (Enum(values=("s", "m", "l")), "xl", "x must be 's', 'm' or 'l'; got 'xl'"),
    (Enum(values=(1,)), True, "x must be 1; got True"),
    (Enum(values=(1,)), Unprintable(), "x must be 1; got <Unprintable>"),
    (DateTime(), datetime(2026, 1, 1), "x must have a time zone: use datetime.now"),  # noqa: DTZ001  # the point
    (DateTime(), "2026-01-01T00:00:00Z", "x must be a datetime, not str"),
    (Date(), NOON, "x must be a date, not datetime"),
    (Array(items=Integer()), "12", "x must be a sequence, not str"),
    (Array(items=Integer()), [1, "2"], r"x\[1\] must be a whole number, not str"),
    (Array(items=Integer(), max_items=1), [1, 2], "x must have at most 1 item; got 2"),
    (Array(items=Integer(), unique=True), [1, 2, 1], r"x\[2\] repeats the item 1"),
    (Map(values=Integer()), [1], "x must be a mapping, not list"),
    (Map(values=Integer()), {1: 1}, "x must have strings for names; got 1"),
    (Map(values=Integer()), {"a": "b"}, r"x\['a'\] must be a whole number, not str"),
    (Map(values=Integer(), min_properties=2), {"a": 1}, "x must have at least 2 entries; got 1"),
    (ADDRESS, 5, "x must be a Address or a mapping, not int"),
    (ADDRESS, {"zipCode": "12345"}, "x must have 'street'"),
    (ADDRESS, {"street": "", "zipCode": "12345"}, r"x\.street must have at least 1 character"),
    (ADDRESS, {"street": None}, r"x\.street must be a string, not NoneType"),
    (ADDRESS, Address(street="x", zip_code="1"), r"x\.zipCode must match the pattern"),
    (ADDRESS, {"street": "x", 5: 1}, "x must have strings for names; got 5"),
    (CLOSED, {"y": 1}, "x must not have 'y'; it can have x"),
    (PET, {"kind": "fish"}, r"x\.kind must be 'cat' or 'dog'; got 'fish'"),
    (PET, {"kind": ["cat"]}, r"x\.kind must be 'cat' or 'dog'; got \['cat'\]"),
    (PET, {"kind": "cat", "lives": 10}, r"x\.lives must be at most 9; got 10"),
    (PET, 1, "x must be a Cat or a mapping or a Dog or a mapping, not int"),
    (
        Union(options=(String(), Array(items=String(), max_items=1))),
        5,
        "x must be a string or a sequence, not int",
    ),
    (
        Union(options=(String(), Array(items=String(), max_items=1))),
        ["a", "b"],
        "x must have at most 1 item; got 2",
    ),
    (
        Union(options=(Integer(maximum=1), Integer(minimum=5))),
        3,
        "x must be at most 1; got 3. x must be at least 5; got 3",
    ),
    (TREE, {"children": [{"children": [5]}]}, r"x\.children\[0\]\.children\[0\] must be a Tree"),
    (Ref(target=Boolean), 5, "x must be True or False"),
    (
        Anything(),
        {"a": [object()]},
        r"x\['a'\]\[0\] must be a value that JSON can hold, not object",
    ),
    (Anything(), math.inf, "x must be a finite number"),
]


@pytest.mark.parametrize(("check", "value", "said"), REFUSED, ids=map(str, count()))
def test_a_refused_value_is_named(check: Check, value: object, said: str) -> None:
    """The error has the path to the value, what it must be with the bound, and what it was."""
    with pytest.raises(ConfigurationError, match=f"^{said}"):
        check.encode(value, "x")


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (Anything(), "a value that JSON can hold"),
        (Ref(target=String), "a string"),
        (Enum(values=("a",)), "'a'"),
        (PET, "a Cat or a mapping or a Dog or a mapping"),
    ],
)
def test_a_check_says_what_it_expects(check: Check, expected: str) -> None:
    """The words that errors use do not need a value."""
    assert check.expected == expected


def test_what_a_check_takes_decides_a_union() -> None:
    """A type that no option takes is not tried."""
    union = Union(options=(PET, Enum(values=(1,)), Ref(target=Date)))
    taken: list[object] = [1, {}, date(2026, 1, 1)]
    assert [*map(union.takes, [*taken, True, "a"])] == [True, True, True, False, False]


def test_the_base_class_leaves_its_questions_open() -> None:
    """A kind of check says itself what it takes and expects."""
    with pytest.raises(NotImplementedError):
        Check().takes(1)
    with pytest.raises(NotImplementedError):
        _ = Check().expected


def test_members_have_their_names_on_the_wire() -> None:
    """A mapping is left as it is, and an object's fields are renamed."""
    given: Mapping[str, Any] = {"zip_code": 1}
    assert wire_members(given) is given
    assert wire_members(Address(street="x")) == {"street": "x", "zipCode": None}


def test_plain_values_stay_as_they_are() -> None:
    """Strings, booleans, whole numbers and null need no change."""
    for value in ("a", True, 5, None):
        assert to_jsonable(value, "x") is value
