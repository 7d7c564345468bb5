"""How a command ends: which exit code an exception is, and what is said of it on stderr."""

from __future__ import annotations

import os

from .._generated.catalog import BASE_URL
from ..errors import (
    APIConnectionError,
    AuthenticationError,
    AutonomousAIError,
    ConfigurationError,
    NotFoundError,
)
from .terminal import print_error

_STDOUT = 1

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_ADVICE: tuple[tuple[type[AutonomousAIError], str], ...] = (
    (AuthenticationError, "Set AUTONOMOUSAI_API_KEY to a key that this service takes."),
    (NotFoundError, "Is the base URL whole? That of a local server ends in /api/v1/ai."),
    (
        APIConnectionError,
        "Is a server running there? `autonomousai serve` starts one; --local does without.",
    ),
)


def exit_code(error: BaseException) -> int:
    """Say what a person needs to know of the exception that ended a command.

    Returns:
        The exit code.

    Raises:
        BaseException: the exception itself, when it is a fault of this program.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # Whoever read the output has had enough.
        _discard_output()
        return DONE
    if isinstance(error, OSError):
        print_error(f"autonomousai: {error}")
        _discard_output()
        return FAILED
    if not isinstance(error, AutonomousAIError):
        raise error
    print_error(f"autonomousai: {error}")
    if advice := _advice(error):
        print_error(advice)
    return WRONG_USAGE if isinstance(error, ConfigurationError) else FAILED


def _advice(error: AutonomousAIError) -> str | None:
    """What to do about an error, or to know about it."""
    if error.partial is not None:
        return "The answer was cut off: what came is only a part of it."
    if isinstance(error, ConfigurationError):
        return None
    if error.endpoint is not None and f" {BASE_URL}/" in error.endpoint:
        return "The hosted service may be gone: --local answers with a model on this machine."
    return next((text for kind, text in _ADVICE if isinstance(error, kind)), None)


def _discard_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter can flush it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDOUT)
    os.close(nowhere)
