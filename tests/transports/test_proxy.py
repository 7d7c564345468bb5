"""Which proxy a request goes through, and which proxies are refused before it goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import autonomousai_sdk as sdk
from autonomousai_sdk.transports import _proxy
from autonomousai_sdk.transports._proxy import Proxy, parse_proxy, proxy_for

SECRET = "sesame"
P1 = Proxy("http", "p", 1)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy", Proxy("http", "proxy", 80)),
        ("HTTPS://proxy", Proxy("https", "proxy", 443)),
        ("socks5://proxy/", Proxy("socks5", "proxy", 1080)),
        ("socks5h://proxy", Proxy("socks5h", "proxy", 1080)),
        ("http://10.0.0.1:3128/", Proxy("http", "10.0.0.1", 3128)),
        ("http://[::1]:8080", Proxy("http", "::1", 8080)),
        ("http://[::1]", Proxy("http", "::1", 80)),
        ("http://me:sesame@proxy:1", Proxy("http", "proxy", 1, (b"me", b"sesame"))),
        ("http://me@proxy:1", Proxy("http", "proxy", 1, (b"me", b""))),
        ("http://me:a%40b%23%25%3A@proxy:1", Proxy("http", "proxy", 1, (b"me", b"a@b#%:"))),
        (
            "http://m%C3%A9:%e2%82%ac@proxy:1",
            Proxy("http", "proxy", 1, ("mé".encode(), "€".encode())),
        ),
        ("http://me:a:b@proxy:1", Proxy("http", "proxy", 1, (b"me", b"a:b"))),
        ("socks5://a%3Ab:c@proxy", Proxy("socks5", "proxy", 1080, (b"a:b", b"c"))),
    ],
)
def test_valid_url(url: str, proxy: Proxy) -> None:
    """A valid URL is parsed: scheme, host, port and percent-decoded credentials."""
    assert parse_proxy(url, "proxy=") == proxy


INVALID: Mapping[str, str] = {
    "": "the proxy's URL is empty",
    "proxy:3128": "has no scheme; write http://",
    "://proxy": "has no scheme",
    "me:sesame@proxy:3128": "has no scheme",
    "1://proxy": "has no scheme",
    "ftp://me:sesame@proxy": "a ftp:// proxy is not supported; use http://, https://, socks5://",
    "socks4://proxy:1": "a socks4:// proxy is not supported",
    "http://": "has no host",
    "http://:8080": "has no host",
    "http://me:sesame@": "has no host",
    "http://me:sesame@:8080": "has no host",
    "http://proxy:0": "port is not a number from 1 to 65535",
    "http://proxy:65536": "port is not a number",
    "http://proxy:99999": "port is not a number",
    "http://proxy:123456789": "port is not a number",
    "http://proxy:": "port is not a number",
    "http://proxy:http": "port is not a number",
    "http://proxy:-1": "port is not a number",
    "http://proxy:8O80": "port is not a number",
    "http://me:sesame": "port is not a number",  # the host was forgotten
    "http://me:ses#ame@proxy:1": "has an unescaped '#'; write %23",
    "http://me:ses?ame@proxy:1": "has an unescaped '?'; write %3F",
    "http://me:ses/ame@proxy:1": "has an unescaped '/'; write %2F",
    "http://me:ses@ame@proxy:1": "has an unescaped '@'; write %40",
    "http://me:ses[ame@proxy:1": "has an unescaped '['; write %5B",
    "http://me:ses%ame@proxy:1": "has a '%' that does not start an escape such as %40; write %25",
    "http://me:sesame%@proxy:1": "has a '%'",
    "http://me:sesame%4@proxy:1": "has a '%'",
    "http://me%zz:sesame@proxy:1": "has a '%'",
    "http://[::1:8080": "not an IPv6 address in brackets",
    "http://[proxy]:8080": "not an IPv6 address in brackets",
    "http://[::1]8080": "not an IPv6 address in brackets",
    "http://me:sesame@[::1": "not an IPv6 address in brackets",
    "http://::1:8080": "several colons after the host; write an IPv6 address in brackets",
    "http://pro]xy": "a character that no host name has",
    "http://proxy%20:1": "a character that no host name has",
    "http://proxy:1/path": "has a path, query or fragment",
    "http://proxy:1?query": "has a path, query or fragment",
    "http://proxy:1#fragment": "has a path, query or fragment",
    "http://me:sesame#proxy:1": "has a path, query or fragment",
    " http://proxy": "white space, a control character or a non-ASCII character at position 0",
    "http://proxy ": "at position 12",
    "http://proxy\n": "at position 12",
    "http://me:ses ame@proxy": "at position 13",
    "http://me:ses\tame@proxy": "at position 13",
    "http://me:ses\x00ame@proxy": "at position 13",
    "http://me:sesamé@proxy": "at position 15; remove it, or percent-encode it",
    "http://prоxy": "at position 9",  # noqa: RUF001  # a Cyrillic letter
    "http://a%3Ab:sesame@proxy": "user name cannot have a ':'",
    "socks5://me:@proxy": "have 1 to 255 bytes each",
    f"socks5://me:{'sesame' * 50}@proxy": "have 1 to 255 bytes each",
}


REFUSED = [
    (source, url, said)
    for url, said in INVALID.items()
    for source in ("proxy=", "HTTPS_PROXY", "https_proxy", "ALL_PROXY")
    # A variable cannot hold a NUL, and one without a scheme means http://.
    if source == "proxy=" or ("://" in url and "\x00" not in url)
]


@pytest.mark.parametrize(("source", "url", "said"), REFUSED)
@pytest.mark.parametrize("client", [sdk.Client, sdk.AsyncClient])
def test_invalid_url(
    monkeypatch: pytest.MonkeyPatch, client: Any, source: str, url: str, said: str
) -> None:
    """A URL that is not a proxy's is refused when the client is made, by its source's name.

    Neither the message nor a traceback with locals repeats the password.
    """
    arguments: dict[str, Any] = {"base_url": "https://service.example"}
    if source == "proxy=":
        arguments["proxy"] = url
    else:
        monkeypatch.setenv(source, url)
    with pytest.raises(sdk.ConfigurationError) as caught:
        client(**arguments)
    assert str(caught.value).startswith(f"{source}: ")
    assert said in str(caught.value)
    assert caught.value.__context__ is None
    own = [frame for frame in caught.traceback if "autonomousai_sdk" in str(frame.path)]
    shown = [str(caught.value), *(repr(frame.locals) for frame in own)]
    assert own
    for part in (SECRET, "ses#", "ses ", "ame@"):
        assert not any(part in each for each in shown)


@pytest.mark.parametrize("value", [5, b"http://proxy", ["http://proxy"], True])
@pytest.mark.parametrize("client", [sdk.Client, sdk.AsyncClient])
def test_argument_of_another_type(client: Any, value: object) -> None:
    """A proxy that is not a string is refused with the name of its type."""
    with pytest.raises(sdk.ConfigurationError, match=f"not {type(value).__name__}"):
        client(proxy=value)


def _find_nothing(name: str) -> None:
    """Find no package."""


@pytest.mark.parametrize("source", ["proxy=", "ALL_PROXY"])
def test_socks_without_its_package(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """A SOCKS proxy without the package for it is refused with what to install."""
    monkeypatch.setattr(_proxy, "find_spec", _find_nothing)
    arguments: dict[str, Any] = {"proxy": "socks5://me:sesame@proxy"}
    if source != "proxy=":
        monkeypatch.setenv(source, arguments.pop("proxy"))
    with pytest.raises(
        sdk.ConfigurationError, match=rf'{source}: .* pip install "autonomousai-sdk\[socks\]"'
    ):
        sdk.Client(**arguments)


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://example.com/x", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://example.com/x", P1),
        ({"https_proxy": "p:1"}, "https://example.com/x", P1),
        (
            {"HTTPS_PROXY": "me:x@p:1"},
            "https://example.com/x",
            Proxy("http", "p", 1, (b"me", b"x")),
        ),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:2"}, "https://example.com/x", P1),
        ({"https_proxy": "", "HTTPS_PROXY": "http://p:1"}, "https://example.com/x", P1),
        ({"HTTP_PROXY": "http://p:1"}, "https://example.com/x", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://example.com/x", P1),
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://example.com/x", None),
        ({"http_proxy": "http://p:1", "REQUEST_METHOD": "GET"}, "http://example.com/x", P1),
        ({"ALL_PROXY": "http://p:1"}, "https://example.com/x", P1),
        ({"all_proxy": "http://p:1"}, "http://example.com/x", P1),
        ({"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:2"}, "http://example.com/x", P1),
        ({"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:8000/", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://localhost:8000/", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://[::1]:8000/", None),
        ({"ALL_PROXY": "http://p:1"}, "http://app.localhost/", None),
        ({"HTTP_PROXY": "not a proxy"}, "http://localhost:8000/", None),
        ({"HTTPS_PROXY": "not a proxy", "NO_PROXY": "*"}, "https://example.com/", None),
    ],
)
def test_environment(environ: dict[str, str], url: str, proxy: Proxy | None) -> None:
    """The variable of the URL's scheme is read, else ALL_PROXY; neither applies to loopback."""
    assert proxy_for(url, None, environ) == proxy


def test_argument_overrides_environment() -> None:
    """`proxy=` applies to every request, to loopback and excluded hosts too."""
    assert proxy_for("http://127.0.0.1/", P1, {"NO_PROXY": "*", "ALL_PROXY": "http://q:2"}) is P1


EXCLUDED: tuple[tuple[str, str, bool], ...] = (
    ("", "http://example.com", False),
    ("*", "http://example.com", True),
    ("*", "http://[2001:db8::1]", True),
    ("example.com", "http://example.com", True),
    ("example.com", "http://EXAMPLE.com", True),
    ("EXAMPLE.COM", "http://example.com", True),
    ("example.com", "http://example.com.", True),
    ("example.com.", "http://example.com", True),
    ("example.com", "http://api.example.com", True),
    ("example.com", "http://a.b.example.com:8080", True),
    ("example.com", "http://badexample.com", False),
    ("example.com", "http://example.com.evil.org", False),
    (".example.com", "http://api.example.com", True),
    (".example.com", "http://example.com", True),
    (".example.com", "http://badexample.com", False),
    ("*.example.com", "http://api.example.com", True),
    ("*.example.com", "http://badexample.com", False),
    ("api*.example.com", "http://api2.example.com", True),
    ("com", "http://example.com", True),
    ("bücher.example", "http://xn--bcher-kva.example", True),
    (" other.org , example.com ", "http://example.com", True),
    ("other.org example.com", "http://example.com", True),
    ("other.org;example.com", "http://example.com", True),
    ("example.com; other.org", "http://example.com", True),
    ("other.org\texample.com\n", "http://example.com", True),
    (",,example.com,", "http://example.com", True),
    (",. ,", "http://example.com", False),
    ("example.com:8080", "http://example.com:8080", True),
    ("example.com:8080", "http://api.example.com:8080", True),
    ("example.com:8080", "http://example.com:8081", False),
    ("example.com:80", "http://example.com", True),
    ("example.com:443", "https://example.com", True),
    ("example.com:443", "http://example.com", False),
    ("*:8080", "http://example.com:8080", True),
    ("192.0.2.7", "http://192.0.2.7", True),
    ("192.0.2.7", "http://192.0.2.70", False),
    ("192.0.2.7:8080", "http://192.0.2.7:8080", True),
    ("192.0.2.7:8080", "http://192.0.2.7", False),
    ("192.0.2.*", "http://192.0.2.70", True),
    ("2.7", "http://192.0.2.7", True),
    ("2001:db8::1", "http://[2001:db8::1]", True),
    ("2001:DB8:0:0::1", "http://[2001:db8::1]:8080", True),
    ("[2001:db8::1]", "http://[2001:db8::1]", True),
    ("[2001:db8::1]", "http://[2001:db8::2]", False),
    ("[2001:db8::1]:8080", "http://[2001:db8::1]:8080", True),
    ("[2001:db8::1]:8080", "http://[2001:db8::1]", False),
    ("192.0.2.7", "http://[::ffff:192.0.2.7]", True),
    ("10.0.0.0/8", "http://10.1.2.3", True),
    ("10.0.0.0/8", "http://11.1.2.3", False),
    ("10.1.2.3/8", "http://10.9.9.9", True),
    ("10.0.0.0/255.0.0.0", "http://10.1.2.3", True),
    ("10.0.0.0/8", "http://[2001:db8::1]", False),
    ("10.0.0.0/8", "http://ten.example.com", False),
    ("2001:db8::/32", "http://[2001:db8:1::1]", True),
    ("[2001:db8::]/32", "http://[2001:db8:1::1]", True),
    ("2001:db8::/32", "http://[2001:db9::1]", False),
    ("2001:db8::/32", "http://10.1.2.3", False),
)


@pytest.mark.parametrize(("no_proxy", "url", "excluded"), EXCLUDED)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy(name: str, no_proxy: str, url: str, excluded: bool) -> None:
    """NO_PROXY excludes names with their subdomains, addresses, networks, patterns and ports."""
    found = proxy_for(url, None, {"ALL_PROXY": "http://p:1", name: no_proxy})
    assert found == (None if excluded else P1)


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.0/99",
        "10.0.0/8/8",
        "example.com/24",
        "http://example.com",
        "example.com:http",
        "example.com:0",
        "example.com:99999",
        "[2001:db8::1",
        "[example.com]",
        "2001:db8::1]",
        "2001:db8::1:80:x",
        "bü..cher.example",
    ],
)
def test_no_proxy_that_cannot_be_read(entry: str) -> None:
    """An entry that cannot be read is an error: the host it means could reach the proxy."""
    with pytest.raises(sdk.ConfigurationError, match="NO_PROXY: the entry .* Correct it"):
        proxy_for("http://service.test", None, {"ALL_PROXY": "http://p:1", "NO_PROXY": entry})
