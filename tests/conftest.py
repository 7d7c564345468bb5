"""Fixtures and options for all tests."""

from __future__ import annotations

import gc
import os
import signal

import hypothesis
import pytest

# Busy machines are slow, so examples have no deadline.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test marked `anyio` on asyncio and on trio."""
    return str(request.param)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs the thorough tests as well."""
    parser.addoption(
        "--thorough",
        action="store_true",
        help="also run the faults on every transport, and other slow tests",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the thorough tests unless they were asked for."""
    if config.getoption("--thorough"):
        return
    thorough = [item for item in items if item.get_closest_marker("thorough")]
    if thorough:
        config.hook.pytest_deselected(items=thorough)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


@pytest.fixture(scope="module", autouse=True)
def _little_to_look_through() -> None:
    """Exempt what exists before a module's tests from garbage collection.

    Many tests collect garbage, to find what was left open. With all modules and all collected
    tests, it takes 0.1 s.
    """
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Retry a failed test twice in CI, and let Ctrl-C end the processes of tests.

    Limits of tenths of a second can expire on a shared machine; a wrong test fails every time. A
    shell that runs the tests in the background has them ignore SIGINT, which processes inherit.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.environ.get("CI") and hasattr(config.option, "reruns") and config.option.reruns is None:
        config.option.reruns = 2
