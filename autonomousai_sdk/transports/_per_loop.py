"""What belongs to one event loop: sockets work on no other than the one they were opened on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from anyio.lowlevel import current_token

T = TypeVar("T")


class PerLoop(Generic[T]):
    """A value for each event loop that asks for one: asyncio's, or a run of trio.

    anyio's `RunVar` is alike, but the loop keeps its values, also those of clients that are
    gone. Here they go with whoever has this object.

    Args:
        new: makes a value.
    """

    __slots__ = ("_new", "_values")

    def __init__(self, new: Callable[[], T]) -> None:
        self._new = new
        self._values: WeakKeyDictionary[Any, T] = WeakKeyDictionary()

    def get(self) -> T:
        """The running loop's value, made now if there is none."""
        loop = _running()
        value = self._values.get(loop)
        if value is None:
            self._forget_closed()
            value = self._values[loop] = self._new()
        return value

    def pop(self) -> T | None:
        """The running loop's value, which is forgotten with this; None if there is none."""
        return self._values.pop(_running(), None)

    def _forget_closed(self) -> None:
        """Let go of what belongs to loops that will not run again: it may hold them."""
        for loop in list(self._values):
            if getattr(loop, "is_closed", bool)():
                del self._values[loop]


def _running() -> Any:
    token: Any = current_token()
    return getattr(token, "native_token", token)
