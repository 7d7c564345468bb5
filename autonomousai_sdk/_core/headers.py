"""Headers: those of a response, with case-insensitive names, and the caller's, checked.

RFC 9110, sections 5.1 (names) and 5.5 (values), has the rules for what may be sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ..errors import ConfigurationError
from .display import display

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = re.compile(r"[^\t\x20-\x7e]")
_SECRET_NAMES = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class Headers(Mapping[str, str]):
    """A response's headers: a mapping with case-insensitive names.

    Attributes:
        by_name: the values by names in lower case, without the case-insensitive look-up.

    The values of a repeated name are joined by a comma and a space (RFC 9110, section 5.3). repr
    hides the values of credentials.
    """

    __slots__ = ("by_name",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            values[key] = f"{values[key]}, {value}" if key in values else value
        self.by_name: dict[str, str] = values

    def __getitem__(self, name: str) -> str:
        return self.by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def __repr__(self) -> str:
        return f"Headers({shown(self.by_name.items())})"

    def __reduce__(self) -> tuple[object, ...]:
        # Classes with slots do not pickle by the two oldest protocols.
        return Headers, (tuple(self.by_name.items()),)


def shown(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers with credentials replaced by asterisks."""
    return {name: "**********" if is_secret(name) else value for name, value in pairs}


def is_secret(name: str) -> bool:
    """Return whether a header's value is a credential."""
    return name.lower() in _SECRET_NAMES


def checked(headers: Mapping[str, str], source: str) -> dict[str, str]:
    """Check the caller's headers and return them with names in lower case.

    Args:
        headers: names to values.
        source: their name in errors, such as `headers=`.

    Raises:
        ConfigurationError: a name or value that HTTP does not allow. The value is never
            repeated in the message.
    """
    if not isinstance(headers, Mapping):
        raise ConfigurationError(
            f"{source} is a mapping of names to values, not {type(headers).__name__}."
        )
    result: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise ConfigurationError(
                f"{source}: {display(name)} is not a header name (RFC 9110: letters, digits and "
                f"a few marks, no spaces)."
            )
        check_value(value, f"{source} {name!r}")
        result[name.lower()] = value
    return result


def changes(
    headers: Mapping[str, str | None], source: str
) -> tuple[dict[str, str], frozenset[str]]:
    """A call's headers: those to send, and the names of those to leave out, which are None.

    Raises:
        ConfigurationError: as `checked`.
    """
    if not isinstance(headers, Mapping):
        return checked(headers, source), frozenset()
    removed = {name: "" for name, value in headers.items() if value is None}
    kept = {name: value for name, value in headers.items() if value is not None}
    return checked(kept, source), frozenset(checked(removed, source))


def check_value(value: object, source: str) -> None:
    """Raise an error for an invalid header value, without repeating it."""
    problem = value_problem(value)
    if problem is not None:
        raise ConfigurationError(f"{source}: {problem}.")


def value_problem(value: object) -> str | None:
    """Return why a header value is invalid, without repeating it, or None."""
    if not isinstance(value, str):
        return f"a header's value is a string, not {type(value).__name__}"
    if found := _FORBIDDEN.search(value):
        return (
            f"the value has the character U+{ord(found[0]):04X} at position {found.start()}; "
            "a header's value is printable ASCII (RFC 9110, section 5.5)"
        )
    if value != value.strip():
        return "the value starts or ends with white space"
    return None
