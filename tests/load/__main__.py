"""Measure the local server beside others: `python -m tests.load`, or `nox -s load`.

A scripted engine sends paced streams. Each server passes them on from a process of its own, whose
CPU time is measured. Writes a table in Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
from importlib.util import find_spec

from attrs import evolve

from .engine import serve
from .measure import Load, measure
from .servers import SERVERS

LOADS = (
    Load("64 streams, chunks one by one", 64, (100, 400), 1, 0.02),
    Load("1,000 streams, chunks one by one", 1000, (10, 40), 1, 0.4),
    Load("64 streams, 8 chunks at a time", 64, (400, 1600), 8, 0.05),
)


def main() -> None:
    """Measure, or play one of the roles."""
    role = sys.argv[1] if sys.argv[1:] else ""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    if role == "engine":
        chunks, batch, pace = sys.argv[2:]
        asyncio.run(serve(int(chunks), int(batch), float(pace)))
    elif role in SERVERS:
        SERVERS[role][0](int(sys.argv[2]))
    else:
        _write_table()


def _eased(load: Load) -> Load:
    """A load with a tenth of the chunks, for a slow server."""
    low, high = load.lengths
    return evolve(load, lengths=(low // 10, high // 10))


def _write_table() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--loads", nargs="+", type=int, choices=range(len(LOADS)),
                        default=list(range(len(LOADS))))  # fmt: skip
    given = parser.parse_args()
    numbers: list[int] = given.loads
    names: list[str] = given.servers
    print("| load | server | CPU of a chunk | CPU of a stream | memory of a stream |")
    print("|---|---|---|---|---|")
    for load in (LOADS[number] for number in numbers):
        for name in names:
            if name == "litellm" and (find_spec(name) is None or load.streams > 64):
                continue  # 1,000 streams take it many minutes
            cost = measure(name, _eased(load) if name == "litellm" else load)
            print(
                f"| {load.name} | {SERVERS[name][1]} | {cost.chunk:.1f} µs | {cost.stream:.2f} ms "
                f"| {cost.memory:.0f} KiB |",
                flush=True,
            )
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
