"""The blocking client: its connections and its lifecycle.

The twin of `_async_client`. What both share is in `_base_client`; the constructor and the methods
that make calls are generated (`_generated.methods`).
"""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

from . import transports
from ._chat import Chat
from ._core.settings import Options
from ._drivers.blocking import CallRunner, Connections
from ._generated.methods import Resources
from .transports import Transport
from .transports._select import new_transport


class Client(Resources):
    """A blocking client for AutonomousAI and compatible servers.

    A client can be used from many threads at once. It opens connections on first use, keeps them,
    and closes them by `close` or at the end of a `with` block.

    See `__init__` for the options.

    Example:
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
