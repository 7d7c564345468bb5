"""Values per event loop: a socket works only on the loop that opened it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from anyio.lowlevel import current_token

T = TypeVar("T")


class PerLoop(Generic[T]):
    """A value for each event loop that asks for one: asyncio's, or a run of trio.

    anyio's `RunVar` is similar, but its values live as long as the loop, even those of
    clients that no longer exist. These values live as long as this object.

    Args:
        new: makes a value.
    """

    __slots__ = ("_new", "_values")

    def __init__(self, new: Callable[[], T]) -> None:
        self._new = new
        self._values: WeakKeyDictionary[Any, T] = WeakKeyDictionary()

    def get(self) -> T:
        """Return the running loop's value; make it on first use."""
        loop = _running()
        value = self._values.get(loop)
        if value is None:
            self._forget_closed()
            value = self._values[loop] = self._new()
        return value

    def pop(self) -> T | None:
        """Remove and return the running loop's value; None if there is none."""
        return self._values.pop(_running(), None)

    def _forget_closed(self) -> None:
        """Drop the values of closed loops: a value may keep its loop alive."""
        for loop in list(self._values):
            if getattr(loop, "is_closed", bool)():
                del self._values[loop]


def _running() -> Any:
    token: Any = current_token()
    return getattr(token, "native_token", token)
