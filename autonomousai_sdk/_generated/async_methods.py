# Written from spec/autonomousai.yaml by `python -m spec.generator`.
# Edit the spec and run that again; `--check` finds whatever is edited here.

"""The methods of `AsyncClient`."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.settings import CallOptions
from .._core.timeout import Timeout
from .._drivers.awaiting import AsyncCallRunner, AsyncStream
from .models import ChatCompletion, ChatCompletionChunk
from .operations import CHAT_CREATE
from .params import Messages


class AsyncChatStream(AsyncStream[ChatCompletionChunk, ChatCompletion]):
    """An answer that comes in pieces, each a `ChatCompletionChunk`.

    Example:
        >>> async with client.chat.stream("Tell me a story.", model="hermes") as stream:
        ...     async for text in stream.text:
        ...         print(text, end="", flush=True)
        >>> stream.completion.finish_reason
        'stop'
    """


class AsyncChat:
    """Answers to conversations."""

    __slots__ = ("_runner",)

    def __init__(self, runner: AsyncCallRunner) -> None:
        self._runner = runner

    async def create(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        thread_id: str | None = None,
        user_id: str | None = None,
        use_tool: bool | None = None,
        headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        max_retries: int | None = None,
    ) -> ChatCompletion:
        """Ask for an answer and wait until it is whole.

        Args:
            messages: a string, which is one user message, or a list of `Message` objects
                and `{"role", "content"}` mappings.
            model: the model: a name or an alias of the model table, or a name given to the
                client. Without one, the client's own.
            thread_id: the conversation's id. Without one, the model's name.
            user_id: the caller's id, a UUID.
            use_tool: whether the service may use tools; false wherever it was seen.
            headers: sent with this call, over the client's.
            extra_body: fields merged into the request body, last.
            timeout: seconds this call may take, or a `Timeout`, instead of the client's.
            max_retries: how many more tries this call gets, instead of the client's.

        Returns:
            The answer: a whole answer.

        Raises:
            ConfigurationError: an argument that cannot be sent; nothing was.
            APIStatusError: the service answered with an error.
            APIConnectionError: no answer came, or not in time.
            APIResponseError: the answer is not what the spec says.

        Example:
            >>> (await client.chat.create("Why is the sky blue?")).text
        """
        return await self._runner.call(
            CHAT_CREATE,
            {
                "messages": messages,
                "model": model,
                "thread_id": thread_id,
                "user_id": user_id,
                "use_tool": use_tool,
            },
            CallOptions(
                headers=headers, extra_body=extra_body, timeout=timeout, max_retries=max_retries
            ),
        )

    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        thread_id: str | None = None,
        user_id: str | None = None,
        use_tool: bool | None = None,
        headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        max_retries: int | None = None,
    ) -> AsyncChatStream:
        """Ask for an answer and read it as it is written.

        Args:
            messages: a string, which is one user message, or a list of `Message` objects
                and `{"role", "content"}` mappings.
            model: the model: a name or an alias of the model table, or a name given to the
                client. Without one, the client's own.
            thread_id: the conversation's id. Without one, the model's name.
            user_id: the caller's id, a UUID.
            use_tool: whether the service may use tools; false wherever it was seen.
            headers: sent with this call, over the client's.
            extra_body: fields merged into the request body, last.
            timeout: seconds this call may take, or a `Timeout`, instead of the client's.
            max_retries: how many more tries this call gets, instead of the client's.

        Returns:
            The stream. The request goes out on entering it, or at the first step of a loop.

        Raises:
            ConfigurationError: an argument that cannot be sent; nothing was.
            AutonomousAIError: on entering or reading the stream, whatever went wrong.

        Example:
            >>> async with client.chat.stream("Tell me a story.", model="hermes") as stream:
            ...     async for text in stream.text:
            ...         print(text, end="", flush=True)
            >>> stream.completion.finish_reason
            'stop'
        """
        return self._runner.stream(
            AsyncChatStream,
            CHAT_CREATE,
            {
                "messages": messages,
                "model": model,
                "thread_id": thread_id,
                "user_id": user_id,
                "use_tool": use_tool,
            },
            CallOptions(
                headers=headers, extra_body=extra_body, timeout=timeout, max_retries=max_retries
            ),
        )


class AsyncResources:
    """The attributes of `AsyncClient` that make calls."""

    _runner: AsyncCallRunner

    @property
    def chat(self) -> AsyncChat:
        """Answers to conversations."""
        return AsyncChat(self._runner)
