"""Streams on real sockets, on each backend: how they are opened, read, left and dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest

from autonomousai_sdk import (
    APIStatusError,
    APITimeoutError,
    AsyncChatStream,
    AutonomousAIError,
    ChatStream,
    StreamError,
    StreamInterrupted,
    Timeout,
)
from tests.support.backends import OPEN, cut_short, drop, left, on_each_backend
from tests.support.client_under_test import SDK
from tests.support.fault_server import FaultServer
from tests.support.script import Answer, Fin, Hold, Repeat, Reset, Send
from tests.support.wire import (
    BEGUN,
    CHUNKED,
    DONE,
    FINISH,
    WHOLE,
    coded,
    deltas,
    document,
    event,
    problem,
    said,
    stream,
)


def texts_of(chunks: list[Any]) -> str:
    """The text of chunks, joined."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


@on_each_backend
async def test_a_stream_is_read_in_many_ways(client_under_test: SDK) -> None:
    """A stream can be read by chunks, by text or at once, in parts, with or without a block."""
    with FaultServer(WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            async with client.chat.stream("Hello") as read:
                assert texts_of([chunk async for chunk in read]) == "Hello world"
            assert texts_of([chunk async for chunk in client.chat.stream("Hello")]) == "Hello world"
            texts = [text async for text in client.chat.stream("Hello").text]
            assert texts == ["Hello", " wor", "ld"]  # and none is empty

            whole: Any = client.chat.stream("Hello")
            assert (await whole.until_done()).text == "Hello world"
            rest: Any = client.chat.stream("Hello")
            await rest.__anext__()
            async with rest:  # makes no second request
                assert (await rest.until_done()).text == "Hello world"
            assert await rest.until_done() is rest.completion
        assert await left(client_under_test, server)
    assert len(server.requests) == 5
    assert len(server.connections) == 1


@on_each_backend
async def test_a_stream_shows_how_far_it_is(client_under_test: SDK) -> None:
    """The repr of a stream has its endpoint and its state."""
    with FaultServer(OPEN, WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            made = client.chat.stream("Hello")
            seen = [repr(made)]
            async with made:
                seen.append(repr(made))
            seen.append(repr(made))
            made = client.chat.stream("Hello")
            async for _ in made:
                pass
            seen.append(repr(made))
            made = client.chat.stream("Hello")
            await made.aclose()
            seen.append(repr(made))
    name = "ChatStream" if client_under_test.backend == "sync" else "AsyncChatStream"
    states = ["not started", "open", "closed", "ended", "closed"]
    for shown, state in zip(seen, states, strict=True):
        assert f"<{name} POST {server.url}/chat {state}>" in shown


@on_each_backend
async def test_a_stream_is_iterated_once(client_under_test: SDK) -> None:
    """Iterating a second time is a StreamError that refers to `.completion`."""
    with FaultServer(WHOLE) as server:
        async with (
            client_under_test.client(server.url) as client,
            client.chat.stream("Hello") as read,
        ):
            async for _ in read:
                pass
            with pytest.raises(StopAsyncIteration):
                await read.__anext__()
            with pytest.raises(StreamError, match=r"already read to its end: \.completion"):
                aiter(read)
            with pytest.raises(StreamError, match="already read to its end"):
                _ = read.text
            assert read.completion.text == "Hello world"


@on_each_backend
async def test_a_stream_that_was_closed_is_over(client_under_test: SDK) -> None:
    """A closed stream cannot be read and has no completion, whether it had begun or not."""
    with FaultServer(OPEN) as server:
        async with client_under_test.client(server.url) as client:
            unused = client.chat.stream("Hello")
            with pytest.raises(StreamError, match="was not read"):
                _ = unused.completion
            await unused.aclose()
            assert server.requests == []
            with pytest.raises(StreamError, match="closed before its end"):
                await unused.__aenter__()
            used = client.chat.stream("Hello")
            await used.__anext__()
            with pytest.raises(StreamError, match="has not ended"):
                _ = used.completion
            await used.aclose()
            await used.aclose()
            assert await left(client_under_test, server)
            with pytest.raises(StreamError, match="closed before its end"):
                await used.__anext__()
            with pytest.raises(StreamError, match="closed before its end"):
                aiter(used)
            with pytest.raises(StreamError):
                _ = used.completion


@on_each_backend
async def test_a_stream_can_be_closed_inside_its_loop(client_under_test: SDK) -> None:
    """Closing inside the loop ends an open stream early, and not one that is already complete."""
    at_once = stream(deltas("Hello", " world") + FINISH + DONE)
    with FaultServer(at_once, OPEN) as server:
        async with client_under_test.client(server.url) as client:
            read, texts = client.chat.stream("Hello"), list[str]()
            await closing_at_each(read, texts)
            assert texts == ["Hello", " world", ""]
            assert read.completion.text == "Hello world"
            read = client.chat.stream("Hello")
            with pytest.raises(StreamError, match="closed before its end"):
                await closing_at_each(read, texts)
            assert texts[3:] == ["Hello"]


async def closing_at_each(read: Any, texts: list[str]) -> None:
    """Read a stream, and close it at each chunk."""
    async for chunk in read:
        texts.append(texts_of([chunk]))
        await read.aclose()


LAST: dict[str, tuple[Answer, type[AutonomousAIError]]] = {
    "reset": ((Send(CHUNKED + coded(BEGUN)), Reset()), StreamInterrupted),
    "fin": ((Send(CHUNKED + coded(BEGUN)), Fin()), StreamInterrupted),
    "error": (stream(BEGUN, event(problem("it failed"))), APIStatusError),
    "error-then-silence": (
        (Send(CHUNKED + coded(BEGUN) + coded(event(problem("it failed")))), Hold()),
        APIStatusError,
    ),
}


@pytest.mark.parametrize(("answer", "cls"), LAST.values(), ids=LAST)
@on_each_backend
async def test_a_stream_that_breaks_off_says_so(
    client_under_test: SDK, answer: Answer, cls: type[AutonomousAIError]
) -> None:
    """A broken stream delivers its chunks, then raises an error with `.partial`, and closes."""
    with FaultServer(answer, WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            read, texts = client.chat.stream("Hello"), list[str]()
            with pytest.raises(cls) as caught:
                await reading(read.text, texts)
            assert await left(client_under_test, server)
            assert texts == ["Hello", " wor"]
            assert caught.value.partial is not None
            assert caught.value.partial.text == "Hello wor"
            with pytest.raises(cls):
                _ = read.completion
            assert (await whole_text(client)) == "Hello world"


async def reading(pieces: AsyncIterator[str], texts: list[str]) -> None:
    """Note each piece as it comes."""
    async for text in pieces:
        texts.append(text)


async def whole_text(client: Any) -> str:
    """The text of a stream that is read to its end."""
    completion = await client.chat.stream("Hello").until_done()
    return str(completion.text)


ENDINGS: dict[str, tuple[Answer, bool]] = {
    "as-it-should": (WHOLE, True),
    "never": ((Send(CHUNKED + coded(deltas("Hello world") + FINISH + DONE)), Hold()), False),
    "by-a-reset": ((Send(CHUNKED + coded(deltas("Hello world") + FINISH + DONE)), Reset()), False),
    "by-a-reset-before-the-mark": (
        (Send(CHUNKED + coded(deltas("Hello world") + FINISH)), Reset()),
        False,
    ),
}


@pytest.mark.parametrize(("answer", "is_kept"), ENDINGS.values(), ids=ENDINGS)
@on_each_backend
async def test_the_answers_end_does_not_hang_on_the_bodys(
    client_under_test: SDK, answer: Answer, is_kept: bool
) -> None:
    """A complete stream succeeds however its body ends; a proper end keeps the connection."""
    with FaultServer(answer, said("again")) as server:
        async with client_under_test.client(server.url) as client:
            began = monotonic()
            assert await whole_text(client) == "Hello world"
            assert monotonic() - began < 1
            assert await left(client_under_test, server, int(is_kept))
            assert await whole_text(client) == "again"
    assert len(server.connections) == (1 if is_kept else 2)


@on_each_backend
async def test_a_stream_is_bounded_as_a_whole(client_under_test: SDK) -> None:
    """`total` bounds a stream, whether the server or the reader takes the time."""
    with FaultServer(OPEN) as server:
        async with client_under_test.client(server.url, limits={"total": 0.3}) as client:
            for pause in (0.0, 0.4):
                async with client.chat.stream("Hello") as read:
                    await read.__anext__()
                    await client_under_test.sleep(pause)
                    await read.__anext__()
                    with pytest.raises(APITimeoutError) as caught:
                        await read.__anext__()
                assert (caught.value.limit, caught.value.seconds) == ("total", 0.3)
                assert await left(client_under_test, server)


@on_each_backend
async def test_keep_alives_are_no_progress(client_under_test: SDK) -> None:
    """Keep-alive comments do not reset `idle`; events do."""
    pings = Repeat(coded(b": ping\n\n"), 40, 0.05)
    moving = Repeat(coded(deltas("x")), 6, 0.06)
    with FaultServer(
        (Send(CHUNKED + coded(BEGUN)), pings), (Send(CHUNKED), moving, *_end())
    ) as server:
        async with client_under_test.client(server.url, limits={"idle": 0.25}) as client:
            with pytest.raises(APITimeoutError) as caught:
                await whole_text(client)
            assert caught.value.limit == "idle"
            assert caught.value.partial is not None
            assert await whole_text(client) == "x" * 6


def _end() -> Answer:
    return (Send(coded(FINISH + DONE) + b"0\r\n\r\n"),)


@on_each_backend
async def test_no_limit_is_no_limit(client_under_test: SDK) -> None:
    """A stream without `read`, `idle` and `total` is read without a timeout."""
    unlimited = Timeout(read=None, idle=None, total=None)
    with FaultServer((Send(CHUNKED), Repeat(coded(deltas("x")), 3, 0.02), *_end())) as server:
        async with client_under_test.client(server.url) as client:
            read: Any = client.chat.stream("Hello", timeout=unlimited)
            assert (await read.until_done()).text == "xxx"


@on_each_backend
async def test_a_stream_that_is_cut_short_closes_its_connection(client_under_test: SDK) -> None:
    """Ctrl-C or cancellation closes the stream's connection, and the client makes further calls."""
    with FaultServer(OPEN, document()) as server:
        async with client_under_test.client(server.url) as client:
            read: Any = client.chat.stream("Hello")
            with cut_short(client_under_test):
                await read.until_done()
            assert await left(client_under_test, server)
            assert "closed" in repr(read)
            assert (await client.chat.create("Hello")).text == "Hello world"


@on_each_backend
async def test_a_stream_dropped_open_is_warned_of_and_leaves(client_under_test: SDK) -> None:
    """A dropped open stream is a ResourceWarning, and frees its connection and its pool slot."""
    with FaultServer(OPEN, document()) as server:
        async with client_under_test.client(
            server.url, connections=1, limits={"pool": 0.5}
        ) as client:
            held = [client.chat.stream("Hello")]
            await held[0].__anext__()
            with pytest.warns(ResourceWarning, match="/chat open> was dropped before it was read"):
                drop(held)
            assert await left(client_under_test, server)
            assert (await client.chat.create("Hello")).text == "Hello world"


@on_each_backend
async def test_a_stream_dropped_otherwise_is_not_warned_of(client_under_test: SDK) -> None:
    """Dropping an unused, closed, complete or failed stream object is not a ResourceWarning."""
    with FaultServer(OPEN, WHOLE) as server:
        async with client_under_test.client(server.url) as client:
            held = [client.chat.stream("Hello") for _ in range(3)]
            async with held[1]:
                pass
            async for _ in held[2]:
                pass
            cls: Any = ChatStream if client_under_test.backend == "sync" else AsyncChatStream
            with pytest.raises(TypeError):
                cls()
            drop(held)
    assert len(server.requests) == 2
