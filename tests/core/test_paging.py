"""Paging: the arguments of the next page, and an end."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve, frozen

from autonomousai_sdk._core.operation import Operation, Paging
from autonomousai_sdk._core.paging import next_page, page_items
from autonomousai_sdk.errors import APIResponseError


@frozen
class Page:
    """A page of numbers."""

    numbers: tuple[int, ...] | None
    cursor: str | None = None


CURSOR: Operation[Any] = Operation(
    name="numbers.list",
    routes={},
    result=Page,
    paging=Paging(parameter="after", items="numbers", next="cursor"),
)
NUMBERED = evolve(CURSOR, paging=Paging(parameter="page", items="numbers", first=0))


def test_a_page_has_items() -> None:
    """Null counts as none, and an operation without pages has none."""
    assert page_items(CURSOR, Page((1, 2))) == (1, 2)
    assert page_items(CURSOR, Page(None)) == ()
    assert page_items(evolve(CURSOR, paging=None), Page((1,))) == ()
    assert next_page(evolve(CURSOR, paging=None), {}, Page((1,)), None) is None


def test_a_cursor_leads_to_the_next_page() -> None:
    """Until there is none; the other arguments stay."""
    assert next_page(CURSOR, {"q": "x"}, Page((1,), "c"), None) == {"q": "x", "after": "c"}
    assert next_page(CURSOR, {"after": "b"}, Page((), "c"), None) == {"after": "c"}
    assert next_page(CURSOR, {}, Page((1,), None), None) is None
    assert next_page(CURSOR, {}, Page((1,), ""), None) is None


def test_pages_are_numbered_until_one_is_empty() -> None:
    """From the first number, or from the one that the caller gave."""
    assert next_page(NUMBERED, {"page": None}, Page((1,)), None) == {"page": 1}
    assert next_page(NUMBERED, {"page": 5}, Page((1,)), None) == {"page": 6}
    assert next_page(NUMBERED, {"page": 6}, Page(()), Page((1,))) is None


@pytest.mark.parametrize(
    ("operation", "arguments", "page"),
    [(CURSOR, {"after": "c"}, Page((1,), "c")), (NUMBERED, {"page": 2}, Page((1,)))],
)
def test_a_repeated_page_is_an_error(
    operation: Operation[Any], arguments: dict[str, object], page: Page
) -> None:
    """A server that ignores the parameter would make an endless list."""
    with pytest.raises(APIResponseError, match=r"numbers\.list: .* twice"):
        next_page(operation, arguments, page, page)
