"""The page that compares this SDK with other libraries."""

from __future__ import annotations

import pytest

from .compare import CHECKS, COLUMNS, MEASURES, PAGE, cells, committed

OWN = COLUMNS[0]


def test_page_has_a_row_for_each_check() -> None:
    """The committed page has exactly the rows that the script computes."""
    page = committed(OWN.title, PAGE.read_text(encoding="utf-8"))
    assert [*page] == [*CHECKS, *MEASURES, "time of its import"]


@pytest.mark.thorough
def test_page_is_true_of_this_sdk() -> None:
    """The committed page has for this SDK what the checks find now."""
    page = committed(OWN.title, PAGE.read_text(encoding="utf-8"))
    found = cells(OWN)
    assert {row: page[row] for row in CHECKS} == {row: found[row] for row in CHECKS}
