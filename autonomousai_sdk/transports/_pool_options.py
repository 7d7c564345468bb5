"""Options of a transport's own connections, the same for every HTTP library."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from .._core.verify import Verify
from ..errors import ConfigurationError
from ._proxy import Proxy, parse_proxy, proxy_for
from ._route import Route
from ._tls import context_factory

KEEPALIVE_EXPIRY = 5.0
"""Seconds an idle connection is kept: httpx's default, shorter than what servers use."""

WRITE_SIZE = 256 * 1024
"""Bytes of a long body written at once; the write timeout applies to each piece."""

MAX_CONNECTIONS = 1000
"""Connections open at once."""

KEEPALIVE_CONNECTIONS = 20
"""Idle connections kept: httpx's default. With every request its pool compares each idle
connection with every other one, so keeping a hundred costs more than it saves.
"""


@frozen(kw_only=True)
class PoolOptions:
    """How a transport opens connections, and how many it may hold.

    Attributes:
        proxy: the proxy of every request, or None for the environment's.
        new_context: makes the TLS context, the same one each time. Called only if TLS is used,
            because loading the certificates takes longer than a request.
        max_connections: connections open at once.
        max_keepalive_connections: idle connections kept.
    """

    proxy: Proxy | None
    new_context: Callable[[], ssl.SSLContext]
    max_connections: int
    max_keepalive_connections: int

    def of_pool(self, route: Route) -> dict[str, Any]:
        """The arguments of an httpcore pool, except for its network backend, which has the route.

        So httpcore does not hear of a proxy: its own handshakes have no time limit.
        """
        return {
            "ssl_context": self.new_context() if route.scheme == "https" else None,
            "max_connections": self.max_connections,
            "max_keepalive_connections": self.max_keepalive_connections,
            "keepalive_expiry": KEEPALIVE_EXPIRY,
        }

    def route(self, url: str, environ: Mapping[str, str]) -> Route:
        """The route of a request.

        Raises:
            ConfigurationError: the environment's proxy cannot be parsed.
        """
        return Route(urlsplit(url).scheme, proxy_for(url, self.proxy, environ), self.new_context)


def pool_options(
    client: object,
    *,
    proxy: str | None,
    verify: Verify,
    max_connections: int,
    max_keepalive_connections: int = KEEPALIVE_CONNECTIONS,
) -> PoolOptions:
    """Check the arguments of a transport and return its options.

    Args:
        client: the caller's client, or None.
        proxy: the proxy's URL, or None for the environment's.
        verify: see `_tls`.
        max_connections: connections open at once.
        max_keepalive_connections: idle connections kept.

    Raises:
        ConfigurationError: an argument cannot work, or has no effect on the caller's client.
    """
    if client is not None:
        for name, is_default in (("proxy", proxy is None), ("verify", verify is True)):
            if not is_default:
                raise ConfigurationError(
                    f"{name}= has no effect on a client of your own: set it on that client."
                )
    return PoolOptions(
        proxy=None if proxy is None else parse_proxy(proxy, "proxy="),
        new_context=context_factory(verify, os.environ),
        max_connections=max_connections,
        max_keepalive_connections=max_keepalive_connections,
    )
