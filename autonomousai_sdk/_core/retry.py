"""When to retry: backoff, `Retry-After`, and the retry budget.

Randomness and the time of day are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from threading import Lock

from attrs import Factory, define, field, frozen

LONGEST_WAIT = 60.0
"""The longest `Retry-After` that is obeyed, in seconds."""

RETRYABLE = frozenset({408, 409, 429})
"""The statuses below 500 that are retried."""

_DIGITS = re.compile(r"[0-9]{1,30}(\.[0-9]{1,9})?")


@frozen
class Backoff:
    """Exponential backoff with jitter.

    Attributes:
        initial: the first wait, in seconds; each further one is twice as long.
        longest: the longest wait, in seconds.
        jitter: the random part of a wait, so that clients that failed at the same time do not
            retry at the same time.
    """

    initial: float = 0.5
    longest: float = 8.0
    jitter: float = 0.25

    def wait(self, attempt: int, random: float) -> float:
        """Return the seconds to wait after an attempt, counted from 1; `random` is in [0, 1)."""
        # 2**62 exceeds any wait, so bounding the exponent only prevents an overflow.
        doubled = self.initial * 2.0 ** min(attempt - 1, 62)
        return min(doubled, self.longest) * (1 - self.jitter * random)


@define
class RetryBudget:
    """A token bucket for retries, which protects a failing service from a client's load.

    A retry costs `cost` tokens. A call that succeeds after retries returns the cost of one, and a
    call that succeeds at once returns one token. Without tokens, a call fails at its first error.
    These are the rules and numbers of the AWS SDKs' standard retry mode.
    """

    capacity: int = 500
    cost: int = 5
    tokens: int = field(init=False, default=Factory(lambda self: self.capacity, takes_self=True))
    _lock: Lock = field(init=False, factory=Lock, repr=False, eq=False)

    def take(self) -> bool:
        """Pay for one retry; return False if there are not enough tokens."""
        with self._lock:
            if self.tokens < self.cost:
                return False
            self.tokens -= self.cost
            return True

    def succeeded(self, attempt: int) -> None:
        """Return the cost of one retry to the bucket, or one token if there was no retry."""
        with self._lock:
            self.tokens = min(self.capacity, self.tokens + (1 if attempt == 1 else self.cost))


def retry_after(headers: Mapping[str, str], date: float) -> float | None:
    """Return the seconds that the service asks to wait, or None if it sent no valid number.

    Args:
        headers: the response's headers.
        date: the time of day, in seconds since 1970.

    `retry-after` is seconds or a date (RFC 9110, section 10.2.3). `retry-after-ms`, which some LLM
    services send, is more exact and takes precedence.
    """
    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None and (number := _number(milliseconds)) is not None:
        return number / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    if (number := _number(value)) is not None:
        return number
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:  # the form without a zone is GMT (RFC 9110, section 5.6.7)
            moment = moment.replace(tzinfo=UTC)
        wait = moment.timestamp() - date
    except (TypeError, ValueError, OverflowError):
        return None
    return wait if wait > 0 else None


def _number(value: str) -> float | None:
    """Parse a positive decimal number in ASCII; float() would accept more."""
    value = value.strip()
    if not _DIGITS.fullmatch(value):
        return None
    return float(value) or None


def is_retryable(status: int, headers: Mapping[str, str]) -> bool:
    """Whether to retry after an error status; the header `x-should-retry` takes precedence."""
    wish = headers.get("x-should-retry", "").strip().lower()
    if wish in ("true", "false"):
        return wish == "true"
    return status in RETRYABLE or status >= 500
