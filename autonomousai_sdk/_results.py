"""What the methods that are built on calls return: `Parsed`, `ToolRun` and `Result`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from attrs import frozen

from ._core.parse_attempt import ParseAttempt
from ._generated.models import ChatCompletion
from ._message import Message
from .errors import AutonomousAIError

T = TypeVar("T")


@frozen(kw_only=True)
class Parsed(Generic[T]):
    """A structured answer, from `chat.parse`.

    Attributes:
        value: the value.
        completion: the completion that the value was in.
        attempts: every answer of the model with its problems; the last one has none.
    """

    value: T
    completion: ChatCompletion
    attempts: tuple[ParseAttempt, ...]


@frozen(kw_only=True)
class ToolRun:
    """A conversation in which the model called functions, from `chat.run`.

    Attributes:
        completion: the final answer.
        messages: the whole conversation: the messages given, the calls, their results and the
            final answer. It can be passed on to the next call.
        rounds: how many answers the model gave, the final one included.
    """

    completion: ChatCompletion
    messages: tuple[Message | Mapping[str, object], ...]
    rounds: int


@frozen(kw_only=True)
class Result:
    """One call of `chat.map`: a completion or an error.

    Attributes:
        index: the number of the prompt, from 0.
        completion: the completion, or None after an error.
        error: the error, or None.
    """

    index: int
    completion: ChatCompletion | None = None
    error: AutonomousAIError | None = None
