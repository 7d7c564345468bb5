"""Runs the command line: in this process, or in its own on pipes or on a terminal."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep

import pyte
import pytest
from attrs import define, frozen
from click.testing import CliRunner

from autonomousai_sdk.cli import commands

PATIENCE = 60.0
"""Seconds to wait for expected output."""

CLEARED = b"\r\x1b[2K"
"""The control sequence that erases the spinner."""

PROGRAM = (sys.executable, "-m", "autonomousai_sdk")


@frozen
class Done:
    """The exit code and output of a command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: str, given: bytes | str = b"", **env: str) -> Done:
    """Run the program in this process, which is fast; for whatever needs no real streams.

    Args:
        *arguments: the command line.
        given: the contents of stdin.
        **env: more environment variables.
    """
    unset = dict.fromkeys(name for name in os.environ if name.startswith("AUTONOMOUSAI_"))
    argv = sys.argv
    with CliRunner().isolation(given, {**unset, **env}) as (out, err, _):
        sys.argv = ["autonomousai", *arguments]
        try:
            code = commands.run()
        finally:
            sys.argv = argv
        sys.stdout.flush()
        sys.stderr.flush()
        return Done(code, out.getvalue().decode(), err.getvalue().decode())


def environment(**more: str) -> dict[str, str]:
    """Return this environment without the program's variables, plus the given ones."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AUTONOMOUSAI_", "PYTHONIOENCODING", "PYTHONUNBUFFERED"))
    }
    return {**plain, "TERM": "xterm-256color", "PYTHONUTF8": "1", **more}


def run(
    *arguments: str,
    given: bytes | str = b"",
    env: Mapping[str, str] | None = None,
    program: tuple[str, ...] = PROGRAM,
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end on pipes.

    Args:
        *arguments: the command line.
        given: the contents of stdin.
        env: the environment, or None for a plain one.
        program: what to run instead.
    """
    done = subprocess.run(
        [*program, *arguments],
        input=given.encode() if isinstance(given, str) else given,
        capture_output=True,
        env=environment() if env is None else dict(env),
        check=False,
        timeout=PATIENCE * 5,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@define
class Running:
    """The running program and its output so far."""

    process: subprocess.Popen[bytes]
    _descriptor: int
    written: bytes = b""

    def wait_for(self, mark: str) -> None:
        """Read until the program has written a text."""
        self.wait_until(lambda written: mark.encode() in written)

    def wait_until(self, comes: Callable[[bytes], bool]) -> None:
        """Read until the output satisfies a condition."""
        deadline = monotonic() + PATIENCE
        while not comes(self.written):
            assert self._read(deadline - monotonic()), f"It did not come: {self.written!r}"

    def type(self, keys: str, until: Callable[[list[str]], bool]) -> None:
        """Type keys on the terminal, and read until the screen satisfies a condition."""
        before = len(self.written)
        os.write(self._descriptor, keys.encode())
        self.wait_until(lambda written: len(written) > before and until(self.screen))

    def press_ctrl_d(self) -> None:
        """Press Ctrl-D once the program reads each key itself."""
        while not self.reads_keys:
            sleep(0.01)
        os.write(self._descriptor, b"\x04")

    @property
    def reads_keys(self) -> bool:
        """Whether the program reads each key itself, rather than lines that the terminal edits."""
        import termios

        return not termios.tcgetattr(self._descriptor)[3] & termios.ICANON

    @property
    def screen(self) -> list[str]:
        """The lines of a terminal of 24 lines and 80 columns that shows the output so far."""
        screen = pyte.Screen(80, 24)
        pyte.ByteStream(screen).feed(self.written)
        lines = [line.rstrip() for line in screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal to the program; Ctrl-C by default."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Read the rest, wait for the program and return its exit code."""
        while self._read(PATIENCE):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._descriptor], [], [], max(seconds, 0))[0]:
            return b""
        try:
            data = os.read(self._descriptor, 2**16)
        except OSError:  # Linux: the terminal was closed by all its users
            return b""
        self.written += data
        return data


@contextmanager
def piped(*arguments: str, **env: str) -> Generator[Running]:
    """Start the program on pipes; read its stdout."""
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**env),
    ) as process:
        assert process.stdout is not None
        yield from _stopped(Running(process, process.stdout.fileno()))


@contextmanager
def on_terminal(*arguments: str, script: str | None = None, **env: str) -> Generator[Running]:
    """Start the program on a terminal; read all its output.

    Args:
        *arguments: the command line.
        script: Python code to run instead.
        **env: more environment variables; LINES and COLUMNS are the terminal's size as well.
    """
    if sys.platform == "win32":
        pytest.skip("Windows has no pseudo-terminals.")
    import termios

    controller, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (int(env.get("LINES", 0)), int(env.get("COLUMNS", 0))))
    try:
        with subprocess.Popen(
            [*PROGRAM, *arguments] if script is None else [sys.executable, "-c", script],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment(**env),
        ) as process:
            os.close(terminal)
            yield from _stopped(Running(process, controller))
    finally:
        os.close(controller)


def _stopped(running: Running) -> Generator[Running]:
    """Yield the program and stop it at the end."""
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.interrupt()
            try:
                running.process.wait(10)
            except subprocess.TimeoutExpired:
                running.process.kill()
