"""The model table: the name, aliases and endpoint of each model.

The generated code has the spec's models. `Client(models=…)` adds others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import Factory, field, frozen

from ..errors import ConfigurationError
from .display import display


@frozen(kw_only=True)
class Model:
    """A model of the model table.

    Attributes:
        id: the name, sent as `aiAgent`.
        path: the path of its endpoint below the base URL.
        aliases: other names of the model.
        accepts_images: whether the model takes image parts, or None if unknown.
        description: its purpose, in one sentence.

    Examples:
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
    """The models of one client, by name and alias."""

    models: tuple[Model, ...]
    by_name: dict[str, Model] = field(
        init=False,
        repr=False,
        eq=False,
        default=Factory(lambda self: _indexed(self.models), takes_self=True),
    )

    def get(self, name: object) -> Model:
        """The model with this name or alias.

        Raises:
            ConfigurationError: no model has the name; the message lists the known models.
        """
        if not isinstance(name, str):
            raise ConfigurationError(f"model must be a string, not {type(name).__name__}.")
        try:
            return self.by_name[name]
        except KeyError:
            raise ConfigurationError(
                f"Unknown model {display(name)}. Known models: {', '.join(self.names())}. "
                f'To add a model, pass its path: Client(models={{"{name}": "/chat"}}).'
            ) from None

    def names(self) -> Iterable[str]:
        """Each model's name, with its aliases in parentheses, in the table's order."""
        for model in self.models:
            aliases = f" ({', '.join(model.aliases)})" if model.aliases else ""
            yield f"{model.id}{aliases}"

    def extended(self, more: Mapping[str, str]) -> Catalog:
        """A copy with more models, given as names to paths. An existing name is replaced."""
        added: list[Model] = []
        for name, path in more.items():
            if not isinstance(name, str) or not name:
                raise ConfigurationError(
                    f"models= maps names to paths; {display(name)} is not a name."
                )
            if not isinstance(path, str) or not path.startswith("/"):
                raise ConfigurationError(
                    f"models= maps names to paths below the base URL, such as '/chat'; "
                    f"{display(path)} (for {display(name)}) does not start with a slash."
                )
            added.append(Model(id=name, path=path))
        kept = tuple(model for model in self.models if model.id not in more)
        return Catalog(kept + tuple(added))


class CatalogMethods:
    """The methods of `client.models` that need no request."""

    _runner: Any

    def list(self) -> tuple[Model, ...]:
        """Every model of the spec in its order, then those of `Client(models=…)`.

        Examples:
            >>> [model.id for model in client.models.list()]
            ['llama', 'qwen_coder', 'hermes', 'vision', 'summary']
        """
        models: tuple[Model, ...] = self._runner.settings.catalog.models
        return models

    def get(self, name: str) -> Model:
        """The model with this name or alias.

        Raises:
            ConfigurationError: no model has the name; the message lists the known models.

        Examples:
            >>> client.models.get("hermes-3").path
            '/chat-hermes'
        """
        model: Model = self._runner.settings.catalog.get(name)
        return model


class AsyncCatalogMethods:
    """The methods of an awaiting client's `models` that need no request."""

    _runner: Any

    async def list(self) -> tuple[Model, ...]:
        """Every model of the spec in its order, then those of `AsyncClient(models=…)`.

        Examples:
            >>> [model.id for model in await client.models.list()]
            ['llama', 'qwen_coder', 'hermes', 'vision', 'summary']
        """
        models: tuple[Model, ...] = self._runner.settings.catalog.models
        return models

    async def get(self, name: str) -> Model:
        """The model with this name or alias.

        Raises:
            ConfigurationError: no model has the name; the message lists the known models.

        Examples:
            >>> (await client.models.get("hermes-3")).path
            '/chat-hermes'
        """
        model: Model = self._runner.settings.catalog.get(name)
        return model


def checked_model_name(name: object) -> str:
    """A model's name for a protocol that sends any name.

    Raises:
        ConfigurationError: the name is empty or not a string.
    """
    if not isinstance(name, str):
        raise ConfigurationError(f"model must be a string, not {type(name).__name__}.")
    if not name:
        raise ConfigurationError(
            "model is empty: pass a name, or None for the server's only model."
        )
    return name


def _indexed(models: tuple[Model, ...]) -> dict[str, Model]:
    """Models by name and alias. A name takes precedence over an alias of another model."""
    by_alias = {alias: model for model in models for alias in model.aliases}
    return by_alias | {model.id: model for model in models}
