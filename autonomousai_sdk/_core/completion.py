"""Shortcuts on a completion, its chunks and its tool calls, mixed into the generated classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs

# Its classes are loaded when an annotation that names one is evaluated.
import autonomousai_sdk

from ..errors import APIResponseError
from .codec import DecodeError, decode
from .fields import own_reader

T = TypeVar("T")


class CompletionAccessors:
    """The parts of the first choice, without the steps to it."""

    __slots__ = ()

    @property
    def message(self) -> autonomousai_sdk.Message:
        """The message of the first choice, to be appended to a list of messages.

        Raises:
            APIResponseError: the completion has no choice.

        Examples:
            >>> messages.append(completion.message)
        """
        # The package's own class, which is defined in a layer above.
        from .. import Message

        answer = _answer(self)
        if answer is None:
            raise APIResponseError("The completion has no choices, so it has no message.")
        values = {each.name: own_reader(each)(answer) for each in attrs.fields(type(answer))}
        return Message(**values)

    @property
    def text(self) -> str:
        """The text of the first choice; empty if it has none.

        Examples:
            >>> client.chat.create("Why is the sky blue?").text
        """
        answer = _answer(self)
        return "" if answer is None else answer.content or ""

    @property
    def reasoning(self) -> str | None:
        """The reasoning of the first choice, or None if the engine sent none apart."""
        answer = _answer(self)
        return None if answer is None else answer.reasoning

    @property
    def refusal(self) -> str | None:
        """Why the model refused to answer, or None if the engine sent no refusal apart."""
        answer = _answer(self)
        return None if answer is None else answer.refusal

    @property
    def tool_calls(self) -> tuple[autonomousai_sdk.ToolCall, ...]:
        """The calls of tools that the first choice asks for; empty if it asks for none.

        Examples:
            >>> for call in completion.tool_calls:
            ...     print(call.id, call.name, call.arguments)
        """
        answer = _answer(self)
        return () if answer is None else answer.tool_calls or ()

    @property
    def finish_reason(self) -> str | None:
        """Why the first choice ended, such as `stop` or `length`; None if it did not say."""
        choice = _first(self)
        return None if choice is None else choice.finish_reason


class ChunkAccessors:
    """What a chunk adds to the first choice, without the steps to it."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The text that this chunk adds to the first choice; empty if it adds none.

        Examples:
            >>> for chunk in stream:
            ...     print(chunk.text, end="")
        """
        choice = _first(self)
        return "" if choice is None else choice.delta.content or ""

    @property
    def reasoning(self) -> str | None:
        """The reasoning that this chunk adds to the first choice, or None."""
        choice = _first(self)
        return None if choice is None else choice.delta.reasoning


class ToolCallAccessors:
    """A tool call's name and arguments, without the steps to them."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name of the function to call."""
        name: str = _function(self).name
        return name

    @property
    def arguments(self) -> str:
        """The arguments as JSON text, exactly as the model wrote them."""
        arguments: str = _function(self).arguments
        return arguments

    def parsed(self, cls: type[T]) -> T:
        """The arguments as a typed value.

        Args:
            cls: an attrs class, `dict[str, Any]`, or any other type that JSON decodes to.

        Raises:
            APIResponseError: the model's arguments do not fit the type.
        """
        text = self.arguments.encode("utf-8", "surrogatepass")
        try:
            return decode(text or b"{}", cls)
        except DecodeError as error:
            raise APIResponseError(
                f"The arguments of the call of {self.name!r} do not fit {cls}: {error}.", body=text
            ) from error


def _first(answer: object) -> Any:
    """The choice with index 0, wherever it stands among the choices, or None."""
    choices: Sequence[Any] = getattr(answer, "choices")  # noqa: B009  # of the class mixed into
    for choice in choices:
        if choice.index == 0:
            return choice
    return None


def _answer(completion: object) -> autonomousai_sdk.ChatMessage | None:
    """The message of the first choice, or None if there is no choice."""
    choice = _first(completion)
    if choice is None:
        return None
    message: autonomousai_sdk.ChatMessage = choice.message
    return message


def _function(call: object) -> Any:
    return getattr(call, "function")  # noqa: B009  # of the class mixed into
