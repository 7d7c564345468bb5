"""One time limit for several calls."""

from __future__ import annotations

import pytest

from autonomousai_sdk._core.shared_timeout import SharedTimeout
from autonomousai_sdk._core.timeout import Timeout
from autonomousai_sdk.errors import APITimeoutError, ConfigurationError

DEFAULT = Timeout(connect=3, total=9)


def test_a_call_gets_what_is_left_of_the_total() -> None:
    """Each call's total is what earlier calls left; the other limits stay as they are."""
    shared = SharedTimeout.of(Timeout(connect=1, total=10), DEFAULT, 100.0)
    assert shared.for_call(100.0) == Timeout(connect=1, total=10)
    assert shared.for_call(104.0) == Timeout(connect=1, total=6)


def test_seconds_and_the_default_are_taken() -> None:
    """Seconds bound the total, and None stands for the client's own timeout."""
    assert SharedTimeout.of(5, DEFAULT, 0.0).left(2.0) == 3.0
    assert SharedTimeout.of(None, DEFAULT, 0.0).for_call(0.0) == DEFAULT


def test_without_a_total_there_is_no_limit() -> None:
    """A timeout without `total` bounds each call on its own."""
    assert SharedTimeout.of(Timeout(), DEFAULT, 0.0).left(1e6) is None


def test_no_time_left_is_an_error() -> None:
    """Once the total has passed, the next call is an error that names the limit."""
    with pytest.raises(
        APITimeoutError, match=r"all rounds together took longer than 10 s"
    ) as caught:
        SharedTimeout.of(10, DEFAULT, 100.0).for_call(110.0)
    assert (caught.value.limit, caught.value.seconds) == ("total", 10)


def test_what_is_not_a_timeout_is_refused() -> None:
    """A timeout of the wrong type is an error before anything is sent."""
    with pytest.raises(ConfigurationError, match="timeout"):
        SharedTimeout.of("5", DEFAULT, 0.0)
