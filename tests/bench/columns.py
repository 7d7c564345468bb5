"""The columns of the tables: one for each client and backend."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from attrs import frozen

from . import clients

_SDK = "autonomousai_sdk"

Kind = Literal["blocking", "asyncio", "trio"]

ORIGINAL = "original"


@frozen
class Column:
    """One client.

    Attributes:
        name: a short name for the command line.
        title: the title in the tables.
        kind: the backend it runs on.
        client: the name of its class in `clients`.
        modules: the modules it needs.
        imports: the statement that imports it; None when another column has the same.
        answer: a script that imports it and requests one whole completion from `{url}`.
        answers: whether it supports whole completions.
        makes: whether it has a client object.
        is_floor: whether it only reads the bytes of a stream and discards them, the lower
            bound for every client.
    """

    name: str
    title: str
    kind: Kind
    client: str
    modules: tuple[str, ...]
    imports: str | None = None
    answer: str | None = None
    answers: bool = True
    makes: bool = True
    is_floor: bool = False

    @property
    def is_sdk(self) -> bool:
        """Whether it is this SDK."""
        return self.modules[0] == _SDK

    @property
    def reference(self) -> str:
        """The baseline column: the loop on httpx, on the same backend."""
        return _REFERENCES[self.kind]

    @property
    def peer(self) -> str:
        """The column of openai-python on the same backend (asyncio for trio)."""
        return "openai" if self.kind == "blocking" else "openai-asyncio"

    @property
    def is_here(self) -> bool:
        """Whether all its modules are installed."""
        return all(find_spec(module) is not None for module in self.modules)

    def make(self, base_url: str) -> clients.Client:
        """Create a client."""
        client: clients.Client = getattr(clients, self.client)(base_url)
        return client


_REFERENCES: dict[Kind, str] = {
    "blocking": "httpx",
    "asyncio": "httpx-asyncio",
    "trio": "httpx-trio",
}

_HTTPX_ANSWER = (
    "import httpx; httpx.Client().post('{url}/chat', json={{'stream': False}}).json()['choices']"
)
_OPENAI_ANSWER = (
    "from openai import OpenAI; OpenAI(base_url='{url}', api_key='k').chat.completions.create("
    "model='llama', messages=[{{'role': 'user', 'content': 'x'}}]).choices[0].message.content"
)
_ANTHROPIC_ANSWER = (
    "from anthropic import Anthropic; Anthropic(base_url='{url}', api_key='k').messages.create("
    "model='llama', max_tokens=9, messages=[{{'role': 'user', 'content': 'x'}}]).content[0].text"
)
_OLLAMA_ANSWER = (
    "from ollama import Client; Client(host='{url}').chat("
    "model='llama', messages=[{{'role': 'user', 'content': 'x'}}]).message.content"
)
_AIOHTTP_ANSWER = """
import aiohttp, asyncio
async def main():
    async with aiohttp.ClientSession() as session:
        async with session.post('{url}/chat', json={{'stream': False}}) as response:
            (await response.json())['choices']
asyncio.run(main())
"""

COLUMNS = (
    Column(
        "sdk", "this SDK", "blocking", "SDK", (_SDK, "httpx"),
        f"import {_SDK}", f"from {_SDK} import Client; Client(base_url='{{url}}').chat.create('x')",
    ),
    Column("sdk-httpx2", "this SDK on httpx2", "blocking", "SDKOnHTTPX2", (_SDK, "httpx2")),
    Column(
        "httpx", "httpx, by hand", "blocking", "HTTPX", ("httpx",),
        "import httpx", _HTTPX_ANSWER,
    ),
    Column(
        "httpx2", "httpx2, by hand", "blocking", "HTTPX2", ("httpx2",),
        "import httpx2", _HTTPX_ANSWER.replace("httpx", "httpx2"),
    ),
    Column(
        "openai", "openai", "blocking", "OpenAI", ("openai",), "import openai", _OPENAI_ANSWER
    ),
    Column(
        "anthropic", "anthropic", "blocking", "Anthropic", ("anthropic",),
        "import anthropic", _ANTHROPIC_ANSWER,
    ),
    Column(
        "ollama", "ollama", "blocking", "Ollama", ("ollama",), "import ollama", _OLLAMA_ANSWER
    ),
    Column(
        "floor", "httpcore, bytes alone", "blocking", "Floor", ("httpcore",),
        answers=False, makes=False, is_floor=True,
    ),
    Column("sdk-asyncio", "this SDK", "asyncio", "AsyncSDK", (_SDK, "httpx")),
    Column("sdk-asyncio-httpx2", "this SDK on httpx2", "asyncio", "AsyncSDKOnHTTPX2",
           (_SDK, "httpx2")),
    Column("sdk-aiohttp", "this SDK on aiohttp", "asyncio", "AsyncSDKOnAIOHTTP",
           (_SDK, "aiohttp")),
    Column("httpx-asyncio", "httpx, by hand", "asyncio", "AsyncHTTPX", ("httpx",)),
    Column("httpx2-asyncio", "httpx2, by hand", "asyncio", "AsyncHTTPX2", ("httpx2",)),
    Column(
        "aiohttp", "aiohttp, by hand", "asyncio", "AIOHTTP", ("aiohttp",),
        "import aiohttp", _AIOHTTP_ANSWER,
    ),
    Column("openai-asyncio", "openai", "asyncio", "AsyncOpenAI", ("openai",)),
    Column("anthropic-asyncio", "anthropic", "asyncio", "AsyncAnthropic", ("anthropic",)),
    Column("ollama-asyncio", "ollama", "asyncio", "AsyncOllama", ("ollama",)),
    Column(
        ORIGINAL, "the original provider", "asyncio", "Original", ("g4f",),
        "import g4f.Provider", answers=False, makes=False,
    ),
    Column(
        "floor-asyncio", "httpcore, bytes alone", "asyncio", "AsyncFloor", ("httpcore",),
        answers=False, makes=False, is_floor=True,
    ),
    Column("sdk-trio", "this SDK", "trio", "AsyncSDK", (_SDK, "httpx", "trio")),
    Column("sdk-trio-httpx2", "this SDK on httpx2", "trio", "AsyncSDKOnHTTPX2",
           (_SDK, "httpx2", "trio")),
    Column("httpx-trio", "httpx, by hand", "trio", "AsyncHTTPX", ("httpx", "trio")),
)  # fmt: skip

BY_NAME = {column.name: column for column in COLUMNS}
