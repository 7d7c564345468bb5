"""The names by which a model can be asked for, and its entry in a list of models."""

from __future__ import annotations

from typing import Any

from .._core.catalog import Catalog
from .._core.codec import is_array
from .._generated.catalog import MODELS
from ..errors import ConfigurationError
from .wire import RequestError

CATALOG = Catalog(MODELS)


def model_entry(name: str, aliases: tuple[str, ...] = ()) -> dict[str, Any]:
    """A model as OpenAI's list has it, with its other names."""
    entry = {"id": name, "object": "model", "created": 0, "owned_by": "autonomousai-sdk"}
    return {**entry, "aliases": list(aliases)} if aliases else entry


def is_listed(name: str, models: list[dict[str, Any]]) -> bool:
    """Whether a list has a model of that name; Ollama's default tag may be left out."""
    return any(
        name == model["id"]
        or f"{name}:latest" == model["id"]
        or (is_array(aliases := model.get("aliases")) and name in aliases)
        for model in models
    )


def catalog_name(name: str) -> str | None:
    """The original protocol's own name for a model name or alias, or None."""
    try:
        return CATALOG.get(name).id
    except ConfigurationError:
        return None


def served_name(asked: object, name: str, aliases: tuple[str, ...] = ()) -> str:
    """The name of an engine's only model, if a request asks for that model.

    The original protocol's names ask for it too: they say which of the service's models a
    client wants, and the engine has only one.

    Raises:
        RequestError: the request asks for a model that the engine does not have.
    """
    if asked is None or asked in (name, *aliases):
        return name
    if isinstance(asked, str) and catalog_name(asked) is not None:
        return name
    known = ", ".join((name, *aliases, *CATALOG.names()))
    raise RequestError(
        404,
        f"There is no model {asked!r} here. Known models: {known}.",
        "model_not_found",
        param="model",
    )
