# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The options of calls as types, for the methods that are built on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from .params import ModelName


class ChatOptions(TypedDict, total=False):
    """The options of `chat.create` that the methods built on it pass on."""

    model: ModelName | str | None
    """The model: a name or an alias of the model table, or a name given to the client. Without
    one, the client's own.
    """
    thread_id: str | None
    """The conversation's id. Without one, the model's name. Only for the protocol
    `autonomousai`.
    """
    user_id: str | None
    """The caller's id, a UUID. Only for the protocol `autonomousai`."""
    use_tool: bool | None
    """Whether the service may use tools; false wherever it was seen. Only for the protocol
    `autonomousai`.
    """
    max_tokens: int | None
    """The most tokens that the model may generate."""
    temperature: float | None
    """How random the answer is; 0 is the most likely answer."""
    top_p: float | None
    """Choose from the most likely tokens that have this probability together."""
    stop: str | Sequence[str] | None
    """One or several texts at which the answer ends; it does not include them."""
    seed: int | None
    """Makes the answer repeatable, as far as the engine supports it."""
    frequency_penalty: float | None
    """How much to avoid tokens by how often they occurred."""
    presence_penalty: float | None
    """How much to avoid tokens that occurred at all."""
    tool_choice: Literal["none", "auto", "required"] | Mapping[str, object] | None
    """Whether the model calls tools, or the definition of the one that it calls."""
    parallel_tool_calls: bool | None
    """Whether the model may call several tools at once."""
    n: int | None
    """How many answers to generate; each is one of the choices."""
    logprobs: bool | None
    """Whether to return the log probabilities of the tokens."""
    top_logprobs: int | None
    """How many alternatives to return for each token; needs `logprobs`."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | str | None
    """How much the model reasons before it answers."""
    headers: Mapping[str, str | None] | None
    """Sent with this call, over the client's; None leaves a header out."""
    extra_body: Mapping[str, object] | None
    """Fields merged into the request body, last."""
    max_retries: int | None
    """The maximum number of retries of this call, instead of the client's."""
