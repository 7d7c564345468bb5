"""Run every fault against every client and write the table: `python -m tests.faults --help`."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.support.client_under_test import clients_of_both_protocols

from .catalogue import FAULTS
from .peers import PEERS
from .peers.__main__ import put_peer_to
from .table import Table, put_to


def main() -> int:
    """Run the command; return 1 if this SDK fails a fault."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Run faults on real sockets against this SDK, on each backend and transport.",
    )
    parser.add_argument(
        "faults", nargs="*", metavar="FAULT", help="an id such as S1, or a group such as S"
    )
    parser.add_argument(
        "--peer",
        action="append",
        choices=[*PEERS, "all"],
        default=[],
        help="run them against this library as well; may be repeated",
    )
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table to FILE")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=os.cpu_count() or 1,
        help="put N clients to faults at a time, each in a process; else one for each processor",
    )
    arguments = parser.parse_args()

    chosen = tuple(
        fault
        for fault in FAULTS
        if not arguments.faults or {fault.id, fault.id[0]} & set(arguments.faults)
    )
    if not chosen:
        parser.error(f"there is no such fault; there are {', '.join(fault.id for fault in FAULTS)}")
    peers = tuple(peer for name, peer in PEERS.items() if {name, "all"} & set(arguments.peer))
    columns = clients_of_both_protocols()
    table = Table(columns, peers)
    sys.stdout.write(table.heading())
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        # Submit everything first, so that no client waits for another.
        coming = {
            fault: {
                client_under_test: pool.submit(put_to, client_under_test, fault)
                for client_under_test in columns
            }
            for fault in chosen
        }
        for fault, results in coming.items():
            table.add(
                fault,
                {
                    client_under_test: result.result()
                    for client_under_test, result in results.items()
                },
            )
            sys.stdout.write(table.row(fault))
            sys.stdout.flush()
    # Peers come afterwards: their load must not disturb the SDK's time limits. They run at once,
    # because most of their time is waiting for a limit.
    with ThreadPoolExecutor(len(peers) or 1) as threads:
        for peer, found in zip(
            peers, threads.map(partial(put_peer_to, chosen), peers), strict=True
        ):
            table.add_peer(peer, found)
    sys.stdout.write(table.failures())
    if arguments.markdown:
        arguments.markdown.write_text(table.markdown(), encoding="utf-8")
        sys.stdout.write(f"\nWritten to {arguments.markdown}.\n")
    return 0 if table.passed else 1


if __name__ == "__main__":
    sys.exit(main())
