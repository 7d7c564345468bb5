"""One time limit for several calls, such as the rounds of `chat.run`.

Reads no clock: every method that needs the time is given it.
"""

from __future__ import annotations

from attrs import evolve, frozen

from ..errors import APITimeoutError
from .timeout import Timeout


@frozen
class SharedTimeout:
    """A timeout whose `total` bounds several calls, and what lies between them.

    Attributes:
        timeout: the limits, as the caller set them.
        started: when the first call began, by the clock of every `now`.
    """

    timeout: Timeout
    started: float

    @classmethod
    def of(cls, value: object, default: Timeout, now: float) -> SharedTimeout:
        """Begin.

        Args:
            value: what the caller passed: a `Timeout`, seconds, or None.
            default: the client's timeout, for None.
            now: the time.

        Raises:
            ConfigurationError: not a timeout.
        """
        return cls(default if value is None else Timeout.of(value), now)

    def left(self, now: float) -> float | None:
        """Seconds that are left of the total; None without a limit.

        Raises:
            APITimeoutError: none are.
        """
        if self.timeout.total is None:
            return None
        left = self.started + self.timeout.total - now
        if left <= 0:
            raise self.expired()
        return left

    def for_call(self, now: float) -> Timeout:
        """The limits of the next call.

        Raises:
            APITimeoutError: no time is left for it.
        """
        return evolve(self.timeout, total=self.left(now))

    def expired(self) -> APITimeoutError:
        """The error of a total that has expired."""
        return APITimeoutError(
            f"Timed out: all rounds together took longer than {self.timeout.total:g} s (limit "
            "'total'). Raise timeout=.",
            limit="total",
            seconds=self.timeout.total,
        )
