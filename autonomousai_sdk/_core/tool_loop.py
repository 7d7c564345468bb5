"""The rounds of `chat.run`: what to send, which functions to call, and when to stop.

It sends nothing and calls nothing: a driver sends `messages`, hands the completion to `answered`,
makes the calls that this returns and hands their results to `returned`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from attrs import define, evolve, field, frozen

from ..errors import ConfigurationError, ToolLoopError
from .display import display
from .message import normalised
from .structured import is_whole
from .tool import Tool, ToolArgumentsError, error_text, result_text, tools_of

OnToolError = Literal["return", "raise"]
"""What becomes of a function's exception: text for the model, or raised to the caller."""

SAME_RESULTS = 3
"""How often the same call may bring the same result."""


@frozen
class Invocation:
    """A call that the model asks for.

    Attributes:
        id: the call's id.
        name: the tool's name.
        text: the arguments, as the model wrote them.
        tool: the tool, or None if there is none of that name.
        arguments: the function's keyword arguments.
        failure: what is wrong with the call; then there is nothing to call.
        outcome: the text that goes back to the model; None until the function has ended.
    """

    id: str
    name: str
    text: str
    tool: Tool | None = None
    arguments: Mapping[str, Any] = field(factory=dict[str, Any])
    failure: str | None = None
    outcome: str | None = None

    def call(self) -> Any:
        """Call the function; the value may be awaitable."""
        function = cast("Any", cast("Tool", self.tool).function)
        return function(**self.arguments)

    def returned(self, value: object) -> Invocation:
        """The call with what its function returned.

        Raises:
            TypeError: the value has no JSON form.
        """
        return evolve(self, outcome=result_text(value))

    def raised(self, error: Exception) -> Invocation:
        """The call with the exception of its function."""
        return evolve(self, outcome=error_text(error))


@define
class ToolLoop:
    """One `chat.run`.

    Attributes:
        tools: the tools by their names.
        messages: what to send next.
        max_rounds: how many answers the model may give.
        rounds: how many it has given.
    """

    tools: Mapping[str, Tool]
    messages: list[Any]
    max_rounds: int
    rounds: int = field(init=False, default=0)
    _results: Counter[tuple[str, str, str]] = field(
        init=False, factory=Counter[tuple[str, str, str]]
    )

    @classmethod
    def of(
        cls,
        messages: object,
        tools: object,
        max_rounds: object,
        on_error: object,
        *,
        may_await: bool,
    ) -> ToolLoop:
        """Begin.

        Args:
            messages: the conversation, as a caller gives it.
            tools: the functions.
            max_rounds: how many answers the model may give.
            on_error: what becomes of a function's exception.
            may_await: whether the driver can await a function.

        Raises:
            ConfigurationError: an argument that cannot work.
        """
        if isinstance(max_rounds, bool) or not isinstance(max_rounds, int) or max_rounds < 1:
            raise ConfigurationError(
                f"max_rounds= is a number of rounds, 1 or more; got {display(max_rounds)}."
            )
        if on_error not in ("return", "raise"):
            raise ConfigurationError(
                f"on_tool_error= is 'return' or 'raise'; got {display(on_error)}."
            )
        normalised(messages)  # finds what is wrong with them
        given = (
            [{"role": "user", "content": messages}]
            if isinstance(messages, str)
            else list(cast("Sequence[Any]", messages))
        )
        made = tools_of(tools, callable_only=True)
        for tool in made.values():
            if tool.is_async and not may_await:
                raise ConfigurationError(
                    f"The tool {tool.name!r} is asynchronous: use AsyncClient, or give a function "
                    "that returns its result."
                )
        return cls(made, given, max_rounds)

    @property
    def definitions(self) -> list[Mapping[str, Any]]:
        """The tools as a request carries them."""
        return [tool.definition for tool in self.tools.values()]

    def answered(self, completion: Any) -> list[Invocation]:
        """Take the model's answer.

        Returns:
            The calls to make; none if the answer is final.

        Raises:
            ToolLoopError: the answer was cut while it asked for calls, or was the last allowed.
        """
        self.rounds += 1
        if completion.message is not None:
            self.messages = [*self.messages, completion.message]
        calls = completion.tool_calls
        if not calls:
            return []
        reason = completion.finish_reason
        if not is_whole(reason):
            raise self._error(
                f"The answer was cut (finish reason {reason!r}) while it asked for tools, so none "
                "was called. Raise max_tokens",
                completion,
            )
        if self.rounds == self.max_rounds:
            raise self._error(
                f"The model still asks for tools after {self.rounds} rounds: "
                f"{', '.join(call.name for call in calls)}. Raise max_rounds",
                completion,
            )
        return [self._invocation(call) for call in calls]

    def returned(self, invocations: Sequence[Invocation], completion: Any) -> None:
        """Take the results of the calls.

        Raises:
            ToolLoopError: the same call has brought the same result too often.
        """
        for each in invocations:
            outcome = each.outcome if each.failure is None else each.failure
            if outcome is None:
                # An asynchronous function ends so if what it awaits is cancelled.
                outcome = f"Error: the tool {each.name!r} was cancelled."
            self.messages.append({"role": "tool", "tool_call_id": each.id, "content": outcome})
            self._results[each.name, _canonical(each.text), outcome] += 1
        most, count = self._results.most_common(1)[0]
        if count >= SAME_RESULTS:
            raise self._error(
                f"The model has called {most[0]} {count} times with the same arguments and got "
                "the same result each time",
                completion,
            )

    def _invocation(self, call: Any) -> Invocation:
        invocation = Invocation(call.id, call.name, call.arguments, self.tools.get(call.name))
        if invocation.tool is None:
            known = ", ".join(self.tools)
            return evolve(
                invocation, failure=f"Error: there is no tool {call.name!r}; there are: {known}."
            )
        try:
            return evolve(invocation, arguments=invocation.tool.arguments(call.arguments))
        except ToolArgumentsError as error:
            return evolve(invocation, failure=error_text(error))

    def _error(self, message: str, completion: Any) -> ToolLoopError:
        return ToolLoopError(
            f"{message}.", messages=tuple(self.messages), rounds=self.rounds, partial=completion
        )


def _canonical(text: str) -> str:
    """Arguments in one form, so that white space and order make no difference."""
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except (ValueError, RecursionError):
        return text
