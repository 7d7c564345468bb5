"""`NO_PROXY`: the hosts that the environment's proxies do not apply to.

Tools disagree on its syntax. Where they do, this module excludes more: a request to an
excluded host must not reach the proxy, since it has a key and a prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from ..errors import ConfigurationError

_SEPARATOR = re.compile(r"[,;\s]+")
_ENTRY = re.compile(r"(?:\[([^\[\]]*)\]|([^\[\]:/]+))(?::([0-9]{1,5}))?", re.ASCII)
"""A host or an address in brackets, and perhaps a port."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def variable(name: str, environ: Mapping[str, str]) -> str:
    """The name of a variable as it is set, in lower case before upper case; empty is not set."""
    upper = name.upper()
    if environ.get(name) or not environ.get(upper):
        return name
    if upper == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
        return name  # In a CGI program, HTTP_PROXY is a header of the request: CVE-2016-5385.
    return upper


def is_excluded(url: str, environ: Mapping[str, str]) -> bool:
    """Whether `NO_PROXY` excludes a URL's host from the environment's proxies.

    Its entries are separated by commas, semicolons (as on Windows) or white space:

        *                        every host
        example.com              that host and its subdomains; so do .example.com and *.example.com
        192.168.1.7, ::1, [::1]  that address, however it is spelled
        10.0.0.0/8, fd00::/8     the addresses of that network
        192.168.*                the hosts that match the pattern

    An entry that ends in `:port` excludes that port only; a network has none.

    Raises:
        ConfigurationError: an entry is none of these.
    """
    name = variable("no_proxy", environ)
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    for entry in filter(None, _SEPARATOR.split(environ.get(name, "").lower())):
        try:
            excluded = _matches(entry, host, port)
        except ValueError:
            raise ConfigurationError(
                f"{name}: the entry {entry[:100]!r} is not a host, address or network with an "
                "optional port. Correct it: a request to an excluded host must not reach the "
                "proxy."
            ) from None
        if excluded:
            return True
    return False


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry excludes a host and port.

    Raises:
        ValueError: it cannot be parsed.
    """
    address = _address(host)
    if "/" in entry:
        network = ip_network(re.sub(r"[\[\]]", "", entry), strict=False)
        return address is not None and address in network
    if (excluded := _address(entry)) is not None:
        return address == excluded
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError
    bracketed, name, wanted_port = found.groups()
    if wanted_port is not None:
        if not 0 < int(wanted_port) < 65536:
            raise ValueError
        if int(wanted_port) != port:
            return False
    if bracketed is not None:
        return address == _mapped(ip_address(bracketed))
    if (excluded := _address(name)) is not None:
        return address == excluded
    name = _ascii(name.removeprefix("*.").strip("."))
    return bool(name) and (host == name or host.endswith(f".{name}") or fnmatchcase(host, name))


def _ascii(name: str) -> str:
    """A host name as URLs have it, in ASCII (RFC 5891)."""
    return name if name.isascii() else name.encode("idna").decode()


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, or None for a name."""
    try:
        return _mapped(ip_address(host))
    except ValueError:
        return None


def _mapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2) as IPv4."""
    return getattr(address, "ipv4_mapped", None) or address
