"""`client.chat`, blocking: the generated methods, and those that are built on them.

The twin of `_async_chat`. The core decides what is sent and when to stop (`_core.structured`,
`_core.tool_loop`); these methods send, call functions and read the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from inspect import isawaitable, iscoroutine
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from ._core.pace import Pace
from ._core.shared_timeout import SharedTimeout
from ._core.timeout import Timeout
from ._core.window import Window, check_prompts, checked_concurrency
from ._drivers.blocking_map import ResultMap, paced
from ._generated import methods
from ._generated.call_options import ChatOptions
from ._generated.models import ChatCompletion
from ._generated.operations import CHAT_CREATE
from ._generated.params import Messages
from ._results import Parsed, Result, ToolRun
from .errors import APIStatusError, APITimeoutError, AutonomousAIError, ConfigurationError

if TYPE_CHECKING:
    from ._core.tool_loop import Invocation, OnToolError

T = TypeVar("T")
Function = Callable[..., object]


class Chat(methods.Chat):
    """Answers to conversations."""

    @property
    def has_threads(self) -> bool:
        """Whether calls carry a `thread_id`, which the OpenAI-compatible protocol has not."""
        route = CHAT_CREATE.routes[self._runner.settings.protocol.name]
        return any(argument.name == "thread_id" for argument in route.arguments)

    @overload
    def parse(
        self,
        messages: Messages,
        *,
        into: type[T],
        repair: int = 1,
        timeout: Timeout | float | None = None,
        **options: Unpack[ChatOptions],
    ) -> Parsed[T]: ...
    @overload
    def parse(
        self,
        messages: Messages,
        *,
        into: Any,
        repair: int = 1,
        timeout: Timeout | float | None = None,
        **options: Unpack[ChatOptions],
    ) -> Parsed[Any]: ...
    def parse(
        self,
        messages: Messages,
        *,
        into: Any,
        repair: int = 1,
        timeout: Timeout | float | None = None,
        **options: Unpack[ChatOptions],
    ) -> Parsed[Any]:
        """Ask for an answer as a value of a type.

        Args:
            messages: as for `create`.
            into: the type: an attrs class, dataclass, TypedDict, msgspec Struct, pydantic
                model, enum, `Literal`, a primitive, or a list or dict of these.
            repair: how many more turns show the model what is wrong with its answer.
            timeout: seconds that all turns together may take, or a `Timeout`.
            **options: as for `create`.

        Raises:
            AnswerParseError: the answer does not match the type, was cut or was refused.
            AutonomousAIError: as for `create`.

        Examples:
            >>> client.chat.parse("Name a book by Jane Austen.", into=Book).value
            Book(title='Emma', year=1815)
        """
        from ._core.structured import ParseLoop

        settings = self._runner.settings
        # The hosted service was never seen to read `response_format`.
        memory, server = self._runner.policy.memory, (settings.base_url, options.get("model"))
        loop = ParseLoop.of(
            messages,
            into,
            repair,
            instruct=settings.protocol.has_catalog,
            without_schema=memory.refuses_schema(*server),
        )
        shared = SharedTimeout.of(timeout, settings.timeout, monotonic())
        while True:
            try:
                completion = self._ask(
                    loop.messages, shared, options, response_format=loop.response_format
                )
            except APIStatusError as error:
                if not loop.refused(error):
                    raise
                continue
            if loop.takes_no_schema:
                memory.remember_refused_schema(*server)
            if loop.answered(completion):
                return Parsed(
                    value=loop.value, completion=completion, attempts=tuple(loop.attempts)
                )

    def run(
        self,
        messages: Messages,
        *,
        tools: Sequence[Function],
        max_rounds: int = 8,
        on_tool_error: Literal["return", "raise"] = "return",
        response_format: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        **options: Unpack[ChatOptions],
    ) -> ToolRun:
        """Let the model call functions until it gives a final answer.

        Args:
            messages: as for `create`.
            tools: the functions. Names, docstrings and annotations tell the model what they do.
            max_rounds: how many answers the model may give.
            on_tool_error: what becomes of a function's exception: `"return"` sends it to the
                model as text, `"raise"` raises it.
            response_format: as for `create`.
            timeout: seconds that all rounds together may take, or a `Timeout`.
            **options: as for `create`; `tool_choice` applies to the first round.

        Raises:
            ToolLoopError: the model gave no final answer within the rounds, its answer was cut
                while it asked for tools, or it made the same call in vain three times.
            AutonomousAIError: as for `create`.

        Examples:
            >>> client.chat.run("Is it warm in Paris?", tools=[get_weather]).completion.text
        """
        from ._core.tool_loop import ToolLoop

        loop = ToolLoop.of(messages, tools, max_rounds, on_tool_error, may_await=False)
        shared = SharedTimeout.of(timeout, self._runner.settings.timeout, monotonic())
        while True:
            completion = self._ask(
                loop.messages,
                shared,
                options,
                response_format=response_format,
                tools=loop.definitions,
            )
            # A choice that stayed would make the model call tools for ever.
            options.pop("tool_choice", None)
            calls = loop.answered(completion)
            if not calls:
                return ToolRun(
                    completion=completion, messages=tuple(loop.messages), rounds=loop.rounds
                )
            loop.returned(_invoke(calls, on_tool_error, shared), completion)

    def map(
        self,
        prompts: Iterable[Messages],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        tools: Sequence[Function | Mapping[str, Any]] | None = None,
        response_format: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        **options: Unpack[ChatOptions],
    ) -> ResultMap[Result]:
        """Make many calls at the same time.

        Args:
            prompts: the input, which may be endless: each item is the `messages` of a call.
            concurrency: how many calls may be between their start and the delivery of their
                result. No more is read from `prompts`.
            ordered: deliver results in the order of the prompts; otherwise as they come.
            tools: as for `create`.
            response_format: as for `create`.
            timeout: seconds that each call may take, or a `Timeout`.
            **options: as for `create`.

        Returns:
            An iterator of `Result`. A call that fails has its error there and ends nothing else.
            When the service answers 429, or asks to wait, all calls wait together.

        Raises:
            ConfigurationError: an argument is invalid.

        Examples:
            >>> with client.chat.map(["Name a planet.", "Name a star."]) as results:
            ...     for result in results:
            ...         print(result.index, result.completion or result.error)
        """
        check_prompts(prompts, "__iter__")
        window: Window[Result | BaseException] = Window(
            checked_concurrency(concurrency), ordered=ordered
        )

        def call(chat: Chat, index: int, messages: Messages) -> Result:
            try:
                completion = chat.create(
                    messages,
                    tools=tools,
                    response_format=response_format,
                    timeout=timeout,
                    **options,
                )
            except AutonomousAIError as error:
                return Result(index=index, error=error)
            return Result(index=index, completion=completion)

        return self._map(prompts, call, window, Pace())

    def _map(
        self,
        items: Iterable[object],
        call: Callable[[Chat, int, Any], T],
        window: Window[T | BaseException],
        pace: Pace,
    ) -> ResultMap[T]:
        """Make a call for each item at the pace; `call` is given the paced `Chat`."""
        runner = paced(self._runner, pace)
        return ResultMap(items, partial(call, Chat(runner)), window, runner, pace)

    def _ask(
        self,
        messages: Messages,
        shared: SharedTimeout,
        options: ChatOptions,
        *,
        response_format: Mapping[str, object] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> ChatCompletion:
        try:
            return self.create(
                messages,
                response_format=response_format,
                tools=tools,
                timeout=shared.for_call(monotonic()),
                **options,
            )
        except APITimeoutError as error:
            if error.limit == "total":
                raise shared.expired() from error
            raise


def _invoke(
    calls: Sequence[Invocation], on_error: OnToolError, shared: SharedTimeout
) -> list[Invocation]:
    """Call the functions of one answer, one after the other."""
    done: list[Invocation] = []
    for call in calls:
        shared.left(monotonic())
        done.append(call if call.failure is not None else _called(call, on_error))
    return done


def _called(call: Invocation, on_error: OnToolError) -> Invocation:
    try:
        value = call.call()
        if not isawaitable(value):
            return call.returned(value)
    except Exception as error:
        if on_error == "raise":
            raise
        return call.raised(error)
    if iscoroutine(value):
        value.close()  # or it warns that nobody awaited it
    raise ConfigurationError(
        f"The tool {call.name!r} returned an awaitable: use AsyncClient, or give a function that "
        "returns its result."
    )
