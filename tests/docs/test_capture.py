"""The captures of a terminal, on a small session."""

from __future__ import annotations

import re
import shutil

import pytest

from .capture import IMAGES, SESSIONS, Session, capture
from .pages import PAGES


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed.")
def test_a_capture_shows_the_lines_and_their_output() -> None:
    """A capture has what was typed, what the programs wrote, in its colour, and no last prompt."""
    session = Session(
        ("cat note.txt", r"printf '\e[31mred\e[0m\n'"), files={"note.txt": "Hello.\n"}
    )

    texts = re.findall(r'fill="(#\w+)"[^>]*>([^<]*)</text>', capture(session, "http://127.0.0.1:9"))

    assert ("#e6edf3", " cat note.txt") in texts
    assert ("#e6edf3", "Hello.") in texts
    assert texts[-1] == ("#ff7b72", "red")


def test_every_capture_is_in_the_docs() -> None:
    """Every capture that exists is a picture on a page."""
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in SESSIONS:
        if (IMAGES / f"{name}.svg").exists():
            assert f"images/{name}.svg)" in text, name
