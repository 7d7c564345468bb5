"""Peers in processes of their own."""

from __future__ import annotations

from attrs import evolve

from .catalogue import FAULTS
from .peers import BACKENDS, PEERS
from .peers.__main__ import put_peer_to

CUT = [fault for fault in FAULTS if fault.id in ("S2", "S13")]


def test_results_of_a_peer_come_from_its_process() -> None:
    """openai-python passes a cut stream for a whole one, and accepts a cut end marker."""
    found = put_peer_to(CUT, PEERS["openai"])
    assert [result.mark for result in found["S2"].values()] == ["✗", "✗"]
    assert [result.mark for result in found["S13"].values()] == ["✓", "✓"]


def test_process_that_ends_early_is_a_failure() -> None:
    """A process that ends before its first result is a failure that quotes its last words."""
    found = put_peer_to(CUT[:1], evolve(PEERS["openai"], wire="unheard-of"))
    assert list(found["S2"]) == list(BACKENDS)
    assert "KeyError: 'unheard-of'" in found["S2"]["sync"].failures["process"]
