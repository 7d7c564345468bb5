"""Batches that are killed at random moments."""

from __future__ import annotations

from pathlib import Path

import pytest

from .killing import kill_repeatedly


@pytest.mark.parametrize(
    "kills", [10, pytest.param(200, marks=pytest.mark.thorough, id="200-thorough")]
)
def test_no_kill_loses_or_repeats_a_result(tmp_path: Path, kills: int) -> None:
    """However often a batch is killed, each line has one whole result in the end."""
    counts = kill_repeatedly(tmp_path, kills, seed=kills)
    assert counts["killed"] > kills / 2
