"""Terminal output: completions on stdout, progress and errors on stderr.

Text from models and servers must not control the terminal, so control characters are removed
from what is written to one.
"""

from __future__ import annotations

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
_CLEAR = "\r\x1b[2K"
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"
_TICK = 0.1


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether the stream is a terminal; a stream closed at start-up is None."""
    return stream is not None and stream.isatty()


def prepare_output() -> None:
    """Replace characters that stdout's encoding lacks by question marks."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # only real text streams have it
    if reconfigure is not None:
        reconfigure(errors="replace")


def put(text: str) -> None:
    """Write to stdout and flush."""
    if sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def print_error(text: str) -> None:
    """Write one line to stderr, with white space collapsed."""
    if sys.stderr is not None:
        line = " ".join(text.split())
        sys.stderr.write(f"{_shown(line, sys.stderr)}\n")


def _shown(text: str, stream: TextIO | None) -> str:
    return _CONTROLS.sub("", text) if is_terminal(stream) else text


class TextWriter:
    """Writes streamed text to stdout."""

    def __init__(self) -> None:
        # A character beyond the BMP may arrive as two surrogates in two chunks. An incremental
        # UTF-16 decoder joins them.
        self._joiner = getincrementaldecoder("utf-16-le")("replace")
        self._in_line = False

    def write(self, piece: str) -> None:
        """Write the next piece of text."""
        self._put(self._joiner.decode(piece.encode("utf-16-le", "surrogatepass")))

    def end(self) -> None:
        """Write a final line feed unless the text ended with one."""
        self._put(self._joiner.decode(b"", final=True))
        if self._in_line:
            self._put("\n")

    def _put(self, text: str) -> None:
        if text:
            put(_shown(text, sys.stdout))
            self._in_line = not text.endswith("\n")


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

    def done(self) -> None:
        """Remove the spinner, if one is shown."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join()
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

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
            stream.write(_CLEAR + line[: columns - 1])
            stream.flush()
            if self._stop.wait(_TICK):
                return
