"""Ending a blocking request from another thread."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable
from weakref import WeakValueDictionary

from attrs import define, field

from .._core.exchange import Request, TransportError
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
class Sending:
    """The requests that a blocking transport is sending, by which other threads interrupt them."""

    _outgoing: dict[int, Any] = field(init=False, factory=dict[int, Any])
    _interrupted: WeakValueDictionary[int, Request] = field(
        init=False, factory=WeakValueDictionary[int, Request]
    )

    def begin(self, request: Request, outgoing: Any) -> None:
        """Register the library's request of a request.

        Raises:
            TransportError: the request was interrupted before.
        """
        # Registered first and then checked: `interrupt`, in the other order, misses nothing.
        self._outgoing[id(request)] = outgoing
        if id(request) in self._interrupted:
            raise TransportError("broken", "the request was interrupted")

    def end(self, request: Request) -> None:
        """Remove a request that was sent, or failed."""
        self._outgoing.pop(id(request), None)

    def interrupt(self, request: Request) -> Any:
        """Mark a request as interrupted; return the library's request, or None without one."""
        self._interrupted[id(request)] = request
        return self._outgoing.get(id(request))


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
