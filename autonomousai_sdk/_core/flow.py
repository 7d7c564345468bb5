"""A call as a flow: tries, judged, until one is good or none is left.

The one place where retries happen, for both clients, whole answers and streams. See
`exchange` for what a flow is. Time, chance and the connection are the driver's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from ..errors import APIStatusError, AutonomousAIError, StreamInterrupted
from .exchange import Attempt, Failure, Flow, Outcome
from .failure import connection_error
from .log import logger
from .operation import ResultT
from .prepared_call import PreparedCall
from .response import ResponseReader, with_attempt
from .retry import LONGEST_WAIT, Backoff, RetryBudget, is_retryable, retry_after
from .stream import StreamState

_RETRYABLE_KINDS = frozenset({"connect", "broken"})
_RETRYABLE_LIMITS = frozenset({"connect", "read", "write"})


@frozen(kw_only=True)
class RetryPolicy:
    """How a client retries: the same for all its calls.

    Attributes:
        budget: shared by the client's calls.
        chance: gives a random number in [0, 1).
        backoff: the waits.
    """

    budget: RetryBudget
    random: Callable[[], float]
    backoff: Backoff = field(factory=Backoff)


def create_flow(call: PreparedCall[ResultT], policy: RetryPolicy) -> Flow[ResultT]:
    """The flow of a call that is answered as a whole."""
    reader = yield from _attempts(call, policy)
    result: ResultT = reader.document(call.operation.result)
    return result


@frozen
class Opened:
    """A stream that has begun: the answer takes in bytes, and the state gives out chunks."""

    reader: ResponseReader
    state: StreamState[Any, Any]

    @property
    def wants_end(self) -> bool:
        """Whether the stream is complete and only the end of its body is still to come."""
        return self.state.error is None and not self.reader.ended


def stream_flow(call: PreparedCall[Any], policy: RetryPolicy) -> Flow[Opened]:
    """The flow of a call that is answered by a stream: done when its first event is there."""
    reader = yield from _attempts(call, policy)
    if reader.stream is None:
        raise AssertionError("unreachable: any other answer to such a plan is a fault")
    return Opened(reader, reader.stream)


def _attempts(call: PreparedCall[Any], policy: RetryPolicy) -> Flow[ResponseReader]:
    delay = 0.0
    number = 0
    while True:
        number += 1
        reader = _new_answer(call, number)
        outcome = yield Attempt(request=call.request, number=number, delay=delay, receiver=reader)
        error = _error_of(reader, outcome)
        _log(call, number, reader, outcome, error)
        if error is None:
            policy.budget.succeeded(number)
            return reader
        wait = _wait_before_next(call, policy, number, reader, outcome, error)
        if wait is None:
            raise error
        logger.info(
            "%s error=%s: try %d follows in %.3f s",
            call.context.endpoint,
            type(error).__name__,
            number + 1,
            wait,
        )
        delay = wait


def _new_answer(call: PreparedCall[Any], number: int) -> ResponseReader:
    shape = call.shape
    return ResponseReader(
        with_attempt(call.context, number),
        call.max_bytes,
        None
        if shape is None
        else lambda context, headers: StreamState(shape, context, headers, call.max_bytes),
    )


def _error_of(reader: ResponseReader, outcome: Outcome) -> AutonomousAIError | None:
    if isinstance(outcome, Failure):
        if reader.stream is not None:
            reader.stream.fail(outcome)
            return reader.error()
        return connection_error(outcome, reader.context)
    return reader.error()


def _wait_before_next(
    call: PreparedCall[Any],
    policy: RetryPolicy,
    number: int,
    reader: ResponseReader,
    outcome: Outcome,
    error: AutonomousAIError,
) -> float | None:
    """Seconds to wait before the next try, or None when there is none."""
    asked: float | None = None
    if not isinstance(outcome, Failure):
        asked = retry_after(reader.headers, outcome.date)
        if isinstance(error, APIStatusError):
            error.retry_after = asked
    if number > call.max_retries or not _is_worth_another(reader, outcome, error):
        return None
    if asked is not None and asked > LONGEST_WAIT:
        return None
    wait = policy.backoff.wait(number, policy.random()) if asked is None else asked
    if call.timeout.total is not None and outcome.elapsed + wait >= call.timeout.total:
        return None
    return wait if policy.budget.take() else None


def _is_worth_another(reader: ResponseReader, outcome: Outcome, error: AutonomousAIError) -> bool:
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
    """One line a try: method, path, status, try, duration, request id. Never a body or a key."""
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug(
            "%s status=%s try=%d duration=%.3f request_id=%s%s",
            call.context.endpoint,
            reader.status or "-",
            number,
            outcome.duration,
            reader.context.request_id or "-",
            "" if error is None else f" error={type(error).__name__}",
        )
