"""Time limits: the limits that a caller sets, and the time that is left of them.

Reads no clock: a method that needs the time takes it as an argument.
"""

from __future__ import annotations

import math
from typing import Any

from attrs import Attribute, define, evolve, field, fields, frozen

from ..errors import ConfigurationError
from .display import display
from .exchange import TransportError

LONGEST = 1e9
"""The longest limit, in seconds: 31 years, at which no socket or timer overflows."""

END_MARKER_TIMEOUT = 5.0
"""Seconds to read on after the finish reason, for the usage and the end marker."""


def _seconds(_: object, attribute: Attribute[Any], value: object) -> None:
    name = attribute.name
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigurationError(
            f"timeout: {name} must be a number of seconds or None, not {type(value).__name__}."
        )
    if not 0 < value <= LONGEST:
        raise ConfigurationError(
            f"timeout: {name} must be a positive number of seconds, not {display(value)}; "
            "None means no limit."
        )


@frozen(kw_only=True)
class Timeout:
    """The time limits of a call, each in seconds, None for no limit.

    Attributes:
        connect: to open one connection, TLS included.
        read: to receive the next bytes of a response.
        write: to send the next bytes of the request.
        pool: to get a connection from the pool.
        total: for the whole call: every attempt, every wait between attempts, and reading a
            stream to its end.
        idle: to receive the next event of a stream. A keep-alive comment is not an event.

    Raises:
        ConfigurationError: a limit is not a positive number.

    Examples:
        >>> Client(timeout=Timeout(total=60, idle=10))
        >>> Client(timeout=60)  # the same as Timeout(total=60)
    """

    connect: float | None = field(default=10.0, validator=_seconds)
    read: float | None = field(default=300.0, validator=_seconds)
    write: float | None = field(default=60.0, validator=_seconds)
    pool: float | None = field(default=60.0, validator=_seconds)
    total: float | None = field(default=None, validator=_seconds)
    idle: float | None = field(default=300.0, validator=_seconds)

    @classmethod
    def of(cls, value: object) -> Timeout:
        """Return a `Timeout` from a `Timeout`, or from seconds for the whole call."""
        if isinstance(value, Timeout):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return cls(total=value)
        raise ConfigurationError(
            f"timeout must be a number of seconds or a Timeout(...), not {type(value).__name__}."
        )


@frozen
class ExpiredLimit:
    """An expired limit: its name in `Timeout`, and its length in seconds."""

    name: str
    seconds: float


@define
class Deadline:
    """The time that one call has left.

    `started` and every `now` are readings of one monotonic clock, in seconds.
    """

    timeout: Timeout
    started: float
    streaming: bool = False
    _ending: bool = False
    _waiting_since: float = field(init=False)
    _total_until: float = field(init=False)
    _idle: float = field(init=False)
    _read: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        timeout = self.timeout
        self._waiting_since = self.started
        self._total_until = math.inf if timeout.total is None else self.started + timeout.total
        self._idle = math.inf if timeout.idle is None else timeout.idle
        self._read = math.inf if timeout.read is None else timeout.read

    def answered(self, now: float, *, streaming: bool) -> None:
        """The response began: for a stream, the wait for the first event begins now."""
        self.streaming = streaming
        self._waiting_since = now

    def waits(self, now: float, *, ending: bool) -> None:
        """Begin the wait for the next event, which excludes the time between the caller's reads.

        With `ending`, only the usage and the end marker are due, and the wait is short.
        """
        self._waiting_since = now
        self._ending = ending

    def left(self, now: float) -> float:
        """Return the seconds that are left of the whole call."""
        return self._total_until - now

    def wait(self, now: float) -> float | None:
        """Return the seconds that the next bytes may take, or None without a limit.

        Raises:
            TransportError: a limit has expired.
        """
        wait = min(self._total_until - now, self._read)
        if self.streaming:
            idle = min(self._idle, END_MARKER_TIMEOUT) if self._ending else self._idle
            wait = min(wait, self._waiting_since + idle - now)
        if wait <= 0:
            raise TransportError("timeout", "timed out")
        return None if wait == math.inf else wait

    def limits(self, now: float) -> Timeout:
        """Return the limits of one attempt: none is longer than the rest of the whole call."""
        left = self._total_until - now
        if left == math.inf:
            return self.timeout
        left = max(left, 0.001)
        capped = {
            name: left if limit is None else min(limit, left)
            for name in ("connect", "read", "write", "pool")
            if (limit := getattr(self.timeout, name)) is None or limit > left
        }
        return evolve(self.timeout, **capped, total=left)

    def expired(self, now: float, phase: str) -> ExpiredLimit:
        """Return the limit that ended a wait in `phase` (connect, read, write or pool)."""
        timeout = self.timeout
        # Timers fire a little early on some platforms, so a limit counts as expired a hundredth
        # of a second, or of the limit, before its end.
        slack = 0.01
        if timeout.total is not None and self.left(now) <= max(slack, timeout.total / 100):
            return ExpiredLimit("total", timeout.total)
        if (
            self.streaming
            and timeout.idle is not None
            and self._waiting_since + timeout.idle - now <= max(slack, timeout.idle / 100)
        ):
            return ExpiredLimit("idle", timeout.idle)
        return ExpiredLimit(phase, getattr(timeout, phase) or 0.0)


LIMITS = tuple(attribute.name for attribute in fields(Timeout))
"""The names of the limits."""
