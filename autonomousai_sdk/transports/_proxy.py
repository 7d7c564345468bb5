"""Choice of a request's proxy: the `proxy=` argument, else the environment's, else none.

The environment's proxies never apply to loopback: a remote proxy could not reach a local
server, and would be sent the key.
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
        given: the `proxy=` argument, which applies to every request.

    `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as urllib reads them.
    """
    if given is not None:
        return given
    if is_loopback(url):
        return None
    parts = urlsplit(url)
    # Undocumented and missing from typeshed, but Python's HTTP libraries read NO_PROXY by it.
    environment: Any = urllib_request
    proxies: dict[str, str] = environment.getproxies_environment()
    if environment.proxy_bypass_environment(parts.netloc, proxies):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
