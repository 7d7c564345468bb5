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
from .plan import Plan
from .receiver import Answer, with_attempt
from .retry import LONGEST_WAIT, Backoff, RetryBudget, is_retryable, retry_after
from .stream import StreamState

_RETRYABLE_FAULTS = frozenset({"connect", "broken"})
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
    chance: Callable[[], float]
    backoff: Backoff = field(factory=Backoff)


def whole(plan: Plan[ResultT], policy: RetryPolicy) -> Flow[ResultT]:
    """The flow of a call that is answered as a whole."""
    answer = yield from _answered(plan, policy)
    result: ResultT = answer.document(plan.operation.result)
    return result


@frozen
class Opened:
    """A stream that has begun: the answer takes in bytes, and the state gives out chunks."""

    answer: Answer
    state: StreamState[Any, Any]

    @property
    def wants_end(self) -> bool:
        """Whether the stream is complete and only the end of its body is still to come."""
        return self.state.error is None and not self.answer.ended


def opened(plan: Plan[Any], policy: RetryPolicy) -> Flow[Opened]:
    """The flow of a call that is answered by a stream: done when its first event is there."""
    answer = yield from _answered(plan, policy)
    if answer.stream is None:
        raise AssertionError("unreachable: any other answer to such a plan is a fault")
    return Opened(answer, answer.stream)


def _answered(plan: Plan[Any], policy: RetryPolicy) -> Flow[Answer]:
    delay = 0.0
    number = 0
    while True:
        number += 1
        answer = _new_answer(plan, number)
        outcome = yield Attempt(request=plan.request, number=number, delay=delay, receiver=answer)
        error = _judged(answer, outcome)
        _log(plan, number, answer, outcome, error)
        if error is None:
            policy.budget.succeeded(number)
            return answer
        wait = _wait_before_next(plan, policy, number, answer, outcome, error)
        if wait is None:
            raise error
        logger.info(
            "%s error=%s: try %d follows in %.3f s",
            plan.context.endpoint,
            type(error).__name__,
            number + 1,
            wait,
        )
        delay = wait


def _new_answer(plan: Plan[Any], number: int) -> Answer:
    shape = plan.shape
    return Answer(
        with_attempt(plan.context, number),
        plan.max_bytes,
        None
        if shape is None
        else lambda context, headers: StreamState(shape, context, headers, plan.max_bytes),
    )


def _judged(answer: Answer, outcome: Outcome) -> AutonomousAIError | None:
    if isinstance(outcome, Failure):
        if answer.stream is not None:
            answer.stream.fail(outcome)
            return answer.fault()
        return connection_error(outcome, answer.context)
    return answer.fault()


def _wait_before_next(
    plan: Plan[Any],
    policy: RetryPolicy,
    number: int,
    answer: Answer,
    outcome: Outcome,
    error: AutonomousAIError,
) -> float | None:
    """Seconds to wait before the next try, or None when there is none."""
    asked: float | None = None
    if not isinstance(outcome, Failure):
        asked = retry_after(answer.headers, outcome.date)
        if isinstance(error, APIStatusError):
            error.retry_after = asked
    if number > plan.max_retries or not _is_worth_another(answer, outcome, error):
        return None
    if asked is not None and asked > LONGEST_WAIT:
        return None
    wait = policy.backoff.wait(number, policy.chance()) if asked is None else asked
    if plan.timeout.total is not None and outcome.elapsed + wait >= plan.timeout.total:
        return None
    return wait if policy.budget.take() else None


def _is_worth_another(answer: Answer, outcome: Outcome, error: AutonomousAIError) -> bool:
    if isinstance(outcome, Failure):
        fault = outcome.error.fault
        return fault in _RETRYABLE_FAULTS or (
            fault == "timeout" and outcome.limit in _RETRYABLE_LIMITS
        )
    if isinstance(error, APIStatusError):
        return is_retryable(error.status, answer.headers)
    return isinstance(error, StreamInterrupted)


def _log(
    plan: Plan[Any],
    number: int,
    answer: Answer,
    outcome: Outcome,
    error: AutonomousAIError | None,
) -> None:
    """One line a try: method, path, status, try, duration, request id. Never a body or a key."""
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug(
            "%s status=%s try=%d duration=%.3f request_id=%s%s",
            plan.context.endpoint,
            answer.status or "-",
            number,
            outcome.duration,
            answer.context.request_id or "-",
            "" if error is None else f" error={type(error).__name__}",
        )
