"""What every test may use, and nothing that only some need."""

from __future__ import annotations

import hypothesis
import pytest

# A busy machine is no bug: examples have no deadline.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test marked `anyio` on both event loops that the async client promises."""
    return str(request.param)
