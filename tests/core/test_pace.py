"""How calls that run together share a server's limits."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.pace import AdaptiveConcurrency, Pace, RateLimit, checked_rate
from autonomousai_sdk._core.window import Window
from autonomousai_sdk.errors import ConfigurationError

NOTHING: list[tuple[str, str]] = []


def test_without_a_refusal_nothing_waits() -> None:
    """Requests go out at once as long as the service takes them."""
    pace = Pace()
    pace.answered(200, NOTHING, 100.0, 0.0)
    pace.answered(503, NOTHING, 100.0, 0.0)
    assert pace.wait(100.0) == 0


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_all_requests(status: int) -> None:
    """A wait that the service asks for counts for every request, and ends."""
    pace = Pace()
    pace.answered(status, [("retry-after", "5")], 100.0, 0.0)
    assert pace.wait(102.0) == 3
    assert pace.wait(106.0) == 0


def test_the_longest_wait_counts() -> None:
    """A shorter wait does not end a longer one, and none is longer than a minute."""
    pace = Pace()
    pace.answered(429, [("retry-after", "900")], 100.0, 0.0)
    pace.answered(429, [("retry-after", "1")], 100.0, 0.0)
    assert pace.wait(100.0) == 60


def test_refusals_without_a_wait_back_off() -> None:
    """Without `retry-after` the wait doubles up to eight seconds, until a request is taken."""
    pace = Pace()
    waits: list[float] = []
    for _ in range(7):
        pace.answered(429, NOTHING, 100.0, 0.0)
        waits.append(pace.wait(100.0))
    assert waits == [0.5, 1, 2, 4, 8, 8, 8]
    pace.answered(200, NOTHING, 200.0, 0.0)
    pace.answered(429, NOTHING, 200.0, 0.0)
    assert pace.wait(200.0) == 0.5


def test_units_are_spread_over_the_minute() -> None:
    """With 60 units a minute each unit takes a second, and unused time is not saved up."""
    limit = RateLimit(60)
    assert [limit.reserve(1, 100.0) for _ in range(3)] == [0, 1, 2]
    assert limit.reserve(5, 200.0) == 0
    assert limit.reserve(1, 200.0) == 5


def test_a_wrong_reservation_is_corrected() -> None:
    """Units used beyond those reserved delay the next ones; unused ones let them start earlier."""
    limit = RateLimit(60)
    limit.reserve(10, 100.0)
    limit.correct(5)
    assert limit.reserve(10, 100.0) == 15
    limit.correct(-20)
    assert limit.reserve(1, 100.0) == 5


def test_without_limits_calls_start_at_once() -> None:
    """A pace without limits reserves nothing."""
    pace = Pace()
    assert pace.start("item", 100.0) == 0
    assert pace.send(100.0) == 0


def test_a_call_reserves_its_first_request() -> None:
    """The first request of a call was reserved by its start; a retry waits for its own turn."""
    pace = Pace(requests=RateLimit(60))
    assert pace.start("a", 100.0) == 0
    assert pace.send(100.0) == 0
    assert pace.send(100.0) == 1
    assert pace.start("b", 100.0) == 2


def test_a_call_reserves_its_estimated_tokens() -> None:
    """The longer of the two waits counts, for a request and for the tokens of the call."""
    pace = Pace(requests=RateLimit(60), tokens=RateLimit(600), estimate=len)
    assert pace.start("x" * 30, 100.0) == 0
    assert pace.start("", 100.0) == 3
    only_tokens = Pace(tokens=RateLimit(600))
    assert only_tokens.start("item", 100.0) == 0
    assert only_tokens.send(100.0) == 0


def adapting(maximum: int = 12) -> tuple[Pace, Window[Any]]:
    """A pace that adapts a window of four calls."""
    window = Window[Any](4, ordered=False)
    return Pace(concurrency=AdaptiveConcurrency(window, maximum)), window


def test_concurrency_grows_while_all_requests_are_accepted() -> None:
    """Each accepted request adds a call, up to the maximum."""
    pace, window = adapting()
    for _ in range(20):
        pace.answered(200, NOTHING, 100.0, 0.0)
    assert window.concurrency == 12


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_refusal_halves_the_concurrency(status: int) -> None:
    """An overloaded server gets half as many calls, and at least one."""
    pace, window = adapting()
    seen: list[int] = []
    for moment in range(100, 400, 100):
        pace.answered(status, NOTHING, float(moment), 0.0)
        seen.append(window.concurrency)
    assert seen == [2, 1, 1]


def test_refusals_of_one_moment_count_once() -> None:
    """Refusals that arrive while all calls wait belong to requests that went out before."""
    pace, window = adapting()
    for _ in range(4):
        pace.answered(429, [("retry-after", "5")], 100.0, 0.0)
    assert window.concurrency == 2
    pace.answered(429, [("retry-after", "5")], 105.0, 0.0)
    assert window.concurrency == 1


def test_after_a_refusal_concurrency_grows_by_rounds() -> None:
    """Once the server has refused a request, one call is added for each accepted round."""
    pace, window = adapting()
    pace.answered(429, NOTHING, 100.0, 0.0)
    seen: list[int] = []
    for _ in range(5):
        pace.answered(200, NOTHING, 200.0, 0.0)
        seen.append(window.concurrency)
    assert seen == [2, 3, 3, 3, 4]


def test_other_errors_leave_the_concurrency() -> None:
    """A request that is refused for another reason says nothing about the load."""
    pace, window = adapting()
    pace.answered(400, NOTHING, 100.0, 0.0)
    pace.answered(500, NOTHING, 100.0, 0.0)
    assert window.concurrency == 4


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "8"])
def test_a_wrong_rate_is_refused(value: Any) -> None:
    """A limit per minute is None or a whole number of 1 or more."""
    with pytest.raises(ConfigurationError, match="max_requests must be a whole number"):
        checked_rate(value, "max_requests")


def test_a_right_rate_is_taken() -> None:
    """A rate is a positive whole number, or None for no limit."""
    assert (checked_rate(None, "x"), checked_rate(5, "x")) == (None, 5)
