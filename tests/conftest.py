"""What every test may use, and nothing that only some need."""

from __future__ import annotations

import os

import hypothesis
import pytest

# A busy machine is no bug: examples have no deadline.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test marked `anyio` on both event loops that the async client promises."""
    return str(request.param)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs the thorough tests as well."""
    parser.addoption(
        "--thorough",
        action="store_true",
        help="also run slow faults on every transport, not on the default one alone",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the thorough tests unless they were asked for."""
    if config.getoption("--thorough"):
        return
    thorough = [item for item in items if item.get_closest_marker("thorough")]
    if thorough:
        config.hook.pytest_deselected(items=thorough)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


def pytest_configure(config: pytest.Config) -> None:
    """Try a failed test twice more on a shared machine.

    Limits of tenths of a second expire there by themselves; a test that is wrong fails each time.
    """
    if os.environ.get("CI") and hasattr(config.option, "reruns") and config.option.reruns is None:
        config.option.reruns = 2
