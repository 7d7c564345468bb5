"""Pages: items and pages of a real server, by both drivers, each requested when it is needed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from attrs import frozen

from autonomousai_sdk import AsyncClient, Client
from autonomousai_sdk._core.check import String
from autonomousai_sdk._core.operation import Argument, Operation, Paging, Route
from autonomousai_sdk._core.settings import CallOptions
from autonomousai_sdk._drivers.awaiting_pages import AsyncPages
from autonomousai_sdk._drivers.blocking_pages import Pages

SEEN: list[str] = []


@frozen
class Page:
    """A page of numbers."""

    numbers: tuple[int, ...]
    next: str | None = None


ROUTE = Route(
    method="GET",
    path="/numbers",
    arguments=(Argument(name="after", wire="after", check=String(), location="query"),),
    has_body=False,
)
LIST = Operation(
    name="numbers.list",
    routes={"autonomousai": ROUTE},
    result=Page,
    paging=Paging(parameter="after", items="numbers", next="next"),
)


class Numbers(BaseHTTPRequestHandler):
    """The server: two pages."""

    def do_GET(self) -> None:
        """Answer with the page that the query asks for."""
        SEEN.append(self.path)
        after = parse_qs(urlsplit(self.path).query).get("after")
        page: dict[str, Any] = {"numbers": [3]} if after else {"numbers": [1, 2], "next": "2"}
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the server's name
        """Say nothing."""


@pytest.fixture
def base_url() -> Iterator[str]:
    """The server's URL."""
    SEEN.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Numbers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_blocking_loop_goes_over_items_or_pages(base_url: str) -> None:
    """A page is requested when its first item is due, and every loop starts anew."""
    with Client(base_url=base_url) as client:
        runner: Any = vars(client)["_runner"]
        pages: Pages[int, Page] = Pages(runner, LIST, {"after": None}, CallOptions())
        items = iter(pages)
        assert [next(items), next(items)] == [1, 2]
        assert SEEN == ["/numbers"]
        assert [*items] == [3]
        assert [*pages.pages()] == [Page((1, 2), "2"), Page((3,))]
    assert SEEN == ["/numbers", "/numbers?after=2"] * 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_loop_goes_over_items_or_pages(base_url: str, backend: str) -> None:
    """As the blocking one does."""

    async def loop() -> None:
        async with AsyncClient(base_url=base_url) as client:
            runner: Any = vars(client)["_runner"]
            pages: AsyncPages[int, Page] = AsyncPages(runner, LIST, {"after": None}, CallOptions())
            assert [item async for item in pages] == [1, 2, 3]
            assert [page async for page in pages.pages()] == [Page((1, 2), "2"), Page((3,))]

    anyio.run(loop, backend=backend)
    assert SEEN == ["/numbers", "/numbers?after=2"] * 2
