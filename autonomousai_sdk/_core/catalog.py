"""The model table: names, aliases and the endpoint each model is served from.

Knows no particular model: the generated code holds the spec's, `Client(models=…)` adds more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import Factory, field, frozen

from ..errors import ConfigurationError


@frozen(kw_only=True)
class Model:
    """A model the client can name.

    Attributes:
        id: its name, which is also what `aiAgent` carries on the wire.
        path: the endpoint that serves it, below the base URL.
        aliases: other names it is known under.
        accepts_images: whether it takes image parts; None when that is not known.
        description: what it is for, in one sentence.

    Example:
        >>> client.models.get("hermes-3").id
        'hermes'
    """

    id: str
    path: str
    aliases: tuple[str, ...] = ()
    accepts_images: bool | None = None
    description: str = ""


@frozen
class Catalog:
    """The models one client knows, found by name or alias."""

    models: tuple[Model, ...]
    _by_name: dict[str, Model] = field(
        init=False,
        repr=False,
        eq=False,
        default=Factory(lambda self: _indexed(self.models), takes_self=True),
    )

    def get(self, name: object) -> Model:
        """The model of that name or alias.

        Raises:
            ConfigurationError: no model has that name; the message lists those that exist.
        """
        if not isinstance(name, str):
            raise ConfigurationError(f"A model is named by a string, not by {type(name).__name__}.")
        try:
            return self._by_name[name]
        except KeyError:
            raise ConfigurationError(
                f"Unknown model {name!r}. Known models: {', '.join(self.names())}. "
                f'To use another one, say where it is served: Client(models={{"{name}": "/chat"}}).'
            ) from None

    def names(self) -> Iterable[str]:
        """Every model's name, with its aliases in brackets, in the table's order."""
        for model in self.models:
            aliases = f" ({', '.join(model.aliases)})" if model.aliases else ""
            yield f"{model.id}{aliases}"

    def extended(self, more: Mapping[str, str]) -> Catalog:
        """A table with more models, from names to paths; a name that exists is replaced."""
        added: list[Model] = []
        for name, path in more.items():
            if not isinstance(name, str) or not name:
                raise ConfigurationError(f"models= maps names to paths; {name!r} is not a name.")
            if not isinstance(path, str) or not path.startswith("/"):
                raise ConfigurationError(
                    f"models= maps names to paths below the base URL, such as '/chat'; "
                    f"{path!r} (for {name!r}) does not start with a slash."
                )
            added.append(Model(id=name, path=path))
        kept = tuple(model for model in self.models if model.id not in more)
        return Catalog(kept + tuple(added))


def _indexed(models: tuple[Model, ...]) -> dict[str, Model]:
    """Models by every name they have; a name of one's own goes before another's alias."""
    by_alias = {alias: model for model in models for alias in model.aliases}
    return by_alias | {model.id: model for model in models}
