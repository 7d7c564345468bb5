"""Select a client's transport: the caller's own, one on the caller's HTTP client, or httpx.

An HTTP library is imported only when a call needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from .._core.settings import Options
from .._core.verify import Verify
from ..errors import ConfigurationError
from . import AsyncTransport, Transport
from ._http_client import ASYNC_CLIENTS, CLIENTS
from ._proxy import parse_proxy


def new_transport(
    http_client: object, transport: Transport | None, options: Options
) -> Callable[[], Transport]:
    """Return a function that makes a client's transport on first use.

    Args:
        http_client: the caller's own client of an HTTP library, or None.
        transport: the caller's own transport, or None.
        options: the client options; `proxy` and `verify` are checked.

    Raises:
        ConfigurationError: arguments that exclude each other or cannot work.
    """
    verify = _check(http_client, transport, options)
    if transport is not None:
        return lambda: transport
    library = _library(http_client, CLIENTS)

    def new() -> Transport:
        client: Any = http_client
        if library == "httpx2":
            from .httpx2 import HTTPX2Transport

            return HTTPX2Transport(client=client)
        from .httpx import HTTPXTransport

        return HTTPXTransport(client=client, proxy=options.proxy, verify=verify)

    return new


def new_async_transport(
    http_client: object, transport: AsyncTransport | None, options: Options
) -> Callable[[], AsyncTransport]:
    """The awaiting twin of `new_transport`."""
    verify = _check(http_client, transport, options)
    if transport is not None:
        return lambda: transport
    library = _library(http_client, ASYNC_CLIENTS)

    def new() -> AsyncTransport:
        client: Any = http_client
        if library == "aiohttp":
            from .aiohttp import AIOHTTPTransport

            return AIOHTTPTransport(session=client)
        if library == "httpx2":
            from .httpx2 import AsyncHTTPX2Transport

            return AsyncHTTPX2Transport(client=client)
        from .httpx import AsyncHTTPXTransport

        return AsyncHTTPXTransport(client=client, proxy=options.proxy, verify=verify)

    return new


def _library(http_client: object, known: tuple[tuple[str, str], ...]) -> str:
    """Return the name of a client's library: only imported libraries can have made it."""
    if http_client is None:
        return "httpx"
    for name, cls in known:
        library = sys.modules.get(name)
        if library is not None and isinstance(http_client, getattr(library, cls)):
            return name
    kind = type(http_client)
    fitting = ", ".join(f"{name}.{cls}" for name, cls in known)
    raise ConfigurationError(
        f"http_client= cannot be a {kind.__module__}.{kind.__qualname__}: pass one of {fitting}."
    )


def _check(http_client: object, transport: object, options: Options) -> Verify:
    """Check the arguments; return `verify`, loaded unless it is the default."""
    if http_client is not None and transport is not None:
        raise ConfigurationError("http_client= and transport= were both given: pass one of them.")
    is_set = {"proxy": options.proxy is not None, "verify": options.verify is not True}
    for name, value in (("http_client", http_client), ("transport", transport)):
        for option, is_given in is_set.items():
            if value is not None and is_given:
                raise ConfigurationError(
                    f"{option}= and {name}= were both given: set {option} on your own {name}."
                )
    if is_set["proxy"]:
        parse_proxy(options.proxy, "proxy=")
    if not is_set["verify"]:
        return True
    from ._tls import context_factory

    return context_factory(options.verify, os.environ)()
