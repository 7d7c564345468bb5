"""How the connections of a pool reach their hosts: directly, or through a proxy."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from attrs import frozen

from ._proxy import Proxy
from ._tunnel import Handshake, handshake


@frozen(eq=False)
class Route:
    """A way to the hosts of one scheme.

    An HTTP proxy forwards plain http, for requests whose target is the whole URL (RFC 9112,
    section 3.2.2). For https, and through a SOCKS proxy, a handshake opens a tunnel first.

    Attributes:
        scheme: the scheme of the requests, http or https.
        proxy: the proxy, or None.
        new_context: makes the TLS context, for an https proxy.
    """

    scheme: str
    proxy: Proxy | None
    new_context: Callable[[], ssl.SSLContext]

    @property
    def forwarding_proxy(self) -> Proxy | None:
        """The proxy, if it forwards requests, and does not open tunnels."""
        if self.proxy is None or self.proxy.is_socks or self.scheme == "https":
            return None
        return self.proxy

    def first_hop(self, host: str, port: int) -> tuple[str, int]:
        """Where to connect to for a host: to it, or to the proxy."""
        return (host, port) if self.proxy is None else (self.proxy.host, self.proxy.port)

    def proxy_tls(self) -> tuple[ssl.SSLContext, str] | None:
        """The TLS context for an https proxy, and the proxy's name."""
        if self.proxy is None or self.proxy.scheme != "https":
            return None
        return self.new_context(), self.proxy.host

    def handshake(self, host: str, port: int) -> Handshake | None:
        """The handshake that opens a tunnel to a host, if there is to be one."""
        if self.proxy is None or self.forwarding_proxy is not None:
            return None
        return handshake(self.proxy, host, port)


DIRECT = Route("http", None, ssl.create_default_context)
"""The way without a proxy."""
