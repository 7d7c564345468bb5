"""What a person sees on a terminal: progress that goes away, and text that cannot command it."""

from __future__ import annotations

import pytest

from tests.support.fault_server import FaultServer
from tests.support.program import CLEARED, on_terminal
from tests.support.script import Gate, Send
from tests.support.wire import DONE, FINISH, STREAM, deltas, failed


def test_a_wait_is_shown_and_taken_back() -> None:
    """A line turns until the first piece comes; then nothing is left of it."""
    answer = (Gate(), Send(STREAM + deltas("Hello") + FINISH + DONE))
    with (
        FaultServer(answer) as server,
        on_terminal("chat", "--base-url", server.url, "Hi") as program,
    ):
        program.wait_for("waiting for the response, 0 s")
        server.open_gate()
        assert program.end() == 0

    progress, _, text = program.written.rpartition(CLEARED)
    assert text == b"Hello\r\n"
    assert set(progress.decode().replace(CLEARED.decode(), "\n").splitlines()[1:]) <= {
        f"{frame} waiting for the response, {seconds} s"
        for frame in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
        for seconds in range(60)
    }


def test_a_model_cannot_command_the_terminal() -> None:
    """No control character but tab and line feed gets through, cut between pieces or not."""
    pieces = "a\x1b", "]0;title\x07b\x9b2Jc\rd\x08", "\x1b[31me\tf\n"
    with (
        FaultServer((Send(STREAM + deltas(*pieces) + FINISH + DONE),)) as server,
        on_terminal("chat", "--base-url", server.url, "Hi", TERM="dumb") as program,
    ):
        assert program.end() == 0

    assert program.written == b"a]0;titleb2Jcd[31me\tf\r\n"


def test_a_server_cannot_command_the_terminal_by_an_error() -> None:
    """Error messages repeat what the server said, without its control characters."""
    with (
        FaultServer(failed(400, message="bad \x1b[2Jrequest")) as server,
        on_terminal("chat", "--base-url", server.url, "Hi", TERM="dumb") as program,
    ):
        assert program.end() == 1

    assert b"bad [2Jrequest" in program.written
    assert b"\x1b" not in program.written


def test_ctrl_c_while_waiting_leaves_nothing_behind() -> None:
    """The line that turns is taken back, and the exit code is 130."""
    with (
        FaultServer((Gate(),)) as server,
        on_terminal("chat", "--base-url", server.url, "Hi") as program,
    ):
        program.wait_for("waiting for the response")
        program.interrupt()
        assert program.end() == 130

    assert program.written.endswith(CLEARED)
    assert b"Traceback" not in program.written


@pytest.mark.parametrize(
    ("env", "frames"),
    [({"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}, b"|/-\\"), ({"TERM": "dumb"}, b"")],
    ids=["no UTF-8", "no control sequences"],
)
def test_a_lesser_terminal_gets_what_it_can_show(env: dict[str, str], frames: bytes) -> None:
    """Without UTF-8 the line turns in ASCII; a terminal that cannot go back gets none."""
    answer = (Send(STREAM + deltas("Hello")), Gate(), Send(FINISH + DONE))
    with (
        FaultServer(answer) as server,
        on_terminal("chat", "--base-url", server.url, "Hi", **env) as program,
    ):
        program.wait_for("Hello")
        server.open_gate()
        assert program.end() == 0

    before, _, _ = program.written.partition(b"Hello")
    assert before.isascii()
    assert (b"waiting" in before) == bool(frames)


def test_loading_is_shown_on_a_terminal_too() -> None:
    """`serve` says what it loads in the line that turns, and then where it serves."""
    with on_terminal("serve", "--engine", "echo", "--port", "0") as program:
        program.wait_for("Press Ctrl-C to stop.")
        program.interrupt()
        assert program.end() == 130

    assert b"answering with an echo, 0 s" in program.written
    assert b"Traceback" not in program.written


def test_text_is_printed_whole(echo: str) -> None:
    """A terminal gets what a pipe gets, when there is nothing to strip."""
    with on_terminal("chat", "--base-url", echo, "Grüße, 世界 😀", TERM="dumb") as program:
        assert program.end() == 0

    assert program.written.decode() == "Grüße, 世界 😀\r\n"
