"""Orphans: pooled connections that no request uses and that cannot be reused.

A cancelled request can leave its connection in an httpcore pool in one of two states: assigned
to the request but never opened, or opened but not yet sent on. In both the connection occupies
a slot for good, because the pool only removes closed and idle ones (httpcore issues 830, 1093
and 1099; httpcore2 removes the unopened ones).
"""

from __future__ import annotations

from typing import Any


def take_orphans(pool: Any) -> list[Any]:
    """Remove and return a pool's orphans, for the caller to close; the caller holds its lock."""
    owned = {id(request.connection) for request in pool._requests}  # noqa: SLF001  # see below
    orphans = [
        each
        for each in pool._connections  # noqa: SLF001  # a pool has no public view of both lists
        if id(each) not in owned and not each.is_idle() and not each.is_closed()
    ]
    for each in orphans:
        pool._connections.remove(each)  # noqa: SLF001  # as above
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
