"""Lists of models, in the forms that servers send them."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.codec import DecodeError, decode, encode
from autonomousai_sdk._core.served_model import ServedModel
from tests.support.sample_operation import ModelList

VENDOR: dict[str, Any] = {
    "count": 2,
    "version": "1",
    "default_model": "Auto-AI",
    "models": [
        {
            "key": "Auto-AI",
            "name": "Auto",
            "reasoning": False,
            "input": ["text", "image"],
            "contextWindow": 128000,
            "maxTokens": 8192.0,
            "privacy": "private",
            "capabilities": {
                "supportsReasoning": True,
                "supportsVision": None,
                "supportsFunctionCalling": True,
            },
        },
        {
            "key": "small",
            "name": None,
            "reasoning": None,
            "input": None,
            "contextWindow": None,
            "maxTokens": None,
            "capabilities": None,
        },
    ],
}
OPENAI = {
    "object": "list",
    "data": [{"id": "gpt", "object": "model", "created": 1700000000, "owned_by": "openai"}],
}
LLAMA_CPP = {
    "models": [{"name": "smol", "model": "smol", "capabilities": ["completion"]}],
    "object": "list",
    "data": [{"id": "smol.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 2048}}],
}


def listed(document: object) -> ModelList:
    """The list that a response's document stands for."""
    return decode(encode(document), ModelList)


def test_the_vendors_form_is_read() -> None:
    """A list in AutonomousAI's form has the models' keys, names, limits and capabilities."""
    first, second = listed(VENDOR)
    assert first == ServedModel(
        id="Auto-AI",
        name="Auto",
        context_window=128000,
        max_tokens=8192,
        accepts_images=True,
        supports_tools=True,
        supports_reasoning=True,
        extra=VENDOR["models"][0],
    )
    assert (second.id, second.name) == ("small", "small")
    assert (second.context_window, second.max_tokens) == (None, None)
    assert second.accepts_images is second.supports_tools is second.supports_reasoning is None


def test_openais_form_is_read() -> None:
    """A list in OpenAI's form has the models' ids, owners and times of creation."""
    models = listed(OPENAI)
    (model,) = models
    assert (model.id, model.name, model.created, model.owned_by) == (
        "gpt",
        "gpt",
        1700000000,
        "openai",
    )
    assert (len(models), models[0], models[:1]) == (1, model, (model,))
    assert model in models


def test_openais_form_takes_precedence() -> None:
    """Of a document with both forms, `data` is read."""
    (model,) = listed(LLAMA_CPP)
    assert (model.id, model.context_window) == ("smol.gguf", 2048)
    (model,) = listed({**LLAMA_CPP, "data": []})
    assert model.id == "smol"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"max_model_len": 4096}, {"context_window": 4096}),
        ({"context_length": 4096, "top_provider": {"max_completion_tokens": 9}}, {"max_tokens": 9}),
        ({"capabilities": ["completion", "vision", 5]}, {"accepts_images": True}),
        ({"capabilities": {"vision": False}}, {"accepts_images": False}),
        ({"architecture": {"input_modalities": ["text"]}}, {"accepts_images": False}),
        ({"architecture": {"input_modalities": ["image"]}}, {"accepts_images": True}),
        ({"supported_parameters": ["tools", "reasoning"]}, {"supports_tools": True}),
        ({"capabilities": {"function_calling": False}}, {"supports_tools": False}),
        ({"context_window": "many", "created": True, "owned_by": ""}, {"context_window": None}),
        ({"created": True}, {"created": None}),
        ({"owned_by": ""}, {"owned_by": None}),
        ({"contextWindow": 0.5}, {"context_window": None}),
    ],
)
def test_properties_are_found_under_the_names_that_engines_use(
    entry: dict[str, Any], expected: dict[str, object]
) -> None:
    """Known properties are read under every name in use; values of other types are ignored."""
    (model,) = listed({"data": [{"id": "m", **entry}]})
    assert {name: getattr(model, name) for name in expected} == expected
    assert model.extra == {"id": "m", **entry}


UNNAMED: list[dict[str, Any]] = [
    {},
    {"object": "list"},
    {"data": [{}]},
    {"data": [{"id": ""}]},
    {"models": [{"key": 5}]},
]


@pytest.mark.parametrize("document", UNNAMED)
def test_a_document_without_models_is_refused(document: object) -> None:
    """A document without a list, or with an entry that has no name, is not a list of models."""
    with pytest.raises(DecodeError, match="models|model of the list"):
        listed(document)


def test_an_empty_list_is_a_list() -> None:
    """A server may have no models."""
    assert list(listed({"data": []})) == []
    assert list(listed({"data": None, "models": []})) == []
