"""URLs: check a base URL, join a path to it, recognise loopback addresses.

The parts of a URL follow RFC 3986. This module never resolves a host name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

from ..errors import ConfigurationError
from .display import display

_UNFIT = re.compile(r"[^\x21-\x7e]")
_QUERY = re.compile(r"[?#].*")
_LABEL = 63
"""The most characters between two dots of a host name."""
_USER_INFO = re.compile(r"(?<=//)[^/?#]*@")


def checked_base_url(value: object, source: str = "base_url") -> str:
    """A base URL without trailing slash, checked to have no query, fragment or credentials.

    Args:
        value: the value of the argument or environment variable.
        source: the name of the argument or variable, for errors.

    Raises:
        ConfigurationError: the value is not an absolute http or https URL, or has parts that
            requests would lose. The message never repeats credentials.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{source} must be a string, not {type(value).__name__}.")
    example = "for example 'http://127.0.0.1:8000/api/v1/ai'"
    if not value:
        raise ConfigurationError(f"{source} is empty: pass a URL, {example}.")
    if found := _UNFIT.search(value):
        raise ConfigurationError(
            f"{source} has the character U+{ord(found[0]):04X} at position {found.start()}, "
            "which URLs do not allow: percent-encode it (or, in a host name, use its "
            "'xn--' form)."
        )
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{source} is not a URL: {error}.") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"{source} contains a user name or password: pass a key as api_key= or "
            "AUTONOMOUSAI_API_KEY instead."
        )
    # Any text before an @ may be a password, even where urlsplit finds none.
    named = source if "@" in value else f"{source} {display(_QUERY.sub('', value))}"
    if parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"{named} needs a scheme, http:// or https://, {example}.")
    if not parts.hostname or port == 0:
        raise ConfigurationError(f"{named} has no host, or has port 0: pass a URL {example}.")
    _check_labels(parts.hostname, named)
    if "?" in value or "#" in value:
        raise ConfigurationError(
            f"{named} has a query or fragment, which requests would not send: remove it."
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def _check_labels(host: str, named: str) -> None:
    """Check the lengths of a host's labels (RFC 1035, section 2.3.4); an address has one."""
    labels = [host] if ":" in host else host.removesuffix(".").split(".")
    wrong = next((label for label in labels if not 0 < len(label) <= _LABEL), None)
    if wrong is not None:
        found = f"is {len(wrong)} characters long" if wrong else "is empty"
        raise ConfigurationError(
            f"{named}: a label of the host name {found}; each has 1 to {_LABEL} characters."
        )


def segment(value: str, name: str) -> str:
    """Encode a path parameter as one segment.

    Raises:
        ConfigurationError: the value is empty, or a dot segment, which servers remove.
    """
    if not value or value in (".", ".."):
        raise ConfigurationError(f"{name} must not be empty, '.' or '..'; got {display(value)}.")
    return _encoded(value, name)


def query_string(pairs: Iterable[tuple[str, str, str]]) -> str:
    """Encode query parameters, with the question mark; empty when there are none.

    Args:
        pairs: for each parameter its name in the URL, its text, and the argument's name
            for errors. A name may occur several times.

    Raises:
        ConfigurationError: UTF-8 cannot encode a text.
    """
    encoded = "&".join(
        f"{quote(wire, safe='')}={_encoded(value, name)}" for wire, value, name in pairs
    )
    return f"?{encoded}" if encoded else ""


def _encoded(value: str, name: str) -> str:
    try:
        return quote(value, safe="")
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{name} cannot be encoded in a URL: {error}.") from error


def is_loopback(url: str) -> bool:
    """Whether a URL's host is a loopback address or `localhost`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def without_credentials(url: str) -> str:
    """A URL without its user name and password, safe to show."""
    return _USER_INFO.sub("", url, count=1)
