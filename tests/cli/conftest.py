"""A local server without a model, for every test of the command line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autonomousai_sdk.local import LocalServer


@pytest.fixture(scope="package")
def echo() -> Iterator[str]:
    """The base URL of a real local server that says what was said."""
    with LocalServer(engine="echo") as server:
        yield server.base_url
