"""`--local`: a real language model on this machine, for the one command."""

from __future__ import annotations

from pathlib import Path

import pytest

from autonomousai_sdk import ChatCompletion
from autonomousai_sdk._core.codec import decode
from tests.support.program import CLEARED, on_terminal, run

pytestmark = pytest.mark.model


def test_a_real_model_answers() -> None:
    """The answer is on the output, and what was loaded is on stderr only."""
    done = run("chat", "--local", "--json", "--system", "Answer in one word.", "Say yes.")

    assert done.returncode == 0
    completion = decode(done.stdout.encode(), ChatCompletion)
    assert completion.text.strip()
    assert completion.usage is not None
    assert completion.usage.completion_tokens
    assert done.stderr.startswith("loading SmolLM2")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are read from /proc")
def test_ctrl_c_stops_the_model_too() -> None:
    """In the middle of an answer: exit code 130, the line ended, and no process left."""
    with on_terminal("chat", "--local", "Tell me a long story about a fox.") as program:
        program.wait_for("loading SmolLM2-135M-Instruct")
        program.wait_for("waiting for the response")
        program.wait_until(lambda written: _is_text(written.rpartition(CLEARED)[2]))
        (engine,) = _children(program.process.pid)
        program.interrupt()
        assert program.end() == 130

    text = program.written.rpartition(CLEARED)[2]
    assert text.endswith(b"\n")
    assert b"Traceback" not in text
    assert not Path(f"/proc/{engine}").exists()


def test_a_text_longer_than_the_context_is_summarized(tmp_path: Path) -> None:
    """Parts of the text are summarized with a bar, and then a summary of all of them is shown."""
    path = tmp_path / "long.txt"
    path.write_text("The harbour has a lighthouse. It was built in 1870. " * 50)
    with on_terminal(
        "summarize", "--local", "--context", "512", "--max-tokens", "40", "--temperature", "0",
        str(path), LINES="24", COLUMNS="80",
    ) as program:  # fmt: skip
        assert program.end() == 0

    written = program.written.decode()
    assert f"summarizing {'─' * 20} 0/3" in written
    assert written.rpartition("\x1b[2K")[2].strip()
    assert "Traceback" not in written


def _is_text(line: bytes) -> bool:
    """Whether a line is the answer's, not one that turns, which starts with a Braille pattern."""
    return b" " in line and not line.startswith("\u2800".encode()[:2])


def _children(parent: int) -> list[int]:
    """The processes that a process started (proc(5): the fields after the name in brackets)."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found
