"""The contestants of the conformance suite: each transport on each backend.

Each runs on its own connections and on a caller's client. A test is one coroutine function;
a blocking transport is wrapped so that awaiting it returns at once, as a blocking client is in
`tests.support.client_under_test`.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Literal, Self

import pytest
from attrs import field, frozen

import autonomousai_sdk as sdk
from autonomousai_sdk.transports import Request, Timeout

from .backends import Test, put_to
from .client_under_test import SAFETY, SDK, Client, clients_under_test, settled

LIMITS: dict[str, float] = dict.fromkeys(("connect", "read", "write", "pool"), SAFETY)
"""Limits that only a hanging test reaches."""

NO_LIMITS: Mapping[str, float | None] = MappingProxyType({})
"""No changes to `LIMITS`."""


@frozen
class Response:
    """A response, awaited on every backend."""

    made: Any

    @property
    def status(self) -> int:
        """The HTTP status."""
        status: int = self.made.status
        return status

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The response headers."""
        return list(self.made.headers)

    async def read(self, timeout: float | None = SAFETY) -> bytes:
        """Read once."""
        data: bytes = await settled(self.made.read(timeout))
        return data

    async def rest(self) -> bytes:
        """Read to the end."""
        pieces: list[bytes] = []
        while piece := await self.read():
            pieces.append(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        """Close it."""
        await closed(self.made)

    def abort(self) -> None:
        """Break its connection."""
        self.made.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


@frozen
class Sender:
    """A transport, awaited on every backend."""

    made: Any

    async def send(
        self,
        url: str,
        content: bytes = b"",
        *,
        method: str = "POST",
        headers: tuple[tuple[str, str], ...] = (),
        limits: Mapping[str, float | None] = NO_LIMITS,
    ) -> Response:
        """Send a request, with limits by the names of `Timeout`."""
        request = Request(method=method, url=url, headers=headers, content=content)
        timeout = Timeout(**{**LIMITS, **limits})
        return Response(await settled(self.made.send(request, timeout)))

    async def close(self) -> None:
        """Close it."""
        await closed(self.made)


@frozen
class Contestant(SDK):
    """A transport on one backend.

    Attributes:
        whose: "own" connections, or those of a caller's client ("given").
        loop: for asyncio, "uvloop" or "eager" (asyncio's loop with an eager task factory).
    """

    whose: Literal["own", "given"] = field(kw_only=True)
    loop: Literal["", "uvloop", "eager"] = field(kw_only=True, default="")

    def __str__(self) -> str:
        return f"{self.loop or self.backend}-{self.transport}-{self.whose}"

    @property
    def backend_options(self) -> dict[str, Any]:
        """The event loop, for anyio's asyncio backend."""
        if self.loop == "uvloop":
            return {"use_uvloop": True}
        return {"loop_factory": _eager_loop} if self.loop == "eager" else {}

    @property
    def decodes(self) -> bool:
        """Whether the caller's client decodes content codings itself."""
        return (self.transport, self.whose) == ("aiohttp", "given")

    @asynccontextmanager
    async def http_client(
        self, connections: int | None = None, **settings: Any
    ) -> AsyncGenerator[Any]:
        """A caller's client of the library, or None for a transport on its own connections."""
        if self.whose == "own":
            yield None
            return
        library = import_module(self.transport)
        if self.transport == "aiohttp":
            connector = library.TCPConnector(limit=connections or 100)
            client = library.ClientSession(connector=connector, **settings)
        else:
            cls = library.Client if self.backend == "sync" else library.AsyncClient
            limits = library.Limits(max_connections=connections)
            client = cls(limits=limits, verify=_context(), **settings)
        try:
            yield client
        finally:
            await closed(client)

    def over(self, http_client: Any, connections: int | None = None) -> Sender:
        """The transport on a caller's client, or on its own connections."""
        if http_client is None:
            return Sender(self.new_transport(connections))
        name = "session" if self.transport == "aiohttp" else "client"
        return Sender(type(self.new_transport())(**{name: http_client}))

    @asynccontextmanager
    async def sender(
        self, connections: int | None = None, **settings: Any
    ) -> AsyncGenerator[Sender]:
        """The transport; closed at the end, and then the caller's client.

        Args:
            connections: the size of the pool.
            settings: settings of the caller's client.
        """
        async with self.http_client(connections, **settings) as http_client:
            sender = self.over(http_client, connections)
            try:
                yield sender
            finally:
                await sender.close()

    @asynccontextmanager
    async def chatting(
        self, url: str, http_client: Any, connections: int | None = None, retries: int = 0
    ) -> AsyncGenerator[Client]:
        """An SDK client on a caller's client or on its own connections, closed at the end."""
        cls = sdk.Client if self.backend == "sync" else sdk.AsyncClient
        transport = self.new_transport(connections) if http_client is None else None
        made = cls(
            base_url=self.base_url(url),
            protocol=self.protocol,
            model="llama",
            http_client=http_client,
            transport=transport,
            timeout=SAFETY,
            max_retries=retries,
        )
        try:
            yield self.calls(made)
        finally:
            await closed(made)
            if transport is not None:
                await closed(transport)


async def closed(thing: Any) -> None:
    """Close an object by its `aclose` or `close` method."""
    await settled(thing.aclose() if hasattr(thing, "aclose") else thing.close())


@cache
def _context() -> ssl.SSLContext:
    """The TLS context of all clients: making one takes longer than most tests."""
    return ssl.create_default_context()


def _eager_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    factory: Any = getattr(asyncio, "eager_task_factory")  # noqa: B009  # Python 3.12 and up
    loop.set_task_factory(factory)
    return loop


def _contestants() -> Iterator[Contestant]:
    for each in clients_under_test():
        for whose in ("own", "given"):
            yield Contestant(each.backend, each.transport, whose=whose)
    if find_spec("uvloop") is not None:  # not on Windows
        yield Contestant("asyncio", "httpx", whose="own", loop="uvloop")
        yield Contestant("asyncio", "httpx", whose="given", loop="uvloop")
        if find_spec("aiohttp") is not None:
            yield Contestant("asyncio", "aiohttp", whose="own", loop="uvloop")
    if sys.version_info >= (3, 12):
        yield Contestant("asyncio", "httpx", whose="own", loop="eager")


CONTESTANTS = list(_contestants())


def contest(
    cannot: Mapping[str, Mapping[str, str]], among: Sequence[Contestant] = CONTESTANTS
) -> Callable[[Test], Callable[..., None]]:
    """Run a test with each contestant, as `client_under_test`.

    Args:
        cannot: by test name, the contestants (parts of their names) that cannot pass it, with
            the reason. The test must still fail there.
        among: the contestants.
    """

    def decorate(test: Test) -> Callable[..., None]:
        reasons = cannot.get(test.__name__, {})
        entries: list[Any] = []
        for each in among:
            reason = next((why for name, why in reasons.items() if name in str(each)), None)
            marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
            if each.transport == "httpx2":  # which shares the code of httpx
                marks.append(pytest.mark.thorough)
            entries.append(pytest.param(each, marks=marks, id=str(each)))
        return put_to(entries)(test)

    return decorate
