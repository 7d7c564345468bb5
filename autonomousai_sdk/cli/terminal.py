"""What a person sees: answers on stdout, progress and complaints on stderr.

What models and servers say cannot command the terminal: where one would obey, control
characters are taken out.
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

# C0 and C1 of ECMA-48, but for tab and line feed: without the character that starts it, the
# rest of a control sequence is plain text.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CLEAR = "\r\x1b[2K"
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"
_TICK = 0.1


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person watches this stream; one that was closed at the start is None."""
    return stream is not None and stream.isatty()


def prepare_output() -> None:
    """Let a character that stdout's encoding lacks become a question mark, not an error."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # which only real streams have
    if reconfigure is not None:
        reconfigure(errors="replace")


def put(text: str) -> None:
    """Write to stdout, now."""
    if sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def print_error(text: str) -> None:
    """Say something on stderr, in one line whatever is in it."""
    if sys.stderr is not None:
        line = " ".join(text.split())
        sys.stderr.write(f"{_shown(line, sys.stderr)}\n")


def _shown(text: str, stream: TextIO | None) -> str:
    return _CONTROLS.sub("", text) if is_terminal(stream) else text


class TextWriter:
    """An answer's text, written to stdout as it comes."""

    def __init__(self) -> None:
        # A character beyond the BMP may come as two halves, in two pieces (spec: chunks are
        # cut anywhere). UTF-16 is where halves exist, so its decoder puts them together.
        self._joiner = getincrementaldecoder("utf-16-le")("replace")
        self._in_line = False

    def write(self, piece: str) -> None:
        """Write the next piece."""
        self._put(self._joiner.decode(piece.encode("utf-16-le", "surrogatepass")))

    def end(self) -> None:
        """End the last line, unless the answer did."""
        self._put(self._joiner.decode(b"", final=True))
        if self._in_line:
            self._put("\n")

    def _put(self, text: str) -> None:
        if text:
            put(_shown(text, sys.stdout))
            self._in_line = not text.endswith("\n")


class Progress:
    """Says on stderr what is going on: in a line that turns, or in a log a line each."""

    def __init__(self) -> None:
        self._live = is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._lock = Lock()
        self._text = ""
        self._thread: Thread | None = None
        self._stop = Event()

    def say(self, text: str) -> None:
        """Tell what is being done from now on."""
        if self._live:
            self.wait(text)
        else:
            print_error(text)

    def wait(self, text: str) -> None:
        """Tell what is waited for, which only a person who watches wants to know."""
        if not self._live:
            return
        with self._lock:
            self._text = text
            if self._thread is None:
                self._stop.clear()
                self._thread = Thread(target=self._turn, name="progress", daemon=True)
                self._thread.start()

    def done(self) -> None:
        """Take the line away, if there is one."""
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
            # A line that wraps could not be taken back.
            stream.write(_CLEAR + line[: columns - 1])
            stream.flush()
            if self._stop.wait(_TICK):
                return
