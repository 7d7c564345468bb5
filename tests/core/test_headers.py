"""Header names and values: an answer's, and the caller's."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from autonomousai_sdk._core.headers import Headers, changes, check_value, checked, is_secret, shown
from autonomousai_sdk.errors import ConfigurationError


def test_names_compare_without_case() -> None:
    """HTTP says so, and servers differ."""
    headers = Headers([("Content-Type", "text/html"), ("X-A", "1")])
    assert headers["content-type"] == headers["CONTENT-TYPE"] == "text/html"
    assert "x-a" in headers
    assert "X-B" not in headers
    assert list(headers) == ["content-type", "x-a"]
    assert len(headers) == 2


def test_values_of_one_name_are_joined() -> None:
    """What came several times reads as RFC 9110 says: with a comma and a space."""
    assert Headers([("Via", "a"), ("x", "1"), ("via", "b")])["via"] == "a, b"


def test_a_mapping_like_any_other() -> None:
    """Answers' headers compare with plain mappings."""
    assert Headers([("A", "1")]) == {"a": "1"}
    assert Headers() == {}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_headers_survive_a_pickle(protocol: int) -> None:
    """By every protocol, because errors hold them."""
    headers = Headers([("A", "1"), ("a", "2")])
    again = pickle.loads(pickle.dumps(headers, protocol))
    assert again == headers
    assert again["A"] == "1, 2"


@pytest.mark.parametrize(
    "name", ["authorization", "Proxy-Authorization", "Cookie", "set-cookie", "SET-COOKIE"]
)
def test_credentials_do_not_show(name: str) -> None:
    """A repr, such as in a traceback with locals, has asterisks where a credential is."""
    headers = Headers([(name, "Bearer sesame"), ("x-plain", "seen")])
    assert headers[name] == "Bearer sesame"
    assert "sesame" not in repr(headers)
    assert "seen" in repr(headers)
    assert shown([(name, "sesame")]) == {name: "**********"}
    assert is_secret(name)
    assert not is_secret("x-plain")


def test_the_callers_names_are_lowered() -> None:
    """What the caller sets goes over the SDK's own whatever the case it is written in."""
    assert checked({"User-Agent": "me/1", "x": ""}, "headers=") == {"user-agent": "me/1", "x": ""}


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "naïve", "(a)", 5, None])
def test_a_name_that_http_does_not_allow_is_refused(name: Any) -> None:
    """The message has the name and the rule."""
    with pytest.raises(ConfigurationError, match=r"^headers=: .* is not a header name \(RFC 9110"):
        checked({name: "x"}, "headers=")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("se\rsame", r"U\+000D at position 2; .* printable ASCII"),
        ("se\nsame", r"U\+000A at position 2"),
        ("se\0same", r"U\+0000 at position 2"),
        ("sésame", r"U\+00E9 at position 1"),
        ("sesame😀", r"U\+1F600 at position 6"),
        ("sesame ", "starts or ends with white space"),
        ("\tsesame", "starts or ends with white space"),
        (7, "a string, not int"),
        (b"sesame", "a string, not bytes"),
    ],
)
def test_a_value_that_cannot_be_sent_is_refused_unseen(value: Any, said: str) -> None:
    """The message says which character is wrong and where, and never repeats the value."""
    with pytest.raises(ConfigurationError, match=f"^headers= 'x-key': .*{said}") as caught:
        checked({"x-key": value}, "headers=")
    assert "same" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "a\tb", "a b", "~!", "x" * 10_000])
def test_a_value_that_can_be_sent_passes(value: str) -> None:
    """Printable ASCII, with spaces and tabs inside, of any length."""
    check_value(value, "headers=")


@pytest.mark.parametrize("headers", [[("a", "b")], "a: b", 5])
def test_headers_are_a_mapping(headers: Any) -> None:
    """Pairs and text are refused by the name of their type."""
    kind = type(headers).__name__
    with pytest.raises(ConfigurationError, match=f"mapping of names to values, not {kind}"):
        checked(headers, "headers=")


def test_a_header_that_is_none_is_to_be_left_out() -> None:
    """`changes` separates the headers to send from the names of those to leave out."""
    assert changes({"X-A": "1", "X-B": None}, "headers=") == ({"x-a": "1"}, frozenset({"x-b"}))
    bad: Any = [("a", None)]
    for headers in (bad, {"a b": None}, {"a": "\n", "b": None}):
        with pytest.raises(ConfigurationError, match="headers="):
            changes(headers, "headers=")
