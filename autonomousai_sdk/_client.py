"""The blocking client: its connections and its lifecycle.

The twin of `_async_client`. What both share is in `_base_client`; the constructor and the methods
that make calls are generated (`_generated.methods`).
"""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

import autonomousai_sdk

from . import transports
from ._chat import Chat
from ._core.settings import Options
from ._drivers.blocking import CallRunner, Connections
from ._generated import methods
from ._generated.params import ModelName
from ._history import Trim
from .transports import Transport
from .transports._select import new_transport


class Client(methods.Client):
    """A blocking client for AutonomousAI and compatible servers.

    A client can be used from many threads at once. It opens connections on first use, keeps them,
    and closes them by `close` or at the end of a `with` block.

    See `__init__` for the options.

    Examples:
        >>> with Client() as client:
        ...     print(client.chat.create("Why is the sky blue?").text)
    """

    _new_runner = CallRunner

    def _connect(
        self,
        options: Options,
        http_client: transports.HTTPClient | None,
        transport: Transport | None,
    ) -> Connections:
        return Connections(
            new_transport(http_client, transport, options),
            own=http_client is None and transport is None,
        )

    @cached_property
    def chat(self) -> Chat:
        """Answers to conversations."""
        return self._resource("chat", Chat(self._runner))

    def conversation(
        self,
        *,
        model: ModelName | str | None = None,
        system: str | None = None,
        thread_id: str | None = None,
        trim: Trim | None = None,
    ) -> autonomousai_sdk.Conversation:
        """Begin a conversation that remembers its messages.

        Args:
            model: the model. Without one, the client's own.
            system: a system message, which the conversation begins with.
            thread_id: the conversation's id. Without one, a new UUIDv7.
            trim: a function that chooses which messages a request carries, from a list of all
                of them. The history keeps them all.

        Examples:
            >>> conversation = client.conversation(system="Be brief.")
        """
        return autonomousai_sdk.Conversation(
            self, model=model, system=system, thread_id=thread_id, trim=trim
        )

    def warm(self) -> None:
        """Import and make what the first call would, so that it is as fast as the next ones.

        Nothing is sent.

        Examples:
            >>> client.warm()
        """
        self._load()
        transport = self._runner.connections.transport()
        warm = getattr(transport, "warm", None)
        if warm is not None:
            warm(self._runner.settings.base_url)

    def close(self) -> None:
        """Close every connection that the client opened, and every open stream.

        A closed client makes no more calls.
        """
        if not self._is_copy:
            self._runner.connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
