"""The rate and memory of batches, beside the same calls by `chat.map`.

python -m tests.bench.batches              20,000 lines and 2,000 lines, by each client
python -m tests.bench.batches --lines N    this many instead of 20,000

The server is scripted and runs on another processor. Each measurement is a process of its own.
Prints a table in Markdown; `docs/batches.md` has a copy.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from attrs import asdict, frozen

from autonomousai_sdk import AsyncClient, Client
from autonomousai_sdk.batch import AsyncBatch, Batch

from .server import WHOLE, running, share_processor

ROUNDS = 3
CONCURRENCY = 16
KINDS = ("map", "batch", "async-map", "async-batch")


@frozen
class Measured:
    """One run: its duration, the processor time it took, and the growth of its peak memory."""

    seconds: float
    processor: float
    grown_mib: float


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(kind: str, url: str, folder: Path, lines: int) -> Measured:
    """Make the calls in this process, after a first one that imports everything."""
    if kind.startswith("async"):
        return asyncio.run(_measured_async(kind, url, folder, lines))
    with Client(base_url=url) as client:
        client.chat.create("Hello")
        before, began, used = _peak(), perf_counter(), process_time()
        if kind == "map":
            prompts = ("Hello" for _ in range(lines))
            for _ in client.chat.map(prompts, concurrency=CONCURRENCY, ordered=False):
                pass
        else:
            batch = Batch(client, folder / "in", folder / "out", concurrency=CONCURRENCY)
            assert batch.run().succeeded == lines
        return Measured(perf_counter() - began, process_time() - used, _peak() - before)


async def _measured_async(kind: str, url: str, folder: Path, lines: int) -> Measured:
    async with AsyncClient(base_url=url) as client:
        await client.chat.create("Hello")
        before, began, used = _peak(), perf_counter(), process_time()
        if kind == "async-map":
            prompts = ("Hello" for _ in range(lines))
            async for _ in client.chat.map(prompts, concurrency=CONCURRENCY, ordered=False):
                pass
        else:
            batch = AsyncBatch(client, folder / "in", folder / "out", concurrency=CONCURRENCY)
            assert (await batch.run()).succeeded == lines
        return Measured(perf_counter() - began, process_time() - used, _peak() - before)


def _in_a_process(kind: str, url: str, lines: int) -> Measured:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "in").open("w") as file:
            for number in range(lines):
                body = {"messages": [{"role": "user", "content": "Hello"}]}
                line = {"custom_id": f"request-{number:08}", "method": "POST", "body": body}
                file.write(json.dumps(line) + "\n")
        arguments = (sys.executable, "-m", __spec__.name, kind, url, name, str(lines))
        done = subprocess.run(arguments, stdout=subprocess.PIPE, check=True)
    return Measured(**json.loads(done.stdout))


def main() -> None:
    """Measure everything and print the table."""
    parser = ArgumentParser(description="Measure batches beside chat.map.")
    parser.add_argument("--lines", type=int, default=20_000)
    lines = parser.parse_args().lines
    print("| | lines | lines per second | processor time per line | growth of peak memory |")
    print("|---|---|---|---|---|")
    with running() as root:
        for count in (lines // 10, lines):
            rounds = [
                {kind: _in_a_process(kind, root + WHOLE, count) for kind in KINDS}
                for _ in range(ROUNDS)
            ]
            for kind in KINDS:
                runs = [each[kind] for each in rounds]
                rate = count / median(run.seconds for run in runs)
                processor = median(run.processor for run in runs) / count
                grown = median(run.grown_mib for run in runs)
                print(
                    f"| {kind} | {count:,} | {rate:,.0f} | {processor * 1e6:,.0f} µs "
                    f"| {grown:.1f} MiB |"
                )


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in KINDS:
        share_processor(with_server=False)
        kind, url, folder, lines = sys.argv[1:]
        print(json.dumps(asdict(measured(kind, url, Path(folder), int(lines)))))
    else:
        main()
