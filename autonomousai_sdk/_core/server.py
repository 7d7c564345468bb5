"""The servers that the spec lists, and the variables in their URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import field, frozen

from ..errors import ConfigurationError

_FIT = re.compile(r"[A-Za-z0-9._~-]+")


@frozen(kw_only=True)
class Server:
    """A server of the service.

    Attributes:
        url: its URL, with variables in braces.
        description: what it is, in one sentence.
        variables: the default of each variable and the values it can have, none for any.

    Examples:
        >>> Client(base_url=SERVERS["public"].at(region="us"))
    """

    url: str
    description: str = ""
    variables: Mapping[str, tuple[str, tuple[str, ...]]] = field(
        factory=dict[str, tuple[str, tuple[str, ...]]], hash=False
    )

    def at(self, **values: str) -> str:
        """The URL with these values of its variables, and the default of any other.

        Raises:
            ConfigurationError: a variable does not exist, or cannot have the value.
        """
        for name in values:
            if name not in self.variables:
                known = ", ".join(self.variables) or "none"
                raise ConfigurationError(f"{self.url} has no variable {name!r}; it has {known}.")
        url = self.url
        for name, (default, allowed) in self.variables.items():
            value = values.get(name, default)
            if allowed and value not in allowed:
                raise ConfigurationError(
                    f"{name} must be one of {', '.join(map(repr, allowed))}; got {value!r}."
                )
            if not isinstance(value, str) or not _FIT.fullmatch(value):
                raise ConfigurationError(
                    f"{name} must be letters, digits, '.', '_', '~' or '-'; got {value!r}."
                )
            url = url.replace(f"{{{name}}}", value)
        return url
