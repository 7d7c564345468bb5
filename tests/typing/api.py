"""What the types of the public interface promise to a program that uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from autonomousai_sdk import (
    APIStatusError,
    AsyncChatStream,
    AsyncClient,
    AutonomousAIError,
    ChatCompletion,
    ChatCompletionChunk,
    ChatMessage,
    ChatStream,
    Choice,
    Client,
    ImagePart,
    ImageURL,
    Message,
    MessageParam,
    Model,
    ServerSentEvent,
    SSEDecoder,
    TextPart,
    Timeout,
    Usage,
)


def blocking(client: Client) -> None:
    """Calls, streams and models of the blocking client."""
    completion = client.chat.create("Hello")
    assert_type(completion, ChatCompletion)
    assert_type(completion.text, str)
    assert_type(completion.finish_reason, str | None)
    assert_type(completion.usage, Usage | None)
    assert_type(completion.choices, tuple[Choice, ...])
    assert_type(completion.choices[0].message, ChatMessage)
    with client.chat.stream("Hello", model="hermes", timeout=Timeout(idle=5)) as stream:
        assert_type(stream, ChatStream)
        assert_type(stream.text, Iterator[str])
        for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)
            assert_type(chunk.choices[0].delta.content, str | None)
        assert_type(stream.until_done(), ChatCompletion)
    assert_type(stream.completion, ChatCompletion)
    assert_type(client.models.list(), tuple[Model, ...])
    assert_type(client.with_options(timeout=5, model="llama"), Client)


async def awaiting(client: AsyncClient) -> None:
    """The same of the async client."""
    assert_type(await client.chat.create("Hello"), ChatCompletion)
    async with client.chat.stream("Hello") as stream:
        assert_type(stream, AsyncChatStream)
        assert_type(stream.text, AsyncIterator[str])
        async for chunk in stream:
            assert_type(chunk, ChatCompletionChunk)
        assert_type(await stream.until_done(), ChatCompletion)
    assert_type(await client.models.get("llama"), Model)


def messages(client: Client) -> None:
    """Every form of messages is accepted, and what is none is not."""
    client.chat.create([{"role": "user", "content": "Hello"}])
    client.chat.create([Message.user("Hello"), {"role": "assistant", "content": "Hi"}])
    history: list[MessageParam] = [{"role": "system", "content": "Be brief."}]
    client.chat.create(history)
    parts = (TextPart(text="?"), ImagePart(image_url=ImageURL(url="https://example.com/a.png")))
    client.chat.create([Message(role="user", content=parts)], model="vision")
    client.chat.create([{"role": "user", "content": [{"type": "text", "text": "?"}]}])
    client.chat.create(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.chat.create("Hello", "llama")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.chat.create("Hello", timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def errors(client: Client) -> None:
    """Errors have the attributes that the contract names."""
    try:
        client.chat.create("Hello")
    except APIStatusError as error:
        assert_type(error.status, int)
        assert_type(error.request_id, str | None)
        assert_type(error.retry_after, float | None)
    except AutonomousAIError as error:
        assert_type(error.partial, ChatCompletion | None)


def events() -> None:
    """The decoder's types."""
    assert_type(SSEDecoder().feed(b""), list[ServerSentEvent])
