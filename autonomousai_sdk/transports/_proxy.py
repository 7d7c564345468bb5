"""Choice and parsing of a request's proxy: the `proxy=` argument, else the environment's.

The environment's proxies never apply to loopback: a remote proxy could not reach a local
server, and would be sent the key.

No error repeats any part of a proxy's URL except its scheme, because every other part may
hold a password that was not percent-encoded.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from importlib.util import find_spec
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote_to_bytes, urlsplit

from attrs import field, frozen

from .._core.url import is_loopback
from ..errors import ConfigurationError
from ._no_proxy import is_excluded, variable

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""The supported schemes of a proxy's URL, and the port of each where the URL names none."""

_SUPPORTED = "http://, https://, socks5:// or socks5h://"
_EXAMPLE = "for example 'http://127.0.0.1:8080'"
_LOOKS_LIKE_A_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_NOT_IN_A_URL = re.compile(r"[^\x21-\x7e]")
_HOST = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,5}", re.ASCII)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class _ProxyURLError(Exception):
    """Says what is wrong with a proxy's URL."""


@frozen
class Proxy:
    """A proxy's URL, parsed.

    Attributes:
        scheme: `http`, `https`, `socks5` or `socks5h`.
        host: a name or an address; an IPv6 address without brackets.
        port: 1 to 65535.
        credentials: user name and password, decoded, or None.
    """

    scheme: str
    host: str
    port: int
    credentials: tuple[bytes, bytes] | None = field(default=None, repr=False)

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS5 and not HTTP."""
        return self.scheme.startswith("socks")

    @property
    def url(self) -> str:
        """Its URL, without credentials."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"

    @property
    def authorization(self) -> str | None:
        """The value of `proxy-authorization` (RFC 7617), or None without credentials."""
        if self.credentials is None:
            return None
        return f"Basic {b64encode(b':'.join(self.credentials)).decode()}"


def bracketed(host: str) -> str:
    """A host as a URL or a `host` header spells it: IPv6 in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def parse_proxy(value: object, source: str) -> Proxy:
    """Parse and check a proxy's URL.

    Args:
        value: the URL, with a scheme.
        source: the argument or environment variable it is from, for the error.

    Raises:
        ConfigurationError: it is not a proxy's URL, or needs a package that is not installed.
    """
    if not isinstance(value, str):
        raise ConfigurationError(
            f"{source} is a string with a proxy's URL, {_EXAMPLE}, not {type(value).__name__}."
        )
    try:
        proxy = _parse(value)
    except _ProxyURLError as error:
        problem = str(error)
    else:
        if not proxy.is_socks or find_spec("socksio") is not None:
            return proxy
        problem = (
            f"a {proxy.scheme}:// proxy needs the package socksio: "
            'pip install "autonomousai-sdk[socks]"'
        )
    # Raised here, and without `value`, so that no traceback with locals shows the password.
    del value
    raise ConfigurationError(f"{source}: {problem}.")


def proxy_for(url: str, given: Proxy | None, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy of a request to `url`, or None.

    Args:
        url: absolute.
        given: the `proxy=` argument, which applies to every request.
        environ: the environment variables. `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
            `NO_PROXY` are read, in lower case before upper case.

    Raises:
        ConfigurationError: a variable that applies to this request cannot be parsed.
    """
    if given is not None:
        return given
    if is_loopback(url):
        return None
    names = (variable(name, environ) for name in (f"{urlsplit(url).scheme}_proxy", "all_proxy"))
    name = next(filter(environ.get, names), None)
    if name is None or is_excluded(url, environ):
        return None
    return parse_proxy(_with_scheme(environ[name]), name)


def _with_scheme(url: str) -> str:
    """The URL of a variable: like curl, take one without a scheme for an HTTP proxy."""
    return url if "://" in url else f"http://{url}"


def _parse(url: str) -> Proxy:
    if not url:
        raise _ProxyURLError(
            f"the proxy's URL is empty; pass a URL, {_EXAMPLE}, or None for no proxy"
        )
    if found := _NOT_IN_A_URL.search(url):
        raise _ProxyURLError(
            "the proxy's URL has white space, a control character or a non-ASCII character at "
            f"position {found.start()}; remove it, or percent-encode it in a password"
        )
    scheme, separator, rest = url.partition("://")
    if not separator or not _LOOKS_LIKE_A_SCHEME.fullmatch(scheme):
        raise _ProxyURLError(f"the proxy's URL has no scheme; write {_SUPPORTED}, {_EXAMPLE}")
    scheme = scheme.lower()
    if scheme not in PORTS:
        raise _ProxyURLError(f"a {scheme[:20]}:// proxy is not supported; use {_SUPPORTED}")
    user_info, at, address = rest.rpartition("@")
    host, port = _parse_address(address.removesuffix("/"))
    credentials = _parse_credentials(user_info, scheme) if at else None
    return Proxy(scheme, host, PORTS[scheme] if port is None else _parse_port(port), credentials)


def _parse_address(text: str) -> tuple[str, str | None]:
    """The host and the port of what follows the `@`."""
    if any(character in text for character in "/?#"):
        raise _ProxyURLError(
            "the proxy's URL has a path, query or fragment; leave it out, and if '/', '?' or "
            "'#' is part of the password, write %2F, %3F or %23"
        )
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not _is_ipv6(host) or (rest and rest[0] != ":"):
            raise _ProxyURLError(
                "the proxy's host is not an IPv6 address in brackets, such as [::1]:8080"
            )
        return host, rest[1:] if rest else None
    host, colon, port = text.partition(":")
    if ":" in port:
        raise _ProxyURLError(
            "the proxy's URL has several colons after the host; write an IPv6 address in "
            "brackets, such as [::1]:8080"
        )
    if not host:
        raise _ProxyURLError(f"the proxy's URL has no host; write one, {_EXAMPLE}")
    if not _HOST.fullmatch(host):
        raise _ProxyURLError(
            "the proxy's host has a character that no host name has; if it is part of the "
            "password, percent-encode it"
        )
    return host, port if colon else None


def _parse_port(text: str) -> int:
    port = int(text) if _DIGITS.fullmatch(text) else 0
    if not 0 < port < 65536:
        raise _ProxyURLError("the proxy's port is not a number from 1 to 65535")
    return port


def _parse_credentials(user_info: str, scheme: str) -> tuple[bytes, bytes]:
    """User name and password of what precedes the `@`."""
    user, _, password = user_info.partition(":")
    for character in "@/?#[]":
        if character in user_info:
            raise _ProxyURLError(
                f"the proxy's user name or password has an unescaped {character!r}; write "
                f"%{ord(character):02X}"
            )
    if _BAD_ESCAPE.search(user_info):
        raise _ProxyURLError(
            "the proxy's user name or password has a '%' that does not start an escape such "
            "as %40; write %25 for a '%'"
        )
    credentials = unquote_to_bytes(user), unquote_to_bytes(password)
    if scheme.startswith("socks"):
        if not all(0 < len(each) < 256 for each in credentials):
            raise _ProxyURLError(
                "a SOCKS proxy's user name and password have 1 to 255 bytes each (RFC 1929)"
            )
    elif b":" in credentials[0]:
        raise _ProxyURLError("an HTTP proxy's user name cannot have a ':' (RFC 7617)")
    return credentials


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
