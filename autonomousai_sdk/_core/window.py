"""The calls of one `chat.map`: which may start, and whose result comes next.

What was read from the input and not yet delivered is never more than `concurrency`, so an endless
input and a slow consumer take bounded memory.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import define, field

from ..errors import ConfigurationError
from .display import display

T = TypeVar("T")


def checked_concurrency(value: object) -> int:
    """The number of calls at the same time, as the caller passed it.

    Raises:
        ConfigurationError: not a whole number, or less than 1.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"concurrency= must be a number of calls, 1 or more; got {display(value)}."
        )
    return value


def check_prompts(value: object, *methods: str) -> None:
    """Check the input of a `chat.map`.

    Args:
        value: the input, as the caller passed it.
        methods: the methods of which an input has one.

    Raises:
        ConfigurationError: a single prompt, or an object that cannot be iterated.
    """
    if isinstance(value, (str, bytes)):
        raise ConfigurationError("map() takes several prompts: put the one prompt in a list.")
    if isinstance(value, type) or not any(hasattr(value, name) for name in methods):
        raise ConfigurationError(
            f"The prompts of map() must be iterable, such as a list; got {type(value).__name__}."
        )


@define
class Window(Generic[T]):
    """The calls that have started and whose results were not delivered.

    Attributes:
        concurrency: how many there may be.
        ordered: whether results are delivered in the order of the input.
        exhausted: set once the input has ended.
    """

    concurrency: int
    ordered: bool
    exhausted: bool = False
    _started: int = field(init=False, default=0)
    _delivered: int = field(init=False, default=0)
    _finished: dict[int, T] = field(init=False, factory=dict[int, T])

    @property
    def has_room(self) -> bool:
        """Whether another item may be read from the input."""
        return not self.exhausted and self._started - self._delivered < self.concurrency

    @property
    def is_done(self) -> bool:
        """Whether every result was delivered."""
        return self.exhausted and self._started == self._delivered

    def start(self) -> int:
        """Count a call that starts, and return its index."""
        index = self._started
        self._started += 1
        return index

    def finish(self, index: int, result: T) -> None:
        """Take the result of a call."""
        self._finished[index] = result

    def take(self) -> T | None:
        """The next result to deliver, or None if it is not there yet."""
        index = self._delivered if self.ordered else next(iter(self._finished), None)
        if index is None or index not in self._finished:
            return None
        self._delivered += 1
        return self._finished.pop(index)
