"""The console blocks of the docs: every command runs, except the installations."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomousai_sdk.local import LocalServer

from .pages import snippets

SUBSTITUTES = [
    (r"https?://[\w.:-]+(/api/v1/ai)?/v1", "{url}"),
    (r"qwen3[:-]8b|llama3\.2", "echo"),
    (r"--port \d+", "--port 0"),
    (r"=…", "=any"),
]
"""What the docs name, and what a test has in its place."""

INSTALLS = ("pip ", "python3 -m venv", ".venv/bin/")
PROGRAM = """
from autonomousai_sdk import Client

with Client() as client:
    print(client.chat.create("Why is the sky blue?").text)
"""
SCHEMA = '{"type": "object", "properties": {"title": {"type": "string", "maxLength": 20}}}'
FILES = {
    "ask.py": PROGRAM,
    "chat.py": PROGRAM,
    "book.json": SCHEMA,
    "prompts.jsonl": '"Name a planet."\n"Name a river."\n',
    "question.txt": "Why is the sky blue?",
    "report.txt": "The report is short.",
    "notes.txt": "So are the notes.",
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def _commands() -> Iterator[Any]:
    """Yield every command of the console blocks once, marked if it runs a model."""
    seen: set[str] = set()
    for snippet in snippets("console"):
        prompts = "$ " in snippet.code
        for line in snippet.code.splitlines():
            command = line.removeprefix("$ ")
            if command.startswith(INSTALLS) or (prompts and command == line):
                continue  # an installation, or output
            if command in seen:
                continue
            seen.add(command)
            model = "--local" in command or re.search(r"serve(?!.*--engine)", command)
            marks = [pytest.mark.model] if model else []
            yield pytest.param(command, id=f"{snippet.name}: {command}", marks=marks)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A server that echoes, in place of the servers that commands name."""
    with LocalServer(engine="echo") as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that commands read, a git history, and `curl` without a network."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "cat.png").write_bytes(PNG)
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "curl").write_text("#!/bin/sh\necho The report is short.\n")
    (tools / "curl").chmod(0o755)
    for command in (
        ["init", "--quiet"],
        ["add", "notes.txt"],
        ["-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "Add notes"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="The commands are for a POSIX shell.")
@pytest.mark.parametrize("command", list(_commands()))
def test_every_command_runs(command: str, server: LocalServer, folder: Path) -> None:
    """Every command of the docs succeeds against a server that echoes; servers run until Ctrl-C."""
    if "--ray-address" in command:
        pytest.skip("there is no Ray cluster")
    if "| jq" in command and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    for pattern, substitute in SUBSTITUTES:
        command = re.sub(pattern, substitute.format(url=server.openai_base_url), command)
    serves = command.startswith("autonomousai serve")
    path = [str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {"PATH": os.pathsep.join(path), "AUTONOMOUSAI_BASE_URL": server.base_url}
    # Text on stdin lets a conversation, which needs a terminal, be one prompt.
    (folder / "stdin").write_text("Hello\n", encoding="utf-8")
    stdin = (folder / "stdin").open("rb")
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", f"exec {command}" if serves else command],
        cwd=folder, env=os.environ | environment, text=True,
        stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    with stdin, process:
        if serves:
            assert any("Ctrl-C" in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
        output = process.stdout.read()
    assert process.returncode == (130 if serves else 0), output


def test_most_commands_are_run() -> None:
    """The blocks are found: a dozen commands or more."""
    assert len(list(_commands())) > 12
