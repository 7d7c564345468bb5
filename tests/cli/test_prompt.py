"""A conversation on a real terminal: what a person types, and what they see."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docs.capture import Terminal
from tests.support.fault_server import FaultServer
from tests.support.program import Running, call, on_terminal
from tests.support.script import Gate, Send
from tests.support.wire import DONE, FINISH, STREAM, delta, deltas, event, failed, said


def prompt(screen: list[str]) -> bool:
    """Return whether the last line of a screen is an empty prompt."""
    return screen[-1:] == [">>>"]


def line(text: str) -> Callable[[list[str]], bool]:
    """Return a function that finds a text on a screen."""
    return lambda screen: any(text in each for each in screen)


@contextmanager
def conversation(url: str, state: Path, *arguments: str, **env: str) -> Generator[Running]:
    """Start a conversation on a terminal of 80 columns, and wait for its prompt."""
    # Without the variable, prompt-toolkit waits for the terminal to report its cursor.
    size = {"LINES": "24", "COLUMNS": "80", "PROMPT_TOOLKIT_NO_CPR": "1"}
    with on_terminal(
        "chat", "--base-url", url, *arguments, **{**size, "XDG_STATE_HOME": str(state), **env}
    ) as program:
        program.wait_until(lambda _: prompt(program.screen))
        yield program


def leave(program: Running) -> None:
    """Press Ctrl-D, and see that the program ends without an error."""
    program.press_ctrl_d()
    assert program.end() == 0
    assert b"Traceback" not in program.written


def test_a_person_sees_their_lines_and_the_answers(tmp_path: Path) -> None:
    """Answers are rendered as Markdown, commands answer in a line, and Ctrl-D leaves."""
    with (
        FaultServer(said("The sky is **blue**.\n\n- by day")) as server,
        conversation(server.url, tmp_path) as program,
    ):
        program.type("Why?\r", prompt)
        program.type("/set temperature 0.2\r", prompt)
        program.type("/set temperature 9\r", prompt)
        leave(program)

    assert program.screen == [
        "/help lists the commands; Ctrl-D leaves.",
        ">>> Why?",
        "The sky is blue.",
        "",
        " • by day",
        ">>> /set temperature 0.2",
        "temperature = 0.2",
        ">>> /set temperature 9",
        "autonomousai: temperature must be at least 0 and at most 2; got 9.0.",
        ">>>",
    ]


def test_ctrl_c_stops_the_answer_and_keeps_the_conversation(tmp_path: Path) -> None:
    """What was shown stays on the screen, the history is as before, and the next turn works."""
    answer = (Send(STREAM + deltas("Once upon")), Gate())
    with (
        FaultServer(answer, said("Done.")) as server,
        conversation(server.url, tmp_path) as program,
    ):
        program.type("A story.\r", line("Once upon"))
        program.interrupt()
        program.wait_until(lambda _: prompt(program.screen))
        program.type("Hello\r", prompt)
        program.type("/tokens\r", prompt)
        leave(program)
        sent = server.requests[1]

    assert sent.prompt == "Hello"
    assert "Once upon" in program.screen
    assert any(each.startswith("(Stopped.") for each in program.screen)
    assert "A story." not in str(sent.body)


def test_ctrl_c_at_the_prompt_discards_the_line(tmp_path: Path) -> None:
    """The line is not sent, and the conversation goes on."""
    with FaultServer(said("Hi.")) as server, conversation(server.url, tmp_path) as program:
        program.type("Nonsense", line("Nonsense"))
        program.type("\x03", prompt)
        program.type("Hello\r", prompt)
        leave(program)

    assert [request.prompt for request in server.requests] == ["Hello"]


def test_a_message_may_have_several_lines(tmp_path: Path) -> None:
    """Alt-Enter breaks the line, a paste keeps its lines, and Enter sends."""
    with FaultServer(said("Hi.")) as server, conversation(server.url, tmp_path) as program:
        program.type("one\x1b\r", line("..."))
        program.type("two\x1b\r", line("... two"))
        program.type("\x1b[200~three\rfour\x1b[201~", line("four"))
        program.type("\r", prompt)
        leave(program)

    assert server.requests[0].prompt == "one\ntwo\nthree\nfour"


def test_lines_are_remembered_and_commands_completed(tmp_path: Path) -> None:
    """Up recalls a line of an earlier conversation from a private file; Tab completes."""
    with FaultServer(said("Hi.")) as server:
        with conversation(server.url, tmp_path) as program:
            program.type("Hello there\r", prompt)
            leave(program)
        with conversation(server.url, tmp_path) as program:
            program.type("\x1b[A", line("Hello there"))
            program.type("\x03", prompt)
            program.type("/tok", line("tokens"))
            program.type("\t\r", prompt)
            program.type("/set temp", line("temperature"))
            leave_after_clear(program)

    history = tmp_path / "autonomousai" / "history"
    assert "+Hello there" in history.read_text(encoding="utf-8")
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def leave_after_clear(program: Running) -> None:
    """Discard the line, then leave."""
    program.type("\x03", prompt)
    leave(program)


def test_an_error_does_not_end_the_conversation(tmp_path: Path) -> None:
    """A failed turn is reported with its advice, and the next one works."""
    with (
        FaultServer(failed(401), said("Hi.")) as server,
        conversation(server.url, tmp_path, "--system", "Be brief.") as program,
    ):
        program.type("Hello\r", prompt)
        program.type("/retry\r", prompt)
        leave(program)

    assert server.requests[1].prompt == "Hello"


def test_reasoning_is_shown_as_progress(tmp_path: Path) -> None:
    """While the model reasons, a spinner says so; the reasoning is not part of the answer."""
    thinking = '{"choices": [{"index": 0, "delta": {"reasoning_content": "Hmm"}}]}'
    answer = (Send(STREAM + event(thinking)), Gate(), Send(deltas("Hi.") + FINISH + DONE))
    with FaultServer(answer) as server, conversation(server.url, tmp_path) as program:
        program.type("Hello\r", line("thinking"))
        server.open_gate()
        program.wait_until(lambda _: prompt(program.screen))
        leave(program)

    assert not any("Hmm" in line for line in program.screen)


def test_a_truncated_answer_says_so(tmp_path: Path) -> None:
    """The notice is below the answer, and the turn is kept."""
    cut = event(delta("Once upon", finish="length"))
    with (
        FaultServer((Send(STREAM + cut + DONE),)) as server,
        conversation(server.url, tmp_path) as program,
    ):
        program.type("A story.\r", prompt)
        leave(program)

    assert "Once upon" in program.screen


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=str)
def test_a_lesser_terminal_is_enough(tmp_path: Path, env: dict[str, str]) -> None:
    """Without cursor movement the text is plain; with NO_COLOR nothing is coloured."""
    with (
        FaultServer(said("It is `blue`.")) as server,
        conversation(server.url, tmp_path, **env) as program,
    ):
        program.type("Why?\r", prompt)
        leave(program)

    assert b"\x1b[1;36" not in program.written


def test_a_history_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    """The conversation works, and its lines are forgotten."""
    (tmp_path / "autonomousai").write_text("a file", encoding="utf-8")
    with FaultServer(said("Hi.")) as server, conversation(server.url, tmp_path) as program:
        program.type("Hello\r", prompt)
        leave(program)


def test_a_conversation_needs_a_terminal() -> None:
    """In a pipe, an empty stdin is an empty prompt."""
    assert "The prompt is empty" in call("chat").stderr


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed.")
def test_ctrl_z_suspends_a_conversation(echo: str) -> None:
    """The shell takes over, and `fg` brings the prompt back."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Short, for tmux's socket.
        terminal = Terminal(Path(folder, "tmux"))
        terminal.open(
            Path(folder),
            {"PS1": "$ ", "HOME": folder, "AUTONOMOUSAI_BASE_URL": echo, "HISTFILE": os.devnull},
        )
        try:
            terminal.wait("$")
            terminal.type(f"{sys.executable} -m autonomousai_sdk chat", ">>>")
            terminal.press("C-z", "$")
            assert "Stopped" in terminal.text()
            terminal.type("fg", ">>>")
            terminal.type("Hello", ">>>")
            terminal.leave()
            assert "\nHello\n" in terminal.text()
        finally:
            terminal.close()


def test_a_missing_extra_is_named() -> None:
    """Without prompt-toolkit the error says what to install."""
    script = (
        "import sys; sys.modules['prompt_toolkit'] = None; sys.argv = ['autonomousai', 'chat'];"
        "from autonomousai_sdk.cli import main; main()"
    )
    with on_terminal(script=script) as program:
        assert program.end() == 2

    assert b'pip install "autonomousai-sdk[cli]"' in program.written
