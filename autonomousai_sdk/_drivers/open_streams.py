"""A client's open streams, and the responses of streams that were dropped without being closed.

Dropping a stream aborts its connection at once. Freeing its slot in the pool may take a lock or an
`await`, and neither is safe in a finalizer, so the next call does that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar
from weakref import ref

from attrs import define, field, frozen

CLOSED = "This client was closed: make a new one."
"""The message of the error for a call on a closed client."""


class Abortable(Protocol):
    """A response whose connection can be aborted at once."""

    def abort(self) -> None: ...


ResponseT = TypeVar("ResponseT", bound=Abortable)


@frozen
class _Entry(Generic[ResponseT]):
    reference: ref[Any]
    response: ResponseT
    endpoint: str


@define(eq=False)
class OpenStreams(Generic[ResponseT]):
    """The responses of open streams, held until a stream is closed or dropped.

    Attributes:
        dropped: the responses of dropped streams, to be closed.
        calls: what ends a call that waits for a response, by the id of its attempt: the cancel
            scope of an awaiting one, or an interruptible blocking one.
    """

    _open: dict[int, _Entry[ResponseT]] = field(init=False, factory=dict[int, _Entry[ResponseT]])
    dropped: list[ResponseT] = field(init=False, factory=list[ResponseT])
    calls: dict[int, Any] = field(init=False, factory=dict[int, Any])
    _process: int = field(init=False, factory=os.getpid)

    def add(self, stream: object, response: ResponseT, endpoint: str) -> None:
        """Hold the response of an open stream."""
        key = id(stream)
        self._open[key] = _Entry(ref(stream, self._on_drop(key)), response, endpoint)

    def remove(self, stream: object) -> None:
        """Release the response of a stream that is being closed."""
        self._open.pop(id(stream), None)

    def collect(self) -> list[ResponseT]:
        """Return the responses of dropped streams, for the caller to close."""
        dropped = self.dropped
        if dropped:
            self.dropped = []
        return dropped

    def open_streams(self) -> list[Any]:
        """Return the streams that are open."""
        streams = [entry.reference() for entry in list(self._open.values())]
        return [stream for stream in streams if stream is not None]

    def __str__(self) -> str:
        """Describe the open streams, for the error of an exhausted pool."""
        endpoints = [entry.endpoint for entry in list(self._open.values())]
        if not endpoints:
            return "every connection is in use"
        streams = "1 stream is" if len(endpoints) == 1 else f"{len(endpoints)} streams are"
        return (
            f"{streams} still open ({', '.join(sorted(set(endpoints)))}): read streams to their "
            "end, or close them, for example with a with block"
        )

    def _on_drop(self, key: int) -> Callable[[object], None]:
        def drop(_: object) -> None:
            entry = self._open.pop(key, None)
            # After a fork, the connection belongs to the parent process.
            if entry is not None and self._process == os.getpid():
                entry.response.abort()
                self.dropped.append(entry.response)

        return drop
