"""Capture commands in a real terminal (tmux) as pictures: `python -m tests.docs.capture [NAME …]`.

Each session types its lines into a shell, each once the screen ends with a prompt, and writes what
the screen shows to `docs/images/NAME.svg`. `doctor` checks a server that echoes; `--local` runs
SmolLM2.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep

from attrs import field, frozen

from autonomousai_sdk.local import LocalServer

from .record import COLUMNS, Screen, drawn

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LINES = 40
LONGEST_WAIT = 120.0


@frozen
class Session:
    """Lines typed into a shell.

    Attributes:
        lines: each is typed once the last line of the screen is a prompt.
        prompt: the prompt of the program that the first line starts, or of the shell.
        files: the files in the shell's folder.
    """

    lines: tuple[str, ...]
    prompt: str = "$"
    files: Mapping[str, str] = field(factory=dict[str, str])


SESSIONS = {
    "conversation": Session(
        (
            "autonomousai chat --local",
            "/set temperature 0",
            "Write a Markdown list of five fruits.",
            "Which of them is yellow?",
            "/tokens",
        ),
        prompt=">>>",
    ),
    "batch": Session(
        (
            "cat in.jsonl",
            "autonomousai batch in.jsonl out.jsonl --local",
            'grep -o \'"content":"[^"]*\' out.jsonl | cut -c 1-90',
        ),
        files={"in.jsonl": '"Name a planet."\n"Name a river."\n"Name a city."\n'},
    ),
    "doctor": Session(("autonomousai doctor",)),
}


@frozen
class Terminal:
    """A tmux server with one shell.

    Attributes:
        socket: the socket of the server, which no other tmux uses.
    """

    socket: Path

    def open(self, folder: Path, environment: dict[str, str]) -> None:
        """Start a shell in a folder."""
        variables = [f"-e{name}={value}" for name, value in environment.items()]
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        shell = ["bash", "--noprofile", "--norc"]
        self._tmux("new-session", "-d", *size, "-c", str(folder), *variables, *shell)

    def type(self, line: str, prompt: str) -> None:
        """Type a line and wait for the next prompt."""
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")
        sleep(0.5)  # The program removes its old prompt.
        self.wait(prompt)

    def wait(self, prompt: str) -> None:
        """Wait until the last line of the screen is a prompt."""
        limit = monotonic() + LONGEST_WAIT
        while self.text().rstrip().rpartition("\n")[2] != prompt:
            if monotonic() > limit:
                raise TimeoutError(f"No prompt within {LONGEST_WAIT:.0f} s:\n{self.text()}")
            sleep(0.1)

    def press(self, key: str, prompt: str) -> None:
        """Press a key, named as tmux does, and wait for the next prompt."""
        self._tmux("send-keys", key)
        self.wait(prompt)

    def leave(self) -> None:
        """Press Ctrl-D and wait for the shell's prompt."""
        self.press("C-d", "$")

    def text(self, *options: str) -> str:
        """Return what the screen shows."""
        return self._tmux("capture-pane", "-p", *options)

    def close(self) -> None:
        """End the server and its shell."""
        self._tmux("kill-server")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-f", os.devnull, "-S", str(self.socket), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def capture(session: Session, base_url: str) -> str:
    """Run a session and return its screen as SVG."""
    # The programs of the closed terminal may still write into the folder.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        work = folder / "work"
        work.mkdir()
        for file, text in session.files.items():
            (work / file).write_text(text, encoding="utf-8")
        terminal = Terminal(folder / "tmux")
        terminal.open(
            work,
            {
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                "PS1": "\\[\\e[32m\\]$\\[\\e[0m\\] ",
                "HOME": str(work),
                "HISTFILE": os.devnull,  # The shell would write it while the folder is removed.
                "AUTONOMOUSAI_BASE_URL": base_url,
            },
        )
        try:
            terminal.wait("$")
            for line in session.lines:
                terminal.type(line, session.prompt)
            lines = terminal.text("-e").rstrip().splitlines()[:-1]  # Without the last prompt.
            if session.prompt != "$":
                terminal.leave()
        finally:
            terminal.close()
    screen = Screen()
    screen.write("\n".join(lines), 0.0)
    return drawn(screen)


def main(names: list[str]) -> None:
    """Write the pictures of these sessions, or of all."""
    with LocalServer(engine="echo") as server:
        for name in names or list(SESSIONS):
            picture = capture(SESSIONS[name], server.base_url)
            (IMAGES / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
