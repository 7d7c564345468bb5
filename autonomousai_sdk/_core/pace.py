"""How calls that run together share a server's limits.

They wait together when the server asks for it, spread requests and tokens over each minute, and
adapt how many of them run at the same time. Reads no clock: every method that needs the time is
given it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from attrs import define, field

from ..errors import ConfigurationError
from .display import display
from .headers import Headers
from .retry import LONGEST_WAIT, retry_after
from .window import Window

FIRST_WAIT = 0.5
LONGEST_BACKOFF = 8.0
"""Seconds to wait after a 429 without `retry-after`: the first time, and at most."""

_OVERLOADED = frozenset({429, 503, 529})
"""The statuses after which fewer calls run at the same time."""


def checked_rate(value: object, name: str) -> int | None:
    """Check a limit per minute.

    Raises:
        ConfigurationError: neither None nor a whole number of 1 or more.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"{name} must be a whole number of 1 or more, not {display(value)}."
        )
    return value


@define
class RateLimit:
    """A limit of units per minute, which are spread evenly over the minute.

    Threads may share it.
    """

    per_minute: int
    _free_at: float = field(init=False, default=0.0)
    _lock: Lock = field(init=False, factory=Lock, repr=False, eq=False)

    def reserve(self, units: int, now: float) -> float:
        """Reserve units; return the seconds to wait before using them."""
        with self._lock:
            start = max(self._free_at, now)
            self._free_at = start + units * 60 / self.per_minute
            return start - now

    def correct(self, units: int) -> None:
        """Add units that were used beyond those reserved; negative ones were not used."""
        with self._lock:
            self._free_at += units * 60 / self.per_minute


@define
class AdaptiveConcurrency:
    """Adapts how many calls run at the same time to what the server accepts.

    The number grows by one with each accepted request until the server refuses one. A refusal
    halves it, and from then on it grows by one for each full round of accepted requests.
    """

    _window: Window[Any]
    _maximum: int
    _has_refused: bool = field(init=False, default=False)
    _accepted: int = field(init=False, default=0)

    def accepted(self) -> None:
        """Take an accepted request into account."""
        self._accepted += 1
        if self._has_refused and self._accepted < self._window.concurrency:
            return
        self._accepted = 0
        self._window.concurrency = min(self._maximum, self._window.concurrency + 1)

    def refused(self) -> None:
        """Take a refused request into account."""
        self._has_refused = True
        self._accepted = 0
        self._window.concurrency = max(1, self._window.concurrency // 2)


def _no_tokens(_: Any) -> int:
    return 0


@define
class Pace:
    """When the next call, and the next request of any of the calls, may start.

    Attributes:
        requests: the limit of requests per minute, or None.
        tokens: the limit of tokens per minute, or None.
        estimate: returns the tokens that a call for an item will probably use.
        concurrency: adapts the number of calls at the same time, or None.
    """

    requests: RateLimit | None = None
    tokens: RateLimit | None = None
    estimate: Callable[[Any], int] = _no_tokens
    concurrency: AdaptiveConcurrency | None = None
    _until: float = field(init=False, default=0.0)
    _refusals: int = field(init=False, default=0)
    _reserved: int = field(init=False, default=0)
    _lock: Lock = field(init=False, factory=Lock, repr=False, eq=False)

    def start(self, item: object, now: float) -> float:
        """Reserve a call's first request and its tokens; return the seconds to wait before it."""
        wait = 0.0
        if self.requests is not None:
            with self._lock:
                self._reserved += 1
            wait = self.requests.reserve(1, now)
        if self.tokens is not None:
            wait = max(wait, self.tokens.reserve(self.estimate(item), now))
        return wait

    def send(self, now: float) -> float:
        """Count a request; return the seconds to wait before it.

        The first request of a call was reserved by `start`; a retry is reserved here.
        """
        if self.requests is None:
            return 0.0
        with self._lock:
            if self._reserved:
                self._reserved -= 1
                return 0.0
        return self.requests.reserve(1, now)

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
        if self.concurrency is not None:
            if status < 400:
                self.concurrency.accepted()
            elif status in _OVERLOADED and now >= self._until:
                # Until then, responses to requests that went out before the refusal arrive.
                self.concurrency.refused()
        asked = retry_after(Headers(headers), date) if status in (429, 503) else None
        if status != 429 and asked is None:
            self._refusals = 0
            return
        if asked is None:
            asked = min(LONGEST_BACKOFF, FIRST_WAIT * 2**self._refusals)
        self._refusals = min(self._refusals + 1, 5)
        self._until = max(self._until, now + min(asked, LONGEST_WAIT))
