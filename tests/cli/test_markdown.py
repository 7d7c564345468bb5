"""Markdown while it streams: what a terminal shows at each moment, and in the end."""

from __future__ import annotations

import io
from itertools import count

import pyte
import pytest
from rich.console import Console

from autonomousai_sdk.cli.markdown import MarkdownWriter, split_blocks

PAGE = """# Planets

There are **eight** of them, and `Pluto` is not one.

1. Mercury
2. Venus

```python
print("Mars")
```

| planet | moons |
|---|---|
| Mars | 2 |

See [NASA](https://nasa.gov).
"""
SHOWN = [
    "Planets",
    "There are eight of them, and",
    "Pluto is not one.",
    "1 Mercury",
    "2 Venus",
    'print("Mars")',
    "planet  moons",
    "Mars    2",
    "See NASA (https://nasa.gov).",
]


class Terminal:
    """A terminal of 30 columns that shows what a writer writes, each piece at once."""

    def __init__(self, lines: int = 40) -> None:
        self.screen = pyte.HistoryScreen(30, lines, history=1000)
        self._stream = pyte.Stream(self.screen)
        self.raw = ""
        self._file = io.StringIO()
        self._console = Console(
            file=self._file, force_terminal=True, width=30, height=lines, highlight=False
        )
        seconds = count()
        self.writer = MarkdownWriter(self._console, clock=lambda: next(seconds))

    def write(self, piece: str) -> None:
        """Write a piece and show it."""
        self.writer.write(piece)
        self._flush()

    def end(self) -> None:
        """End the text and show it."""
        self.writer.end()
        self._flush()

    def show(self, text: str) -> None:
        """Show what the terminal itself echoes."""
        self._stream.feed(text)

    def _flush(self) -> None:
        text = self._file.getvalue()
        self._file.seek(0)
        self._file.truncate()
        self.raw += text
        self._stream.feed(text.replace("\n", "\r\n"))

    @property
    def lines(self) -> list[str]:
        """Every line that is not empty, with those that have scrolled away."""
        above = ["".join(line[n].data for n in range(30)) for line in self.screen.history.top]
        shown = [line.strip() for line in [*above, *self.screen.display]]
        return [line for line in shown if line and set(line) != {"─"}]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("lines", [40, 6])
def test_the_page_is_the_same_however_it_is_cut(size: int, lines: int) -> None:
    """Every line appears once, in order, also on a terminal that is lower than the text."""
    terminal = Terminal(lines)
    for start in range(0, len(PAGE), size):
        terminal.write(PAGE[start : start + size])
    terminal.end()

    assert terminal.lines == SHOWN


def test_the_last_block_is_shown_before_it_is_finished() -> None:
    """Text is visible as it arrives, and a block that is longer than the terminal by its end."""
    terminal = Terminal(lines=6)
    terminal.write("Hello **wor")
    assert terminal.lines == ["Hello **wor"]
    terminal.write("ld**")
    assert terminal.lines == ["Hello world"]

    terminal.write("\n\n" + "\n".join(f"- item {number}" for number in range(20)))
    assert terminal.lines[0] == "Hello world"
    assert terminal.lines[-1] == "• item 19"
    assert len(terminal.lines) < 8
    terminal.end()
    assert terminal.lines == ["Hello world", *(f"• item {number}" for number in range(20))]


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("One", ""),
        ("One\n\nTwo", "One\n"),
        ("- a\n\n- b", ""),
        ("```\na\n\nb", ""),
        ("```\na\n```\nText", "```\na\n```"),
        ("# Title\nText", "# Title"),
        ("Title\n---", ""),
        ("One\u2028still\n\nTwo", "One\u2028still\n"),
    ],
)
def test_only_the_last_block_may_change(text: str, finished: str) -> None:
    """A text splits before its last block, and no character is lost."""
    before, rest = split_blocks(text)

    assert before == finished
    assert "\n".join([before, rest] if before else [rest]) == text


def test_the_echo_of_ctrl_c_is_erased() -> None:
    """A terminal shows Ctrl-C as two characters behind the text, which do not remain."""
    terminal = Terminal()
    terminal.write("One line that fills all twenty-eight, and then another one.")
    terminal.show("^C")
    terminal.end()

    assert terminal.lines == ["One line that fills all", "twenty-eight, and then", "another one."]


def test_control_characters_are_removed() -> None:
    """A model cannot control the terminal, nor hide a link's address."""
    terminal = Terminal()
    terminal.write("a\x1b]0;title\x07 [safe](https://evil.example) \x9b2Jb")
    terminal.end()

    assert "]0;title" in terminal.lines[0]
    assert "https://evil.example" in " ".join(terminal.lines)
    assert "\x1b]" not in terminal.raw
    assert "\x9b" not in terminal.raw


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR, text may be bold but has no colour."""
    coloured = Terminal()
    coloured.write("`code`")
    coloured.end()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    plain.write("`code`")
    plain.end()

    assert "\x1b[1;36;40m" in coloured.raw
    assert "36" not in plain.raw
