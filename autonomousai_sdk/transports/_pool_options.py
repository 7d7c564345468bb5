"""Options of the SDK's own connection pools, the same for httpcore and httpcore2."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from attrs import frozen

from ..errors import ConfigurationError

KEEPALIVE_EXPIRY = 5.0
"""Seconds an idle connection is kept: httpx's default, shorter than what servers use."""

WRITE_SIZE = 256 * 1024
"""Bytes of a long body written at once; the write timeout applies to each piece."""

KEEPALIVE_CONNECTIONS = 20
"""Idle connections kept: httpx's default. With every request its pool compares each idle
connection with every other one, so keeping a hundred costs more than it saves.
"""


@frozen
class PoolLimits:
    """The connections a pool may hold: open at once, and idle."""

    max_connections: int
    max_keepalive_connections: int


def pool_options(
    library: Any,
    *,
    scheme: str,
    proxy: str | None,
    limits: PoolLimits,
    new_context: Callable[[], ssl.SSLContext],
) -> dict[str, Any]:
    """The arguments of an httpcore pool, except for its network backend.

    Args:
        library: httpcore or httpcore2.
        scheme: the scheme of its requests, http or https.
        proxy: the proxy's URL, or None.
        limits: the connections it may hold.
        new_context: makes the TLS context. Called only if TLS is used, because loading the
            certificates takes longer than a request.

    Raises:
        ConfigurationError: a SOCKS proxy, and the package it needs is not installed.
    """
    parts = None if proxy is None else urlsplit(proxy)
    return {
        "ssl_context": new_context() if scheme == "https" else None,
        "max_connections": limits.max_connections,
        "max_keepalive_connections": limits.max_keepalive_connections,
        "keepalive_expiry": KEEPALIVE_EXPIRY,
        "proxy": None if parts is None else _proxy(library, parts, new_context),
    }


def _proxy(library: Any, parts: Any, new_context: Callable[[], ssl.SSLContext]) -> Any:
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError(
            'A SOCKS proxy needs the package socksio: pip install "httpx[socks]".'
        )
    auth = None
    if parts.username is not None:
        auth = (unquote(parts.username), unquote(parts.password or ""))
    return library.Proxy(
        url=urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")),
        auth=auth,
        ssl_context=new_context() if parts.scheme == "https" else None,
    )
