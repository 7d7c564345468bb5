"""The README, SKILL.md and the pages of docs/, and the blocks of code on them."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "autonomousai_sdk" / "SKILL.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


@frozen
class Snippet:
    """A block of code on a page."""

    page: Path
    line: int
    code: str

    @property
    def name(self) -> str:
        """The page and line of the block."""
        return f"{self.page.name}:{self.line}"


def snippets(language: str) -> list[Snippet]:
    """Return every block of a language, each once, where it is first shown."""
    found: dict[str, Snippet] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, block.start()) + 2
            found.setdefault(block[1], Snippet(page, line, block[1]))
    return [*found.values()]
