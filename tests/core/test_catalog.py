"""The model table."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.catalog import Catalog, Model
from autonomousai_sdk.errors import ConfigurationError

LLAMA = Model(id="llama", path="/chat", aliases=("llama-3", "big"))
HERMES = Model(id="hermes", path="/chat-hermes", accepts_images=False, description="Chats.")
CATALOG = Catalog((LLAMA, HERMES))


def test_a_model_is_found_by_name_and_by_alias() -> None:
    """All its names lead to the same model."""
    assert CATALOG.get("llama") is CATALOG.get("llama-3") is CATALOG.get("big") is LLAMA
    assert CATALOG.get("hermes") is HERMES


def test_a_name_of_ones_own_goes_before_an_alias() -> None:
    """A model named like another one's alias is the one that is meant."""
    other = Model(id="big", path="/other")
    assert Catalog((other, LLAMA)).get("big") is other
    assert Catalog((LLAMA, other)).get("big") is other


def test_an_unknown_name_lists_the_known_ones_and_the_way_to_add_it() -> None:
    """The message has every name and alias, and the argument that would help."""
    with pytest.raises(ConfigurationError) as caught:
        CATALOG.get("gpt")
    assert str(caught.value) == (
        "Unknown model 'gpt'. Known models: llama (llama-3, big), hermes. "
        'To use another one, say where it is served: Client(models={"gpt": "/chat"}).'
    )
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", [None, 5, b"llama", LLAMA])
def test_a_model_is_named_by_a_string(name: object) -> None:
    """Anything else is refused by the name of its type."""
    with pytest.raises(ConfigurationError, match=f"by a string, not by {type(name).__name__}"):
        CATALOG.get(name)


def test_models_can_be_added_and_replaced() -> None:
    """A new name is added, a known one gets the new path, and the old table stays as it was."""
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
def test_what_cannot_be_added_is_refused(more: Any, said: str) -> None:
    """Names are texts, and paths are below the base URL."""
    with pytest.raises(ConfigurationError, match=f"^models= .*{said}"):
        CATALOG.extended(more)


def test_a_table_shows_its_models_once() -> None:
    """The index by name is no part of a table's repr or equality."""
    assert repr(Catalog((HERMES,))) == f"Catalog(models=({HERMES!r},))"
    assert Catalog((HERMES,)) == Catalog((HERMES,))
    assert Catalog((HERMES,)) != CATALOG
