"""Local servers for the tests: without a model, and with the real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autonomousai_sdk.local import LocalServer


@pytest.fixture(scope="package")
def echo() -> Iterator[LocalServer]:
    """A server that repeats the last user message."""
    with LocalServer(engine="echo") as server:
        yield server


@pytest.fixture(scope="package")
def smollm2() -> Iterator[LocalServer]:
    """A server with SmolLM2 on the CPU."""
    with LocalServer() as server:
        yield server
