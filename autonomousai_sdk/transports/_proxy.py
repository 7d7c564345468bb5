"""Which proxy a request goes through: the one given, else the environment's, else none.

The environment never applies to loopback: a local server must not depend on a proxy's
willingness to reach back, and a key must not travel there by accident.
"""

from __future__ import annotations

from typing import Any
from urllib import request as urllib_request
from urllib.parse import urlsplit

from .._core.url import is_loopback


def proxy_for(url: str, given: str | None) -> str | None:
    """The URL of the proxy for a request to `url`, or None.

    Args:
        url: absolute.
        given: the proxy the caller named; it applies to every request.

    `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as urllib reads them.
    """
    if given is not None:
        return given
    if is_loopback(url):
        return None
    parts = urlsplit(url)
    # Documented nowhere, but what every HTTP library of Python reads NO_PROXY by; and
    # not in the standard library's stubs.
    environment: Any = urllib_request
    proxies: dict[str, str] = environment.getproxies_environment()
    if environment.proxy_bypass_environment(parts.netloc, proxies):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
