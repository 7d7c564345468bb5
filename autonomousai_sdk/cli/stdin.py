"""The prompt of a command: its words, and the text on stdin."""

from __future__ import annotations

import io
import os
import stat
import sys
from threading import Event, Thread

import click

from .terminal import is_terminal, print_error

PATIENCE = 3.0
"""Seconds to wait for the first byte of a pipe that the command line does not name."""


def read_prompt(words: tuple[str, ...], example: str) -> str:
    """Return the words of a prompt with the text on stdin below them.

    Args:
        words: the words on the command line; a final `-` stands for stdin.
        example: the command that an error about a missing prompt shows.
    """
    if words[-1:] == ("-",):
        words, given = words[:-1], read_stdin()
    elif words:
        given = _read_offered_stdin()
    elif sys.stdin is None or is_terminal(sys.stdin):
        raise click.UsageError(f"No prompt. Example: {example}")
    else:
        given = read_stdin()
    asked = checked_text(" ".join(words), "The prompt")
    text = f"{asked}\n\n{given}" if asked.strip() and given.strip() else asked + given
    if not text.strip():
        raise click.UsageError("The prompt is empty.")
    return text


def read_stdin() -> str:
    """Read stdin to its end."""
    return "" if sys.stdin is None else decoded(sys.stdin.buffer.read())


def _read_offered_stdin() -> str:
    """Read stdin if it is a file or a pipe with data.

    A process started by another program often inherits a pipe to which nobody writes, so the wait
    for the first byte is limited.
    """
    if sys.stdin is None or is_terminal(sys.stdin):
        return ""
    try:
        descriptor = sys.stdin.fileno()
    except io.UnsupportedOperation:  # a test's stdin, in memory
        return read_stdin()
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return read_stdin()
    pieces: list[bytes] = []
    begun = Event()

    def read() -> None:
        # Not through sys.stdin, whose lock the interpreter needs when it exits.
        while data := os.read(descriptor, 2**16):
            pieces.append(data)
            begun.set()
        begun.set()

    thread = Thread(target=read, name="stdin", daemon=True)
    thread.start()
    if not begun.wait(PATIENCE):
        print_error(
            f"(No data on stdin within {PATIENCE:.0f} s: sending the prompt alone. A final - waits "
            "for stdin; < /dev/null skips it.)"
        )
        return ""
    thread.join()
    return decoded(b"".join(pieces))


def checked_text(text: str, name: str) -> str:
    """Return text of the command line; Python keeps bytes that are not UTF-8 as surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.UsageError(f"{name} is not UTF-8 text.") from None
    return text


def decoded(data: bytes, name: str = "stdin") -> str:
    """Decode UTF-8, with or without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{name} is not UTF-8 text: {error.reason}.") from None
