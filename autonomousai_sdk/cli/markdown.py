"""Markdown that is rendered while it streams.

Finished blocks (paragraphs, lists, tables, code) are printed once and scroll away like any output.
Only the last block, which may still change, is drawn again for each piece of text. If it is higher
than the terminal, its end is shown until it is finished.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment

from .terminal import Joiner, without_controls

INTERVAL = 0.08
"""The least seconds between two drawings of the last block."""

_PARSER = MarkdownIt().enable("strikethrough").enable("table")  # as rich parses


def split_blocks(text: str) -> tuple[str, str]:
    """Split Markdown before its last block: what is finished, and what may still change."""
    starts = [
        token.map[0]
        for token in _PARSER.parse(text)
        if token.level == 0 and token.nesting >= 0 and token.map is not None
    ]
    if len(starts) < 2:
        return "", text
    lines = text.split("\n")
    return "\n".join(lines[: starts[-1]]), "\n".join(lines[starts[-1] :])


class MarkdownWriter:
    """Writes streamed Markdown to a terminal."""

    def __init__(
        self, console: Console | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._console = Console(file=sys.stdout, highlight=False) if console is None else console
        self._clock = clock
        self._joiner = Joiner()
        self._rest = ""
        self._has_printed = False
        self._drawn = float("-inf")
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def write(self, piece: str) -> None:
        """Write the next piece of text."""
        self._rest += without_controls(self._joiner.feed(piece))
        now = self._clock()
        if now - self._drawn < INTERVAL:
            return
        self._drawn = now
        finished, self._rest = split_blocks(self._rest)
        if not self._live.is_started:
            self._live.start()
        if finished.strip():
            self._live.update("", refresh=True)
            self._print(finished)
        height = max(self._console.height - 2, 1)
        block = _Block(self._rest, is_first=not self._has_printed, max_lines=height)
        self._live.update(block, refresh=True)

    def end(self) -> None:
        """Print the last block."""
        self._rest += self._joiner.end()
        if self._live.is_started:
            self._live.update("", refresh=True)
            self._live.stop()
        if self._rest.strip():
            self._print(self._rest)
        self._rest = ""

    def _print(self, text: str) -> None:
        self._console.print(_Block(text, is_first=not self._has_printed))
        self._has_printed = True


class _Block:
    """Rendered Markdown, below an empty line unless it is the first.

    Rich renders some blocks with empty lines around them, so those are removed here.
    """

    def __init__(self, text: str, *, is_first: bool, max_lines: int | None = None) -> None:
        # A link shows its address, so that the text cannot pass for another one.
        self._markdown = Markdown(text, hyperlinks=False, code_theme="ansi_dark")
        self._is_first = is_first
        self._max_lines = max_lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # The terminal echoes Ctrl-C as two characters, which must not begin another line.
        options = options.update_width(max(options.max_width - 2, 1))
        lines = [*map(_trimmed, console.render_lines(self._markdown, options, pad=False))]
        while lines and _is_empty(lines[0]):
            del lines[0]
        while lines and _is_empty(lines[-1]):
            del lines[-1]
        if lines and not self._is_first:
            lines.insert(0, [])
        if self._max_lines is not None:
            lines = lines[-self._max_lines :]
        for number, line in enumerate(lines):
            if number:
                yield Segment.line()
            yield from line
        if self._max_lines is None:
            yield Segment.line()  # rich's live display ends without one


def _trimmed(line: list[Segment]) -> list[Segment]:
    """Remove the spaces that pad a line to the width of the terminal."""
    end = len(line)
    while end and not line[end - 1].text.strip():
        end -= 1
    if not end:
        return []
    last = line[end - 1]
    return [*line[: end - 1], Segment(last.text.rstrip(), last.style)]


def _is_empty(line: list[Segment]) -> bool:
    return not any(segment.text.strip() for segment in line)
