"""The exit code of a command, and the error message it prints to stderr."""

from __future__ import annotations

import sys

from .._generated.catalog import BASE_URL
from ..errors import (
    APIConnectionError,
    AuthenticationError,
    AutonomousAIError,
    ConfigurationError,
    NotFoundError,
)
from .terminal import discard, print_error

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_ADVICE: tuple[tuple[type[AutonomousAIError], str], ...] = (
    (AuthenticationError, "Set AUTONOMOUSAI_API_KEY to a valid key for this service."),
    (NotFoundError, "Check the base URL: a local server's ends in /api/v1/ai."),
    (
        APIConnectionError,
        "Check that a server runs there. `autonomousai serve` starts one; --local needs none.",
    ),
)


def exit_code(error: BaseException) -> int:
    """Print an error message for the exception that ended a command.

    Returns:
        The exit code.

    Raises:
        BaseException: the exception itself, when it is a bug in this program.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # The reader of the pipe closed it, as `head` does.
        discard(sys.stdout)
        return DONE
    if isinstance(error, OSError):
        print_error(f"autonomousai: {error}")
        discard(sys.stdout)
        return FAILED
    if not isinstance(error, AutonomousAIError):
        raise error
    print_failure(error)
    return WRONG_USAGE if isinstance(error, ConfigurationError) else FAILED


def print_failure(error: AutonomousAIError) -> None:
    """Print an error of the SDK, and what to do about it."""
    print_error(f"autonomousai: {error}")
    if advice := advice_for(error):
        print_error(advice)


def advice_for(error: AutonomousAIError) -> str | None:
    """Return what to do about an error, if there is advice."""
    if error.partial is not None:
        return "The response was cut off: the output above is incomplete."
    if isinstance(error, ConfigurationError):
        return None
    if "--local" in str(error):
        return None
    if error.endpoint is not None and f" {BASE_URL}/" in error.endpoint:
        return "The hosted service may no longer exist: --local uses a model on this machine."
    return next((text for kind, text in _ADVICE if isinstance(error, kind)), None)
