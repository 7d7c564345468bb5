"""One answer on a terminal: rendered as Markdown while it streams, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.fault_server import FaultServer
from tests.support.program import environment, on_terminal, run
from tests.support.script import Gate, Send
from tests.support.wire import DONE, FINISH, STREAM, body, delta, deltas, document, event, said

SIZE = {"LINES": "24", "COLUMNS": "80"}
TEXT = "# Planets\n\nThere are **eight**:\n\n- `Mercury`\n- Venus\n"
SHOWN = ["There are eight:", "", " • Mercury", " • Venus"]


@pytest.mark.parametrize("command", [("chat", "Hi"), ("summarize",), ("describe",)], ids=str)
def test_an_answer_is_rendered_as_markdown(command: tuple[str, ...], tmp_path: Path) -> None:
    """A terminal shows headings, lists and code without their marks; a pipe gets the text."""
    path = tmp_path / "file.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" if command[0] == "describe" else b"A long text.")
    arguments = (*command, *(() if len(command) > 1 else (str(path),)))
    with FaultServer(said(TEXT), said(TEXT)) as server:
        plain = run(arguments[0], "--base-url", server.url, *arguments[1:])
        with on_terminal(arguments[0], "--base-url", server.url, *arguments[1:], **SIZE) as program:
            assert program.end() == 0

    assert (plain.stdout, plain.stderr) == (TEXT, "")
    assert "Planets" in "".join(program.screen)
    assert program.screen[-4:] == SHOWN
    assert "**" not in "".join(program.screen)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--json",), '"content": "{\\"a\\": \\"**b**\\"}"'),
        (("--schema", "{path}"), '{"a": "**b**"}'),
    ],
    ids=["json", "schema"],
)
def test_json_is_not_rendered(arguments: tuple[str, ...], shown: str, tmp_path: Path) -> None:
    """Documents are for programs, so a terminal shows them as they are."""
    path = tmp_path / "schema.json"
    path.write_text('{"type": "object"}')
    given = [each.format(path=path) for each in arguments]
    stars = '{"a": "**b**"}'
    answer = document(stars) if arguments[0] == "--schema" else said(stars)
    with (
        FaultServer(answer) as server,
        on_terminal("chat", "--base-url", server.url, *given, "Hi", **SIZE) as program,
    ):
        assert program.end() == 0

    assert shown in program.written.decode()


@pytest.mark.parametrize(
    ("env", "shown"),
    [({"TERM": "dumb"}, "**eight**"), ({"NO_COLOR": "1"}, "There are \x1b[1meight\x1b[0m:")],
    ids=["no cursor movement", "no colours"],
)
def test_a_terminal_gets_what_it_can_show(env: dict[str, str], shown: str) -> None:
    """A dumb terminal gets plain text, and NO_COLOR leaves bold but removes colours."""
    with (
        FaultServer(said(TEXT)) as server,
        on_terminal("chat", "--base-url", server.url, "Hi", **SIZE, **env) as program,
    ):
        assert program.end() == 0

    assert shown in program.written.decode()
    assert b"\x1b[3" not in program.written
    assert b"36" not in program.written


def test_ctrl_c_leaves_the_text_so_far() -> None:
    """The text remains rendered, the cursor is on a new line, and the exit code is 130."""
    answer = (Send(STREAM + deltas("One **two** three")), Gate())
    with (
        FaultServer(answer) as server,
        on_terminal("chat", "--base-url", server.url, "Hi", **SIZE) as program,
    ):
        program.wait_for("three")
        program.interrupt()
        assert program.end() == 130

    assert program.screen == ["One two three"]
    assert program.written.endswith(b"\r\n")
    assert program.written.count(b"\x1b[?25l") == program.written.count(b"\x1b[?25h")


def test_a_background_process_goes_on_ignoring_ctrl_c() -> None:
    """A process that was started with SIGINT ignored is not ended by it."""
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); import sys;"
        "from autonomousai_sdk.cli import main; sys.argv = ['a', 'chat', 'Hi']; main()"
    )
    answer = (Send(STREAM + deltas("One ")), Gate(), Send(deltas("two") + FINISH + DONE))
    with FaultServer(answer) as server:
        env = {"AUTONOMOUSAI_BASE_URL": server.url}
        with on_terminal(script=script, **SIZE, **env) as program:
            program.wait_for("One")
            program.interrupt()
            server.open_gate()
            assert program.end() == 0

    assert program.screen == ["One two"]


def test_a_character_cut_between_two_chunks_is_whole() -> None:
    """The halves of an emoji are joined, and a half without its other half is shown as �."""
    halves = [
        event(delta("")).replace(b'""', half) for half in (rb'"a\ud83d"', rb'"\ude00 \ud83d"')
    ]
    with (
        FaultServer((Send(STREAM + b"".join(halves) + FINISH + DONE),)) as server,
        on_terminal("chat", "--base-url", server.url, "Hi", **SIZE) as program,
    ):
        assert program.end() == 0

    assert "a😀 \ufffd" in program.written.decode()


def test_calls_of_functions_are_shown_on_a_terminal(tmp_path: Path) -> None:
    """Each call is a dim line on stderr above the answer; where stderr is a pipe, none is shown."""
    path = tmp_path / "weather.py"
    path.write_text('def get_weather(city: str) -> str:\n    "Get it."\n    return "21"\n')
    function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": function}],
    }
    asked = {"choices": [{"finish_reason": "tool_calls", "message": message}]}
    answers = (body(200, json.dumps(asked).encode()), document("It is **warm**."))
    with FaultServer(*answers, *answers) as server:
        arguments = ("--base-url", f"{server.url}/v1", "-m", "m", "--tools", str(path), "Hi")
        with on_terminal("chat", *arguments, **SIZE) as program:
            assert program.end() == 0
        piped = run("chat", *arguments, env=environment())

    assert program.screen == ["[get_weather(city='Paris')]", "It is warm."]
    assert b"\x1b[2m[get_weather" in program.written
    assert (piped.stdout, piped.stderr) == ("It is **warm**.\n", "")


def test_every_choice_is_shown() -> None:
    """Further choices follow the first one, each below an empty line."""
    choices = b"".join(
        event(json.dumps({"choices": [{"index": n, "delta": {"content": text}}]}))
        for n, text in enumerate(("*one*", "*two*"))
    )
    with (
        FaultServer((Send(STREAM + choices + DONE),)) as server,
        on_terminal("chat", "--base-url", f"{server.url}/v1", "-m", "m", "Hi", **SIZE) as program,
    ):
        assert program.end() == 0

    assert program.screen == ["one", "", "two"]


def test_a_missing_package_is_named() -> None:
    """Without rich, an answer on a terminal is an error that says what to install."""
    script = (
        "import sys; sys.modules['rich'] = None; sys.argv = ['autonomousai', 'chat', 'Hi'];"
        "from autonomousai_sdk.cli import main; main()"
    )
    env = {"AUTONOMOUSAI_BASE_URL": "http://127.0.0.1:1"}
    with on_terminal(script=script, **SIZE, **env) as program:
        assert program.end() == 2

    assert 'pip install "autonomousai-sdk[cli]"' in " ".join(program.screen)
    assert b"Traceback" not in program.written
