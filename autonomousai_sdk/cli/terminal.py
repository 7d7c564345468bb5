"""Terminal output: completions on stdout, progress and errors on stderr.

Text from models and servers must not control the terminal, so control characters are removed
from what is written to one.
"""

from __future__ import annotations

import json
import os
import re
import sys
from codecs import getincrementaldecoder
from itertools import cycle
from threading import Event, Lock, Thread
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

# C0 and C1 of ECMA-48 except tab and line feed. Without its first character, a control
# sequence is plain text.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PIECES = re.compile(r"\n|[^\S\n]+|\S+")
CLEAR_LINE = "\r\x1b[2K"
_COLOURS = {"dim": 2, "red": 31, "green": 32, "yellow": 33}
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"
_TICK = 0.1
_BAR = 20


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether the stream is a terminal; a stream closed at start-up is None."""
    return stream is not None and stream.isatty()


def prepare_output() -> None:
    """Replace characters that stdout's encoding lacks by question marks."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # only real text streams have it
    if reconfigure is not None:
        reconfigure(errors="replace")


def coloured(text: str, colour: str, stream: TextIO | None) -> str:
    """Return text in a colour if the stream is a terminal and `NO_COLOR` is unset or empty."""
    if os.environ.get("NO_COLOR") or columns(stream) is None:
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def put(text: str) -> None:
    """Write to stdout and flush."""
    if sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def put_json(value: object) -> None:
    """Print a value as one line of ASCII JSON.

    ASCII suits every encoding and contains no control characters.
    """
    from .._core.codec import unstructure

    put(json.dumps(unstructure(value)) + "\n")


def print_error(text: str) -> None:
    """Write one line to stderr, with white space collapsed."""
    put_error(_wrapped(text, sys.stderr) + "\n")


def put_error(text: str) -> None:
    """Write to stderr and flush; if it cannot be written, the command goes on without it."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO | None) -> None:
    """Discard what a stream has buffered, so that the interpreter's final flush cannot fail."""
    if stream is None:
        return
    try:
        descriptor = stream.fileno()
    except OSError:  # a test's stream, in memory
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _wrapped(text: str, stream: TextIO | None) -> str:
    """Return text with its white space collapsed, in lines that fit a terminal."""
    line = _shown(" ".join(text.split()), stream)
    width = columns(stream)
    return WordWrap().feed(line, width) if width else line


def without_controls(text: str) -> str:
    """Remove the control characters from text for a terminal."""
    return _CONTROLS.sub("", text)


def _shown(text: str, stream: TextIO | None) -> str:
    return without_controls(text) if is_terminal(stream) else text


def columns(stream: TextIO | None) -> int | None:
    """Return the width of a terminal that has cursor movement, or None for any other stream."""
    if stream is None or not is_terminal(stream) or os.environ.get("TERM") == "dumb":
        return None
    return os.get_terminal_size(stream.fileno()).columns or None


class Joiner:
    """Joins the halves of a character that arrive in two pieces.

    A character beyond the BMP may be cut into two surrogates; an incremental UTF-16 decoder joins
    them.
    """

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-16-le")("replace")

    def feed(self, piece: str) -> str:
        """Return the complete characters of the text so far that were not yet returned."""
        return self._decoder.decode(piece.encode("utf-16-le", "surrogatepass"))

    def end(self) -> str:
        """Return a replacement character for a half without its other half, else nothing."""
        return self._decoder.decode(b"", final=True)


class TextWriter:
    """Writes streamed text to stdout; on a terminal, lines break at words."""

    def __init__(self) -> None:
        self._joiner = Joiner()
        self._in_line = False
        self._wrap = WordWrap() if columns(sys.stdout) else None

    def write(self, piece: str) -> None:
        """Write the next piece of text."""
        self._put(self._joiner.feed(piece))

    def end(self) -> None:
        """Write a final line feed unless the text ended with one."""
        self._put(self._joiner.end())
        if self._in_line:
            self._put("\n")

    def _put(self, text: str) -> None:
        if text:
            shown = _shown(text, sys.stdout)
            width = columns(sys.stdout)
            put(shown if self._wrap is None or width is None else self._wrap.feed(shown, width))
            self._in_line = not text.endswith("\n")


class WordWrap:
    """Breaks streamed text at words.

    Text is shown as it arrives. Once a word passes the end of its line, its beginning is erased
    and the word moves to the next line. A word longer than a line is left to the terminal, so
    that a URL can be copied as one line.
    """

    def __init__(self) -> None:
        self._column = 0
        self._word = ""
        self._begins_line = True

    def feed(self, text: str, width: int) -> str:
        """Return what to write for the next piece of text.

        Args:
            text: the piece, without control characters but tab and line feed.
            width: the columns of the terminal.
        """
        out: list[str] = []
        # The last column stays empty: after it, terminals differ in where the cursor is.
        limit = width - 1
        for piece in _PIECES.findall(text.expandtabs(4)):
            size = _width(piece)
            if piece == "\n":
                self._column, self._word = 0, ""
            elif piece.isspace():
                self._word = ""
                if self._column + size > limit:
                    piece, self._column = "\n", 0  # noqa: PLW2901  # the space becomes the break
                else:
                    self._column += size
            else:
                begun = _width(self._word)
                self._begins_line = self._column == 0 if not begun else self._begins_line
                self._word += piece
                self._column += size
                if self._column > limit and not self._begins_line:
                    back = f"\x1b[{begun}D\x1b[K" if begun else ""
                    piece = f"{back}\n{self._word}"  # noqa: PLW2901  # moved
                    self._begins_line = True
                    self._column = begun + size
                if self._column > width:
                    self._column = (self._column - 1) % width + 1
            out.append(piece)
        return "".join(out)


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    try:
        from rich.cells import cell_len
    except ModuleNotFoundError:  # The error that names the missing extra is wrapped too.
        return len(text)
    return cell_len(text)


class Progress:
    """Reports progress on stderr: a spinner on a terminal, one line per step elsewhere."""

    def __init__(self) -> None:
        self._live = is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._lock = Lock()
        self._text = ""
        self._thread: Thread | None = None
        self._stop = Event()

    def say(self, text: str) -> None:
        """Report the current step."""
        if self._live:
            self.wait(text)
        else:
            print_error(text)

    def wait(self, text: str) -> None:
        """Show a spinner with the current step; does nothing unless stderr is a terminal."""
        if not self._live:
            return
        with self._lock:
            self._text = text
            if self._thread is None:
                self._stop.clear()
                self._thread = Thread(target=self._turn, name="progress", daemon=True)
                self._thread.start()

    def note(self, text: str) -> None:
        """Show a dim line, which stays; does nothing unless stderr is a terminal."""
        self.done()
        if is_terminal(sys.stderr):
            put_error(coloured(_wrapped(text, sys.stderr), "dim", sys.stderr) + "\n")

    def bar(self, text: str, done: int, total: int) -> None:
        """Show how much of a task is done; does nothing unless stderr is a terminal."""
        if self._live:
            is_unicode = sys.stderr.encoding.lower() == "utf-8"
            full, rest = ("━", "─") if is_unicode else ("#", ".")
            filled = _BAR * done // total
            self.wait(f"{text} {full * filled}{rest * (_BAR - filled)} {done}/{total}")

    def done(self) -> None:
        """Remove the spinner, if one is shown."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join()
            put_error(CLEAR_LINE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.done()

    def _turn(self) -> None:
        stream = sys.stderr
        columns = os.get_terminal_size(stream.fileno()).columns or 80
        frames = cycle(_FRAMES if stream.encoding.lower() == "utf-8" else _PLAIN_FRAMES)
        began = monotonic()
        while True:
            line = f"{next(frames)} {_CONTROLS.sub('', self._text)}, {monotonic() - began:.0f} s"
            # A wrapped line could not be erased.
            put_error(CLEAR_LINE + line[: columns - 1])
            if self._stop.wait(_TICK):
                return
