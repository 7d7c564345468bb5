"""Select a client's transport: the caller's own, one on the caller's HTTP client, or httpx.

An HTTP library is imported only when a call needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ..errors import ConfigurationError
from . import AsyncTransport, Transport

_CLIENTS = (("httpx", "Client"), ("httpx2", "Client"))
_ASYNC_CLIENTS = (
    ("httpx", "AsyncClient"),
    ("httpx2", "AsyncClient"),
    ("aiohttp", "ClientSession"),
)


def new_transport(
    http_client: object, transport: Transport | None, proxy: str | None
) -> Callable[[], Transport]:
    """Return a function that makes a client's transport on first use.

    Args:
        http_client: the caller's own client of an HTTP library, or None.
        transport: the caller's own transport, or None.
        proxy: the proxy's URL, or None.

    Raises:
        ConfigurationError: arguments that exclude each other, or an unsupported `http_client`.
    """
    _refuse_both(http_client, transport, proxy)
    if transport is not None:
        return lambda: transport
    library = _library(http_client, _CLIENTS)

    def new() -> Transport:
        client: Any = http_client
        if library == "httpx2":
            from .httpx2 import HTTPX2Transport

            return HTTPX2Transport(client=client)
        from .httpx import HTTPXTransport

        return HTTPXTransport(client=client, proxy=proxy)

    return new


def new_async_transport(
    http_client: object, transport: AsyncTransport | None, proxy: str | None
) -> Callable[[], AsyncTransport]:
    """The awaiting twin of `new_transport`."""
    _refuse_both(http_client, transport, proxy)
    if transport is not None:
        return lambda: transport
    library = _library(http_client, _ASYNC_CLIENTS)

    def new() -> AsyncTransport:
        client: Any = http_client
        if library == "aiohttp":
            from .aiohttp import AIOHTTPTransport

            return AIOHTTPTransport(session=client)
        if library == "httpx2":
            from .httpx2 import AsyncHTTPX2Transport

            return AsyncHTTPX2Transport(client=client)
        from .httpx import AsyncHTTPXTransport

        return AsyncHTTPXTransport(client=client, proxy=proxy)

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


def _refuse_both(http_client: object, transport: object, proxy: str | None) -> None:
    if http_client is not None and transport is not None:
        raise ConfigurationError("http_client= and transport= were both given: pass one of them.")
    for name, value in (("http_client", http_client), ("transport", transport)):
        if value is not None and proxy is not None:
            raise ConfigurationError(
                f"proxy= and {name}= were both given: set the proxy on your own {name}."
            )
