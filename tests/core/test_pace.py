"""How calls that run together slow down together."""

from __future__ import annotations

import pytest

from autonomousai_sdk._core.pace import Pace

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
