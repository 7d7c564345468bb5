"""The types of `http_client=`: the clients that a caller may bring.

Evaluating them at run time imports the HTTP libraries, so that happens when one is asked for.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from typing import TypeAlias

    import aiohttp
    import httpx
    import httpx2

    HTTPClient: TypeAlias = httpx.Client | httpx2.Client
    AsyncHTTPClient: TypeAlias = httpx.AsyncClient | httpx2.AsyncClient | aiohttp.ClientSession

CLIENTS = (("httpx", "Client"), ("httpx2", "Client"))
ASYNC_CLIENTS = (
    ("httpx", "AsyncClient"),
    ("httpx2", "AsyncClient"),
    ("aiohttp", "ClientSession"),
)


def __getattr__(name: str) -> Any:
    """Return a type at run time: the union of the classes whose libraries are installed."""
    known = {"HTTPClient": CLIENTS, "AsyncHTTPClient": ASYNC_CLIENTS}.get(name)
    if known is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    installed: list[type] = []
    for library, cls in known:
        with suppress(ImportError):
            installed.append(getattr(import_module(library), cls))
    return Union[tuple(installed)]  # noqa: UP007  # of classes that only run time names
