"""Other libraries as clients under test, on the same servers.

Each runs in a process of its own, with its wire (see `tests.support.wire`) and without leaving the
machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from types import MappingProxyType

from attrs import frozen

from tests.support.client_under_test import Backend, ClientUnderTest

BACKENDS: tuple[Backend, ...] = ("sync", "asyncio")


@frozen
class Peer:
    """One library.

    Attributes:
        distribution: its name on PyPI.
        adapter: the class in `module` that puts it under test.
        module: the module to import, and the module of this package for it.
        wire: the wire that it speaks.
    """

    distribution: str
    module: str
    adapter: str
    wire: str = "openai"

    @property
    def title(self) -> str:
        """The library and its version."""
        return f"{self.distribution} {version(self.distribution)}"

    @property
    def environ(self) -> Mapping[str, str]:
        """Return the environment of its process."""
        # litellm fetches a list of prices when imported, unless told to use its own copy.
        return {"TESTS_WIRE": self.wire, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    def clients_under_test(self) -> tuple[ClientUnderTest, ...]:
        """Return the library on each of `BACKENDS`."""
        adapter = getattr(import_module(f"{__name__}.{self.module}"), self.adapter)
        return tuple(adapter(backend, self.distribution) for backend in BACKENDS)


PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        "openai": Peer("openai", "openai", "OpenAI"),
        "anthropic": Peer("anthropic", "anthropic", "Anthropic", "anthropic"),
        "ollama": Peer("ollama", "ollama", "Ollama", "ollama"),
        "litellm": Peer("litellm", "litellm", "LiteLLM"),
        "any-llm": Peer("any-llm-sdk", "any_llm", "AnyLLM"),
    }
)
