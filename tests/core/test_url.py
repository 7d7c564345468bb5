"""Base URLs, paths, and what counts as this machine."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.url import (
    checked_base_url,
    is_loopback,
    joined,
    segment,
    without_credentials,
)
from autonomousai_sdk.errors import ConfigurationError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://h", "http://h"),
        ("http://h/", "http://h"),
        ("https://h/v9", "https://h/v9"),
        ("https://h/v9//", "https://h/v9"),
        ("HTTPS://h:8443/a/b/", "https://h:8443/a/b"),
        ("http://[::1]:80/", "http://[::1]:80"),
        ("http://h/a%20b", "http://h/a%20b"),
        ("http://h/@scope", "http://h/@scope"),
    ],
)
def test_paths_can_be_joined_to_a_checked_url(given: str, kept: str) -> None:
    """Slashes at the end go, and everything else stays as it is."""
    assert checked_base_url(given) == kept
    assert joined(kept, "/chat") == f"{kept}/chat"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "is a string, not int"),
        (None, "is a string, not NoneType"),
        ("", r"is empty: give a URL, for example 'http://127\.0\.0\.1"),
        ("http://h/a b", r"U\+0020 at position 10, .*percent-encode"),
        (" http://h", r"U\+0020 at position 0"),
        ("http://h\n", r"U\+000A at position 8"),
        ("http://exämple", r"U\+00E4 at position 9, .*'xn--' form"),
        ("http://😀.example", r"U\+1F600 at position 7"),
        ("http://[::1", "is not a URL: Invalid IPv6"),
        ("http://h:port", "is not a URL: Port"),
        ("http://h:99999", "is not a URL: Port"),
        ("h/v9", "'h/v9' needs a scheme, http:// or https://, for example"),
        ("//h", "needs a scheme"),
        ("ftp://h", "needs a scheme"),
        ("localhost:8000", "needs a scheme"),
        ("http://", "names no host"),
        ("http:///v9", "names no host"),
        ("http://h:0", "no port that exists"),
        ("http://h?k=1", "'http://h' has a query or a fragment, .*leave it out"),
        ("http://h/?", "query or a fragment"),
        ("http://h#f", "query or a fragment"),
        ("http://h/v9#", "query or a fragment"),
    ],
)
def test_what_is_no_base_url_is_refused_with_advice(given: Any, said: str) -> None:
    """The message names the argument, what is wrong with it and what to do."""
    with pytest.raises(ConfigurationError, match=f"^AUTONOMOUSAI_BASE_URL .*{said}"):
        checked_base_url(given, "AUTONOMOUSAI_BASE_URL")


@pytest.mark.parametrize(
    "given",
    [
        "http://user:sesame@h",
        "http://:sesame@h",
        "http://sesame@h",
        "user:sesame@h/v9",
        "//user:sesame@h",
        "http:/user:sesame@h",
        "ftp://user:sesame@h",
        "http://h/?key=sesame",
        "http://h/?key=sesame@h",
        "http://h/#key=sesame",
    ],
)
def test_what_may_be_a_password_is_refused_and_not_repeated(given: str) -> None:
    """Credentials in a URL never go out, and never show in the message, wherever they are."""
    with pytest.raises(ConfigurationError) as caught:
        checked_base_url(given)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("file-1", "file-1"),
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("%2e%2e", "%252e%252e"),
        ("a b?c#d", "a%20b%3Fc%23d"),
        ("é", "%C3%A9"),
    ],
)
def test_a_path_parameter_stays_one_segment(value: str, encoded: str) -> None:
    """Whatever could leave its segment is encoded."""
    assert segment(value, "id") == encoded


@pytest.mark.parametrize("value", ["", ".", "..", "\ud83d"])
def test_a_path_parameter_that_cannot_be_a_segment_is_refused(value: str) -> None:
    """Empty and dot segments, which servers resolve away, and text that is no UTF-8."""
    with pytest.raises(ConfigurationError, match="^id .*cannot be a part of a URL's path"):
        segment(value, "id")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "http://LOCALHOST:1/x",
        "http://api.localhost",
        "http://127.0.0.1:8000/v1",
        "http://127.3.2.1",
        "http://[::1]:8000",
    ],
)
def test_loopback_is_this_machine(url: str) -> None:
    """Addresses of the loopback networks and the names reserved for it."""
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://localhost.example.com",
        "http://notlocalhost",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://[2001:db8::1]",
        "http://",
        "http://127.0.0.1.example.com",
    ],
)
def test_anything_else_is_elsewhere(url: str) -> None:
    """A key may not go there unencrypted, so only what is certain is loopback."""
    assert not is_loopback(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:sesame@proxy:3128/x", "http://proxy:3128/x"),
        ("socks5://sesame@proxy", "socks5://proxy"),
        ("http://a@b:sesame@proxy", "http://proxy"),
        ("http://proxy/@home", "http://proxy/@home"),
        ("http://proxy?to=me@home", "http://proxy?to=me@home"),
        ("//user:sesame@h/x", "//h/x"),
        ("/relative", "/relative"),
        ("http://user:sesame@[bad", "http://[bad"),
    ],
)
def test_a_url_is_shown_without_credentials(url: str, shown: str) -> None:
    """User name and password go, the rest stays, and no URL is too odd for it."""
    assert without_credentials(url) == shown
