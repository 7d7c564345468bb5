"""From one page to the next: the arguments of the call that gets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import APIResponseError
from .operation import Operation


def page_items(operation: Operation[Any], page: object) -> Sequence[Any]:
    """The items that a page holds."""
    paging = operation.paging
    items: Sequence[Any] | None = None if paging is None else getattr(page, paging.items)
    return items or ()


def next_page(
    operation: Operation[Any], arguments: Mapping[str, object], page: object, previous: object
) -> Mapping[str, object] | None:
    """The arguments for the page after this one, or None if it is the last one.

    Args:
        operation: the operation that returns the pages.
        arguments: those that this page was requested with.
        page: this page.
        previous: the page before it, or None for the first one.

    Raises:
        APIResponseError: the server returns the same page again, and would do so for ever.
    """
    paging = operation.paging
    if paging is None:
        return None
    given = arguments.get(paging.parameter)
    if paging.next is None:
        if not page_items(operation, page):
            return None
        if page == previous:
            raise _repeated(operation, paging.parameter, given)
        number = given if isinstance(given, int) else paging.first
        return {**arguments, paging.parameter: number + 1}
    cursor = getattr(page, paging.next)
    if not cursor:
        return None
    if cursor == given:
        raise _repeated(operation, paging.parameter, given)
    return {**arguments, paging.parameter: cursor}


def _repeated(operation: Operation[Any], parameter: str, value: object) -> APIResponseError:
    text = f"{value!r}"[:60]
    return APIResponseError(
        f"{operation.name}: the server returned the page for {parameter}={text} twice, so that "
        "there would be no end of pages."
    )
