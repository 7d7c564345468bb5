"""JSON to typed values and back: two paths, one answer."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen
from hypothesis import example, given
from hypothesis import strategies as st

from autonomousai_sdk._core.codec import (
    LINK,
    DecodeError,
    compact,
    converter,
    decode,
    decode_standard,
    decoder,
    documents,
    encode,
    is_array,
    is_object,
    lacks_value,
    linked,
    objects_in,
    parse,
    unstructure,
)
from tests.support.sample_operation import (
    CallDelta,
    Choice,
    Chunk,
    Completion,
    Delta,
    FunctionDelta,
    Note,
    Part,
    Piece,
    Renamed,
    Said,
    Usage,
)

REFUSED = "refused"
ROOT = Path(__file__).parent.parent.parent

TEXTS = st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])), max_size=8)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from([0, -0.0, 1e308, 5e-324, 2**53 + 1, 10**400, -(10**400), math.nan, math.inf]),
)
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def test_threads_decode_a_class_for_the_first_time_at_once() -> None:
    """Several threads may decode the same new class at once, which builds its decoder."""
    program = [sys.executable, "-m", "tests.support.decoding", "together"]
    assert subprocess.run(program, cwd=ROOT, check=False, timeout=60).returncode == 0


def some_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of these fields, now and then one of the wrong kind or unannounced."""
    optional = {name: mostly(strategy) for name, strategy in fields.items()}
    return st.fixed_dictionaries({}, optional=optional | {"unannounced": JUNK})


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a kind, and one in eight of any."""
    return st.integers(0, 7).flatmap(lambda roll: strategy if roll else JUNK)


def or_null(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a kind, or null."""
    return st.one_of(st.none(), strategy)


OBJECTS = st.dictionaries(st.text(max_size=4), JUNK, max_size=3)
REASONS = or_null(st.one_of(st.sampled_from(["stop", "length"]), TEXTS))
PIECES = some_of(
    index=st.integers(0, 3),
    delta=some_of(role=or_null(TEXTS), content=or_null(TEXTS)),
    finish_reason=REASONS,
    logprobs=or_null(OBJECTS),
)
CHUNKS = some_of(
    id=TEXTS,
    choices=st.lists(mostly(PIECES), max_size=3),
    created=st.integers(),
    usage=or_null(some_of(prompt_tokens=st.integers(), completion_tokens=st.integers())),
    temperature=or_null(NUMBERS),
    timings=or_null(OBJECTS),
    finish_reason=REASONS,
).map(lambda chunk: {"choices": list[Any](), **chunk})


def outcome(read: Callable[[bytes, type[Any]], Any], data: bytes, cls: type[Any] = Chunk) -> str:
    """What a path makes of bytes, so exactly that 1, 1.0 and True differ; or its refusal."""
    try:
        return repr(read(data, cls))
    except (ValueError, RecursionError, DecodeError):
        return REFUSED


def fast(data: bytes, cls: type[Any]) -> Any:
    """The fast path alone."""
    return decoder(cls)(data)


@given(mostly(CHUNKS))
@example({"choices": {}})
@example({"choices": ""})
@example({"choices": [], "timings": []})
@example({"choices": [[0]]})
@example({"choices": [{}, {}]})
@example({"choices": [], "created": True})
@example({"choices": [], "created": 1.0})
@example({"choices": [], "created": "5"})
@example({"choices": [], "id": None})
@example({"choices": [], "temperature": 1})
@example({"choices": [], "temperature": True})
@example({"choices": [], "temperature": 10**400})
@example({"choices": [], "created": 10**400})
@example({"choices": [], "timings": {"a": math.nan}})
@example({"choices": [{"finish_reason": 5}]})
@example({"choices": [{"finish_reason": "stop"}, {"finish_reason": "\ud83d"}]})
@example({"choices": [{"delta": {"content": "\ud83d"}}]})
def test_both_paths_give_the_same(document: Any) -> None:
    """The standard path reads what the fast one takes alike, and decides what that refuses."""
    data = json.dumps(document).encode()
    standard = outcome(decode_standard, data)
    assert outcome(decode, data) == standard
    # `decode` and the standard path convert an empty role or reason to null, and look for what
    # the fast path leaves out.
    taken = outcome(fast, data) in (standard, REFUSED)
    assert taken or b'": ""' in data or lacks_value(fast(data, Chunk))


@given(st.binary(max_size=20))
def test_both_paths_refuse_what_is_no_json(data: bytes) -> None:
    """Bytes of any kind are a typed refusal, never another exception."""
    assert outcome(decode, data) == outcome(decode_standard, data) == outcome(fast, data)


@pytest.mark.parametrize("read", [decode, decode_standard])
@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("[]", r"expected an object, got an array @ \$$"),
        ("null", r"expected an object, got null @ \$$"),
        ('{"choices": [{"delta": {"content": 5}}]}', r"got an integer @ .*\[0\]\.delta\.content$"),
        ('{"choices": {}}', r"expected an array, got an object @ \$\.choices$"),
        ('{"choices": "ab"}', r"expected an array, got a string @ \$\.choices$"),
        ('{"choices": [0]}', r"expected an object, got an integer @ \$\.choices\[0\]$"),
        ('{"choices": [{"index": "a"}]}', r"an integer, got a string @ \$\.choices\[0\]\.index$"),
        ('{"choices": [{"index": true}]}', "expected an integer, got a boolean"),
        ('{"choices": [{"index": 1.5}]}', "expected an integer, got a number"),
        ('{"choices": [{"delta": [1]}]}', r"got an array @ \$\.choices\[0\]\.delta$"),
        ('{"choices": [{"finish_reason": 5}]}', "expected a string or null, got an integer"),
        ('{"choices": [], "object": 5}', r"expected a string, got an integer @ \$\.object$"),
        ('{"choices": [], "timings": []}', "expected an object or null, got an array"),
        ('{"choices": [], "temperature": "1"}', "expected a number or null, got a string"),
        ('{"choices": 5, "object": 5}', r"\.choices; expected .* @ \$\.object$"),
        ('{"choices": [NaN]}', "NaN is not JSON"),
        ('{"choices": [-Infinity]}', "-Infinity is not JSON"),
        ('{"choices": [1e400]}', "1e400 is larger than any number there is room for"),
        ('{"choices": [', "Expecting value"),
        ('{"choices": []} x', "Extra data"),
        ('{"choices": [], "id": "\udcff"}', "utf-8"),
        ("", "Expecting value"),
    ],
)
def test_a_refusal_says_what_and_where(
    read: Callable[[bytes, type[Any]], Any], document: str, said: str
) -> None:
    """Nothing is coerced, and the message has the path to what is wrong."""
    with pytest.raises(DecodeError, match=said) as caught:
        read(document.encode("utf-8", "surrogateescape"), Chunk)
    assert caught.value.__cause__ is not None


def test_deep_nesting_is_refused() -> None:
    """A document that would exhaust the stack is a typed error."""
    deep = b"[" * 200_000 + b"]" * 200_000
    for data in (deep, b'{"choices": [], "timings": {"a": %b}}' % deep):
        assert outcome(decode, data) == outcome(decode_standard, data) == REFUSED
    with pytest.raises(DecodeError, match="nested too deeply"):
        parse(deep)


def test_integers_of_any_length_are_kept_or_refused() -> None:
    """An integer is never rounded; thousands of digits, which Python refuses, are refused."""
    data = b'{"choices": [], "created": %d}'
    assert decode(data % 2**80, Chunk).created == 2**80
    with pytest.raises(DecodeError, match="digits"):
        decode(b'{"choices": [], "created": %b}' % (b"9" * 5000), Chunk)


def test_half_an_emoji_survives() -> None:
    """A lone surrogate, such as at the cut between two chunks, decodes by the standard path."""
    data = b'{"choices": [{"delta": {"content": "\\ud83d"}, "finish_reason": "stop"}]}'
    with pytest.raises(ValueError, match="JSON|truncated"):
        fast(data, Chunk)
    assert decode(data, Chunk) == Chunk(
        choices=(Piece(delta=Delta(content="\ud83d"), finish_reason="stop"),)
    )


def test_what_a_field_may_leave_out() -> None:
    """Absent fields have their defaults, and unannounced ones are passed over."""
    for read in (decode, decode_standard):
        assert read(b'{"choices": [], "new": {"a": [1]}}', Chunk) == Chunk(choices=())
        read_usage: Any = read(b'{"choices": [], "usage": {"prompt_tokens": 3}}', Chunk)
        assert read_usage.usage == Usage(prompt_tokens=3)


CALLED = Delta(tool_calls=(CallDelta(function=FunctionDelta(name="f")),))
CHOICES = Chunk(choices=(Piece(), Piece(index=1)))

SPEECH: list[tuple[dict[str, Any], Chunk]] = [
    # Null, or a text that means it, is the default wherever there is one.
    ({"id": None, "created": None, "object": None, "choices": None}, Chunk()),
    ({"choices": [{"index": None, "delta": None, "logprobs": None}]}, Chunk(choices=(Piece(),))),
    (
        {"choices": [{"delta": {"role": ""}, "finish_reason": "null"}], "finish_reason": ""},
        Chunk(choices=(Piece(),)),
    ),
    # Numbers in other forms.
    ({"created": 1.7e9}, Chunk(created=1_700_000_000)),
    ({"created": "1700000000"}, Chunk(created=1_700_000_000)),
    ({"choices": [{"index": 1.0}]}, Chunk(choices=(Piece(index=1),))),
    (
        {"usage": {"prompt_tokens": 3.0, "completion_tokens": "-4"}},
        Chunk(usage=Usage(prompt_tokens=3, completion_tokens=-4)),
    ),
    # What describes the answer and does not fit is the default.
    ({"id": 5}, Chunk(id="5")),
    ({"id": 0.5}, Chunk(id="0.5")),
    ({"id": [], "created": "today", "usage": []}, Chunk()),
    ({"created": 0.5, "usage": {"prompt_tokens": {}}}, Chunk(usage=Usage())),
    ({"choices": [{"logprobs": []}]}, Chunk(choices=(Piece(),))),
    # An error that says nothing is none.
    ({"error": {}}, Chunk()),
    ({"error": ""}, Chunk()),
    # Text in parts, and under other names.
    ({"choices": [{"delta": {"content": []}}]}, Chunk(choices=(Piece(),))),
    *(
        ({"choices": [{"delta": {"content": content}}]}, Chunk(choices=(Piece(delta=delta),)))
        for content, delta in (
            ([{"type": "text", "text": "a"}, "b"], Delta(content="ab")),
            ({"type": "text", "text": "a"}, Delta(content="a")),
            ([{"type": "refusal", "refusal": "no"}], Delta(refusal="no")),
            ([{"type": "reference"}, {"text": "a"}], Delta(content="a")),
            (
                [{"thinking": [{"text": "h"}, {"text": "m"}]}, {"text": "a"}],
                Delta(content="a", reasoning_content="hm"),
            ),
        )
    ),
    (
        {"choices": [{"message": {"content": "a"}}]},
        Chunk(choices=(Piece(delta=Delta(content="a")),)),
    ),
    ({"choices": [{"delta": {}, "text": "a"}]}, Chunk(choices=(Piece(delta=Delta(content="a")),))),
    # An array of objects in other forms, and an index that is left out.
    ({"choices": {"delta": {"content": "a"}}}, Chunk(choices=(Piece(delta=Delta(content="a")),))),
    ({"choices": {"0": {"index": 2}, "4": {}}}, Chunk(choices=(Piece(index=2), Piece(index=1)))),
    ({"choices": [None, {"index": None}, {}]}, Chunk(choices=(Piece(), Piece(index=1)))),
    *(
        ({"choices": [{"delta": {"tool_calls": calls}}]}, Chunk(choices=(Piece(delta=delta),)))
        for calls, delta in (
            ({"function": {"name": "f"}}, CALLED),
            ([{"name": "f"}], CALLED),
            ([{"id": "1"}], Delta(tool_calls=(CallDelta(id="1"),))),
        )
    ),
    # Reasons that are not one.
    ({"choices": [{"finish_reason": False}, {"finish_reason": 0}]}, CHOICES),
    # Reasoning that is not text, or has parts.
    ({"choices": [{"delta": {"reasoning": [5]}}]}, Chunk(choices=(Piece(),))),
    ({"choices": [{"delta": {"reasoning": False}}]}, Chunk(choices=(Piece(),))),
    (
        {"choices": [{"delta": {"reasoning": [{"text": {"value": "hm"}}]}}]},
        Chunk(choices=(Piece(delta=Delta(reasoning="hm")),)),
    ),
    # Arguments as JSON itself.
    *(
        (
            {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": arguments}}]}}]},
            Chunk(
                choices=(
                    Piece(
                        delta=Delta(tool_calls=(CallDelta(function=FunctionDelta(arguments=text)),))
                    ),
                )
            ),
        )
        for arguments, text in (({"a": ["é"]}, '{"a":["\\u00e9"]}'), (None, None), ("{", "{"))
    ),
]


@pytest.mark.parametrize(("document", "value"), SPEECH)
def test_the_standard_path_reads_what_engines_send(document: object, value: Chunk) -> None:
    """What differs from the spec without losing anything of the answer is read."""
    assert decode_standard(json.dumps(document).encode(), Chunk) == value


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (5, r"expected a string or null, got an integer @ \$\.choices\[0\]\.delta\.content"),
        ([5], r"expected a string or a part, got an integer @ .*\.delta\.content\[0\]"),
        ([{"type": "image"}], r"expected a part with text @ .*\.delta\.content\[0\]"),
        ({"type": "image"}, r"expected a part with text @ .*\.delta\.content"),
        ([{"text": 5}], r"expected a string, got an integer @ .*\.delta\.content\[0\]\.text"),
        ([{"thinking": [5]}], r"got an integer @ .*\.content\[0\]\.thinking\[0\]"),
    ],
)
def test_what_carries_the_answer_is_read_strictly(content: object, said: str) -> None:
    """Content of another type is an error with its path, and never left out."""
    document = {"choices": [{"delta": {"content": content}}]}
    with pytest.raises(DecodeError, match=said):
        decode(json.dumps(document).encode(), Chunk)
    with pytest.raises(DecodeError, match=r"expected null, got an object @ \$\.error$"):
        decode(b'{"error": {"code": 5}}', Chunk)


def test_a_text_that_means_null_is_null_on_either_path() -> None:
    """The fast path gives way where a document has such a text."""
    for reason in ("", "null"):
        data = json.dumps(
            {"choices": [{"message": {"role": ""}, "finish_reason": reason}]}
        ).encode()
        assert decode(data, Completion) == Completion(choices=(Choice(message=Said()),))
    quoted = {"choices": [{"message": {"content": '"finish_reason": ""'}}]}
    assert decode(json.dumps(quoted).encode(), Completion).text == '"finish_reason": ""'
    assert decode(b'{"threadId": ""}', Renamed) == Renamed(thread="")


def test_an_answer_goes_back_under_the_names_it_came_with() -> None:
    """Reasoning is unstructured under its own name, and decoded again to the same."""
    for name in ("reasoning", "reasoning_content"):
        plain = unstructure(decode(json.dumps({name: "hm"}).encode(), Said))
        assert {key for key in plain if plain[key] == "hm"} == {name}
        assert decode(encode(plain), Said).reasoning == "hm"


@pytest.mark.parametrize("around", [b"\xef\xbb\xbf%s", b"%s\0\0", b"\n %s\n"])
def test_bytes_around_a_document_are_passed_over(around: bytes) -> None:
    """A byte order mark, white space and zero bytes at the end are not an error."""
    assert decode(around % b'{"id": "a"}', Chunk) == Chunk(id="a")


def test_an_unannounced_field_is_not_looked_into() -> None:
    """What nobody will see is no reason to refuse what they will."""
    assert decode(b'{"choices": [], "new": "\xff"}', Chunk) == Chunk(choices=())


@frozen
class Kinds:
    """Types that a spec can name."""

    closed: Literal["a", "b"] = "a"
    number: Literal[1, 2] | None = None
    mixed: Literal["auto"] | int = 0
    either: str | float = 0.0
    ratio: float = 0.0
    names: list[str] | None = None
    nested: tuple[tuple[int, ...], ...] = ()
    counts: dict[str, int] | None = None


KINDS = some_of(
    closed=st.sampled_from(["a", "b", "c"]),
    number=or_null(st.integers(0, 3)),
    mixed=st.one_of(st.integers(), st.sampled_from(["auto", "other"])),
    either=st.one_of(TEXTS, NUMBERS),
    ratio=NUMBERS,
    names=or_null(st.lists(mostly(TEXTS), max_size=3)),
    nested=st.lists(st.lists(mostly(st.integers()), max_size=2), max_size=2),
    counts=or_null(st.dictionaries(st.text(max_size=3), mostly(st.integers()), max_size=2)),
)


@given(KINDS)
@example({"number": True})
@example({"closed": []})
@example({"either": 5})
@example({"either": 10**400})
@example({"ratio": 5})
@example({"ratio": 10**400})
@example({"ratio": True})
@example({"mixed": "auto"})
@example({"names": "ab"})
@example({"nested": [[1], [2, 3]]})
@example({"nested": {"a": 1}})
@example({"counts": [["a", 1]]})
def test_both_paths_give_the_same_for_every_kind_of_type(document: Any) -> None:
    """Literals, unions, arrays and objects of typed values."""
    data = json.dumps(document).encode()
    standard = outcome(decode_standard, data, Kinds)
    assert outcome(decode, data, Kinds) == standard
    assert outcome(fast, data, Kinds) in (standard, REFUSED)


def test_a_literal_names_what_it_takes() -> None:
    """A closed enum's refusal lists its values."""
    with pytest.raises(DecodeError, match='expected "a" or "b", got a string @ '):
        decode(b'{"closed": "c"}', Kinds)
    with pytest.raises(DecodeError, match='expected an integer or "auto", got a string'):
        decode(b'{"mixed": "other"}', Kinds)


@frozen
class Holder:
    """Classes with renamed fields, at some depth."""

    inner: Renamed | None = None
    many: tuple[Renamed, ...] = ()
    plain: str = ""


@frozen
class Knot:
    """A class that holds itself."""

    inner: Knot | None = None
    name: str = ""


def test_a_field_goes_by_its_name_on_the_wire() -> None:
    """In a class, and in whatever holds it; the Python name means nothing there."""
    data = b'{"inner": {"threadId": "1"}, "many": [{"threadId": "2", "note": "n"}]}'
    value = decode(data, Holder)
    assert value == Holder(Renamed(thread="1"), (Renamed(thread="2", note="n"),))
    assert decoder(Holder)(data) == value
    assert decode(b'{"threadId": "3"}', Renamed) == Renamed(thread="3")
    with pytest.raises(DecodeError, match=r"required field missing @ \$\.threadId$"):
        decode(b'{"thread": "3"}', Renamed)
    assert unstructure(Renamed(thread="4")) == {"threadId": "4", "note": None}


def test_a_class_that_holds_itself() -> None:
    """Looking for renamed fields comes to an end, and both paths read it."""
    data = b'{"inner": {"inner": {"name": "x"}}}'
    assert decode(data, Knot) == decode_standard(data, Knot) == Knot(Knot(Knot(None, "x")))


def test_decoders_and_the_converter_are_made_once() -> None:
    """They cost more than a call."""
    assert decoder(Chunk) is decoder(Chunk)
    assert converter() is converter()


@given(JUNK)
def test_what_is_encoded_parses_to_the_same(value: Any) -> None:
    """Lone surrogates included, in ASCII; and what JSON has no form for is refused."""
    try:
        data = encode(value)
    except ValueError:
        assert "nan" in repr(value) or "inf" in repr(value)
    else:
        assert data.isascii()
        assert repr(parse(data)) == repr(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), {("a",): 1}])
def test_what_json_has_no_form_for_cannot_be_encoded(value: object) -> None:
    """It is a TypeError, as of the standard library."""
    with pytest.raises(TypeError):
        encode(value)


def test_a_value_that_contains_itself_cannot_be_encoded() -> None:
    """It is a ValueError, and not an endless loop."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="Circular"):
        encode(loop)


def test_typed_values_become_plain_ones() -> None:
    """Objects of attrs classes, with what they hold."""
    note = Note(role="user", content=[Part(type="text", text="hi")])
    unstructured = {
        "role": "user",
        "content": [{"type": "text", "text": "hi", "image_url": None}],
        "name": None,
    }
    assert unstructure(note) == unstructured


def test_a_whole_answer_goes_there_and_back() -> None:
    """What is unstructured structures to the same value."""
    data = b'{"id": "a", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}'
    value = decode(data, Completion)
    assert decode_standard(encode(unstructure(value)), Completion) == value


def test_kinds_of_plain_values_are_told_apart() -> None:
    """Objects are mappings, arrays are lists, and texts are neither."""
    assert is_object({})
    assert is_array([])
    assert not any(is_object(value) or is_array(value) for value in (None, "x", 5, ()))


@frozen(kw_only=True)
class Vector:
    """A class with a field that is an array or text."""

    numbers: tuple[float, ...] | str | None = None


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([1, 2.5], (1.0, 2.5)), ([], ()), ("AAA=", "AAA="), (None, None)],
)
def test_a_field_can_be_an_array_or_a_scalar(numbers: object, expected: object) -> None:
    """A union of an array and scalars is decoded by the type of the JSON value."""
    data = json.dumps({"numbers": numbers}).encode()
    assert decode_standard(data, Vector).numbers == decode(data, Vector).numbers == expected


@pytest.mark.parametrize("numbers", [5, {}, ["a"]])
def test_other_types_for_an_array_or_a_scalar_are_refused(numbers: object) -> None:
    """A value of none of the types is an error that has its path."""
    with pytest.raises(DecodeError, match=r"\$\.numbers"):
        decode(json.dumps({"numbers": numbers}).encode(), Vector)


@frozen(kw_only=True)
class Cat:
    """A class that a tag tells from others."""

    kind: Literal["cat"]
    born: date | None = None


@frozen(kw_only=True)
class Dog:
    """A class whose tag has another name in Python."""

    sort: Literal["dog"] = field(metadata={"wire": "kind"})
    seen: datetime | None = None


@frozen(kw_only=True)
class Fish:
    """A class without a tag."""

    kind: str


@frozen(kw_only=True)
class Owner:
    """A class that holds unions."""

    pet: Cat | Dog | None = None
    pets: dict[str, Cat | Dog | dict[str, Any]] | None = None
    either: Cat | tuple[int, ...] | str | None = None
    day: date | int | None = None


@pytest.mark.parametrize(
    ("document", "cls", "value"),
    [
        ({"kind": "cat", "born": "2026-01-02"}, Cat, Cat(kind="cat", born=date(2026, 1, 2))),
        ({"kind": "dog"}, Cat | Dog, Dog(sort="dog")),
        (
            {"kind": "dog", "seen": "2026-01-02T03:04:05Z"},
            Dog,
            Dog(sort="dog", seen=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ),
        ({"pet": {"kind": "cat"}}, Owner, Owner(pet=Cat(kind="cat"))),
        ({"pet": None}, Owner, Owner()),
        (
            {"pets": {"a": {"kind": "cat"}, "b": {"kind": "bird"}}},
            Owner,
            Owner(pets={"a": Cat(kind="cat"), "b": {"kind": "bird"}}),
        ),
        ({"either": [1]}, Owner, Owner(either=(1,))),
        ({"either": "x"}, Owner, Owner(either="x")),
        ({"either": {"kind": "cat"}}, Owner, Owner(either=Cat(kind="cat"))),
        ({"day": "2026-01-02"}, Owner, Owner(day=date(2026, 1, 2))),
        ({"day": 5}, Owner, Owner(day=5)),
        ([{"kind": "cat"}], tuple[Cat | Dog, ...], (Cat(kind="cat"),)),
        ([["2026-01-02"], 5], tuple[tuple[date, ...] | int, ...], ((date(2026, 1, 2),), 5)),
    ],
)
def test_dates_and_unions_are_decoded(document: object, cls: Any, value: object) -> None:
    """A tag, or else the kind in JSON, tells the members of a union apart."""
    assert decode(json.dumps(document).encode(), cls) == value


@pytest.mark.parametrize(
    ("document", "cls", "said"),
    [
        ({"kind": "bird"}, Cat | Dog, r"expected 'cat' or 'dog', got 'bird' @ \$\.kind"),
        ({"pet": {}}, Owner, r"expected 'cat' or 'dog', got 'None' @ \$\.pet\.kind"),
        ({"pet": 5}, Owner, r"an object.*got an integer @ \$\.pet|expected null"),
        (5, Cat | Dog, "expected an object, got an integer"),
        (
            {"kind": "dog", "seen": "2026-01-02T03:04:05"},
            Dog,
            "date-time with a time zone, got '2026",
        ),
        ({"kind": "dog", "seen": "soon"}, Dog, "expected a date-time with a time zone, got 'soon'"),
        ({"kind": "dog", "seen": 5}, Dog, "expected a date-time with a time zone, got an integer"),
        ({"day": "2026-02-30"}, Owner, "expected a date, got '2026-02-30'"),
        ({"day": "20260102"}, Owner, "expected a date, got '20260102'"),
        ({"kind": "cat"}, Cat | Fish, "no field tells Cat, Fish apart"),
    ],
)
def test_what_no_member_of_a_union_is_like_is_refused(
    document: object, cls: Any, said: str
) -> None:
    """The error says what was expected, and where."""
    with pytest.raises(DecodeError, match=said):
        decode(json.dumps(document).encode(), cls)


def test_dates_become_text_again() -> None:
    """In the form that they came in."""
    dog = Dog(sort="dog", seen=datetime(2026, 1, 2, tzinfo=UTC))
    assert unstructure(dog) == {"kind": "dog", "seen": "2026-01-02T00:00:00+00:00"}
    assert unstructure(Cat(kind="cat", born=date(2026, 1, 2)))["born"] == "2026-01-02"


@frozen
class _Dated:
    """A class with a point in time and no other special field."""

    at: datetime


def test_a_point_in_time_needs_a_time_zone() -> None:
    """A datetime with a zone is decoded; one without a zone is an error."""
    assert decode(b'{"at": "2026-01-02T03:04:05Z"}', _Dated).at == datetime(
        2026, 1, 2, 3, 4, 5, tzinfo=UTC
    )
    with pytest.raises(DecodeError, match="at"):
        decode(b'{"at": "2026-01-02T03:04:05"}', _Dated)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b' {"a" : [1, 2.50],\r\n "b": "x  y"}\n', b'{"a":[1,2.50],"b":"x  y"}'),
        ('{"a": "\u2028é"}'.encode(), '{"a":"\u2028é"}'.encode()),
        # What msgspec refuses goes the standard way.
        (b'{"a": "\\ud83d"}', b'{"a":"\\ud83d"}'),
        (b'\xef\xbb\xbf{"a": 1}', b'{"a":1}'),
        (b'{"a": 123456789012345678901234567890}', b'{"a":123456789012345678901234567890}'),
    ],
)
def test_a_document_on_one_line_is_the_same(data: bytes, expected: bytes) -> None:
    """White space between values goes, and numbers and texts stay as they are."""
    assert compact(data) == expected


@pytest.mark.parametrize("data", [b"", b"{", b'{"a": NaN}', b'{"a": "\xff"}', b'{"a": "\n"}'])
def test_only_a_valid_document_is_put_on_one_line(data: bytes) -> None:
    """What is not JSON is refused, as by `parse`."""
    with pytest.raises(DecodeError):
        compact(data)


def test_a_deep_document_on_one_line_is_whole_or_refused() -> None:
    """Near the limit of the stack's depth, a document is either whole or a typed error."""
    refused = 0
    for depth in (*range(900, 1010), 200_000):  # the limit differs between Pythons
        data = b"[" * depth + b'"\\ud83d"' + b"]" * depth
        try:
            assert compact(data) == data
        except DecodeError:
            refused += 1
    assert refused > 0


def test_an_empty_array_of_objects_stays_one() -> None:
    """An empty array becomes null where an object is due, not where an array of them is."""
    document = b'{"choices": [], "usage": [], "created": 1.0}'
    assert decode(document, Completion) == Completion(choices=(), created=1)


def test_a_linked_value_and_those_in_it_keep_their_source_and_path() -> None:
    """Each typed object keeps the document's bytes and the path to it; defaults have none."""
    choices = b'[{"message": {"content": "a"}}, {"message": {"content": "b"}}]'
    data = b'{"choices": %s, "usage": {"total_tokens": 1}}' % choices
    completion = linked(decode(data, Completion), data)
    parts = (completion, completion.usage, completion.choices[1], completion.choices[1].message)
    assert [vars(each)[LINK] for each in parts] == [
        (data, ()),
        (data, (("usage",),)),
        (data, (("choices",), 1)),
        (data, (("choices",), 1, ("message", "delta", "text"))),
    ]
    assert linked(5, data) == 5


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ({"choices": [{"message": {"tool_calls": [{"name": "f"}]}}]}, "f"),
        ({"choices": [{"message": {"tool_calls": [{"function": {"name": "g"}}]}}]}, "g"),
        ({"choices": [{"message": {"tool_calls": [{"id": "1"}]}}]}, ""),
    ],
)
def test_a_document_whose_function_is_spread_over_its_call_is_read(
    document: object, value: str
) -> None:
    """The fast path gives way where a call has no function, whose fields may be beside it."""
    data = json.dumps(document).encode()
    for read in (decode, decode_standard):
        calls = read(data, Completion).choices[0].message.tool_calls
        assert calls is not None
        assert calls[0].function.name == value


def test_choices_without_an_index_have_their_position() -> None:
    """Several choices without an index are counted, and the fast path gives way to that."""
    data = b'{"choices": [{"message": {}}, {"index": 5, "message": {}}, {"message": {}}]}'
    for read in (decode, decode_standard):
        assert [choice.index for choice in read(data, Completion).choices] == [0, 5, 2]


def test_a_value_may_be_missing_only_where_the_class_says_so() -> None:
    """Values of other types, and classes without such fields, lack nothing."""
    assert lacks_value(fast(b'{"id": "1"}', CallDelta))
    assert lacks_value(fast(b'{"choices": [{}, {}]}', Chunk))
    for value in (5, Usage(), Renamed(thread="x"), Chunk(), CHOICES, CALLED):
        assert not lacks_value(value)


@pytest.mark.parametrize(
    ("value", "objects"),
    [
        ([{"a": 1}, None], [{"a": 1}, None]),
        ({"a": 1}, [{"a": 1}]),
        ({"0": {"a": 1}, "7": 5}, [{"a": 1}, 5]),
        ({}, []),
        (None, []),
        ("a", []),
    ],
)
def test_objects_are_found_in_every_form_of_an_array(value: object, objects: list[Any]) -> None:
    """An array is itself, an object of numbers is its values, and another object is the item."""
    assert objects_in(value) == objects


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"a": 1}{"b": 2}', [b'{"a": 1}', b'{"b": 2}']),
        (b'{"a": "\xc3\xa9"}\r\ndata: [DONE]', [b'{"a": "\xc3\xa9"}', b"[DONE]"]),
        (b'data: data:{"a": 1}', [b'{"a": 1}']),
        (b"data: [DONE]", [b"[DONE]"]),
        (b'[{"a": 1}, {"b": 2}]', [b'{"a":1}', b'{"b":2}']),
        (b'{"a": 1} rubbish', [b'{"a": 1}', b"rubbish"]),
        (b'{"a": 1}', []),
        (b"[5]", []),
        (b"rubbish", []),
        (b"\xff", []),
        (b"", []),
    ],
)
def test_the_documents_of_one_event_are_split(data: bytes, found: list[bytes]) -> None:
    """Each document is one, whatever stands between them; the rest is the last."""
    assert documents(data) == found
    for each in found:
        assert documents(each) == []
