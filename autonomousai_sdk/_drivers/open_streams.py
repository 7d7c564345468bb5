"""The streams a client has open, and the ones that were dropped without being closed.

A dropped stream's connection is broken at once, which needs no waiting; giving its slot
in the pool back may need a lock or an `await`, neither of which is safe in a finalizer.
So that is left to the next call, which collects what was dropped.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar
from weakref import ref

from attrs import define, field, frozen


class Abortable(Protocol):
    """A response whose connection can be broken at once."""

    def abort(self) -> None: ...


ResponseT = TypeVar("ResponseT", bound=Abortable)


@frozen
class _Entry(Generic[ResponseT]):
    reference: ref[Any]
    response: ResponseT
    endpoint: str


@define(eq=False)
class OpenStreams(Generic[ResponseT]):
    """Open streams' responses, held until the stream gives them up or is dropped.

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
        """Hold the response of a stream that was opened."""
        key = id(stream)
        self._open[key] = _Entry(ref(stream, self._on_drop(key)), response, endpoint)

    def remove(self, stream: object) -> None:
        """Let go of the response of a stream that ends properly."""
        self._open.pop(id(stream), None)

    def collect(self) -> list[ResponseT]:
        """The responses of dropped streams, for the caller to close."""
        dropped = self.dropped
        if dropped:
            self.dropped = []
        return dropped

    def open_streams(self) -> list[Any]:
        """Return the streams that are open."""
        streams = [entry.reference() for entry in list(self._open.values())]
        return [stream for stream in streams if stream is not None]

    def __str__(self) -> str:
        """What is open, for the error of a pool that has no connection left."""
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
            # After a fork the connection is the parent's as well, and its to break.
            if entry is not None and self._process == os.getpid():
                entry.response.abort()
                self.dropped.append(entry.response)

        return drop
