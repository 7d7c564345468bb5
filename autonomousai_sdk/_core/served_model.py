"""The models that a server lists, whichever form its list has.

OpenAI's form is `{"data": [{"id", …}]}`; AutonomousAI's own is `{"models": [{"key", …}]}`.
llama.cpp sends both, with less in `models`, so `data` takes precedence. Engines name the
properties of a model differently; the tables below list the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, overload

from attrs import field, frozen

from .codec import is_array, is_object

_IDS = ("id", "key", "model", "name")
_CONTEXT_WINDOWS = (
    "contextWindow",  # AutonomousAI
    "context_window",  # Groq
    "context_length",  # OpenRouter, Together
    "max_context_length",  # Mistral, LM Studio
    "max_model_len",  # vLLM, SGLang
    "n_ctx",  # llama.cpp, in `meta`
)
_MAX_TOKENS = ("maxTokens", "max_output_tokens", "max_completion_tokens")
_IMAGES = ("supportsVision", "vision", "image", "image_input", "multimodal")
_TOOLS = ("supportsFunctionCalling", "function_calling", "tools", "tool_use")
_REASONING = ("supportsReasoning", "reasoning", "thinking")
_CAPABILITIES = ("capabilities", "input", "input_modalities", "supported_parameters")
_NESTED = ("meta", "architecture", "top_provider")


@frozen(kw_only=True)
class ServedModel:
    """A model that a server lists.

    Attributes:
        id: the name to pass as `model=`.
        name: the name to show to people; the id if the server has no other.
        owned_by: the owner, or None if unknown.
        created: when the model was created, in seconds since 1970, or None if unknown.
        context_window: the most tokens that a request and its completion have together, or
            None if unknown.
        max_tokens: the most tokens of a completion, or None if unknown.
        accepts_images: whether the model takes image parts, or None if unknown.
        supports_tools: whether the model calls tools, or None if unknown.
        supports_reasoning: whether the model reasons, or None if unknown.
        extra: the entry of the list as the server sent it.
    """

    id: str
    name: str
    owned_by: str | None = None
    created: int | None = None
    context_window: int | None = None
    max_tokens: int | None = None
    accepts_images: bool | None = None
    supports_tools: bool | None = None
    supports_reasoning: bool | None = None
    extra: Mapping[str, Any] = field(factory=dict[str, Any], repr=False, hash=False)


class ServedModels(Sequence[ServedModel]):
    """The sequence of the models in a list, mixed into the class of the list."""

    data: tuple[dict[str, Any], ...] | None
    models: tuple[dict[str, Any], ...] | None

    def __attrs_post_init__(self) -> None:
        """Refuse a document that is not a list of models.

        Raises:
            ValueError: the document has neither list, or an entry has no name.
        """
        if self.data is None and self.models is None:
            raise ValueError("a list of models has `data` or `models`")
        if not all(model.id for model in self._served):
            raise ValueError("each model of the list has an `id` or a `key`")

    @overload
    def __getitem__(self, position: int) -> ServedModel: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[ServedModel, ...]: ...
    def __getitem__(self, position: int | slice) -> ServedModel | tuple[ServedModel, ...]:
        return self._served[position]

    def __len__(self) -> int:
        return len(self._served)

    @cached_property
    def _served(self) -> tuple[ServedModel, ...]:
        return tuple(map(_served, self.data or self.models or ()))


def _served(entry: Mapping[str, Any]) -> ServedModel:
    nested: list[Mapping[str, Any]] = [entry]
    nested += [value for name in _NESTED if is_object(value := entry.get(name))]
    known = _capabilities(nested)
    name = _first(nested[:1], _IDS, str) or ""
    return ServedModel(
        id=name,
        name=_first(nested[:1], ("name", "display_name"), str) or name,
        owned_by=_first(nested[:1], ("owned_by", "organization"), str),
        created=_first(nested[:1], ("created",), int),
        context_window=_first(nested, _CONTEXT_WINDOWS, int),
        max_tokens=_first(nested, _MAX_TOKENS, int),
        accepts_images=_any(known, _IMAGES),
        supports_tools=_any(known, _TOOLS),
        supports_reasoning=_any(known, _REASONING),
        extra=entry,
    )


def _first(places: Iterable[Mapping[str, Any]], names: Sequence[str], kind: type[Any]) -> Any:
    """The first value of a kind under one of the names."""
    for place in places:
        for name in names:
            value = place.get(name)
            if isinstance(value, float) and kind is int and value.is_integer():
                value = int(value)
            if isinstance(value, kind) and not isinstance(value, bool) and value != "":
                return value
    return None


def _capabilities(places: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    """What the entry says that the model can do: flags, and names in lists."""
    known: dict[str, bool] = {}
    for place in places:
        known |= {name: value for name, value in place.items() if isinstance(value, bool)}
        for name in _CAPABILITIES:
            value = place.get(name)
            if is_object(value):
                known |= {key: flag for key, flag in value.items() if isinstance(flag, bool)}
            elif is_array(value):
                known |= {each: True for each in value if isinstance(each, str)}
                if name in ("input", "input_modalities"):
                    known.setdefault("image", False)
    return known


def _any(known: Mapping[str, bool], names: Sequence[str]) -> bool | None:
    """Whether one of the names is true; None if the server says nothing about any of them."""
    said = [known[name] for name in names if name in known]
    return any(said) if said else None
