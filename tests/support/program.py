"""Runs the program as people and scripts do: in its own process, on pipes or a terminal."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from time import monotonic

from attrs import define

PATIENCE = 60.0
"""Seconds after which something that should have come is missed."""

CLEARED = b"\r\x1b[2K"
"""What takes back the line that turns."""

PROGRAM = (sys.executable, "-m", "autonomousai_sdk.cli")


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would set the program up, and more of it."""
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
        given: what its input holds.
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
    """The program while it runs, and all that it wrote so far to the one file that is read."""

    process: subprocess.Popen[bytes]
    _descriptor: int
    written: bytes = b""

    def wait_for(self, mark: str) -> None:
        """Read until the program has written this."""
        self.wait_until(lambda written: mark.encode() in written)

    def wait_until(self, comes: Callable[[bytes], bool]) -> None:
        """Read until what the program has written is what is waited for."""
        deadline = monotonic() + PATIENCE
        while not comes(self.written):
            assert self._read(deadline - monotonic()), f"It did not come: {self.written!r}"

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal to the program; Ctrl-C by default."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Read the rest and wait for the program's end; its exit code."""
        while self._read(PATIENCE):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._descriptor], [], [], max(seconds, 0))[0]:
            return b""
        try:
            data = os.read(self._descriptor, 2**16)
        except OSError:  # how Linux tells that nobody has the terminal open any more
            return b""
        self.written += data
        return data


@contextmanager
def piped(*arguments: str, **env: str) -> Generator[Running]:
    """The program, started with its output and errors each in a pipe; the output is read."""
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
def on_terminal(*arguments: str, **env: str) -> Generator[Running]:
    """The program, started on a terminal, from which all is read."""
    controller, terminal = os.openpty()
    try:
        with subprocess.Popen(
            [*PROGRAM, *arguments],
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
    """Leave no program behind."""
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.interrupt()
            try:
                running.process.wait(10)
            except subprocess.TimeoutExpired:
                running.process.kill()
