"""Whether to try again, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Thread
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.retry import (
    LONGEST_WAIT,
    Backoff,
    RetryBudget,
    is_retryable,
    retry_after,
)
from tests.support.sample_operation import DATA

CASES: dict[str, list[Any]] = json.loads((DATA / "retry_cases.json").read_text("utf-8"))
NOW = datetime(2026, 11, 23, 6, 0, 0, tzinfo=UTC)


def asked(value: str, name: str = "retry-after") -> float | None:
    """Return the seconds that a response with this header asks for."""
    return retry_after(Headers([(name, value)]), NOW.timestamp())


@pytest.mark.parametrize(("name", "value", "wait"), CASES["retry_after"])
def test_each_case_of_the_table(name: str, value: str, wait: float | str | None) -> None:
    """Valid values are obeyed, invalid ones ignored, and long ones exceed the cap."""
    seconds = asked(value, name)
    if wait == "raise":
        assert seconds is not None
        assert seconds > LONGEST_WAIT
    else:
        assert seconds == wait


@pytest.mark.parametrize("case", CASES["budget"], ids=lambda case: str(case["name"]))
def test_each_budget_of_the_table(case: dict[str, Any]) -> None:
    """Tokens and waits of the standard retry mode, with its base of one second and no jitter."""
    budget = RetryBudget()
    budget.tokens = case["tokens"]
    backoff = Backoff(initial=1, longest=case["max_backoff"], jitter=0)
    for attempt, (status, result, tokens, wait) in enumerate(case["steps"], 1):
        if result == "success":
            budget.succeeded(attempt)
            assert wait is None
        elif result == "max_attempts_exceeded":
            assert attempt == case["max_attempts"]
        else:
            assert is_retryable(status, {})
            assert budget.take() is (result == "retry")
        assert budget.tokens == tokens
        if result == "retry":
            assert backoff.wait(attempt, 0.5) == wait


def test_waits_double_from_half_a_second_to_eight() -> None:
    """The waits double from 0.5 s to 8 s, without an overflow after many attempts."""
    backoff = Backoff()
    assert [backoff.wait(attempt, 0.0) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 8, 8]
    assert backoff.wait(10**9, 0.0) == 8


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_chance_takes_up_to_a_quarter_off_a_wait(attempt: int, random: float) -> None:
    """Jitter shortens a wait by at most a quarter."""
    prepare_call = Backoff().wait(attempt, 0.0)
    assert 0.75 * prepare_call <= Backoff().wait(attempt, random) <= prepare_call


def test_chance_matters() -> None:
    """Different random numbers give different waits."""
    assert Backoff().wait(1, 0.9) < Backoff().wait(1, 0.1)


def test_a_budget_is_spent_refused_and_refilled() -> None:
    """A retry costs 5 tokens; a success returns 1, or 5 after a retry, up to the capacity."""
    budget = RetryBudget(capacity=12)
    assert [budget.take() for _ in range(3)] == [True, True, False]
    assert budget.tokens == 2
    budget.succeeded(1)
    assert budget.tokens == 3
    budget.succeeded(2)
    assert budget.tokens == 8
    for _ in range(2):
        budget.succeeded(3)
    assert budget.tokens == 12
    assert RetryBudget().tokens == 500


def test_a_budget_is_safe_to_share() -> None:
    """Threads that take tokens at the same time never overdraw the budget."""
    budget = RetryBudget(capacity=5000)
    taken: list[bool] = []
    threads = [
        Thread(target=lambda: taken.extend(budget.take() for _ in range(300))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 1000
    assert budget.tokens == 0


@pytest.mark.parametrize(
    ("form", "seconds"),
    [
        ("Mon, 23 Nov 2026 06:00:30 GMT", 30),
        ("Monday, 23-Nov-26 06:00:30 GMT", 30),
        ("Mon Nov 23 06:00:30 2026", 30),
        ("Mon, 23 Nov 2026 07:00:30 +0100", 30),
        ("Mon, 23 Nov 2026 06:00:30 -0000", 30),
        ("Mon, 23 Nov 2026 06:00:00 GMT", None),
        ("Mon, 23 Nov 2026 05:59:00 GMT", None),
    ],
)
def test_a_date_is_read_in_every_form_of_http(form: str, seconds: float | None) -> None:
    """All date forms of RFC 9110, section 5.6.7, are read as GMT."""
    assert asked(form) == seconds


@given(st.integers(1, 10**6))
def test_any_date_to_come_is_a_wait(seconds: int) -> None:
    """A date asks for exactly the seconds until it."""
    assert asked(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)) == seconds


@given(st.text(max_size=30))
@example("Mon, 23 Nov 2026 06:00:30 +9999")
@example("Mon, 00 Jan 0000 00:00:00 GMT")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example(",")
@example("1.")
@example("9" * 31)
def test_no_value_is_too_odd(value: str) -> None:
    """Any header value gives a positive wait or None, and no exception."""
    for name in ("retry-after", "retry-after-ms"):
        seconds = asked(value, name)
        assert seconds is None or seconds > 0


def test_milliseconds_go_first_if_they_make_sense() -> None:
    """`retry-after-ms` takes precedence unless it is invalid."""
    both = Headers([("retry-after-ms", "250"), ("retry-after", "3")])
    assert retry_after(both, 0.0) == 0.25
    assert retry_after(Headers([("retry-after-ms", "x"), ("retry-after", "3")]), 0.0) == 3
    assert retry_after(Headers([("retry-after", " 1.5 ")]), 0.0) == 1.5
    assert retry_after(Headers(), 0.0) is None


@pytest.mark.parametrize(
    ("status", "worth"),
    [
        *[(status, True) for status in (408, 409, 429, 500, 502, 503, 504, 529, 599)],
        *[(status, False) for status in (301, 400, 401, 403, 404, 413, 422, 425, 499)],
    ],
)
def test_which_statuses_are_worth_another_try(status: int, worth: bool) -> None:
    """408, 409, 429 and 5xx are retried, unless `x-should-retry` says otherwise."""
    assert is_retryable(status, {}) is worth
    for wish, decides in (("true", True), ("FALSE", False), (" true ", True)):
        assert is_retryable(status, {"x-should-retry": wish}) is decides
    for nonsense in ("", "1", "yes", "maybe"):
        assert is_retryable(status, {"x-should-retry": nonsense}) is worth
