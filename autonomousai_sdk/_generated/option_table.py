# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The options of calls as a table, for the command line."""

from __future__ import annotations

from .._core.call_option import CallOption

CHAT_OPTIONS: tuple[CallOption, ...] = (
    CallOption(
        name="thread_id",
        description=(
            "The conversation's id. Without one, the model's name. Only for the protocol "
            "`autonomousai`."
        ),
        kinds=("text",),
        protocols=("autonomousai",),
    ),
    CallOption(
        name="user_id",
        description="The caller's id, a UUID. Only for the protocol `autonomousai`.",
        kinds=("text",),
        protocols=("autonomousai",),
    ),
    CallOption(
        name="use_tool",
        description=(
            "Whether the service may use tools; false wherever it was seen. Only for the protocol"
            " `autonomousai`."
        ),
        kinds=("flag",),
        protocols=("autonomousai",),
    ),
    CallOption(
        name="max_tokens",
        description="The most tokens that the model may generate.",
        kinds=("integer",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="temperature",
        description="How random the answer is; 0 is the most likely answer.",
        kinds=("number",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="top_p",
        description="Choose from the most likely tokens that have this probability together.",
        kinds=("number",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="stop",
        description="One or several texts at which the answer ends; it does not include them.",
        kinds=("text",),
        is_list=True,
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="seed",
        description="Makes the answer repeatable, as far as the engine supports it.",
        kinds=("integer",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="frequency_penalty",
        description="How much to avoid tokens by how often they occurred.",
        kinds=("number",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="presence_penalty",
        description="How much to avoid tokens that occurred at all.",
        kinds=("number",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="tool_choice",
        description="Whether the model calls tools, or the definition of the one that it calls.",
        kinds=("text", "json"),
        values=("none", "auto", "required"),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="parallel_tool_calls",
        description="Whether the model may call several tools at once.",
        kinds=("flag",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="n",
        description="How many answers to generate; each is one of the choices.",
        kinds=("integer",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="logprobs",
        description="Whether to return the log probabilities of the tokens.",
        kinds=("flag",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="top_logprobs",
        description="How many alternatives to return for each token; needs `logprobs`.",
        kinds=("integer",),
        protocols=("autonomousai", "openai"),
    ),
    CallOption(
        name="reasoning_effort",
        description="How much the model reasons before it answers.",
        kinds=("text",),
        values=("none", "minimal", "low", "medium", "high"),
        protocols=("autonomousai", "openai"),
    ),
)
