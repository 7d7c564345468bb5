"""URLs: base URLs, path segments and loopback addresses."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.url import (
    checked_base_url,
    is_loopback,
    query_string,
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
def test_a_path_can_be_appended_to_a_checked_url(given: str, kept: str) -> None:
    """`checked_base_url` removes trailing slashes and changes nothing else."""
    assert checked_base_url(given) == kept


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "must be a string, not int"),
        (None, "must be a string, not NoneType"),
        ("", r"is empty: pass a URL, for example 'http://127\.0\.0\.1"),
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
        ("http://", "has no host"),
        ("http:///v9", "has no host"),
        ("http://h:0", "has port 0"),
        ("http://a..b", r"'http://a\.\.b': a label of the host name is empty; each has 1 to 63"),
        ("http://.h", "a label of the host name is empty"),
        (f"http://x.{'a' * 64}.com", "a label of the host name is 64 characters long"),
        ("http://h?k=1", "'http://h' has a query or fragment, .*remove it"),
        ("http://h/?", "query or fragment"),
        ("http://h#f", "query or fragment"),
        ("http://h/v9#", "query or fragment"),
    ],
)
def test_an_invalid_base_url_is_refused_with_advice(given: Any, said: str) -> None:
    """The message names the variable, the problem and the way to fix it."""
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
def test_a_url_with_credentials_is_refused_without_repeating_them(given: str) -> None:
    """A base URL with credentials in any part is refused, and the message hides them."""
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
    """`segment` encodes every character that could end the path segment."""
    assert segment(value, "id") == encoded


def test_query_parameters_are_encoded() -> None:
    """Names and texts are percent-encoded, and no parameters give no question mark."""
    assert (
        query_string([("a[]", "x y", "a"), ("a[]", "é&", "a")])
        == "?a%5B%5D=x%20y&a%5B%5D=%C3%A9%26"
    )
    assert query_string([]) == ""
    with pytest.raises(ConfigurationError, match="^tags cannot be encoded in a URL"):
        query_string([("tag", "\ud83d", "tags")])


@pytest.mark.parametrize("value", ["", ".", "..", "\ud83d"])
def test_a_path_parameter_that_cannot_be_a_segment_is_refused(value: str) -> None:
    """`segment` refuses empty values, dot segments and text that UTF-8 cannot encode."""
    with pytest.raises(ConfigurationError, match="^id (must not be empty|cannot be encoded)"):
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
def test_loopback_addresses_and_names_are_recognised(url: str) -> None:
    """Loopback networks, `localhost` and its subdomains count as loopback."""
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
def test_other_hosts_are_not_loopback(url: str) -> None:
    """Any host that may resolve to another machine does not count as loopback."""
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
    """`without_credentials` removes user name and password, also from malformed URLs."""
    assert without_credentials(url) == shown


@pytest.mark.parametrize("host", ["h.", f"{'a' * 63}.com", "127.0.0.1", "[::1]", "xn--h.example"])
def test_host_names_of_all_lengths_are_taken(host: str) -> None:
    """A final dot, labels of 63 characters and addresses are valid."""
    assert checked_base_url(f"http://{host}") == f"http://{host}"
