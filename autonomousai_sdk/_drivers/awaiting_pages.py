"""Iterating over pages and their items, for `AsyncClient`. The twin of `blocking_pages`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Generic, TypeVar

from .._core.operation import Operation
from .._core.paging import next_page, page_items
from .._core.settings import CallOptions
from .awaiting import AsyncCallRunner

ItemT = TypeVar("ItemT")
PageT = TypeVar("PageT")


class AsyncPages(Generic[ItemT, PageT]):
    """The items of a list that the server returns in pages, each requested when it is needed.

    Every loop starts at the first page again.
    """

    def __init__(
        self,
        runner: AsyncCallRunner,
        operation: Operation[PageT],
        arguments: Mapping[str, object],
        options: CallOptions,
    ) -> None:
        self._runner = runner
        self._operation = operation
        self._arguments = arguments
        self._options = options

    def __aiter__(self) -> AsyncIterator[ItemT]:
        return self._items()

    async def pages(self) -> AsyncIterator[PageT]:
        """Iterate over the pages.

        Raises:
            AutonomousAIError: a call fails, or the server repeats a page.
        """
        arguments: Mapping[str, object] | None = self._arguments
        page: PageT | None = None
        while arguments is not None:
            previous = page
            page = await self._runner.call(self._operation, arguments, self._options)
            arguments = next_page(self._operation, arguments, page, previous)
            yield page

    async def _items(self) -> AsyncIterator[ItemT]:
        async for page in self.pages():
            for item in page_items(self._operation, page):
                yield item
