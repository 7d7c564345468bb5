"""A conversation with the settings of its next turn.

It knows nothing about terminals: a `Screen` shows the answers. A turn that fails leaves the
conversation as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, field

from .._core.codec import unstructure
from .._generated.models import ChatCompletion, Usage
from .._message import Message
from ..conversation import Conversation
from .tools import Function, announced

if TYPE_CHECKING:
    from .._client import Client
    from .._generated.methods import ChatStream


class Screen(Protocol):
    """Where a session shows what happens."""

    def say(self, text: str) -> None:
        """Show a line about the session."""
        ...

    def show(self, stream: ChatStream) -> ChatCompletion:
        """Show an answer as it arrives, and return its completion."""
        ...

    def show_text(self, text: str) -> None:
        """Show an answer that is complete."""
        ...

    def wait(self, text: str) -> None:
        """Show that something takes time, until the next output."""
        ...


@define
class Session:
    """A conversation with what its next turn is made of.

    Attributes:
        client: makes the calls.
        conversation: the turns so far.
        screen: shows what happens.
        options: the options of every turn, as for `chat.create`.
        images: the images of the next message.
        tools: the functions that the model may call.
        usages: the token counts of each answer, or None where the server sent none.
        failed: the message whose turn failed, until a turn succeeds.
        file: the file that the conversation was saved to or loaded from.
    """

    client: Client
    conversation: Conversation
    screen: Screen
    options: dict[str, Any] = field(factory=dict[str, Any])
    images: list[str] = field(factory=list[str])
    tools: list[Function] = field(factory=list[Function])
    usages: list[Usage | None] = field(factory=list["Usage | None"])
    failed: Message | None = None
    file: Path | None = None

    def send(self, message: Message) -> None:
        """Take a turn; the history changes only once the answer is complete.

        Raises:
            AutonomousAIError: the turn failed.
        """
        self.failed = message
        if self.tools:
            completion = self._run(message)
        else:
            completion = self.screen.show(self.conversation.stream(message, **self.options))
        self.failed = None
        self.images.clear()
        self.usages.append(completion.usage)

    def _run(self, message: Message) -> ChatCompletion:
        """Take a turn in which the model may call functions; each call is shown."""
        options = dict(self.options)
        if self.client.chat.has_threads:
            options.setdefault("thread_id", self.conversation.thread_id)
        self.screen.wait("waiting for the response")
        run = self.client.chat.run(
            [*self.conversation.messages, message],
            tools=announced(self.tools, self._announce),
            model=self.conversation.model,
            **options,
        )
        self.replace(run.messages)
        self.screen.show_text(run.completion.text)
        return run.completion

    def _announce(self, call: str) -> None:
        self.screen.say(call)
        self.screen.wait("waiting for the response")

    def replace(self, messages: Iterable[object]) -> None:
        """Replace the messages of the conversation."""
        data = self.conversation.to_dict()
        data["messages"] = [unstructure(message) for message in messages]
        self.conversation = Conversation.from_dict(data, self.client)
