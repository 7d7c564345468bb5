"""A string that its repr hides, and the redaction of secrets from text.

`Secret.reveal` is the only way to read a key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

HIDDEN = "**********"


class Secret:
    """A key or password, which repr shows as asterisks and pickle refuses."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        # A closure instead of an attribute: vars(), slots and debuggers show a function.
        self._reveal: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """Return the value, to be sent."""
        return self._reveal()

    def __repr__(self) -> str:
        return f"Secret('{HIDDEN}')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: a pickle is readable")

    def redact(self, text: str) -> str:
        """`text` with every occurrence of the secret replaced by asterisks."""
        return text.replace(self.reveal(), HIDDEN)

    def redact_bytes(self, data: bytes) -> bytes:
        """`data` with every occurrence of the secret replaced by asterisks."""
        return data.replace(self.reveal().encode(), HIDDEN.encode())
