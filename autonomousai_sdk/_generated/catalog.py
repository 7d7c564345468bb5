# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The hosted service, its protocols and its models."""

from __future__ import annotations

from .._core.catalog import Model
from .._core.protocol import Protocol, Protocols
from .._core.server import Server

BASE_URL = "https://chatgpt.autonomous.ai/api/v1/ai"
DEFAULT_MODEL = "llama"

PROTOCOLS = Protocols(
    (
        Protocol(
            name="autonomousai",
            paths=("/chat", "/chat-hermes", "/chat-vision", "/summary"),
            options=("country_code", "time_zone", "models"),
            has_catalog=True,
        ),
        Protocol(
            name="openai", base_path="/v1", paths=("/chat/completions", "/embeddings", "/models")
        ),
    ),
    BASE_URL,
    ("https://campaign-api.autonomous.ai/api/v1/ai/v1",),
)

MODELS: tuple[Model, ...] = (
    Model(
        id="llama",
        path="/chat",
        aliases=("llama-3.3-70b",),
        accepts_images=False,
        description="A general chat model; the default.",
    ),
    Model(
        id="qwen_coder",
        path="/chat",
        aliases=("qwen-2.5-coder-32b",),
        accepts_images=False,
        description="A model for code.",
    ),
    Model(
        id="hermes",
        path="/chat-hermes",
        aliases=("hermes-3",),
        accepts_images=False,
        description="A chat model tuned to follow instructions.",
    ),
    Model(
        id="vision",
        path="/chat-vision",
        aliases=("llama-3.2-90b",),
        accepts_images=True,
        description="A chat model that sees images.",
    ),
    Model(
        id="summary",
        path="/summary",
        aliases=("llama-3.2-70b",),
        accepts_images=False,
        description="A model for summaries.",
    ),
)

SERVERS: dict[str, Server] = {
    "original": Server(
        url="https://chatgpt.autonomous.ai/api/v1/ai",
        description="The hosted service. Whether it answers today is not known.",
    ),
    "current": Server(
        url="https://campaign-api.autonomous.ai/api/v1/ai/v1",
        description="The vendor's current API: OpenAI-compatible, with a key.",
    ),
}
"""The servers by name, for `Client(base_url=SERVERS[name].at())`."""
