"""What tests of batches share: a server that answers by the prompt, runs on each backend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autonomousai_sdk.batch import AsyncBatch, Batch, BatchProgress
from tests.support.client_under_test import SDK, Options
from tests.support.fault_server import FaultServer, Received
from tests.support.script import Answer
from tests.support.wire import document


def answered(request: Received) -> Answer:
    """Answer a prompt with the prompt."""
    return document(request.prompt)


def echo() -> FaultServer:
    """A server that answers each prompt with the prompt."""
    return FaultServer(answered)


def write_lines(path: Path, lines: Sequence[object]) -> Path:
    """Write values as lines of JSON, and bytes as they are."""
    path.write_bytes(
        b"".join(
            line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
        )
    )
    return path


def results(path: Path) -> list[dict[str, Any]]:
    """Read the results of a batch, each of which is a whole line."""
    data = path.read_bytes()
    assert data.endswith(b"\n") or not data
    return [json.loads(line) for line in data.splitlines()]


def texts(path: Path) -> dict[str, str | None]:
    """Read the text of each result by its id; None is an error."""
    found: dict[str, str | None] = {}
    for result in results(path):
        assert result["id"] not in found
        found[result["id"]] = text(result)
    return found


def text(result: dict[str, Any]) -> str | None:
    """Return the text of a result, or None if it is an error."""
    if result["error"] is not None:
        return None
    said: str = result["response"]["body"]["choices"][0]["message"]["content"]
    return said


async def run(
    client_under_test: SDK,
    url: str,
    source: Any,
    target: Any,
    *,
    retries: int | None = None,
    **options: Any,
) -> BatchProgress:
    """Run a batch by a client of either kind."""
    made = client_under_test.make(url, Options(retries=retries))
    try:
        if client_under_test.backend == "sync":
            return Batch(made, source, target, **options).run()
        return await AsyncBatch(made, source, target, **options).run()
    finally:
        await client_under_test.close(made)
