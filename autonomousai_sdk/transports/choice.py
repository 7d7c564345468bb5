"""Which transport goes with the client a caller brought, if any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ConfigurationError
from . import AsyncTransport, Transport

_KINDS = "httpx.Client for a Client, httpx.AsyncClient for an AsyncClient"


def new_transport(
    http_client: Any, transport: Transport | None, proxy: str | None
) -> Callable[[], Transport]:
    """What makes a client's transport when it is first needed.

    Args:
        http_client: the caller's own client of an HTTP library, or None.
        transport: the caller's own transport, or None.
        proxy: the proxy's URL, or None.

    Raises:
        ConfigurationError: things that do not go together, or that no transport fits.
    """
    _refuse_both(http_client, transport, proxy)
    if transport is not None:
        return lambda: transport
    if http_client is not None:
        given = _transport_for(http_client, None)
        return lambda: given
    return lambda: _transport_for(None, proxy)


def new_async_transport(
    http_client: Any, transport: AsyncTransport | None, proxy: str | None
) -> Callable[[], AsyncTransport]:
    """The awaiting twin of `new_transport`."""
    _refuse_both(http_client, transport, proxy)
    if transport is not None:
        return lambda: transport
    if http_client is not None:
        given = _async_transport_for(http_client, None)
        return lambda: given
    return lambda: _async_transport_for(None, proxy)


def _transport_for(http_client: Any, proxy: str | None) -> Transport:
    import httpx

    from .httpx import HTTPXTransport

    if http_client is None or isinstance(http_client, httpx.Client):
        return HTTPXTransport(client=http_client, proxy=proxy)
    raise _unfit(http_client)


def _async_transport_for(http_client: Any, proxy: str | None) -> AsyncTransport:
    import httpx

    from .httpx import AsyncHTTPXTransport

    if http_client is None or isinstance(http_client, httpx.AsyncClient):
        return AsyncHTTPXTransport(client=http_client, proxy=proxy)
    raise _unfit(http_client)


def _refuse_both(http_client: Any, transport: object, proxy: str | None) -> None:
    if http_client is not None and transport is not None:
        raise ConfigurationError("http_client= and transport= were both given: pass one of them.")
    for name, value in (("http_client", http_client), ("transport", transport)):
        if value is not None and proxy is not None:
            raise ConfigurationError(
                f"proxy= and {name}= were both given: set the proxy on your own {name}."
            )


def _unfit(http_client: Any) -> ConfigurationError:
    cls = type(http_client)
    return ConfigurationError(
        f"http_client= cannot be a {cls.__module__}.{cls.__qualname__}: it is {_KINDS}."
    )
