"""What the types of the public interface promise to a program that uses it."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict, assert_type

import httpx
from attrs import frozen

from autonomousai_sdk import (
    APIStatusError,
    AsyncChatStream,
    AsyncClient,
    AsyncHTTPXTransport,
    AutonomousAIError,
    ChatCompletion,
    ChatCompletionChunk,
    ChatMessage,
    ChatStream,
    Choice,
    Client,
    Conversation,
    HTTPXTransport,
    ImagePart,
    ImageURL,
    Message,
    MessageParam,
    Messages,
    Model,
    Parsed,
    Result,
    ServerSentEvent,
    SSEDecoder,
    TextPart,
    Timeout,
    ToolRun,
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
    client.chat.create(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.chat.create("Hello", "llama")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[too-many-positional-arguments]
    client.chat.create("Hello", timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]


def messages_in_variables(client: Client) -> None:
    """Messages that are built before the call are accepted, whatever they are built of."""
    asked = [{"role": "user", "content": "Hello"}]
    assert_type(client.chat.create(asked), ChatCompletion)
    assert_type(ask(client, asked), ChatCompletion)
    assert_type(ask_in_dicts(client, asked), ChatCompletion)

    growing: list[dict[str, str]] = []
    for text in ("Hello", "Hi"):
        growing.append({"role": "user", "content": text})
        answer = client.chat.create(growing)
        growing.append({"role": "assistant", "content": answer.text})
    with client.chat.stream(growing) as stream:
        assert_type(stream, ChatStream)

    parts: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}]}
    ]
    client.chat.create(parts, model="vision")
    client.chat.create([*asked, *parts, {"role": "user", "content": "Hello"}])
    client.chat.create([{"role": role, "content": "Hello"} for role in ("system", "user")])
    client.chat.create(tuple(asked))

    typed: list[Message] = [Message.user("Hello")]
    client.chat.create(typed)
    client.chat.create([Message.system("Be brief."), *asked])
    client.chat.create([*typed, client.chat.create(typed).choices[0].message])
    typed.append(client.chat.create(typed).message)
    typed.append(Message.tool("call_1", "21 °C"))
    typed.append(Message(role="user", name="ada", content="Hello"))
    client.chat.create([{"role": "tool", "tool_call_id": "call_1", "content": "21 °C"}])
    client.chat.create([{"role": "user", "name": "ada", "content": "Hello"}])
    mixed: list[Message | dict[str, str]] = [*typed, *asked]
    client.chat.create(mixed)


def ask(client: Client, messages: Messages) -> ChatCompletion:
    """A user's function, whose parameter has the public type of messages."""
    return client.chat.create(messages)


def ask_in_dicts(client: Client, messages: Sequence[Mapping[str, object]]) -> ChatCompletion:
    """A user's function that takes any sequence of mappings."""
    return client.chat.create(messages)


def wrong_messages(client: Client) -> None:
    """What cannot be messages is refused."""
    client.chat.create([5])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.chat.create({"role": "user"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.chat.create([{5: "user"}])  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    wrong: MessageParam = {"role": "user", "contnt": "Hello"}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]  # ty: ignore[unknown-typed-dict-constructor-key]
    client.chat.create([wrong])


class TenantClient(Client):
    """A user's subclass, whose constructor takes arguments of its own."""

    def __init__(self, tenant: str) -> None:
        super().__init__(model="hermes")
        self.tenant = tenant


async def options(client: Client, async_client: AsyncClient) -> None:
    """Options are checked by name and type, and a copy is of the client's own class."""
    copy = TenantClient("acme").with_options(timeout=5)
    assert_type(copy, TenantClient)
    assert_type(copy.tenant, str)
    assert_type(async_client.with_options(headers={"x-team": "a"}), AsyncClient)
    Client(http_client=httpx.Client(), transport=HTTPXTransport())
    AsyncClient(http_client=httpx.AsyncClient(), transport=AsyncHTTPXTransport())
    AsyncClient(http_client=httpx.Client())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    Client(modle="llama")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[unknown-argument]
    Client(max_retries="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.with_options(proxy="http://x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.with_options(timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    assert_type(client.close(), None)
    assert_type(await async_client.close(), None)
    assert_type(await async_client.chat.stream("Hello").close(), None)


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


@frozen
class Book:
    """A user's class, which an answer is parsed into."""

    title: str


class Person(TypedDict):
    """A user's TypedDict."""

    name: str


class Colour(enum.Enum):
    """A user's enum."""

    RED = "red"


def structured_answers(client: Client) -> None:
    """The value of a parsed answer has the type that was asked for."""
    assert_type(client.chat.parse("A book?", into=Book), Parsed[Book])
    assert_type(client.chat.parse("A book?", into=Book).value.title, str)
    assert_type(client.chat.parse("Books?", into=list[Book]).value, list[Book])
    assert_type(client.chat.parse("Who?", into=Person, temperature=0).value["name"], str)
    assert_type(client.chat.parse("Which?", into=list[Colour], repair=2).value, list[Colour])
    client.chat.parse("A book?", into=Book, temprature=0)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def structured_kinds(client: Client) -> None:
    """Every kind of type gives its own value, and a special form gives Any."""
    assert_type(client.chat.parse("Yes?", into=bool).value, bool)
    assert_type(client.chat.parse("Both?", into=list[Book | Person]).value, list[Book | Person])
    assert_type(client.chat.parse("Which?", into=Colour).value, Colour)
    assert_type(client.chat.parse("Counts?", into=dict[str, int]).value, dict[str, int])
    client.chat.parse("Which?", into=Literal["a", "b"])


def open_enums(completion: ChatCompletion) -> str:
    """A reason that the spec names narrows to it, and every other is text."""
    reason = completion.choices[0].finish_reason
    if reason is None:
        return "none"
    if reason == "stop" or reason == "length":  # noqa: PLR1714  # as users narrow
        return reason
    return reason.upper()


def model_names(client: Client, async_client: AsyncClient) -> None:
    """Names of the spec, which are completed, and any other text are accepted as a model."""
    client.chat.create("Hello", model="llama-3.3-70b")
    client.chat.create("Hello", model="qwen3:8b")
    client.with_options(model="hermes")
    async_client.chat.stream("Hello", model="vision")
    client.chat.create("Hello", model=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]


def extra(completion: ChatCompletion) -> None:
    """Fields that the spec does not have are a dict, at every level."""
    assert_type(completion.extra, dict[str, Any])
    assert_type(completion.choices[0].message.extra, dict[str, Any])


def get_weather(city: str) -> dict[str, int]:
    """A user's function."""
    return {city: 21}


async def find(words: list[str]) -> str:
    """A user's async function."""
    return words[0]


async def tools(client: Client, async_client: AsyncClient) -> None:
    """Functions are tools, async ones on `AsyncClient`; options are those of `create`."""
    run = client.chat.run("Paris?", tools=[get_weather], max_rounds=3, max_tokens=9, timeout=5)
    assert_type(run, ToolRun)
    client.chat.create([*run.messages, Message.user("And tomorrow?")])
    asynchronous = await async_client.chat.run("Paris?", tools=[get_weather, find])
    assert_type(asynchronous.completion, ChatCompletion)
    client.chat.run("Paris?", tools=[get_weather], on_tool_error="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ty: ignore[invalid-argument-type]
    client.chat.run("Paris?")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # ty: ignore[missing-argument]
    for call in run.completion.tool_calls:
        assert_type(call.parsed(dict[str, str]), dict[str, str])


async def conversations(client: Client, async_client: AsyncClient) -> None:
    """Conversations and maps of the two clients differ in `await` alone."""
    conversation = client.conversation(model="hermes", trim=lambda messages: messages[-9:])
    assert_type(conversation, Conversation)
    assert_type(conversation.send("Hello", images=[b""]), ChatCompletion)
    assert_type(conversation.stream([Message.tool("1", "21 °C")]), ChatStream)
    assert_type(conversation.messages, tuple[Message, ...])
    assert_type(Conversation.from_dict(conversation.to_dict(), client), Conversation)
    assert_type(await async_client.conversation().send("Hello"), ChatCompletion)
    for result in client.chat.map(["a", [Message.user("b")]], concurrency=2, seed=1):
        assert_type(result, Result)
    async for result in async_client.chat.map(["a", "b"], ordered=False):
        assert_type(result.index, int)
