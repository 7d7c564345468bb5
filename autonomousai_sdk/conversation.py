"""Conversations of the blocking client. The twin of `_async_conversation`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from secrets import randbits
from time import time_ns
from typing import Any, Self, Unpack

import autonomousai_sdk

from ._core.timeout import Timeout
from ._generated.call_options import ChatOptions
from ._generated.methods import ChatStream
from ._generated.models import ChatCompletion, ChatCompletionChunk
from ._generated.params import ModelName
from ._history import History, Trim, explain_overflow, loaded, new_thread_id
from ._message import Image, Message
from .errors import APIStatusError


class Conversation(History):
    """A conversation that remembers its messages.

    A turn enters the history once its answer is complete: one that fails, or whose stream is
    left early, leaves the history as it was. Made by `client.conversation()`.

    Examples:
        >>> conversation = client.conversation(system="Be brief.")
        >>> conversation.send("Name a planet.").text
        'Mars'
        >>> conversation.send("How many moons has it?").text
        'Two'
    """

    def __init__(
        self,
        client: autonomousai_sdk.Client,
        *,
        model: ModelName | str | None = None,
        system: str | None = None,
        thread_id: str | None = None,
        trim: Trim | None = None,
    ) -> None:
        super().__init__(
            model=model,
            thread_id=thread_id or new_thread_id(time_ns() // 10**6, randbits(74)),
            trim=trim,
            messages=() if system is None else (Message.system(system),),
        )
        self._client = client

    def send(
        self,
        text: str | Message | Sequence[Message],
        *,
        images: Sequence[Image] = (),
        tools: Sequence[Callable[..., Any] | Mapping[str, Any]] | None = None,
        response_format: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        **options: Unpack[ChatOptions],
    ) -> ChatCompletion:
        """Take a turn and wait for the whole answer.

        Args:
            text: what to say; or messages, such as the results of tool calls.
            images: images that go with the text, as for `Message.user`.
            tools: as for `chat.create`.
            response_format: as for `chat.create`.
            timeout: as for `chat.create`.
            **options: as for `chat.create`.

        Raises:
            AutonomousAIError: as `chat.create`; the history stays as it was.
        """
        turn = self._turn(text, images)
        try:
            completion = self._client.chat.create(
                self._sent(turn),
                tools=tools,
                response_format=response_format,
                timeout=timeout,
                **self._passed(options),
            )
        except APIStatusError as error:
            explain_overflow(error)
            raise
        self._complete(turn, completion)
        return completion

    def stream(
        self,
        text: str | Message | Sequence[Message],
        *,
        images: Sequence[Image] = (),
        tools: Sequence[Callable[..., Any] | Mapping[str, Any]] | None = None,
        response_format: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        **options: Unpack[ChatOptions],
    ) -> ChatStream:
        """Take a turn and read the answer as it is written.

        The turn enters the history when the stream has been read to its end.

        Args:
            text: what to say; or messages, such as the results of tool calls.
            images: images that go with the text, as for `Message.user`.
            tools: as for `chat.create`.
            response_format: as for `chat.create`.
            timeout: as for `chat.create`.
            **options: as for `chat.create`.

        Examples:
            >>> with conversation.stream("Tell me more.") as stream:
            ...     for text in stream.text:
            ...         print(text, end="")
        """
        turn = self._turn(text, images)
        stream = self._client.chat.stream(
            self._sent(turn),
            tools=tools,
            response_format=response_format,
            timeout=timeout,
            **self._passed(options),
        )
        return _TurnStream.of(stream, lambda completion: self._complete(turn, completion))

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        client: autonomousai_sdk.Client,
        *,
        trim: Trim | None = None,
    ) -> Self:
        """Continue a saved conversation.

        Args:
            data: what `to_dict` returned.
            client: the client that makes the calls.
            trim: as for `client.conversation`.

        Raises:
            ConfigurationError: `data` is not what `to_dict` returns.
        """
        model, thread_id, messages = loaded(data)
        conversation = cls(client, model=model, thread_id=thread_id, trim=trim)
        conversation._messages = messages
        return conversation

    def _passed(self, options: ChatOptions) -> ChatOptions:
        """The options of a call; those of the conversation stand in where the call has none."""
        own: ChatOptions = {"model": self.model}
        if self._client.chat.has_threads:
            own["thread_id"] = self.thread_id
        return {**own, **options}


class _TurnStream(ChatStream):
    """A stream that tells its conversation when it has been read to its end."""

    _when_complete: Callable[[ChatCompletion], None]
    _is_complete: bool

    @classmethod
    def of(cls, stream: ChatStream, when_complete: Callable[[ChatCompletion], None]) -> Self:
        """Take over a stream that was not started."""
        made = cls(stream._runner, stream._call)  # noqa: SLF001  # the same stream, as its subclass
        made._when_complete = when_complete
        made._is_complete = False
        return made

    def __enter__(self) -> Self:
        try:
            return super().__enter__()
        except APIStatusError as error:
            explain_overflow(error)
            raise

    def __next__(self) -> ChatCompletionChunk:
        try:
            return super().__next__()
        except StopIteration:
            self._complete(self.completion)
            raise
        except APIStatusError as error:
            explain_overflow(error)
            raise

    def until_done(self) -> ChatCompletion:
        completion = super().until_done()
        self._complete(completion)
        return completion

    def _complete(self, completion: ChatCompletion) -> None:
        if not self._is_complete:
            self._is_complete = True
            self._when_complete(completion)
