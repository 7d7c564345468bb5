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

from ..errors import (
    APIStatusError,
    AutonomousAIError,
    ConfigurationError,
    NotFoundError,
    StreamInterrupted,
)
from .exchange import Failure, Outcome, Reply, Request
from .failure import connection_error
from .log import logger
from .memory import ServerMemory
from .operation import ResultT
from .prepared_call import PreparedCall
from .response import ResponseReader
from .retry import LONGEST_WAIT, Backoff, RetryBudget, is_retryable, retry_after

T = TypeVar("T")

_RETRYABLE_KINDS = frozenset({"connect", "broken"})
_NO_SUCH_ENDPOINT = frozenset({404, 405, 501})
_SHOWN_MODELS = 20
"""How many models the error for a missing `model=` lists."""

_RETRYABLE_LIMITS = frozenset({"connect", "read", "write"})


@frozen(kw_only=True)
class RetryPolicy:
    """How a client retries, shared by all its calls.

    Attributes:
        budget: limits the retries of all calls together.
        random: returns a random number in [0, 1).
        backoff: the waits between attempts.
        memory: facts about the servers.
    """

    budget: RetryBudget
    random: Callable[[], float]
    backoff: Backoff = field(factory=Backoff)
    memory: ServerMemory = field(factory=ServerMemory)


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

    A call without a model first asks for the server's only one. If the server refuses a field
    of the body, the call is repeated without it; that does not count as a retry.

    Returns:
        The reader of the response: of a whole document, or of a stream whose first chunk is
        ready.

    Raises:
        AutonomousAIError: the last attempt failed.
    """
    model_list = call.model_list
    if model_list is not None:
        call = yield from _with_model(call, model_list, policy)
    if call.fallbacks:
        call = policy.memory.adapted(call)
    number = 0
    adapted = 0
    delay = 0.0
    while True:
        number += 1
        reader = ResponseReader(
            evolve(call.context, attempt=number), call.max_bytes, call.shape, call.operation.media
        )
        outcome = yield Attempt(request=call.request, delay=delay, reader=reader)
        error = reader.error() if isinstance(outcome, Reply) else _failed(reader, outcome)
        _log(call, number, reader, outcome, error)
        if error is None:
            if policy.budget.tokens < policy.budget.capacity:  # a full one takes nothing back
                policy.budget.succeeded(number - adapted)
            if adapted:
                policy.memory.remember_fallbacks(call)
            return reader
        fallback = call.fallback_after(error)
        if fallback is not None:
            call = call.with_fallback(fallback)
            adapted += 1
            delay = 0.0
            continue
        wait = _wait_before_next(call, policy, number - adapted, reader, outcome, error)
        if wait is None:
            if model_list is not None and isinstance(error, NotFoundError):
                policy.memory.forget_model(model_list.request.url)
            raise error
        logger.info(
            "%s error=%s: attempt %d follows in %.3f s",
            call.context.endpoint,
            type(error).__name__,
            number + 1,
            wait,
        )
        delay = wait


def _with_model(
    call: PreparedCall[ResultT], model_list: PreparedCall[Any], policy: RetryPolicy
) -> Flow[PreparedCall[ResultT]]:
    """The call with the only model that the server lists.

    Raises:
        ConfigurationError: the server lists no model or several, or has no list.
    """
    url = model_list.request.url
    name = policy.memory.model(url)
    if name is None:
        try:
            reader = yield from attempts(model_list, policy)
        except APIStatusError as error:
            if error.status not in _NO_SUCH_ENDPOINT:
                raise
            raise ConfigurationError(
                f"model= is required, because the server does not list its models "
                f"(GET {url}: {error.status}).",
                endpoint=model_list.context.endpoint,
            ) from error
        names = [model.id for model in reader.document(model_list.operation.result)]
        if len(names) != 1:
            listed = ", ".join(map(repr, names[:_SHOWN_MODELS])) or "none"
            more = f" and {len(names) - _SHOWN_MODELS} more" if len(names) > _SHOWN_MODELS else ""
            raise ConfigurationError(
                f"model= is required, because the server does not list exactly one model; "
                f"it lists {listed}{more} (GET {url}).",
                endpoint=model_list.context.endpoint,
            )
        name = names[0]
        policy.memory.remember_model(url, name)
    return call.with_model(name)


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
    if not logger.isEnabledFor(logging.DEBUG):
        return
    logger.debug(
        "%s status=%s attempt=%d duration=%.3f request_id=%s%s",
        call.context.endpoint,
        reader.status or "-",
        number,
        outcome.duration,
        reader.context.request_id or "-",
        "" if error is None else f" error={type(error).__name__}",
    )
