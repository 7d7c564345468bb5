"""The calls of one map: which may start, and whose result comes next."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.window import Window, check_prompts, checked_concurrency
from autonomousai_sdk.errors import ConfigurationError


def test_results_come_in_the_order_of_the_input() -> None:
    """An ordered window delivers a result only after all earlier ones."""
    window = Window[str](3, ordered=True)
    assert [window.start() for _ in range(3)] == [0, 1, 2]
    window.finish(2, "c")
    window.finish(1, "b")
    assert window.take() is None
    window.finish(0, "a")
    assert [window.take() for _ in range(4)] == ["a", "b", "c", None]


def test_results_come_as_they_finish() -> None:
    """An unordered window delivers results in the order in which the calls end."""
    window = Window[str](3, ordered=False)
    for _ in range(3):
        window.start()
    window.finish(2, "c")
    window.finish(0, "a")
    assert [window.take() for _ in range(3)] == ["c", "a", None]


def test_no_more_is_read_than_was_delivered_plus_the_concurrency() -> None:
    """A finished call makes room only once its result is delivered."""
    window = Window[str](2, ordered=True)
    window.start()
    window.start()
    window.finish(0, "a")
    assert not window.has_room
    window.take()
    assert window.has_room


def test_a_window_is_done_when_all_was_delivered() -> None:
    """The end of the input alone does not end a map."""
    window = Window[str](2, ordered=True)
    assert not window.is_done
    window.start()
    window.exhausted = True
    assert not window.has_room
    assert not window.is_done
    window.finish(0, "a")
    window.take()
    assert window.is_done


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "8", None, "x" * 5000])
def test_a_wrong_concurrency_is_refused(value: Any) -> None:
    """`concurrency` is a whole number, 1 or more."""
    with pytest.raises(ConfigurationError, match="concurrency= must be a number of calls"):
        checked_concurrency(value)
    with pytest.raises(ConfigurationError) as caught:
        checked_concurrency(value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x", "put the one prompt in a list"),
        (b"x", "put the one prompt in a list"),
        (5, "must be iterable, such as a list; got int"),
        (None, "got NoneType"),
        (list, "got type"),
    ],
)
def test_an_input_that_cannot_be_iterated_is_refused(value: object, said: str) -> None:
    """The input of a map is several prompts."""
    with pytest.raises(ConfigurationError, match=said):
        check_prompts(value, "__iter__", "__aiter__")
    for prompts in (["x"], iter("x"), {"x": 1}):
        check_prompts(prompts, "__iter__")


def test_a_right_concurrency_is_taken() -> None:
    """Any number from 1 on is taken."""
    assert checked_concurrency(1) == 1
