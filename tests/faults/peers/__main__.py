"""Run faults against one peer: `python -m tests.faults.peers NAME FAULT…`; results as JSON lines.

`put_peer_to` starts this as a process of its own, so that a peer's wire, leaks and end stay there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from tempfile import TemporaryFile
from threading import Timer
from typing import Any

from tests.faults.catalogue import FAULTS, Fault
from tests.faults.table import Result, put_to
from tests.support.client_under_test import Backend

from . import BACKENDS, PEERS, Peer

_READY = "ready\n"
"""The line that a process writes once the peer is imported."""
_KILLED = -9
"""The exit code of a process that `LIMIT` ended, on POSIX systems."""
LIMIT = 90.0
"""Seconds that one fault may take on all backends of a peer."""
IMPORT_LIMIT = 300.0
"""Seconds that the import of a peer may take. litellm's needs 10 s of CPU time."""


def put_peer_to(faults: Sequence[Fault], peer: Peer) -> Mapping[str, Mapping[Backend, Result]]:
    """Run faults against a peer in a process of its own; return the results by fault.

    If the process ends early, or a fault takes longer than `LIMIT`, that is a failure for the fault
    at hand, and another process runs the rest.
    """
    found: dict[str, Mapping[Backend, Result]] = {}
    while left := [fault.id for fault in faults if fault.id not in found]:
        ended = _run(peer, left, found)
        missing = next((fault for fault in left if fault not in found), None)
        if missing is not None:
            lost = Result(1, {"process": ended})
            found[missing] = dict.fromkeys(BACKENDS, lost)
    return found


def _run(peer: Peer, faults: list[str], found: dict[str, Mapping[Backend, Result]]) -> str:
    """Run a process and add its results as they come; return how it ended."""
    name = next(name for name, each in PEERS.items() if each.distribution == peer.distribution)
    with (
        TemporaryFile("w+", errors="replace") as said,
        subprocess.Popen(
            [sys.executable, "-m", str(__package__), name, *faults],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={**os.environ, **peer.environ},
        ) as process,
    ):
        assert process.stdout is not None
        limit = _limited(process, IMPORT_LIMIT)
        for line in process.stdout:
            limit.cancel()
            limit = _limited(process, LIMIT)
            if line == _READY:
                continue
            fault, results = json.loads(line)
            found[fault] = {backend: Result(*result) for backend, result in results.items()}
            marks = " ".join(f"{each.mark:1}" for each in found[fault].values())
            sys.stdout.write(f"{fault:<4}{marks}  {peer.title}\n")
            sys.stdout.flush()
        code = process.wait()
        limit.cancel()
        said.seek(0)
        if code == _KILLED:
            return f"it took longer than {LIMIT:.0f} seconds"
        return f"the process ended with {code}: {said.read()[-500:]}"


def _limited(process: subprocess.Popen[str], seconds: float) -> Timer:
    """Kill a process after a time, unless the timer is cancelled before."""
    timer = Timer(seconds, process.kill)
    timer.start()
    return timer


def main() -> None:
    """Run the faults in order and write a line after each."""
    name, *ids = sys.argv[1:]
    results = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr  # Some libraries print advice.
    import_module(PEERS[name].module)
    clients = PEERS[name].clients_under_test()
    results.write(_READY)
    results.flush()
    by_id = {fault.id: fault for fault in FAULTS}
    for fault in ids:
        found: dict[str, Any] = {}
        for client_under_test in clients:
            result = put_to(client_under_test, by_id[fault])
            found[client_under_test.backend] = (result.cases, dict(result.failures))
        results.write(json.dumps([fault, found]) + "\n")
        results.flush()


if __name__ == "__main__":
    main()
