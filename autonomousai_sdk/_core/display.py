"""A caller's value as an error message shows it: short, whatever it is."""

from __future__ import annotations

MAX_LENGTH = 200
"""The most characters of a value that a message shows."""


def display(value: object) -> str:
    """A value's repr, cut where it is long; its type where it has no repr.

    An integer of more than 4300 digits has none, nor has an object whose own `__repr__`
    fails.
    """
    try:
        # The repr of a long value is as long: its start is all that is shown.
        text = repr(value[: MAX_LENGTH + 1] if isinstance(value, (str, bytes)) else value)
    except Exception:  # noqa: BLE001  # a caller's own __repr__ may raise anything
        return f"<{type(value).__name__}>"
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"
