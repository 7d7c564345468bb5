"""A string that does not show itself, and the removal of secrets from text about to be shown.

Owns the only place where a key can be read back: `Secret.reveal`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

HIDDEN = "**********"


class Secret:
    """A key or password: shows as asterisks and refuses to be pickled."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        # A closure instead of an attribute: vars(), slots and debuggers that print
        # locals with repr() show a function, not the value.
        self._reveal: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """The value itself, for the header it belongs in."""
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
        raise TypeError("a Secret is not pickled: it would be readable in the pickle")

    def redact(self, text: str) -> str:
        """`text` with every occurrence of the secret replaced by asterisks."""
        return text.replace(self.reveal(), HIDDEN)

    def redact_bytes(self, data: bytes) -> bytes:
        """`data` with every occurrence of the secret replaced by asterisks."""
        return data.replace(self.reveal().encode(), HIDDEN.encode())
