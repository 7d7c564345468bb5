"""Time limits, and the arithmetic of what is left of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autonomousai_sdk._core.exchange import TransportError
from autonomousai_sdk._core.timeout import (
    END_MARKER_TIMEOUT,
    LIMITS,
    LONGEST,
    Deadline,
    ExpiredLimit,
    Timeout,
)
from autonomousai_sdk.errors import ConfigurationError

NONE = dict.fromkeys(("connect", "read", "write", "pool", "total", "idle"))


def deadline(**limits: Any) -> Deadline:
    """A deadline of a call that began at second 100 and has these limits only."""
    return Deadline(Timeout(**{**NONE, **limits}), 100.0)


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "not 0"),
        (-1.5, r"not -1\.5"),
        (math.nan, "not nan"),
        (math.inf, "not inf; None means no limit"),
        (10**400, "positive number of seconds"),
        (LONGEST * 2, "positive number of seconds"),
        (True, "not bool"),
        ("5", "not str"),
    ],
)
def test_a_limit_is_a_positive_number_that_clocks_can_count_to(
    name: str, value: Any, said: str
) -> None:
    """Anything else is refused by the limit's name, before a socket or a timer chokes on it."""
    with pytest.raises(ConfigurationError, match=f"timeout: {name} .*{said}"):
        Timeout(**{name: value})


def test_limits_are_what_can_be_set() -> None:
    """Each limit can be lifted, set in whole seconds, and set to the longest there is."""
    assert set(LIMITS) == set(NONE)
    for name in LIMITS:
        for value in (None, 3, 0.5, LONGEST):
            assert getattr(Timeout(**{name: value}), name) == value


def test_a_number_is_the_whole_calls_limit() -> None:
    """`timeout=5` bounds the total and leaves the others at their defaults."""
    assert Timeout.of(5) == Timeout(total=5)
    assert Timeout.of(0.5).total == 0.5
    limits = Timeout(read=3)
    assert Timeout.of(limits) is limits


@pytest.mark.parametrize("value", ["5", None, True, [5]])
def test_anything_but_a_number_or_a_timeout_is_refused(value: object) -> None:
    """What a caller may pass is said, and what came."""
    with pytest.raises(
        ConfigurationError,
        match=rf"number of seconds or a Timeout\(\.\.\.\), not {type(value).__name__}",
    ):
        Timeout.of(value)


def test_without_limits_a_wait_is_endless() -> None:
    """Without a limit, the seconds left are infinite and a read waits without a timeout."""
    endless = deadline()
    assert endless.left(1e6) == math.inf
    assert endless.wait(1e6) is None
    assert endless.limits(1e6) == endless.timeout


def test_a_wait_is_the_shortest_of_what_applies() -> None:
    """The total counts down, the read limit starts anew, idle counts over several reads."""
    clock = deadline(total=60, read=10, idle=20)
    assert clock.wait(100.0) == 10
    assert clock.wait(155.0) == 5
    clock.answered(101.0, streaming=True)
    assert clock.wait(105.0) == 10
    assert clock.wait(115.0) == 6  # 20 seconds since the head came at 101
    clock.waits(114.0, ending=False)
    assert clock.wait(115.0) == 10
    with pytest.raises(TransportError, match="timed out") as caught:
        clock.wait(160.0)
    assert caught.value.kind == "timeout"


def test_how_long_the_caller_took_is_not_idle() -> None:
    """The wait for an event begins when it is asked for, whenever the last one came."""
    clock = deadline(idle=20)
    clock.answered(100.0, streaming=True)
    with pytest.raises(TransportError, match="timed out"):
        clock.wait(130.0)
    clock.waits(130.0, ending=False)
    assert clock.wait(130.0) == 20


def test_idle_is_for_streams_only() -> None:
    """A document may take as long as it is read."""
    clock = deadline(idle=20)
    clock.answered(100.0, streaming=False)
    assert clock.wait(500.0) is None
    assert clock.expired(500.0, "read") == ExpiredLimit("read", 0.0)


def test_a_stream_near_its_end_gets_a_grace_only() -> None:
    """After the finish reason nothing but usage and the end marker are waited for."""
    clock = deadline(idle=20)
    clock.answered(100.0, streaming=True)
    clock.waits(100.0, ending=True)
    assert clock.wait(100.0) == END_MARKER_TIMEOUT
    short = deadline(idle=2)
    short.waits(100.0, ending=True)
    short.answered(100.0, streaming=True)
    assert short.wait(100.0) == 2


def test_a_try_gets_no_more_than_is_left_of_the_call() -> None:
    """Limits that are longer, or none, are cut to the rest of the total; shorter ones stay."""
    clock = deadline(total=60, connect=10, read=300, idle=90)
    assert clock.limits(140.0) == Timeout(connect=10, read=20, write=20, pool=20, total=20, idle=90)
    assert clock.limits(155.0).connect == 5


def test_a_call_that_is_over_leaves_a_moment() -> None:
    """The limits of a try stay positive, as transports want them, when the total is used up."""
    assert deadline(total=60, read=5).limits(170.0).read == 0.001


@pytest.mark.parametrize(
    ("now", "phase", "streaming", "limit"),
    [
        (160.0, "read", True, ExpiredLimit("total", 60)),
        (159.5, "connect", False, ExpiredLimit("total", 60)),  # within a hundredth of it
        (120.0, "read", True, ExpiredLimit("idle", 20)),
        (119.995, "read", True, ExpiredLimit("idle", 20)),
        (120.0, "read", False, ExpiredLimit("read", 10)),
        (110.0, "read", True, ExpiredLimit("read", 10)),
        (110.0, "connect", False, ExpiredLimit("connect", 7)),
        (110.0, "pool", False, ExpiredLimit("pool", 0.0)),
    ],
)
def test_the_limit_that_ended_a_wait_is_named(
    now: float, phase: str, streaming: bool, limit: ExpiredLimit
) -> None:
    """The total goes before idle, and idle before the transport's own limit."""
    clock = deadline(total=60, read=10, idle=20, connect=7)
    clock.answered(100.0, streaming=streaming)
    assert clock.expired(now, phase) == limit


def test_limits_that_are_not_set_are_never_named() -> None:
    """Without a total and idle, only the transport's own limit can have expired."""
    clock = deadline(read=10)
    clock.answered(100.0, streaming=True)
    assert clock.expired(1e6, "read") == ExpiredLimit("read", 10)
