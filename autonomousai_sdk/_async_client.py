"""The awaiting client: its connections and its lifecycle.

The twin of `_client`. What both share is in `_base_client`; the constructor and the methods
that make calls are generated (`_generated.async_methods`).
"""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

from anyio import to_thread

import autonomousai_sdk

from . import transports
from ._async_chat import AsyncChat
from ._core.settings import Options
from ._drivers.awaiting import AsyncCallRunner, AsyncConnections
from ._generated import async_methods
from ._generated.params import ModelName
from ._history import Trim
from .transports import AsyncTransport
from .transports._select import new_async_transport


class AsyncClient(async_methods.AsyncClient):
    """An async client for AutonomousAI and compatible servers, on asyncio or trio.

    A client can be used from many tasks at once. It opens connections on first use, keeps them for
    each event loop, and closes them by `close` or at the end of an `async with` block.

    See `__init__` for the options.

    Examples:
        >>> async with AsyncClient() as client:
        ...     print((await client.chat.create("Why is the sky blue?")).text)
    """

    _new_runner = AsyncCallRunner

    def _connect(
        self,
        options: Options,
        http_client: transports.AsyncHTTPClient | None,
        transport: AsyncTransport | None,
    ) -> AsyncConnections:
        return AsyncConnections(
            new_async_transport(http_client, transport, options),
            own=http_client is None and transport is None,
        )

    @cached_property
    def chat(self) -> AsyncChat:
        """Answers to conversations."""
        return self._resource("chat", AsyncChat(self._runner))

    def conversation(
        self,
        *,
        model: ModelName | str | None = None,
        system: str | None = None,
        thread_id: str | None = None,
        trim: Trim | None = None,
    ) -> autonomousai_sdk.AsyncConversation:
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
        return autonomousai_sdk.AsyncConversation(
            self, model=model, system=system, thread_id=thread_id, trim=trim
        )

    async def warm(self) -> None:
        """Import and make what the first call would, so that it is as fast as the next ones.

        Nothing is sent. The imports run in a thread, off the event
        loop.

        Examples:
            >>> await client.warm()
        """
        await to_thread.run_sync(self._load)
        transport = await self._runner.connections.transport()
        warm = getattr(transport, "warm", None)
        if warm is not None:
            await warm(self._runner.settings.base_url)

    async def close(self) -> None:
        """Close every connection that the client opened, and every open stream.

        A closed client makes no more calls.
        """
        if not self._is_copy:
            await self._runner.connections.close()

    async def aclose(self) -> None:
        """Close the client: the name of `close` that `contextlib.aclosing` calls."""
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
