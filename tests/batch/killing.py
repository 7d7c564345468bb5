"""Kills a batch at random moments until it is done, and checks its output after each kill.

python -m tests.batch.killing [KILLS] [SEED]    200 kills, unless told otherwise
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from tests.support.fault_server import FaultServer, Received
from tests.support.program import environment
from tests.support.script import Answer, Wait
from tests.support.wire import document

from .runs import results, text, write_lines

PROGRAM = """
import os
import sys
from autonomousai_sdk import Client
from autonomousai_sdk.batch import Batch
Client().warm()
for line in sys.stdin:
    child = os.fork()
    if not child:
        with Client(base_url=line.strip(), max_retries=0) as client:
            Batch(client, *sys.argv[1:], concurrency=4, resume=True).run()
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Forks a batch for each base URL that it reads, so that the imports are made once."""

_SIZES = (10, 500, 50_000)
_LINES_PER_KILL = 20


def _prompt(number: int) -> str:
    """A prompt; its answer is long enough that a kill may tear it."""
    return f"{number}:" + "x" * _SIZES[number % len(_SIZES)]


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def kill_repeatedly(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Kill the batch so many times, let it end, and check every result.

    Returns:
        How many runs were killed, how many of them left a torn last line, and how many calls
        were made again.
    """
    chosen = random.Random(seed)
    count = kills * _LINES_PER_KILL
    source, target = folder / "in.jsonl", folder / "out.jsonl"
    lines: list[object] = [
        _prompt(number)
        if number % 2
        else {"custom_id": f"id-{number}", "body": {"prompt": _prompt(number)}}
        for number in range(count)
    ]
    write_lines(source, lines)
    seen: Counter[str] = Counter()

    def answer(request: Received) -> Answer:
        seen[request.prompt.split(":")[0]] += 1
        return (Wait(chosen.random() / 100), *document(request.prompt))

    counts: Counter[str] = Counter()
    command = [sys.executable, "-c", PROGRAM, str(source), str(target)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with FaultServer(answer, lifetime=600) as server:
            for kill in range(kills + 1):
                process.stdin.write(f"{server.url}\n".encode())
                process.stdin.flush()
                child = int(process.stdout.readline())
                if kill < kills:
                    called = len(server.requests)
                    while kill % 4 and len(server.requests) == called and _runs(child):
                        sleep(0.001)  # most kills come while calls run, also on a busy machine
                    sleep(chosen.random() / 10)
                    with suppress(ProcessLookupError):  # done already
                        os.kill(child, signal.SIGKILL)
                code = int(process.stdout.readline())
                if kill == kills:
                    assert code == 0
                else:
                    counts["killed"] += code == -signal.SIGKILL
                    data = target.read_bytes() if target.exists() else b""
                    counts["torn"] += bool(data) and not data.endswith(b"\n")
        process.stdin.close()
    found = Counter(text(result) for result in results(target))
    failures = [result["error"]["message"] for result in results(target) if result["error"]]
    assert not failures, failures[:3]
    assert found == Counter(_prompt(number) for number in range(count))
    counts["called again"] = sum(number - 1 for number in seen.values())
    return counts


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    total, seed = (*given, 200, 1)[:2] if len(given) != 1 else (given[0], 1)
    with TemporaryDirectory() as name:
        counted = kill_repeatedly(Path(name), total, seed)
    sys.stdout.write(f"Every line has one whole result. {dict(counted)}\n")
