"""The path of a call through the SDK stays short: counts, which no busy machine changes."""

from __future__ import annotations

import pytest

from .hops import Hops, main, measured


@pytest.mark.parametrize(
    ("name", "most"), [("create", (90, 14, 45)), ("stream", (250, 22, 110))], ids=str
)
def test_a_call_takes_no_more_hops_than_that(name: str, most: tuple[int, int, int]) -> None:
    """One call of a client stays within these calls, files and switches between files."""
    hops = measured(name)
    assert hops.calls <= most[0]
    assert hops.files <= most[1]
    assert hops.switches <= most[2]


def test_hops_are_counted_in_order() -> None:
    """A switch is a call in another file than the call before it."""
    hops = Hops([("a.py", "f"), ("b.py", "g"), ("b.py", "h"), ("a.py", "f")])
    assert (hops.calls, hops.files, hops.switches) == (4, 2, 2)


def test_the_trace_names_each_call(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--trace`, the counts of each kind of call are followed by its calls in order."""
    main(["--trace"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("create: ")
    assert lines[1].split() == ["_generated/methods.py", "Chat.create"]
