"""What both conversations share: their messages, and how these are saved and loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from ._core.codec import is_array, is_object, unstructure
from ._core.overflow import context_overflow
from ._generated.models import ChatCompletion
from ._message import Image, Message
from .errors import APIStatusError, ConfigurationError

Trim = Callable[[list[Message]], Sequence[Message]]
"""Chooses which messages of a conversation a request carries."""

_KEYS = ("model", "thread_id", "messages")


class History:
    """The messages of a conversation, and what every request of it carries.

    Attributes:
        model: the model, or None for the client's own.
        thread_id: the conversation's id.
        trim: chooses which messages a request carries; None for all of them.
    """

    def __init__(
        self,
        *,
        model: str | None,
        thread_id: str,
        trim: Trim | None,
        messages: Sequence[Message] = (),
    ) -> None:
        self.model = model
        self.thread_id = thread_id
        self.trim = trim
        self._messages = tuple(messages)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation so far: the system message and every complete turn."""
        return self._messages

    def to_dict(self) -> dict[str, Any]:
        """The conversation as plain values, which JSON can hold.

        Examples:
            >>> Path("chat.json").write_text(json.dumps(conversation.to_dict()))
        """
        return {
            "model": self.model,
            "thread_id": self.thread_id,
            "messages": [_plain(message) for message in self._messages],
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.thread_id} messages={len(self._messages)}>"

    def _turn(
        self, said: str | Message | Sequence[Message], images: Sequence[Image]
    ) -> tuple[Message, ...]:
        """The messages that a turn begins with."""
        if isinstance(said, str):
            return (Message.user(said, images=images),)
        if images:
            raise ConfigurationError(
                "images= needs a text: put the images into the message instead."
            )
        several = cast("Sequence[Any]", said if isinstance(cast("object", said), Iterable) else ())
        turn = (said,) if isinstance(said, Message) else tuple(several)
        if not turn or not all(isinstance(message, Message) for message in turn):
            raise ConfigurationError(
                "A turn is a text, a Message or a list of Message objects, such as the results of "
                "tool calls."
            )
        return turn

    def _sent(self, turn: tuple[Message, ...]) -> list[Message]:
        """The messages that the turn's request carries."""
        messages = [*self._messages, *turn]
        if self.trim is None:
            return messages
        trimmed = self.trim(messages)
        given = cast("object", trimmed)
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise ConfigurationError(
                f"trim= must return a list of messages, not {type(trimmed).__name__}."
            )
        return list(trimmed)

    def _complete(self, turn: tuple[Message, ...], completion: ChatCompletion) -> None:
        """Add a turn, whose answer is complete."""
        self._messages = (*self._messages, *turn, completion.message)


def explain_overflow(error: APIStatusError) -> None:
    """Let an error of a conversation that is too long say by how much, and what to do."""
    overflow = context_overflow(error)
    if overflow is not None:
        error.message = (
            f"{overflow}. Pass trim= to client.conversation() to leave out old messages. The "
            f"engine says: {error.message}"
        )


def loaded(data: object) -> tuple[str | None, str, tuple[Message, ...]]:
    """The model, the id and the messages of a saved conversation.

    Raises:
        ConfigurationError: it is not what `to_dict` returns.
    """
    from ._core.schema import SchemaError, structure

    if not is_object(data) or any(name not in data for name in _KEYS):
        raise ConfigurationError(
            f"A saved conversation is a mapping with {', '.join(_KEYS)}, as to_dict() returns."
        )
    saved: Mapping[str, Any] = data
    messages = saved["messages"]
    if not is_array(messages):
        raise ConfigurationError("A saved conversation has a list under 'messages'.")
    try:
        return (
            structure(saved["model"], str | None),
            structure(saved["thread_id"], str),
            tuple(structure(message, Message) for message in messages),
        )
    except SchemaError as error:
        raise ConfigurationError(f"The saved conversation cannot be read: {error}.") from error


def new_thread_id(milliseconds: int, random: int) -> str:
    """A UUIDv7 (RFC 9562, section 5.7).

    Args:
        milliseconds: the time since 1970.
        random: 74 random bits.
    """
    high, low = random >> 62, random & (1 << 62) - 1
    return str(UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low))


def _plain(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = _without_null(unstructure(message))
    return plain


def _without_null(value: Any) -> Any:
    if is_object(value):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [_without_null(each) for each in cast("Sequence[Any]", value)]
    return value
