"""What the SDK's pools add to httpcore's: they close orphans, and wake requests when closed.

An orphan is a connection that no request uses and that cannot be reused. A cancelled request
can leave its connection in an httpcore pool in one of two states: assigned to the request but
never opened, or opened but not yet sent on. In both the connection occupies a slot for good,
because the pool only removes closed and idle ones (httpcore issues 830, 1093 and 1099;
httpcore2 removes the unopened ones).
"""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from attrs import define, field

from .._core.exchange import Request, TransportError
from ._socket import shut_down


def take_orphans(pool: Any) -> list[Any]:
    """Remove and return a pool's orphans, for the caller to close; the caller holds its lock."""
    connections = pool._connections  # noqa: SLF001  # a pool has no public view of its lists
    owned: set[int] = set()
    orphans: list[Any] = []
    for request in pool._requests:  # noqa: SLF001  # as above
        owned.add(id(request.connection))
    for each in list(connections):
        if id(each) not in owned and not each.is_idle() and not each.is_closed():
            connections.remove(each)
            orphans.append(each)
    return orphans


class ClosesOrphans:
    """Makes an httpcore pool close its orphans, as a base class before the pool's class.

    The pool calls this method whenever a request is added or removed. It closes the connections
    that the method returns, shielded from cancellation, and gives the free slots to requests
    that wait.
    """

    def _assign_requests_to_connections(self) -> list[Any]:
        orphans = take_orphans(self)
        pool: Any = super()
        return [*orphans, *pool._assign_requests_to_connections()]  # noqa: SLF001  # the base's


class WakesRequests(ClosesOrphans):
    """Makes a blocking pool end the requests of all threads when it is closed.

    Closing a socket does not wake a thread that reads from it; shutting it down does. A thread
    that waits for a connection gets one that refuses to connect.
    """

    def close(self) -> None:
        """Close every connection, and end every request."""
        pool: Any = self
        base: Any = super()
        pool._network_backend.close()  # noqa: SLF001  # a `DeadlineBackend`
        base.close()
        with pool._optional_thread_lock:  # noqa: SLF001  # as httpcore's own methods do
            pool._assign_requests_to_connections()  # noqa: SLF001  # to requests that wait


class _Refusal:
    """A connection that refuses a request, to wake a request that waits for a connection."""

    def handle_request(self, _: object) -> None:
        raise TransportError("broken", "the request was interrupted")


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


def interrupt(pool: Any, extensions: Any) -> None:
    """End a blocking request that waits for a connection or for its response.

    A request that is connecting ends once it is connected, or by its connect timeout. One on a
    shared HTTP/2 connection ends with its next step.

    Args:
        pool: the pool that the request was sent on.
        extensions: the request's own `extensions` mapping, which identifies it.
    """
    extensions["timeout"].ended = True
    for each in list(pool._requests):  # noqa: SLF001  # a pool has no public view of them
        if each.request.extensions is extensions:
            if each.connection is None:
                each.assign_to_connection(_Refusal())
            else:
                _shut_down(each.connection)


def _shut_down(connection: Any) -> None:
    inner = connection
    while (wrapped := getattr(inner, "_connection", None)) is not None:  # a proxy's, a lazy one
        inner = wrapped
    stream = getattr(inner, "_network_stream", None)
    if stream is not None and not hasattr(inner, "_h2_state"):
        shut_down(stream.get_extra_info("socket"))
