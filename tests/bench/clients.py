"""The same few calls for each library, written as its users would.

Every class creates a client in its initialiser and has the same methods. Methods of blocking
libraries are `async def` too and never await, so one measurement serves all of them; the coroutine
costs a tenth of a microsecond per call.

A class imports its library in its initialiser, so that a process loads only what it measures, and
as `Any`, so that type checkers need no peer installed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

PROMPT = "Why is the sky blue?"
MESSAGES = [{"role": "user", "content": PROMPT}]
_KEY = "sk-benchmark"

# Some libraries allow 100 connections by default, but 1,000 streams are measured. The number of
# idle connections is httpx's default; without it, that number would be unlimited.
_LIMIT = 2000
_IDLE = 20

Take = Callable[[Any], object]
"""Receives each non-empty text, or the raw bytes from clients that do not decode."""


class Client(Protocol):
    """The interface that the measurements use."""

    async def stream(self, take: Take) -> None:
        """Read one stream to its end."""
        ...

    async def kept(self) -> list[Any]:
        """Read one stream to its end and keep the library's chunks."""
        ...

    async def whole(self) -> str:
        """Request a whole completion and return its text."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class SDK:
    """This SDK, blocking."""

    transport = ""

    def __init__(self, base_url: str) -> None:
        sdk: Any = import_module("autonomousai_sdk")
        self._transport = _transport(self.transport)
        self._client = sdk.Client(base_url=base_url, transport=self._transport)

    async def stream(self, take: Take) -> None:
        with self._client.chat.stream(PROMPT) as stream:
            for chunk in stream:
                if text := chunk.choices[0].delta.content:
                    take(text)

    async def kept(self) -> list[Any]:
        with self._client.chat.stream(PROMPT) as stream:
            return list(stream)

    async def whole(self) -> str:
        text: str = self._client.chat.create(PROMPT).text
        return text

    async def close(self) -> None:
        self._client.close()
        if self._transport is not None:
            self._transport.close()


class SDKOnHTTPX2(SDK):
    """This SDK on httpx2, blocking."""

    transport = "httpx2.HTTPX2Transport"


class AsyncSDK:
    """This SDK, awaiting."""

    transport = ""

    def __init__(self, base_url: str) -> None:
        sdk: Any = import_module("autonomousai_sdk")
        self._transport = _transport(self.transport)
        self._client = sdk.AsyncClient(base_url=base_url, transport=self._transport)

    async def stream(self, take: Take) -> None:
        async with self._client.chat.stream(PROMPT) as stream:
            async for chunk in stream:
                if text := chunk.choices[0].delta.content:
                    take(text)

    async def kept(self) -> list[Any]:
        async with self._client.chat.stream(PROMPT) as stream:
            return [chunk async for chunk in stream]

    async def whole(self) -> str:
        text: str = (await self._client.chat.create(PROMPT)).text
        return text

    async def close(self) -> None:
        await self._client.aclose()
        if self._transport is not None:
            await self._transport.aclose()


class AsyncSDKOnHTTPX2(AsyncSDK):
    """This SDK on httpx2, awaiting."""

    transport = "httpx2.AsyncHTTPX2Transport"


class AsyncSDKOnAIOHTTP(AsyncSDK):
    """This SDK on aiohttp."""

    transport = "aiohttp.AIOHTTPTransport"


class HTTPX:
    """The loop written by hand on httpx: the baseline.

    It reads past `[DONE]` so that the connection is reused. Stopping there, as many programs do,
    closes it and costs a new connection per stream.
    """

    library = "httpx"

    def __init__(self, base_url: str) -> None:
        httpx: Any = import_module(self.library)
        self._url = base_url + "/chat"
        self._client = httpx.Client(timeout=60)

    async def stream(self, take: Take) -> None:
        with self._client.stream("POST", self._url, json=_body(stream=True)) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: "):
                    data = line[6:]
                    if data != "[DONE]":
                        chunk = json.loads(data)
                        if text := chunk["choices"][0]["delta"].get("content"):
                            take(text)

    async def kept(self) -> list[Any]:
        with self._client.stream("POST", self._url, json=_body(stream=True)) as response:
            return _parsed([line for line in response.iter_lines() if line])

    async def whole(self) -> str:
        response = self._client.post(self._url, json=_body(stream=False))
        response.raise_for_status()
        return _text(response.json())

    async def close(self) -> None:
        self._client.close()


class HTTPX2(HTTPX):
    """The same on httpx2."""

    library = "httpx2"


class AsyncHTTPX:
    """The loop written by hand on httpx, awaiting."""

    library = "httpx"

    def __init__(self, base_url: str) -> None:
        httpx: Any = import_module(self.library)
        self._url = base_url + "/chat"
        limits = httpx.Limits(max_connections=_LIMIT, max_keepalive_connections=_IDLE)
        self._client = httpx.AsyncClient(timeout=60, limits=limits)

    async def stream(self, take: Take) -> None:
        async with self._client.stream("POST", self._url, json=_body(stream=True)) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    data = line[6:]
                    if data != "[DONE]":
                        chunk = json.loads(data)
                        if text := chunk["choices"][0]["delta"].get("content"):
                            take(text)

    async def kept(self) -> list[Any]:
        async with self._client.stream("POST", self._url, json=_body(stream=True)) as response:
            return _parsed([line async for line in response.aiter_lines() if line])

    async def whole(self) -> str:
        response = await self._client.post(self._url, json=_body(stream=False))
        response.raise_for_status()
        return _text(response.json())

    async def close(self) -> None:
        await self._client.aclose()


class AsyncHTTPX2(AsyncHTTPX):
    """The same on httpx2."""

    library = "httpx2"


class AIOHTTP:
    """The loop written by hand on aiohttp."""

    def __init__(self, base_url: str) -> None:
        aiohttp: Any = import_module("aiohttp")
        self._url = base_url + "/chat"
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_LIMIT))

    async def stream(self, take: Take) -> None:
        async with self._session.post(self._url, json=_body(stream=True)) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"data: "):
                    data = line[6:].strip()
                    if data != b"[DONE]":
                        chunk = json.loads(data)
                        if text := chunk["choices"][0]["delta"].get("content"):
                            take(text)

    async def kept(self) -> list[Any]:
        async with self._session.post(self._url, json=_body(stream=True)) as response:
            return _parsed([line.decode() async for line in response.content if line.strip()])

    async def whole(self) -> str:
        async with self._session.post(self._url, json=_body(stream=False)) as response:
            response.raise_for_status()
            return _text(await response.json())

    async def close(self) -> None:
        await self._session.close()


class OpenAI:
    """openai-python, blocking."""

    def __init__(self, base_url: str) -> None:
        self._client: Any = import_module("openai").OpenAI(base_url=base_url, api_key=_KEY)

    async def stream(self, take: Take) -> None:
        create = self._client.chat.completions.create
        with create(model="llama", messages=MESSAGES, stream=True) as stream:
            for chunk in stream:
                if text := chunk.choices[0].delta.content:
                    take(text)

    async def kept(self) -> list[Any]:
        create = self._client.chat.completions.create
        with create(model="llama", messages=MESSAGES, stream=True) as stream:
            return list(stream)

    async def whole(self) -> str:
        create = self._client.chat.completions.create
        text: str = create(model="llama", messages=MESSAGES).choices[0].message.content
        return text

    async def close(self) -> None:
        self._client.close()


class AsyncOpenAI:
    """openai-python, awaiting."""

    def __init__(self, base_url: str) -> None:
        self._client: Any = import_module("openai").AsyncOpenAI(base_url=base_url, api_key=_KEY)

    async def stream(self, take: Take) -> None:
        create = self._client.chat.completions.create
        async with await create(model="llama", messages=MESSAGES, stream=True) as stream:
            async for chunk in stream:
                if text := chunk.choices[0].delta.content:
                    take(text)

    async def kept(self) -> list[Any]:
        create = self._client.chat.completions.create
        async with await create(model="llama", messages=MESSAGES, stream=True) as stream:
            return [chunk async for chunk in stream]

    async def whole(self) -> str:
        completion = await self._client.chat.completions.create(model="llama", messages=MESSAGES)
        text: str = completion.choices[0].message.content
        return text

    async def close(self) -> None:
        await self._client.close()


class Anthropic:
    """anthropic's stream parser, blocking, on Anthropic's own events."""

    def __init__(self, base_url: str) -> None:
        self._client: Any = import_module("anthropic").Anthropic(base_url=base_url, api_key=_KEY)

    async def stream(self, take: Take) -> None:
        with self._create(stream=True) as stream:
            for event in stream:
                if event.type == "content_block_delta" and event.delta.text:
                    take(event.delta.text)

    async def kept(self) -> list[Any]:
        with self._create(stream=True) as stream:
            return list(stream)

    async def whole(self) -> str:
        text: str = self._create().content[0].text
        return text

    async def close(self) -> None:
        self._client.close()

    def _create(self, **options: bool) -> Any:
        return self._client.messages.create(
            model="llama", max_tokens=1000, messages=MESSAGES, **options
        )


class AsyncAnthropic:
    """anthropic's stream parser, awaiting, on Anthropic's own events."""

    def __init__(self, base_url: str) -> None:
        anthropic: Any = import_module("anthropic")
        self._client = anthropic.AsyncAnthropic(base_url=base_url, api_key=_KEY)

    async def stream(self, take: Take) -> None:
        async with await self._create(stream=True) as stream:
            async for event in stream:
                if event.type == "content_block_delta" and event.delta.text:
                    take(event.delta.text)

    async def kept(self) -> list[Any]:
        async with await self._create(stream=True) as stream:
            return [event async for event in stream]

    async def whole(self) -> str:
        text: str = (await self._create()).content[0].text
        return text

    async def close(self) -> None:
        await self._client.close()

    def _create(self, **options: bool) -> Any:
        return self._client.messages.create(
            model="llama", max_tokens=1000, messages=MESSAGES, **options
        )


class Ollama:
    """ollama-python, blocking, on Ollama's own lines."""

    def __init__(self, base_url: str) -> None:
        self._client: Any = import_module("ollama").Client(host=base_url)

    async def stream(self, take: Take) -> None:
        for chunk in self._client.chat(model="llama", messages=MESSAGES, stream=True):
            if text := chunk.message.content:
                take(text)

    async def kept(self) -> list[Any]:
        return list(self._client.chat(model="llama", messages=MESSAGES, stream=True))

    async def whole(self) -> str:
        text: str = self._client.chat(model="llama", messages=MESSAGES).message.content
        return text

    async def close(self) -> None:
        self._client.close()


class AsyncOllama:
    """ollama-python, awaiting, on Ollama's own lines."""

    def __init__(self, base_url: str) -> None:
        httpx: Any = import_module("httpx")
        limits = httpx.Limits(max_connections=_LIMIT, max_keepalive_connections=_IDLE)
        self._client: Any = import_module("ollama").AsyncClient(host=base_url, limits=limits)

    async def stream(self, take: Take) -> None:
        stream = await self._client.chat(model="llama", messages=MESSAGES, stream=True)
        async for chunk in stream:
            if text := chunk.message.content:
                take(text)

    async def kept(self) -> list[Any]:
        stream = await self._client.chat(model="llama", messages=MESSAGES, stream=True)
        return [chunk async for chunk in stream]

    async def whole(self) -> str:
        answer = await self._client.chat(model="llama", messages=MESSAGES)
        text: str = answer.message.content
        return text

    async def close(self) -> None:
        await self._client.close()


class Original:
    """The original provider, unchanged except for the address, in its own environment.

    It opens a connection per call, yields strings instead of chunks, and yields nothing for a
    whole completion.
    """

    def __init__(self, base_url: str) -> None:
        provider: Any = import_module("g4f.Provider").AutonomousAI
        provider.api_endpoints = {"llama": base_url + "/chat"}
        self._provider = provider

    async def stream(self, take: Take) -> None:
        create = self._provider.create_async_generator
        async for text in create("llama", MESSAGES, stream=True):
            if isinstance(text, str):
                take(text)

    async def kept(self) -> list[Any]:
        create = self._provider.create_async_generator
        return [text async for text in create("llama", MESSAGES, stream=True)]

    async def whole(self) -> str:
        raise NotImplementedError

    async def close(self) -> None:
        """Do nothing: the provider keeps no connection."""


class Floor:
    """httpcore on the SDK's own connections: reads a stream and discards it."""

    def __init__(self, base_url: str) -> None:
        core: Any = import_module("httpcore")
        deadline: Any = import_module("autonomousai_sdk.transports._backend")
        backend = deadline.DeadlineBackend(core.WriteError)
        self._url = base_url + "/chat"
        self._pool = core.ConnectionPool(network_backend=backend)

    async def stream(self, take: Take) -> None:
        content = json.dumps(_body(stream=True)).encode()
        with self._pool.stream("POST", self._url, content=content) as response:
            for piece in response.iter_stream():
                take(piece)

    async def kept(self) -> list[Any]:
        raise NotImplementedError

    async def whole(self) -> str:
        raise NotImplementedError

    async def close(self) -> None:
        self._pool.close()


class AsyncFloor:
    """The same, on asyncio."""

    def __init__(self, base_url: str) -> None:
        core: Any = import_module("httpcore")
        buffered: Any = import_module("autonomousai_sdk.transports._asyncio_backend")
        backend = buffered.BufferedBackend(core.WriteError)
        self._url = base_url + "/chat"
        self._pool = core.AsyncConnectionPool(network_backend=backend)

    async def stream(self, take: Take) -> None:
        content = json.dumps(_body(stream=True)).encode()
        async with self._pool.stream("POST", self._url, content=content) as response:
            async for piece in response.aiter_stream():
                take(piece)

    async def kept(self) -> list[Any]:
        raise NotImplementedError

    async def whole(self) -> str:
        raise NotImplementedError

    async def close(self) -> None:
        await self._pool.aclose()


def _transport(name: str) -> Any:
    """Create one of the SDK's transports by module and class; None for the default."""
    module, _, cls = name.partition(".")
    return getattr(import_module(f"autonomousai_sdk.transports.{module}"), cls)() if name else None


def _body(*, stream: bool) -> dict[str, object]:
    return {"model": "llama", "messages": MESSAGES, "stream": stream}


def _parsed(lines: list[str]) -> list[Any]:
    documents = (line[6:] for line in lines if line.startswith("data: "))
    return [json.loads(data) for data in documents if data.strip() != "[DONE]"]


def _text(document: Any) -> str:
    text: str = document["choices"][0]["message"]["content"]
    return text
