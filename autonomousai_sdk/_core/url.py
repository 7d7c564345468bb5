"""Addresses: checking a base URL, joining a path to it, and telling loopback from elsewhere.

RFC 3986 for the parts; nothing here resolves a name.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

from ..errors import ConfigurationError

_UNFIT = re.compile(r"[^\x21-\x7e]")
_QUERY = re.compile(r"[?#].*")
_USER_INFO = re.compile(r"(?<=//)[^/?#]*@")


def checked_base_url(value: object, source: str = "base_url") -> str:
    """A base URL fit to join paths to: no trailing slash, no query, fragment or credentials.

    Args:
        value: what the caller or the environment gave.
        source: its name, for the error.

    Raises:
        ConfigurationError: not an absolute http or https URL, or one with parts that
            would be lost or misused. Credentials are never repeated in the message.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{source} is a string, not {type(value).__name__}.")
    example = "for example 'http://127.0.0.1:8000/api/v1/ai'"
    if not value:
        raise ConfigurationError(f"{source} is empty: give a URL, {example}.")
    if found := _UNFIT.search(value):
        raise ConfigurationError(
            f"{source} has the character U+{ord(found[0]):04X} at position {found.start()}, "
            "which a URL cannot hold: percent-encode it (or, in a host name, use its "
            "'xn--' form)."
        )
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{source} is not a URL: {error}.") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"{source} has a user name or password in it: pass a key by api_key= or "
            "AUTONOMOUSAI_API_KEY instead."
        )
    # What stands before an @ may be a password, also where it is in the wrong place.
    named = source if "@" in value else f"{source} {_QUERY.sub('', value)!r}"
    if parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"{named} needs a scheme, http:// or https://, {example}.")
    if not parts.hostname or port == 0:
        raise ConfigurationError(f"{named} names no host, or no port that exists: {example}.")
    if "?" in value or "#" in value:
        raise ConfigurationError(
            f"{named} has a query or a fragment, which no endpoint would get: leave it out."
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def joined(base_url: str, path: str) -> str:
    """An endpoint's URL: the base URL, and a path that starts with a slash."""
    return base_url + path


def segment(value: str, name: str) -> str:
    """A path parameter as one encoded segment.

    Raises:
        ConfigurationError: empty, or a dot segment, which servers resolve away.
    """
    if not value or value in (".", ".."):
        raise ConfigurationError(f"{name} {value!r} cannot be a part of a URL's path.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{name} cannot be a part of a URL's path: {error}.") from error


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine itself, by address or as `localhost`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def without_credentials(url: str) -> str:
    """A URL as it may be shown: user name and password removed."""
    return _USER_INFO.sub("", url, count=1)
