"""A caller's value as an error message shows it."""

from __future__ import annotations

import pytest

from autonomousai_sdk._core.display import MAX_LENGTH, display


class Broken:
    """An object without a repr."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, "5"),
        ("it's", '"it\'s"'),
        (b"\0", "b'\\x00'"),
        (None, "None"),
        ("x" * 500, "'" + "x" * (MAX_LENGTH - 1) + "…"),
        (b"x" * 500, "b'" + "x" * (MAX_LENGTH - 2) + "…"),
        (["x"] * 500, repr(["x"] * 500)[:MAX_LENGTH] + "…"),
        pytest.param(10**5000, "<int>", id="digits"),
        (Broken(), "<Broken>"),
    ],
)
def test_a_value_is_shown_briefly(value: object, shown: str) -> None:
    """A long repr is cut, and a value without one is named by its type."""
    assert display(value) == shown
