"""The terminal recorder, on a small program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

PROGRAM = r"""
import sys, time
sys.stdout.write("loading\r\x1b[2K\x1b[32mready\x1b[0m & <set>\n")
sys.stdout.flush()
time.sleep(3)
print("x" * 100)
"""


def test_a_recording_shows_what_stayed_on_the_screen(tmp_path: Path) -> None:
    """The recording keeps colours, wrapping and times, drops overwritten text and cuts pauses."""
    target = tmp_path / "recording.svg"
    recorder = [sys.executable, "-m", "tests.docs.record", str(target), "--"]
    subprocess.run(
        [*recorder, sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )

    texts = list(ET.parse(target).getroot().iter("{http://www.w3.org/2000/svg}text"))  # noqa: S314  # our own
    shown = [(text.text, text.get("fill")) for text in texts][-4:]
    assert shown == [
        ("ready", "#7ee787"),
        (" & <set>", "#e6edf3"),
        ("x" * 92, "#e6edf3"),
        ("x" * 8, "#e6edf3"),
    ]
    times = [float(text.get("style", "").removeprefix("animation-delay:")[:-1]) for text in texts]
    assert times == sorted(times)
    assert times[-1] - times[-4] == pytest.approx(1.0)


def test_a_command_that_fails_is_not_recorded(tmp_path: Path) -> None:
    """The recorder exits like the failed command and writes no picture."""
    target = tmp_path / "recording.svg"
    recorder = [sys.executable, "-m", "tests.docs.record", str(target), "--"]
    done = subprocess.run(
        [*recorder, sys.executable, "-c", "raise SystemExit(3)"],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
    )

    assert done.returncode == 3
    assert not target.exists()
