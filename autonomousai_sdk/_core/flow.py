"""A call as a flow: the attempts, and the decision to retry.

A flow is a generator. It yields an `Attempt`, is sent the `Reply` or `Failure` that came of it,
and returns the call's result. It does no I/O and reads no clock, so the blocking and the awaiting
driver run the same flow.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from ..errors import APIStatusError, AutonomousAIError, StreamInterrupted
from .exchange import Failure, Outcome, Reply, Request
from .failure import connection_error
from .log import logger
from .prepared_call import PreparedCall
from .response import ResponseReader
from .retry import LONGEST_WAIT, Backoff, RetryBudget, is_retryable, retry_after

T = TypeVar("T")

_RETRYABLE_KINDS = frozenset({"connect", "broken"})
_RETRYABLE_LIMITS = frozenset({"connect", "read", "write"})


@frozen(kw_only=True)
class RetryPolicy:
    """How a client retries, shared by all its calls.

    Attributes:
        budget: limits the retries of all calls together.
        random: returns a random number in [0, 1).
        backoff: the waits between attempts.
    """

    budget: RetryBudget
    random: Callable[[], float]
    backoff: Backoff = field(factory=Backoff)


@frozen(kw_only=True)
class Attempt:
    """One attempt of a call, for the driver to make.

    Attributes:
        request: the request to send.
        delay: seconds to wait before it.
        reader: reads the response.
    """

    request: Request
    delay: float
    reader: ResponseReader


Flow = Generator[Attempt, Outcome, T]


def attempts(call: PreparedCall[Any], policy: RetryPolicy) -> Flow[ResponseReader]:
    """Make attempts until one succeeds.

    Returns:
        The reader of the response: of a whole document, or of a stream whose first chunk is
        ready.

    Raises:
        AutonomousAIError: the last attempt failed.
    """
    number = 0
    delay = 0.0
    while True:
        number += 1
        reader = ResponseReader(evolve(call.context, attempt=number), call.max_bytes, call.shape)
        outcome = yield Attempt(request=call.request, delay=delay, reader=reader)
        error = reader.error() if isinstance(outcome, Reply) else _failed(reader, outcome)
        if logger.isEnabledFor(logging.DEBUG):
            _log(call, number, reader, outcome, error)
        if error is None:
            policy.budget.succeeded(number)
            return reader
        wait = _wait_before_next(call, policy, number, reader, outcome, error)
        if wait is None:
            raise error
        logger.info(
            "%s error=%s: attempt %d follows in %.3f s",
            call.context.endpoint,
            type(error).__name__,
            number + 1,
            wait,
        )
        delay = wait


def _failed(reader: ResponseReader, failure: Failure) -> AutonomousAIError | None:
    if reader.stream is None:
        return connection_error(failure, reader.context)
    reader.stream.fail(failure)
    return reader.error()


def _wait_before_next(
    call: PreparedCall[Any],
    policy: RetryPolicy,
    number: int,
    reader: ResponseReader,
    outcome: Outcome,
    error: AutonomousAIError,
) -> float | None:
    """Return the seconds to wait before the next attempt, or None to make no other one."""
    asked: float | None = None
    if not isinstance(outcome, Failure):
        asked = retry_after(reader.headers, outcome.date)
        if isinstance(error, APIStatusError):
            error.retry_after = asked
    if number > call.max_retries or not _is_retryable(reader, outcome, error):
        return None
    if asked is not None and asked > LONGEST_WAIT:
        return None
    wait = policy.backoff.wait(number, policy.random()) if asked is None else asked
    if call.timeout.total is not None and outcome.elapsed + wait >= call.timeout.total:
        return None
    return wait if policy.budget.take() else None


def _is_retryable(reader: ResponseReader, outcome: Outcome, error: AutonomousAIError) -> bool:
    if isinstance(outcome, Failure):
        kind = outcome.error.kind
        return kind in _RETRYABLE_KINDS or (
            kind == "timeout" and outcome.limit in _RETRYABLE_LIMITS
        )
    if isinstance(error, APIStatusError):
        return is_retryable(error.status, reader.headers)
    return isinstance(error, StreamInterrupted)


def _log(
    call: PreparedCall[Any],
    number: int,
    reader: ResponseReader,
    outcome: Outcome,
    error: AutonomousAIError | None,
) -> None:
    """Log one line: method, URL, status, attempt, duration, request id. Never a body or a key."""
    logger.debug(
        "%s status=%s attempt=%d duration=%.3f request_id=%s%s",
        call.context.endpoint,
        reader.status or "-",
        number,
        outcome.duration,
        reader.context.request_id or "-",
        "" if error is None else f" error={type(error).__name__}",
    )
