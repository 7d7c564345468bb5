"""The memory of a client: the only model of a server, and the fields that servers refuse."""

from __future__ import annotations

from itertools import count
from typing import Any

from autonomousai_sdk._core.memory import ServerMemory
from autonomousai_sdk._core.prepared_call import Fallback, PreparedCall, prepare_call
from autonomousai_sdk._core.settings import CallOptions
from tests.support.sample_operation import CHAT, PLAIN_URL, SHAPE, Completion, settings

RENAMED = Fallback(wire="max_tokens", instead="max_new_tokens")
DROPPED = Fallback(wire="stream_options")


def prepared(*, base_url: str = PLAIN_URL, stream: bool = False, **more: Any) -> Any:
    """A call of the plain protocol."""
    keys = count(1)
    made: PreparedCall[Completion] = prepare_call(
        settings(base_url=base_url),
        CHAT,
        {"messages": "hi", "model": "m", "max_tokens": 5, **more},
        CallOptions(),
        shape=SHAPE if stream else None,
        new_key=lambda: f"key-{next(keys)}",
    )
    return made


def test_a_model_is_remembered_by_url_until_it_is_forgotten() -> None:
    """The memory has one model for each URL of a list of models."""
    memory = ServerMemory()
    assert memory.model("http://a/models") is None
    memory.remember_model("http://a/models", "m")
    assert (memory.model("http://a/models"), memory.model("http://b/models")) == ("m", None)
    memory.forget_model("http://a/models")
    memory.forget_model("http://b/models")
    assert memory.model("http://a/models") is None


def test_a_refused_schema_is_remembered_by_url_and_model() -> None:
    """The memory has which models of which servers refuse a schema."""
    memory = ServerMemory()
    memory.remember_refused_schema("http://a", "m")
    assert memory.refuses_schema("http://a", "m")
    assert not memory.refuses_schema("http://a", None)
    assert not memory.refuses_schema("http://b", "m")


def test_fallbacks_are_remembered_by_url_and_model() -> None:
    """A call is adapted if a call to the same URL and model succeeded with fallbacks."""
    memory = ServerMemory()
    first = prepared()
    assert memory.adapted(first) is first
    memory.remember_fallbacks(first)
    assert memory.adapted(first) is first
    memory.remember_fallbacks(first.with_fallback(RENAMED))
    assert memory.adapted(first).applied == (RENAMED,)
    assert memory.adapted(first).body["max_new_tokens"] == 5
    for other in (prepared(model="n"), prepared(base_url="http://b.example/v1")):
        assert memory.adapted(other) is other


def test_fallbacks_of_several_calls_add_up() -> None:
    """Each fallback that helped is remembered, and applied where the call has the field."""
    memory = ServerMemory()
    memory.remember_fallbacks(prepared().with_fallback(RENAMED))
    memory.remember_fallbacks(prepared(stream=True, max_tokens=None).with_fallback(DROPPED))
    assert memory.adapted(prepared(stream=True)).applied == (RENAMED, DROPPED)
    assert memory.adapted(prepared()).applied == (RENAMED,)
    assert memory.adapted(prepared(max_tokens=None)).applied == ()
