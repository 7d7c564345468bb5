"""How calls that run together slow down together when the service asks for it.

Reads no clock: every method that needs the time is given it.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from .headers import Headers
from .retry import LONGEST_WAIT, retry_after

FIRST_WAIT = 0.5
LONGEST_BACKOFF = 8.0
"""Seconds to wait after a 429 without `retry-after`: the first time, and at most."""


@define
class Pace:
    """When the next request of any of the calls may go out."""

    _until: float = field(init=False, default=0.0)
    _refusals: int = field(init=False, default=0)

    def wait(self, now: float) -> float:
        """Seconds until a request may go out; 0 if it may at once."""
        return max(0.0, self._until - now)

    def answered(
        self, status: int, headers: Iterable[tuple[str, str]], now: float, date: float
    ) -> None:
        """Take the status of a response into account.

        Args:
            status: the HTTP status.
            headers: the response's headers.
            now: the time, by the clock of `wait`.
            date: the time of day, in seconds since 1970.
        """
        asked = retry_after(Headers(headers), date) if status in (429, 503) else None
        if status != 429 and asked is None:
            self._refusals = 0
            return
        if asked is None:
            asked = min(LONGEST_BACKOFF, FIRST_WAIT * 2**self._refusals)
        self._refusals = min(self._refusals + 1, 5)
        self._until = max(self._until, now + min(asked, LONGEST_WAIT))
