"""The types of `http_client=`: the clients that a caller may bring.

For type checkers only. At run time both are `Any`, so that annotations that name them can be
evaluated without importing an HTTP library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    import aiohttp
    import httpx
    import httpx2

    HTTPClient: TypeAlias = httpx.Client | httpx2.Client
    AsyncHTTPClient: TypeAlias = httpx.AsyncClient | httpx2.AsyncClient | aiohttp.ClientSession
else:
    HTTPClient = AsyncHTTPClient = Any
