"""Many calls at the same time, on real sockets, in each colour."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from time import monotonic, sleep
from typing import Any

import anyio
import pytest

import autonomousai_sdk as sdk
from autonomousai_sdk import BadRequestError, ConfigurationError
from autonomousai_sdk._core.pace import Pace, RateLimit
from autonomousai_sdk._drivers import awaiting_map, blocking_map
from tests.support.backends import awaiting, cut_short, left, on_backends, on_each_backend
from tests.support.client_under_test import SDK
from tests.support.fault_server import FaultServer
from tests.support.script import Answer, Hold, Wait
from tests.support.wire import document, failed


def map_of(client: Any, prompts: Any, **options: Any) -> Any:
    """The map of a client of either kind."""
    return client.chat.map(prompts, **options)


async def all_of(results: Any) -> list[Any]:
    """Every result, read to the end."""
    return [result async for result in results]


def slowly(seconds: float, answer: Answer) -> Answer:
    """An answer that comes late."""
    return (Wait(seconds), *answer)


@on_each_backend
async def test_each_prompt_has_its_result_in_order(client_under_test: SDK) -> None:
    """Ordered results come in the order of the prompts, also where a later one is faster."""
    with FaultServer(slowly(0.3, document("a")), document("b"), document("c")) as server:
        async with client_under_test.client(server.url) as client:
            results = await all_of(map_of(client, ["1", "2", "3"], concurrency=1))
            assert [(result.index, result.completion.text) for result in results] == [
                (0, "a"),
                (1, "b"),
                (2, "c"),
            ]


@on_each_backend
async def test_results_come_as_they_finish_if_asked_for(client_under_test: SDK) -> None:
    """With `ordered=False` a slow call holds no other one's result back."""
    with FaultServer(slowly(0.8, document()), document(), document()) as server:
        async with client_under_test.client(server.url) as client:
            began = monotonic()
            async with map_of(client, ["1", "2", "3"], ordered=False) as results:
                await results.__anext__()
                await results.__anext__()
                assert monotonic() - began < 0.7
                assert (await results.__anext__()).completion is not None


@on_each_backend
async def test_calls_run_at_the_same_time(client_under_test: SDK) -> None:
    """Four calls of 0.4 s with a concurrency of four take nowhere near 1.6 s."""
    with FaultServer(*[slowly(0.4, document())] * 4) as server:
        async with client_under_test.client(server.url) as client:
            began = monotonic()
            assert len(await all_of(map_of(client, ["x"] * 4, concurrency=4))) == 4
    assert monotonic() - began < 1.3


@on_each_backend
async def test_nothing_is_read_ahead(client_under_test: SDK) -> None:
    """An endless input is read only `concurrency` items ahead of the delivered results."""
    read: list[int] = []

    def endless() -> Iterator[str]:
        while True:
            read.append(1)
            yield "Hello"

    with FaultServer(*[document()] * 20) as server:
        async with client_under_test.client(server.url) as client:
            async with map_of(client, endless(), concurrency=3) as results:
                for number in range(1, 6):
                    await results.__anext__()
                    await client_under_test.sleep(0.05)
                    assert len(read) <= number + 3
            assert await left(client_under_test, server, 3)
    assert len(server.requests) <= 8


@on_each_backend
async def test_an_error_is_a_result(client_under_test: SDK) -> None:
    """A call that fails has its error in its result, and the others go on."""
    with FaultServer(document("a"), failed(400), document("c")) as server:
        async with client_under_test.client(server.url) as client:
            good, bad, last = await all_of(map_of(client, ["1", "2", "3"], concurrency=1))
    assert good.error is None
    assert isinstance(bad.error, BadRequestError)
    assert bad.completion is None
    assert last.completion.text == "c"


@on_each_backend
async def test_a_wrong_prompt_is_a_result(client_under_test: SDK) -> None:
    """A prompt that cannot be sent has its error in its result."""
    with FaultServer(document("a")) as server:
        async with client_under_test.client(server.url) as client:
            bad, good = await all_of(map_of(client, ["", "2"], concurrency=1))
    assert isinstance(bad.error, ConfigurationError)
    assert good.completion.text == "a"


@on_each_backend
async def test_a_refusal_slows_all_calls_down(client_under_test: SDK) -> None:
    """After a 429 with `retry-after`, no request of any call goes out before that time."""
    busy = failed(429, "retry-after: 1")
    # Slow enough that the refusal is known before another call ends.
    with FaultServer(busy, *[slowly(0.2, document())] * 5) as server:
        async with client_under_test.client(server.url) as client:
            results = await all_of(map_of(client, ["x"] * 5, concurrency=2, ordered=False))
    assert all(result.error is None for result in results)
    refused, *others = server.requests
    together = [each for each in others if each.at - refused.at < 0.3]
    held = [each for each in others if each.at - refused.at >= 0.3]
    assert len(together) <= 1
    assert min(each.at for each in held) - refused.at > 0.95


@on_each_backend
async def test_a_retry_waits_for_its_turn(client_under_test: SDK) -> None:
    """A retry counts among the requests per minute, and goes out when the limit allows it."""
    pace = Pace(requests=RateLimit(per_minute=120))
    paced: Any = blocking_map if client_under_test.backend == "sync" else awaiting_map
    with FaultServer(failed(503, "retry-after: 0"), document()) as server:
        async with client_under_test.client(server.url) as client:
            made: Any = getattr(client, "made", client)
            runner, made._runner = made._runner, paced.paced(made._runner, pace)
            await client.chat.create("Hello")
            made._runner = runner
    first, second = server.requests
    assert second.at - first.at > 0.45


@on_each_backend
async def test_closing_ends_the_calls_at_once(client_under_test: SDK) -> None:
    """Leaving the block closes the connections of the calls that run, and there is no more."""
    with FaultServer(document(), *[(Hold(),)] * 3) as server:
        async with client_under_test.client(server.url) as client:
            began = monotonic()
            async with map_of(client, ["x"] * 9, concurrency=3, ordered=False) as results:
                await results.__anext__()
                assert await client_under_test.until(lambda: len(server.requests) >= 3)
            assert monotonic() - began < 1.5
            assert await left(client_under_test, server, 1)
            assert await all_of(results) == []


@on_each_backend
async def test_the_client_goes_on_after_a_map(client_under_test: SDK) -> None:
    """A map that was closed leaves the client's other calls as they were."""
    with FaultServer(document("a"), document("b")) as server:
        async with client_under_test.client(server.url) as client:
            async with map_of(client, ["1"]) as results:
                assert (await results.__anext__()).completion.text == "a"
            assert (await client.chat.create("2")).text == "b"


@on_each_backend
async def test_an_error_of_the_input_comes_after_its_results(client_under_test: SDK) -> None:
    """What the input raises is raised once the results before it were delivered."""

    def broken() -> Iterator[str]:
        yield "1"
        raise RuntimeError("no more")

    with FaultServer(document("a")) as server:
        async with client_under_test.client(server.url) as client:
            results = map_of(client, broken())
            assert (await results.__anext__()).completion.text == "a"
            with pytest.raises(RuntimeError, match="no more"):
                await results.__anext__()


@on_each_backend
async def test_cancelling_the_reader_ends_the_calls(client_under_test: SDK) -> None:
    """A reader that is cancelled, or interrupted by a signal, leaves no call behind."""
    with FaultServer(*[(Hold(),)] * 2) as server:
        async with client_under_test.client(server.url) as client:
            with cut_short(client_under_test, after=0.4):
                await all_of(map_of(client, ["1", "2"]))
            assert await left(client_under_test, server)


@on_each_backend
async def test_wrong_arguments_are_refused(client_under_test: SDK) -> None:
    """A single prompt, or a wrong concurrency, is an error before anything is sent."""
    async with client_under_test.client("http://127.0.0.1:9") as client:
        with pytest.raises(ConfigurationError, match="put the one prompt in a list"):
            map_of(client, "Hello")
        with pytest.raises(ConfigurationError, match="concurrency="):
            map_of(client, ["Hello"], concurrency=0)


@on_each_backend
async def test_an_unforeseen_error_ends_the_map(client_under_test: SDK) -> None:
    """An error that is not the SDK's own is raised to who takes the results."""

    class Broken(list[Any]):
        def __len__(self) -> int:
            raise RuntimeError("broken prompt")

    with FaultServer(document()) as server:
        async with client_under_test.client(server.url) as client:
            results = map_of(client, [Broken([1])])
            with pytest.raises(RuntimeError, match="broken prompt"):
                await results.__anext__()
            assert await all_of(results) == []


@awaiting
async def test_the_input_may_be_async(client_under_test: SDK) -> None:
    """On `AsyncClient` the prompts may come from an async iterable."""

    async def prompts() -> AsyncIterator[str]:
        for each in "12":
            await anyio.sleep(0.01)
            yield each

    with FaultServer(document("a"), document("b")) as server:
        async with client_under_test.client(server.url) as client:
            results = map_of(client, prompts(), concurrency=1)
            assert [result.completion.text for result in await all_of(results)] == ["a", "b"]
            await results.aclose()


@on_each_backend
async def test_a_dropped_map_says_so(client_under_test: SDK) -> None:
    """Results that are dropped before their end bring a ResourceWarning, and no more requests."""
    with FaultServer(*[document()] * 20) as server:
        async with client_under_test.client(server.url) as client:
            held = [map_of(client, ["x"] * 20, concurrency=2)]
            await held[0].__anext__()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                held.clear()
                gc.collect()
            assert any("chat.map were dropped" in str(each.message) for each in caught)
            await client_under_test.sleep(0.2)
    assert len(server.requests) <= 5


@on_backends("sync")
async def test_a_transport_that_cannot_be_interrupted_is_left_alone(client_under_test: SDK) -> None:
    """Closing a map does not wait for calls on such a transport."""
    sending = threading.Event()

    class Slow:
        def send(self, request: Any, timeout: Any) -> Any:
            sending.set()
            sleep(0.5)
            raise sdk.TransportError("broken", "over")

        def close(self) -> None: ...

    with sdk.Client(transport=Slow(), max_retries=0) as client:
        results = client.chat.map(["1"])
        results._start()  # pyright: ignore[reportPrivateUsage]
        assert sending.wait(5)
        began = monotonic()
        results.close()
        assert monotonic() - began < 0.3


@on_each_backend
async def test_a_map_that_was_not_read_can_be_closed(client_under_test: SDK) -> None:
    """Leaving the block before the first result sends nothing."""
    with FaultServer() as server:
        async with client_under_test.client(server.url) as client, map_of(client, ["1"]):
            pass
    assert server.requests == []
