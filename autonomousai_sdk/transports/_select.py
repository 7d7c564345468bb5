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
        _check_transport(transport, ("send", "close"), CLIENTS)
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
        _check_transport(transport, ("send", "aclose"), ASYNC_CLIENTS)
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
    name = _made_by(http_client, known)
    if name is not None:
        return name
    kind = type(http_client)
    fitting = ", ".join(f"{name}.{cls}" for name, cls in known)
    raise ConfigurationError(
        f"http_client= cannot be a {kind.__module__}.{kind.__qualname__}: pass one of {fitting}."
    )


def _made_by(value: object, known: tuple[tuple[str, str], ...]) -> str | None:
    """Return the library of which a value is a client, or None."""
    for name, cls in known:
        library = sys.modules.get(name)
        if library is not None and isinstance(value, getattr(library, cls)):
            return name
    return None


def _check_transport(
    transport: object, methods: tuple[str, ...], known: tuple[tuple[str, str], ...]
) -> None:
    """Check that a transport has its methods, as far as that can be seen before a call."""
    kind = type(transport)
    if _made_by(transport, known) is not None:
        raise ConfigurationError(
            f"transport= cannot be a {kind.__module__}.{kind.__qualname__}: pass it as "
            "http_client= instead."
        )
    if isinstance(transport, type):
        raise ConfigurationError(
            f"transport= must be an object; got the class {transport.__qualname__[:60]}: call it."
        )
    missing = [name for name in methods if not callable(getattr(transport, name, None))]
    if missing:
        raise ConfigurationError(
            f"transport= cannot be a {kind.__module__}.{kind.__qualname__}, which has no method "
            f"{' or '.join(missing)}: pass an object with the methods of the Transport or "
            "AsyncTransport protocol."
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
