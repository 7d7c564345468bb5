"""Iterating over pages and their items, for `Client`. The twin of `awaiting_pages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from .._core.operation import Operation
from .._core.paging import next_page, page_items
from .._core.settings import CallOptions
from .blocking import CallRunner

ItemT = TypeVar("ItemT")
PageT = TypeVar("PageT")


class Pages(Generic[ItemT, PageT]):
    """The items of a list that the server returns in pages, each requested when it is needed.

    Every loop starts at the first page again.
    """

    def __init__(
        self,
        runner: CallRunner,
        operation: Operation[PageT],
        arguments: Mapping[str, object],
        options: CallOptions,
    ) -> None:
        self._runner = runner
        self._operation = operation
        self._arguments = arguments
        self._options = options

    def __iter__(self) -> Iterator[ItemT]:
        return self._items()

    def pages(self) -> Iterator[PageT]:
        """Iterate over the pages.

        Raises:
            AutonomousAIError: a call fails, or the server repeats a page.
        """
        arguments: Mapping[str, object] | None = self._arguments
        page: PageT | None = None
        while arguments is not None:
            previous = page
            page = self._runner.call(self._operation, arguments, self._options)
            arguments = next_page(self._operation, arguments, page, previous)
            yield page

    def _items(self) -> Iterator[ItemT]:
        for page in self.pages():
            yield from page_items(self._operation, page)
