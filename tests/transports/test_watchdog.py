"""The thread that keeps the time of waits that block."""

from __future__ import annotations

from threading import Event, Thread
from threading import enumerate as threads

import pytest

from autonomousai_sdk.transports._watchdog import BlockingWatchdog


def running() -> set[Thread]:
    """The threads of watchdogs."""
    return {thread for thread in threads() if thread.name == "autonomousai-watchdog"}


def test_only_what_is_still_waited_for_is_ended() -> None:
    """In the order of their times, not that in which they began."""
    watchdog = BlockingWatchdog()
    ended: list[str] = []
    last = Event()
    waits = {name: lambda name=name: ended.append(name) for name in ("late", "over", "soon")}
    watchdog.expect_within(0.15, waits["late"])
    watchdog.expect_within(0.1, waits["over"])
    watchdog.expect_within(0.05, waits["soon"])
    watchdog.expect_within(0.2, last.set)
    watchdog.rest(waits["over"])
    assert last.wait(5)
    assert ended == ["soon", "late"]


def test_the_thread_goes_when_it_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And another comes with the next wait; one serves all that there are meanwhile."""
    monkeypatch.setattr(BlockingWatchdog, "_LINGERS", 0.02)
    watchdog = BlockingWatchdog()
    for _ in range(2):
        before = running()
        long, short = Event(), Event()
        watchdog.expect_within(60, long.set)
        watchdog.expect_within(0.05, short.set)
        (thread,) = running() - before
        assert short.wait(5)
        assert thread.is_alive()
        watchdog.rest(long.set)
        thread.join(5)
        assert not thread.is_alive()
        assert not long.is_set()
