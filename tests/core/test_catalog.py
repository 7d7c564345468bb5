"""The model table."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from autonomousai_sdk._core.catalog import (
    AsyncCatalogMethods,
    Catalog,
    CatalogMethods,
    Model,
    checked_model_name,
)
from autonomousai_sdk.errors import ConfigurationError

T = TypeVar("T")

LLAMA = Model(id="llama", path="/chat", aliases=("llama-3", "big"))
HERMES = Model(id="hermes", path="/chat-hermes", accepts_images=False, description="Chats.")
CATALOG = Catalog((LLAMA, HERMES))


def test_a_model_is_found_by_name_and_by_alias() -> None:
    """`Catalog.get` returns the same model for its name and each alias."""
    assert CATALOG.get("llama") is CATALOG.get("llama-3") is CATALOG.get("big") is LLAMA
    assert CATALOG.get("hermes") is HERMES


def test_a_name_takes_precedence_over_an_alias() -> None:
    """A name finds its own model even if another model has it as an alias."""
    other = Model(id="big", path="/other")
    assert Catalog((other, LLAMA)).get("big") is other
    assert Catalog((LLAMA, other)).get("big") is other


def test_an_unknown_name_lists_the_known_ones_and_the_way_to_add_it() -> None:
    """The error for an unknown model lists all names and aliases and shows `models=`."""
    with pytest.raises(ConfigurationError) as caught:
        CATALOG.get("gpt")
    assert str(caught.value) == (
        "Unknown model 'gpt'. Known models: llama (llama-3, big), hermes. "
        'To add a model, pass its path: Client(models={"gpt": "/chat"}).'
    )
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", [None, 5, b"llama", LLAMA])
def test_a_model_name_must_be_a_string(name: object) -> None:
    """A model name of another type is refused, and the message names the type."""
    with pytest.raises(
        ConfigurationError, match=f"model must be a string, not {type(name).__name__}"
    ):
        CATALOG.get(name)


def test_models_can_be_added_and_replaced() -> None:
    """`extended` adds new names, replaces known ones, and leaves the original unchanged."""
    more = CATALOG.extended({"qwen3:8b": "/chat", "hermes": "/elsewhere"})
    assert more.get("qwen3:8b") == Model(id="qwen3:8b", path="/chat")
    assert more.get("qwen3:8b").accepts_images is None
    assert more.get("hermes").path == "/elsewhere"
    assert [model.id for model in more.models] == ["llama", "qwen3:8b", "hermes"]
    assert CATALOG.get("hermes") is HERMES
    assert CATALOG.extended({}) == CATALOG


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({5: "/chat"}, "names to paths; 5 is not a name"),
        ({"": "/chat"}, "'' is not a name"),
        ({"x": 5}, r"5 \(for 'x'\) does not start with a slash"),
        ({"x": "chat"}, r"such as '/chat'; 'chat' \(for 'x'\) does not start with a slash"),
        ({"x": "https://h/chat"}, "does not start with a slash"),
    ],
)
def test_an_invalid_models_entry_is_refused(more: Any, said: str) -> None:
    """`extended` refuses names that are not strings and paths without a leading slash."""
    with pytest.raises(ConfigurationError, match=f"^models= .*{said}"):
        CATALOG.extended(more)


def test_the_index_is_not_part_of_repr_or_equality() -> None:
    """A catalog shows and compares its models, not its index."""
    assert repr(Catalog((HERMES,))) == f"Catalog(models=({HERMES!r},))"
    assert Catalog((HERMES,)) == Catalog((HERMES,))
    assert Catalog((HERMES,)) != CATALOG


class Holder:
    """An object that holds a client's settings, as the client's runner does."""

    def __init__(self) -> None:
        self.settings = self
        self.catalog = CATALOG


class Blocking(CatalogMethods):
    """A resource of a blocking client."""

    _runner = Holder()


class Awaiting(AsyncCatalogMethods):
    """A resource of an awaiting client."""

    _runner = Holder()


def test_the_methods_of_a_client_read_its_catalog() -> None:
    """`models.list` and `models.get` return the catalog's models, for both clients."""
    assert Blocking().list() == (LLAMA, HERMES)
    assert Blocking().get("big") is LLAMA
    assert result_of(Awaiting().list()) == (LLAMA, HERMES)
    assert result_of(Awaiting().get("big")) is LLAMA


def result_of(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that awaits nothing."""
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    result: T = stopped.value.value
    return result


@pytest.mark.parametrize(
    ("name", "said"), [("", "model is empty"), (5, "must be a string, not int")]
)
def test_an_unusable_model_name_is_refused(name: object, said: str) -> None:
    """A name that any server would refuse is refused before it is sent."""
    assert checked_model_name("qwen3:8b") == "qwen3:8b"
    with pytest.raises(ConfigurationError, match=said):
        checked_model_name(name)
