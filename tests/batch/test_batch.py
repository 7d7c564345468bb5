"""Batches on real sockets, by each client."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import anyio
import pytest

from autonomousai_sdk import AsyncClient, BatchError, Client, ConfigurationError
from autonomousai_sdk.batch import AsyncBatch, Batch, BatchProgress
from tests.support.backends import awaiting, cut_short, on_backends, on_each_backend
from tests.support.client_under_test import SDK
from tests.support.fault_server import FaultServer, Received
from tests.support.script import Answer, Gate, Hold, Reset, Wait
from tests.support.wire import body, completion, document, failed

from .runs import answered, echo, results, run, text, texts, write_lines

USAGE = body(
    200,
    completion()[:-1]
    + b',"usage":{"prompt_tokens":3,"completion_tokens":97,"total_tokens":100}'
    + b',"new_field":{"x":1}}',
    "x-request-id: req-7",
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The paths of the input and the output."""
    return tmp_path / "in.jsonl", tmp_path / "out.jsonl"


@on_each_backend
async def test_every_line_has_its_result(client_under_test: SDK, files: tuple[Path, Path]) -> None:
    """Prompts, chats and OpenAI's batch lines are answered, with their ids."""
    source, target = files
    write_lines(
        source,
        [
            "one",
            {"custom_id": "b", "prompt": "two"},
            {"messages": [{"role": "user", "content": "three"}], "temperature": 0},
            {"custom_id": "d", "body": {"messages": [{"role": "user", "content": "four"}]}},
        ],
    )
    with echo() as server:
        progress = await run(client_under_test, server.url, source, target)
    found = {result["id"]: (result["custom_id"], text(result)) for result in results(target)}
    assert found == {
        "line-1": (None, "one"),
        "line-2": ("b", "two"),
        "line-3": (None, "three"),
        "line-4": ("d", "four"),
    }
    assert (progress.succeeded, progress.failed, progress.is_complete) == (4, 0, True)


@on_each_backend
async def test_a_result_has_the_whole_response(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """A result has the status, the request id and the document, with fields nobody announced."""
    source, target = files
    write_lines(source, ["one", "two"])
    with FaultServer(USAGE) as server:
        progress = await run(client_under_test, server.url, source, target)
    response = results(target)[0]["response"]
    assert (response["status_code"], response["request_id"]) == (200, "req-7")
    assert response["body"]["new_field"] == {"x": 1}
    assert (progress.prompt_tokens, progress.completion_tokens) == (6, 194)


@on_each_backend
async def test_a_bad_line_is_a_result(client_under_test: SDK, files: tuple[Path, Path]) -> None:
    """Unreadable lines are results with their numbers; empty ones are counted."""
    source, target = files
    write_lines(source, [b"\xef\xbb\xbf", b'"one"\r\n', b"\r\n", b"{\n", b'"\xff"\n', b'"six"'])
    with echo() as server:
        progress = await run(client_under_test, server.url, source, target)
    assert texts(target) == {"line-1": "one", "line-3": None, "line-4": None, "line-5": "six"}
    assert (progress.succeeded, progress.failed) == (2, 2)
    assert (progress.empty, progress.first_empty) == (1, 2)
    assert isinstance(progress.first_error, ConfigurationError)


@on_each_backend
async def test_a_failed_call_is_a_result(client_under_test: SDK, files: tuple[Path, Path]) -> None:
    """The error of a call is typed, and has the response of the server if there was one."""

    def by_prompt(request: Received) -> Answer:
        answers: dict[str, Answer] = {
            "status": failed(400, "x-request-id: req-1", message="no such model"),
            "reset": (Reset(),),
            "garbage": body(200, b"<html>"),
        }
        return answers.get(request.prompt, document())

    source, target = files
    write_lines(source, ["status", "reset", "garbage", {"prompt": "x", "temperature": 9}, "good"])
    with FaultServer(by_prompt) as server:
        progress = await run(client_under_test, server.url, source, target, retries=0)
    by_id = {result["id"]: result for result in results(target)}
    status = by_id["line-1"]
    assert status["error"]["type"] == "BadRequestError"
    assert "no such model" in status["error"]["message"]
    assert (status["response"]["status_code"], status["response"]["request_id"]) == (400, "req-1")
    assert status["response"]["body"]["error"]["message"] == "no such model"
    assert by_id["line-2"]["error"]["type"] == "APIConnectionError"
    assert by_id["line-2"]["response"] is None
    assert by_id["line-3"]["error"]["type"] == "APIResponseError"
    assert by_id["line-3"]["response"]["body"] == "<html>"
    assert by_id["line-4"]["error"]["type"] == "ConfigurationError"
    assert by_id["line-5"]["error"] is None
    assert progress.failed == 4


@on_each_backend
async def test_a_second_line_of_an_id_is_an_error(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """The later line names the earlier one, and a resume leaves both results."""
    source, target = files
    write_lines(source, [{"custom_id": "a", "prompt": "one"}, {"custom_id": "a", "prompt": "two"}])
    with echo() as server:
        await run(client_under_test, server.url, source, target)
        progress = await run(client_under_test, server.url, source, target, resume=True)
        assert len(server.requests) == 1
    assert texts(target) == {"line-1": "one", "line-2": None}
    assert (progress.done, progress.skipped, progress.failed_before) == (0, 2, 1)
    second = next(result for result in results(target) if result["error"])
    assert second["custom_id"] is None
    assert "custom_id 'a' is also that of line 1" in second["error"]["message"]


@on_each_backend
async def test_a_resume_answers_what_is_left(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """Only lines without a result are called, by their ids even if the order has changed."""
    source, target = files
    lines: list[object] = [{"custom_id": f"id-{n}", "prompt": str(n)} for n in range(6)]
    write_lines(source, [*lines[:3], "bare"])
    with echo() as server:
        await run(client_under_test, server.url, source, target)
        before = target.read_bytes()
        target.write_bytes(before + b'{"id":"line-9","custom_id":"id-5","respo')
        write_lines(source, [lines[5], lines[2], lines[0], "bare", lines[1], lines[3]])
        progress = await run(client_under_test, server.url, source, target, resume=True)
        assert sorted(request.prompt for request in server.requests[4:]) == ["3", "5"]
    assert target.read_bytes().startswith(before)
    assert sorted(text(result) or "" for result in results(target)) == [
        *"01235",
        "bare",
    ]
    assert (progress.succeeded, progress.skipped) == (2, 4)


@on_each_backend
async def test_a_resume_answers_a_line_before_its_duplicates(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """A run that ended after the error of a duplicate still answers the first line of the id."""
    source, target = files
    write_lines(source, [{"custom_id": "a", "prompt": "one"}, {"custom_id": "a", "prompt": "two"}])
    target.write_bytes(b'{"id":"line-2","custom_id":null,"response":null,"error":{}}\n')
    with echo() as server:
        await run(client_under_test, server.url, source, target, resume=True)
    assert texts(target) == {"line-1": "one", "line-2": None}


@on_each_backend
async def test_an_output_with_two_results_for_a_line_is_refused(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """Nothing is sent if the output to resume is not what a batch leaves."""
    source, target = files
    write_lines(source, ["one"])
    target.write_bytes(b'{"id":"line-1","custom_id":"a","response":null,"error":{}}\n' * 2)
    with (
        echo() as server,
        pytest.raises(ConfigurationError, match="has two results for 'a': remove one"),
    ):
        await run(client_under_test, server.url, source, target, resume=True)
    assert server.requests == []


@on_each_backend
async def test_wrong_files_and_arguments_are_refused(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """A file or number that cannot be used is an error before anything is sent."""
    source, target = files
    url = "http://127.0.0.1:9"
    with pytest.raises(ConfigurationError, match="Could not open .*in.jsonl: No such file"):
        await run(client_under_test, url, source, target)
    write_lines(source, ["one"])
    same = source.with_name("same")
    same.symlink_to(source)
    for other in (source, same):
        with pytest.raises(ConfigurationError, match="are the same file"):
            await run(client_under_test, url, source, other, resume=True)
    wrong: list[dict[str, Any]] = [
        {"concurrency": 0},
        {"concurrency": "many"},
        {"max_requests_per_minute": 0},
        {"max_tokens_per_minute": 1.5},
    ]
    for options in wrong:
        with pytest.raises(ConfigurationError, match=next(iter(options))):
            await run(client_under_test, url, source, target, **options)
    assert not target.exists()


@on_each_backend
async def test_a_full_disk_ends_the_batch(client_under_test: SDK, files: tuple[Path, Path]) -> None:
    """The first result that cannot be written ends the run with a BatchError."""
    source, _ = files
    write_lines(source, ["one"] * 50)
    with echo() as server, pytest.raises(BatchError, match="No space left on device"):
        await run(client_under_test, server.url, source, "/dev/full", concurrency=2)
    assert len(server.requests) <= 4


@on_each_backend
async def test_the_number_of_calls_at_a_time_is_bounded(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """With a concurrency of 2 there are two connections, also after a refusal."""
    source, target = files
    write_lines(source, ["one"] * 12)
    with FaultServer(failed(429, "retry-after-ms: 50"), (Wait(0.02), *document())) as server:
        progress = await run(client_under_test, server.url, source, target, concurrency=2)
        assert len(server.connections) <= 2
    assert progress.concurrency == 2
    assert progress.succeeded == 12


@on_each_backend
async def test_concurrency_adapts_to_the_server(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """With `auto` more calls run while all are accepted, and fewer after a refusal."""
    source, target = files
    write_lines(source, ["one"] * 60)
    seen: list[int] = []

    def note(progress: BatchProgress) -> None:
        seen.append(progress.concurrency)

    refused = failed(503, "retry-after-ms: 20")
    with FaultServer(*[document()] * 30, refused, document()) as server:
        await run(client_under_test, server.url, source, target, progress=note)
    assert max(seen) > 10
    assert any(after < before for before, after in pairwise(seen))


@on_each_backend
async def test_requests_per_minute_are_bounded(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """The requests of a minute are spread evenly, retries included."""
    source, target = files
    write_lines(source, ["one"] * 5)
    with FaultServer(document(), failed(500), document()) as server:
        await run(client_under_test, server.url, source, target, max_requests_per_minute=300)
    times = [request.at for request in server.requests]
    assert len(times) == 6
    assert times[-1] - times[0] > 0.95


@on_each_backend
async def test_tokens_per_minute_are_bounded(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """Calls wait for the tokens that earlier ones have used."""
    source, target = files
    write_lines(source, [{"prompt": "one", "max_tokens": 97}] * 4)
    with FaultServer(USAGE) as server:
        await run(client_under_test, server.url, source, target, max_tokens_per_minute=20_000)
    # 100 tokens take 0.3 s.
    assert server.requests[-1].at - server.requests[0].at > 0.85


@on_each_backend
async def test_progress_is_reported_after_each_result(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """Each report has the counts so far and an estimate of the time that is left."""
    source, target = files
    write_lines(source, ["one"] * 4 + [b"{\n"])
    reports: list[BatchProgress] = []
    with echo() as server:
        final = await run(
            client_under_test, server.url, source, target, concurrency=1, progress=reports.append
        )
    assert [report.done for report in reports] == [1, 2, 3, 4, 5]
    assert reports[0].eta is not None
    assert reports[0].eta > 0
    assert reports[-1].eta == 0
    assert reports[0].rate > 0
    assert (final.prompt_tokens, final.completion_tokens) == (None, None)
    assert not reports[0].is_complete
    assert final.is_complete
    assert BatchProgress().rate == 0


@on_each_backend
async def test_an_error_of_the_progress_function_is_raised(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """An exception of the caller's function ends the run; the result before it is written."""
    source, target = files
    write_lines(source, ["one"] * 4)

    def broken(_: BatchProgress) -> None:
        raise RuntimeError("broken")

    with echo() as server, pytest.raises(RuntimeError, match="broken"):
        await run(client_under_test, server.url, source, target, progress=broken)
    assert len(results(target)) == 1


@on_each_backend
async def test_an_interrupted_run_can_be_resumed(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """A run that is cancelled, or interrupted by a signal, leaves whole results."""
    source, target = files
    write_lines(source, [str(number) for number in range(6)])

    def by_prompt(request: Received) -> Answer:
        return (Hold(),) if request.prompt == "3" else answered(request)

    with FaultServer(by_prompt) as server, cut_short(client_under_test, after=0.5):
        await run(client_under_test, server.url, source, target)
    assert "line-4" not in texts(target)
    with echo() as server:
        await run(client_under_test, server.url, source, target, resume=True)
    assert texts(target) == {f"line-{n + 1}": str(n) for n in range(6)}


@on_each_backend
async def test_files_of_the_caller_are_read_and_written(
    client_under_test: SDK, tmp_path: Path
) -> None:
    """The input may be any binary file, also in memory, and the output an open one."""
    with echo() as server, (tmp_path / "out").open("wb") as file:
        progress = await run(client_under_test, server.url, BytesIO(b'"one"\n"two"'), file)
    assert texts(tmp_path / "out") == {"line-1": "one", "line-2": "two"}
    assert progress.eta is None


@on_each_backend
async def test_an_input_that_cannot_be_read_ends_the_batch(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """A folder as input is an error; so is one that fails later, after the results before it."""
    source, target = files

    class Failing(BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            data = super().read1(size)
            if not data:
                raise OSError(5, "Input/output error")
            return data

    with echo() as server:
        with pytest.raises(ConfigurationError, match="Is a directory"):
            await run(client_under_test, server.url, source.parent, target)
        with pytest.raises(BatchError, match="Could not read the input: Input/output error"):
            await run(client_under_test, server.url, Failing(b'"one"\n"two"\n'), target)
    assert texts(target) == {"line-1": "one", "line-2": "two"}


@on_backends("sync")
async def test_a_batch_stops_after_the_calls_in_flight(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """After `stop` no call starts, and those that run are written."""
    source, target = files
    write_lines(source, ["one"] * 20)
    with (
        FaultServer(document(), (Gate(), *document())) as server,
        Client(base_url=server.url) as client,
    ):
        batch = Batch(client, source, target, concurrency=3)
        thread = Thread(target=batch.run)
        thread.start()
        assert await client_under_test.until(lambda: len(server.requests) == 4)
        batch.stop()
        server.open_gate()
        thread.join(5)
        assert not thread.is_alive()
        assert len(server.requests) == 4
    assert batch.is_stopped
    assert len(results(target)) == 4


@awaiting
async def test_an_async_batch_stops_while_it_waits_for_input(
    client_under_test: SDK, files: tuple[Path, Path]
) -> None:
    """After `stop` a batch waits neither for its pipe nor for more than the calls in flight."""
    _, target = files
    read_end, write_end = os.pipe()
    os.write(write_end, b'"one"\n"two"\n')
    with (
        FaultServer((Gate(), *document())) as server,
        os.fdopen(read_end, "rb", buffering=0) as pipe,
    ):
        async with AsyncClient(base_url=server.url) as client:
            batch = AsyncBatch(client, pipe, target)
            progress: list[BatchProgress] = []

            async def work() -> None:
                progress.append(await batch.run())

            began = 0.0
            async with anyio.create_task_group() as group:
                group.start_soon(work)
                assert await client_under_test.until(lambda: len(server.requests) == 2)
                batch.stop()
                server.open_gate()
                began = monotonic()
            assert monotonic() - began < 2
        os.close(write_end)  # ends the read that was abandoned
        sleep(0.1)  # noqa: ASYNC251  # its thread uses the pipe until then
    assert batch.is_stopped
    assert not progress[0].is_complete
    assert len(results(target)) == 2


@awaiting
async def test_a_pipe_that_is_full_does_not_stop_the_event_loop(client_under_test: SDK) -> None:
    """While a reader of the output pauses, other tasks go on, and nothing is lost."""
    read_end, write_end = os.pipe()
    lines = b"".join(b'"%d"\n' % number for number in range(100))
    received: list[bytes] = []

    def drain() -> None:
        sleep(1)
        while data := os.read(read_end, 2**16):
            received.append(data)

    big = body(200, completion("x" * 5000))
    with FaultServer(big) as server, os.fdopen(write_end, "wb", buffering=0) as pipe:
        async with AsyncClient(base_url=server.url) as client:
            reader = Thread(target=drain)
            reader.start()
            gaps: list[float] = []
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(_watch, gaps)
                    await AsyncBatch(client, BytesIO(lines + b"{\n"), pipe).run()
                    scope.cancel()
    reader.join(5)
    os.close(read_end)
    assert len(b"".join(received).splitlines()) == 101
    assert max(gaps) < 0.8


async def _watch(gaps: list[float]) -> None:
    while True:
        began = monotonic()
        await anyio.sleep(0.01)
        gaps.append(monotonic() - began)


def deep_lines() -> Iterator[bytes]:
    """Lines whose values are nested about as deep as the stack allows."""
    for depth in range(940, 1000):
        nested = b"[" * depth + b"]" * depth
        yield nested + b"\n"
        yield b'{"messages": %b}\n' % nested
        yield b'{"prompt": "x", "tools": %b}\n' % nested
        yield b'{"prompt": "x", "response_format": {"a": %b}}\n' % nested
        yield b'{"prompt": "x", "unknown": %b}\n' % nested


JUNK: tuple[Any, ...] = (
    *json.loads('[0, -1, 1e300, true, "", "x", [], [[]], {}, {"a": 1}, [null]]'),
    "\ud83d",
)
FIELDS = (
    "messages", "model", "thread_id", "user_id", "use_tool", "max_tokens", "temperature", "stop",
    "seed", "response_format", "tools", "tool_choice", "n", "logprobs", "reasoning_effort", "x",
)  # fmt: skip


@on_backends("sync", "asyncio")
async def test_no_line_ends_a_batch(client_under_test: SDK, files: tuple[Path, Path]) -> None:
    """Whatever the values of a line are, it has a result."""
    source, target = files
    junk: list[object] = [{"prompt": "x", name: value} for name in FIELDS for value in JUNK]
    junk += [{"messages": [{"role": a, "content": b}]} for a in JUNK for b in JUNK]
    lines = [*junk, *deep_lines()]
    write_lines(source, lines)
    with FaultServer(document()) as server:
        progress = await run(client_under_test, server.url, source, target, concurrency=4)
    assert progress.done == len(lines)
    assert len(texts(target)) == len(lines)
