"""Ctrl-C while the screen is drawn."""

from __future__ import annotations

import signal

import pytest

from autonomousai_sdk.cli.interrupts import Interrupts


def test_an_interruption_waits_for_the_end_of_a_drawing() -> None:
    """A signal in a held block is raised after the block; elsewhere at once."""
    steps: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:

        def draw() -> None:
            with interrupts.held():
                signal.raise_signal(signal.SIGINT)
                steps.append("drawn")

        with pytest.raises(KeyboardInterrupt):
            draw()
        with interrupts.held():
            steps.append("drawn again")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert steps == ["drawn", "drawn again"]
    assert signal.getsignal(signal.SIGINT) is before
