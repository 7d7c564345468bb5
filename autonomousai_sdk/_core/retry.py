"""Whether to try again, and when: back-off, the service's own wishes, and the budget.

Pure decisions: randomness and the time of day are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from threading import Lock

from attrs import Factory, define, field, frozen

LONGEST_WAIT = 60.0
"""The longest wait a service may ask for and get, in seconds."""

RETRYABLE = frozenset({408, 409, 429})
"""The statuses below 500 that are worth another try."""

_DIGITS = re.compile(r"[0-9]{1,30}(\.[0-9]{1,9})?")


@frozen
class Backoff:
    """Waits that double: exponential back-off with jitter.

    Attributes:
        initial: the first wait, in seconds.
        longest: what no wait exceeds, in seconds.
        jitter: the share of a wait that chance may take off it, so that clients that
            failed together do not come back together.
    """

    initial: float = 0.5
    longest: float = 8.0
    jitter: float = 0.25

    def wait(self, attempt: int, random: float) -> float:
        """Seconds to wait after the try of that number, from 1; `chance` is in [0, 1)."""
        # 2**62 is over any wait: the exponent is bounded so that it cannot overflow.
        doubled = self.initial * 2.0 ** min(attempt - 1, 62)
        return min(doubled, self.longest) * (1 - self.jitter * random)


@define
class RetryBudget:
    """Tokens that retries cost, so that a failing service is not hammered.

    A retry takes `cost` tokens; the call that then succeeds gives them back, and a call
    that succeeds at once gives one. With none left, calls fail at their first error.
    This is the standard retry mode of the AWS SDKs, with its numbers.
    """

    capacity: int = 500
    cost: int = 5
    tokens: int = field(init=False, default=Factory(lambda self: self.capacity, takes_self=True))
    _lock: Lock = field(init=False, factory=Lock, repr=False, eq=False)

    def take(self) -> bool:
        """Pay for one retry; False when the budget does not cover it."""
        with self._lock:
            if self.tokens < self.cost:
                return False
            self.tokens -= self.cost
            return True

    def succeeded(self, attempt: int) -> None:
        """Take back what the last retry cost, or one token if there was none."""
        with self._lock:
            self.tokens = min(self.capacity, self.tokens + (1 if attempt == 1 else self.cost))


def retry_after(headers: Mapping[str, str], date: float) -> float | None:
    """Seconds the service asks to wait; None when it does not, or says nonsense.

    Args:
        headers: the answer's, with names in lower case.
        date: the time of day, in seconds since 1970.

    `retry-after` is RFC 9110, section 10.2.3: seconds or a date. `retry-after-ms` is
    the field's, and more exact, so it goes first.
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
    """A plain positive decimal number in ASCII, which float() alone is too lax for."""
    value = value.strip()
    if not _DIGITS.fullmatch(value):
        return None
    return float(value) or None


def is_retryable(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an error status is worth another try; `x-should-retry` decides if it is there."""
    wish = headers.get("x-should-retry", "").strip().lower()
    if wish in ("true", "false"):
        return wish == "true"
    return status in RETRYABLE or status >= 500
