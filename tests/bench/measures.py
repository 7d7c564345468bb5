"""The measurements that run inside one process.

CPU is the process's user and system time (`time.process_time`), so neither waiting for the server
nor other processes count. The result is the median of several repetitions.

Every stream's text is verified.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import tracemalloc
from collections.abc import Callable, Coroutine
from statistics import median
from threading import Thread
from time import perf_counter, process_time
from typing import Any, TypeVar

from attrs import frozen

from .columns import Column, Kind
from .server import WHOLE, Script, share_processor
from .wire import words

T = TypeVar("T")
Job = Callable[[], Coroutine[Any, Any, None]]

CHUNKS = 1000
CROWD_CHUNKS = 100
ENOUGH_WAITS = 0.9
WAITS = "waits"
"""The result that holds the share of chunks the client waited for, one by one."""

CROWDS = {"throughput 1": 1, "throughput 100": 100, "throughput 1000": 1000}


@frozen
class Measure:
    """One row of results.

    Attributes:
        name: its key in the results.
        title: its title in the tables.
        unit: the unit of the value.
        more_is_better: whether higher values are better.
    """

    name: str
    title: str
    unit: str
    more_is_better: bool = False


MEASURES = (
    Measure("at 64", "CPU per chunk, 64 in one HTTP chunk", "µs"),
    Measure("burst", "CPU per chunk, 64 HTTP chunks at once", "µs"),
    Measure("at 1", "CPU per chunk, one by one", "µs"),
    Measure("whole", "CPU per whole answer", "µs"),
    Measure("first", "time to first chunk", "µs"),
    Measure("import", "CPU of the import", "ms"),
    Measure("answer", "CPU of a new process up to its first answer", "ms"),
    Measure("construct", "CPU of making a client", "µs"),
    Measure("kept", "memory of a chunk that is kept", "bytes"),
    Measure("memory", "peak memory, 1,000 streams at once", "MB"),
    Measure("throughput 1", "chunks per second, 1 stream", "1/s", more_is_better=True),
    Measure("throughput 100", "chunks per second, 100 streams", "1/s", more_is_better=True),
    Measure("throughput 1000", "chunks per second, 1,000 streams", "1/s", more_is_better=True),
)
MEASURES_BY_NAME = {measure.name: measure for measure in MEASURES}

Results = dict[str, float]


async def costs(column: Column, root: str, effort: int) -> Results:
    """Measure the cost of chunks and completions on an open connection."""
    results = {
        "at 64": await _chunk_cost(column, root, Script(CHUNKS, framed=64), effort * 5),
        "burst": await _chunk_cost(column, root, Script(CHUNKS, written=64), effort * 3),
    }
    share_processor(with_server=True)
    waits = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    results["at 1"] = await _chunk_cost(column, root, Script(CHUNKS, paced=True), effort * 2)
    # A read that waits yields the processor once; a chunk that had already arrived would not
    # have made it wait. One stream more was read than measured.
    waits = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - waits
    results[WAITS] = waits / CHUNKS / (effort * 2 + 1)
    share_processor(with_server=False)
    if column.is_floor:
        return results
    results["first"] = await _time_to_first(column, root, effort * 50)
    if column.answers:
        results["whole"] = await _answer_cost(column, root, effort * 50)
    if column.makes:
        results["construct"] = await _construction_cost(column, root, effort * 5)
    return results


async def kept(column: Column, root: str, effort: int) -> Results:
    """Measure the memory of a chunk after it was read, including its text."""
    del effort
    client = column.make(root + Script(CHUNKS, framed=64).path)
    await client.kept()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    chunks = await client.kept()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    await client.close()
    return {"kept": (after - before) / len(chunks)}


async def throughput(column: Column, root: str, effort: int) -> Results:
    """Measure chunks per second for 1 and for 100 streams at full speed."""
    results: Results = {}
    for name in ("throughput 1", "throughput 100"):
        crowd = CROWDS[name]
        chunks = CHUNKS if crowd == 1 else CROWD_CHUNKS
        client = column.make(root + Script(chunks, together=crowd).path)
        seconds = [await _crowd(column.kind, client, crowd, chunks) for _ in range(effort + 1)]
        await client.close()
        results[name] = crowd * chunks / median(seconds[1:])
    return results


async def thousand(column: Column, root: str, effort: int) -> Results:
    """Measure throughput and peak memory of 1,000 concurrent streams on new connections."""
    del effort
    name, crowd = "throughput 1000", CROWDS["throughput 1000"]
    # One stream first, to trigger lazy imports.
    client = column.make(root + Script(CROWD_CHUNKS).path)
    await _crowd(column.kind, client, 1, CROWD_CHUNKS)
    await client.close()
    client = column.make(root + Script(CROWD_CHUNKS, together=crowd).path)
    seconds = await _crowd(column.kind, client, crowd, CROWD_CHUNKS)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await client.close()
    # Linux reports kilobytes, macOS bytes.
    megabytes = peak / (2**20 if sys.platform == "darwin" else 2**10)
    return {name: crowd * CROWD_CHUNKS / seconds, "memory": megabytes}


GROUPS: dict[str, Callable[[Column, str, int], Coroutine[Any, Any, Results]]] = {
    "costs": costs,
    "kept": kept,
    "throughput": throughput,
    "thousand": thousand,
}
"""The measurements by group; each process runs one group."""


def run(kind: Kind, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a measurement on its client's backend; a blocking client never awaits."""
    if kind == "asyncio":
        import asyncio

        return asyncio.run(main())
    if kind == "trio":
        import trio

        return trio.run(main)
    try:
        main().send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise AssertionError("unreachable: blocking clients do not await")


async def _chunk_cost(column: Column, root: str, script: Script, repeats: int) -> float:
    client = column.make(root + script.path)
    costs: list[float] = []
    for _ in range(repeats + 1):
        texts: list[Any] = []
        began = process_time()
        await client.stream(texts.append)
        costs.append(process_time() - began)
        _check(_decoded(texts) if column.is_floor else texts, script.chunks)
    await client.close()
    return min(costs[1:]) / script.chunks * 1e6


async def _answer_cost(column: Column, root: str, repeats: int) -> float:
    client = column.make(root + WHOLE)
    costs: list[float] = []
    for _ in range(repeats + 5):
        began = process_time()
        text = await client.whole()
        costs.append(process_time() - began)
        _check([text], 100)
    await client.close()
    return min(costs[5:]) * 1e6


async def _time_to_first(column: Column, root: str, repeats: int) -> float:
    client = column.make(root + Script(3).path)
    times: list[float] = []
    for _ in range(repeats + 5):
        came: list[float] = []
        began = perf_counter()
        await client.stream(lambda _, came=came: came.append(perf_counter()))  # type: ignore[misc]
        times.append(came[0] - began)
    await client.close()
    return median(times[5:]) * 1e6


async def _construction_cost(column: Column, root: str, repeats: int) -> float:
    costs: list[float] = []
    for _ in range(repeats + 1):
        began = process_time()
        client = column.make(root + WHOLE)
        costs.append(process_time() - began)
        await client.close()
    return min(costs[1:]) * 1e6


async def _crowd(kind: Kind, client: Any, crowd: int, chunks: int) -> float:
    """Return the seconds that concurrent streams take, from first request to last chunk."""
    texts: list[list[str]] = [[] for _ in range(crowd)]
    jobs: list[Job] = [lambda each=each: client.stream(each.append) for each in texts]  # type: ignore[misc]
    began = perf_counter()
    await _together(kind, jobs)
    seconds = perf_counter() - began
    for each in texts:
        _check(each, chunks)
    return seconds


async def _together(kind: Kind, jobs: list[Job]) -> None:
    if kind == "asyncio":
        import asyncio

        await asyncio.gather(*(job() for job in jobs))
    elif kind == "trio":
        import trio

        async with trio.open_nursery() as nursery:
            for job in jobs:
                nursery.start_soon(job)
    else:
        threads = [Thread(target=run, args=("blocking", job)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _decoded(pieces: list[bytes]) -> list[str]:
    """Return the text in the bytes of a stream."""
    events = b"".join(pieces).split(b"\n\n")
    chunks = [json.loads(event[6:]) for event in events if event.startswith(b"data: {")]
    return [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]


def _check(texts: list[str], chunks: int) -> None:
    if "".join(texts) != "".join(words(chunks)):
        raise AssertionError(f"a client lost text: {len(texts)} of {chunks} pieces came")
