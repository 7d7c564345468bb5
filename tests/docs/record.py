"""Record a command on a terminal as an animated SVG: `python -m tests.docs.record`.

    python -m tests.docs.record docs/images/chat.svg -- python -m nox -s chat -- "Hello"

The command runs on a pseudo-terminal. Each piece of text appears at the time it was written, with
pauses limited to a second. Overwritten text, such as progress, is omitted. Viewers without
animation show the last screen.
"""

from __future__ import annotations

import os
import re
import sys
from codecs import getincrementaldecoder
from html import escape
from itertools import groupby
from pathlib import Path
from time import monotonic

from attrs import define, field, frozen

COLUMNS, LINES = 92, 24
LONGEST_PAUSE = 1.0
CHARACTER, LINE = 8.4, 19.0
"""The size of a character in a monospaced font of 14 pixels, in pixels."""

MARGIN, BAR = 16, 34
COLOURS = {
    31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea",
}  # fmt: skip
PLAIN = "#e6edf3"

_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07]*\x07|\x1b.")


@frozen
class Cell:
    """A character on the screen: its look and the time it was written."""

    text: str
    colour: str
    at: float


@define
class Screen:
    """A terminal for programs that print lines, without a bottom."""

    rows: list[list[Cell]] = field(factory=lambda: [[]])
    _column: int = 0
    _colour: str = PLAIN

    def write(self, text: str, at: float) -> None:
        """Process text that the program wrote at a time."""
        position = 0
        for found in _CONTROL.finditer(text):
            self._print(text[position : found.start()], at)
            self._obey(found[1] or "", found[2] or "")
            position = found.end()
        self._print(text[position:], at)

    def _print(self, text: str, at: float) -> None:
        for character in text:
            if character == "\n":
                self.rows.append([])
                self._column = 0
            elif character == "\r":
                self._column = 0
            elif character >= " ":
                if self._column == COLUMNS:
                    self.rows.append([])
                    self._column = 0
                row = self.rows[-1]
                row += [Cell(" ", PLAIN, at)] * (self._column - len(row))
                row[self._column : self._column + 1] = [Cell(character, self._colour, at)]
                self._column += 1

    def _obey(self, parameters: str, command: str) -> None:
        """Apply colours (SGR) and line erasure (EL) of ECMA-48; ignore other sequences."""
        if command == "K":
            del self.rows[-1][0 if parameters == "2" else self._column :]
        elif command == "m":
            for code in parameters.split(";"):
                number = int(code or 0)
                if number in (0, 39):
                    self._colour = PLAIN
                elif number % 60 in COLOURS:  # 91 is the bright 31
                    self._colour = COLOURS[number % 60]


def record(command: list[str]) -> Screen:
    """Run a command on a terminal and record its screen."""
    screen = Screen()
    typed = " ".join(f'"{word}"' if " " in word else word for word in command)
    screen.write(f"\x1b[32m$\x1b[0m {typed}\n", 0.0)
    decoder = getincrementaldecoder("utf-8")("replace")
    began = monotonic()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 2**16)
        screen.write(decoder.decode(data), monotonic() - began)
        return data

    os.environ |= {"COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    import pty  # Windows has none.

    if code := os.waitstatus_to_exitcode(pty.spawn(command, read)):
        sys.exit(code)
    return screen


def drawn(screen: Screen) -> str:
    """Render a screen as SVG."""
    rows = screen.rows
    while rows and not rows[-1]:
        rows.pop()
    width = COLUMNS * CHARACTER + 2 * MARGIN
    height = len(rows) * LINE + BAR + MARGIN
    lights = "".join(
        f'<circle cx="{20 + 20 * place}" cy="18" r="6" fill="{colour}"/>'
        for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    shown = _shortened({cell.at for row in rows for cell in row})
    texts = "\n".join(
        _text("".join(cell.text for cell in run), colour, shown[at], column, number)
        for number, row in enumerate(rows)
        for column, colour, at, run in _runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}">\n'
        "<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"
        "white-space:pre;animation:shown 1ms backwards}"
        "@keyframes shown{from{visibility:hidden}to{visibility:hidden}}"
        "@media(prefers-reduced-motion){text{animation:none}}</style>\n"
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>{lights}\n{texts}\n</svg>\n'
    )


def _shortened(times: set[float]) -> dict[float, float]:
    """Map times of writing to times of display, with short pauses."""
    shown: dict[float, float] = {}
    before = now = 0.0
    for time in sorted(times):
        now += min(time - before, LONGEST_PAUSE)
        before = time
        shown[time] = now
    return shown


def _runs(row: list[Cell]) -> list[tuple[int, str, float, list[Cell]]]:
    """Group a row's cells by colour and time, each run with its column."""
    runs: list[tuple[int, str, float, list[Cell]]] = []
    column = 0
    for (colour, at), cells in groupby(row, key=lambda cell: (cell.colour, cell.at)):
        run = list(cells)
        runs.append((column, colour, at, run))
        column += len(run)
    return runs


def _text(text: str, colour: str, at: float, column: int, row: int) -> str:
    x, y = MARGIN + column * CHARACTER, BAR + (row + 0.9) * LINE
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" textLength="{len(text) * CHARACTER:.1f}" '
        f'style="animation-delay:{at:.2f}s" xml:space="preserve">{escape(text)}</text>'
    )


def main() -> None:
    """Record the command after `--` to the file before it."""
    path, _, *command = sys.argv[1:]
    Path(path).write_text(drawn(record(command)), encoding="utf-8")


if __name__ == "__main__":
    main()
