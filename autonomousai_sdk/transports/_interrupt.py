"""Ending a blocking request from another thread."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from attrs import define

from .._core.exchange import Request
from . import TransportResponse


@runtime_checkable
class Interruptible(Protocol):
    """A blocking transport that can end a request while it is being sent.

    Optional: with another transport, closing a client ends its requests by their time limits.
    """

    def interrupt(self, request: Request) -> None:
        """End a request that waits for its response: `send` raises a `TransportError`.

        A `send` of the request that has yet to begin raises one, too.
        """
        ...


@define(eq=False)
class InterruptibleCall:
    """A request that is being sent, and its response once there is one."""

    request: Request
    response: TransportResponse | None = None

    def interrupt(self, transport: object) -> None:
        """End it, from another thread."""
        if self.response is not None:
            self.response.abort()
        elif isinstance(transport, Interruptible):
            transport.interrupt(self.request)
