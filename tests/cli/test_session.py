"""The lines of a conversation: turns, commands, and failures that change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomousai_sdk import APIStatusError, ChatCompletion, Client, StreamInterrupted
from autonomousai_sdk._generated.methods import ChatStream
from autonomousai_sdk.cli.session import Session
from autonomousai_sdk.cli.slash import COMMANDS, run_line
from autonomousai_sdk.errors import ConfigurationError
from tests.support.fault_server import FaultServer
from tests.support.wire import BEGUN, body, closing, document, failed, said

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


class Recorder:
    """A screen that keeps what it shows."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        """Keep a line."""
        self.lines += text.split("\n")

    def wait(self, text: str) -> None:
        """Show nothing."""

    def show(self, stream: ChatStream) -> ChatCompletion:
        """Read an answer and keep its text."""
        with stream:
            completion = stream.until_done()
        self.lines.append(completion.text)
        return completion

    def show_text(self, text: str) -> None:
        """Keep an answer."""
        self.lines.append(text)


@pytest.fixture
def session(echo: str) -> Iterator[Session]:
    """A session on a server that echoes the last message."""
    with Client(base_url=echo) as client:
        yield Session(client, client.conversation(), Recorder())


def enter(session: Session, *lines: str) -> list[str]:
    """Enter lines and return what was shown for them."""
    screen = session.screen
    assert isinstance(screen, Recorder)
    screen.lines.clear()
    for line in lines:
        run_line(session, line)
    return list(screen.lines)


def texts(session: Session) -> list[tuple[str, object]]:
    """Return the roles and contents of the history."""
    return [(message.role, message.content) for message in session.conversation.messages]


def test_text_is_a_turn(session: Session) -> None:
    """Text is sent, and the turn enters the history; an empty line is not sent."""
    assert enter(session, "Hello", "  ", "/etc/hosts is a file", " /help is text") == [
        "Hello",
        "/etc/hosts is a file",
        "/help is text",
    ]
    assert texts(session)[:2] == [("user", "Hello"), ("assistant", "Hello")]


@pytest.mark.parametrize("answer", [failed(500), closing(BEGUN)], ids=["error", "cut"])
def test_a_failed_turn_leaves_the_history(answer: Any) -> None:
    """Neither the message nor a part of the answer stays; /retry sends the message again."""
    with (
        FaultServer(said("One."), answer, said("Two.")) as server,
        Client(base_url=server.url, max_retries=0) as client,
    ):
        session = Session(client, client.conversation(), Recorder())
        run_line(session, "First")
        with pytest.raises((APIStatusError, StreamInterrupted)):
            run_line(session, "Second")
        assert texts(session) == [("user", "First"), ("assistant", "One.")]
        run_line(session, "/retry")

    assert texts(session)[2:] == [("user", "Second"), ("assistant", "Two.")]


def test_retry_replaces_the_last_turn() -> None:
    """The last message is sent again without its answer; if that fails, the answer stays."""
    with (
        FaultServer(said("One."), said("Two."), failed(500)) as server,
        Client(base_url=server.url, max_retries=0) as client,
    ):
        session = Session(client, client.conversation(system="Be brief."), Recorder())
        run_line(session, "First")
        run_line(session, "/retry")
        with pytest.raises(APIStatusError):
            run_line(session, "/retry")

    assert texts(session) == [("system", "Be brief."), ("user", "First"), ("assistant", "Two.")]
    assert session.failed is None


def test_options_are_sent_with_every_turn() -> None:
    """/set sets an option until it is removed, and shows what is set."""
    with FaultServer(said("One.")) as server, Client(base_url=server.url) as client:
        session = Session(client, client.conversation(), Recorder())
        shown = enter(session, "/set temperature 0.2", "/set max-tokens 5", "/set", "Hello")
        assert enter(session, "/set temperature -")[0].startswith("temperature is not set: How")

    assert shown[:2] == ["temperature = 0.2", "max_tokens = 5"]
    assert shown[2:4] == shown[:2]
    sent = json.loads(server.requests[0].body)
    assert (sent["temperature"], sent["max_tokens"]) == (0.2, 5)
    assert session.options == {"max_tokens": 5}


def test_the_model_and_the_system_prompt_change() -> None:
    """/model and /system show what is set, change it for the next turn, and - removes it."""
    with FaultServer(said("One.")) as server, Client(base_url=server.url) as client:
        session = Session(client, client.conversation(), Recorder())
        assert enter(session, "/system", "/system Be brief.", "/system", "/model hermes-3") == [
            "System prompt: none",
            "System prompt set.",
            "System prompt: Be brief.",
            "Model: hermes-3",
        ]
        run_line(session, "Hello")
        assert server.requests[0].line[1] == "/chat-hermes"
        assert texts(session)[0] == ("system", "Be brief.")
        assert enter(session, "/system Be kind.", "/system -", "/model") == [
            "System prompt set.",
            "System prompt removed.",
            "Model: hermes-3",
        ]

    assert texts(session) == [("user", "Hello"), ("assistant", "One.")]


def test_images_go_with_the_next_message(tmp_path: Path) -> None:
    """/image adds files until a turn has succeeded; - removes them."""
    path = tmp_path / "my cat.png"
    path.write_bytes(PNG)
    with (
        FaultServer(failed(500), said("A cat.")) as server,
        Client(base_url=f"{server.url}/v1", model="m", max_retries=0) as client,
    ):
        session = Session(client, client.conversation(), Recorder())
        assert enter(session, f"/image '{path}'") == [f"Images of the next message: {path}"]
        with pytest.raises(APIStatusError):
            run_line(session, "What is it?")
        assert session.images == [str(path)]
        run_line(session, "/retry")
        assert enter(session, "/image") == ["Images of the next message: none"]

    parts = json.loads(server.requests[1].body)["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url"]


TOOLS = '''
"""Two functions."""
from os import getcwd

def get_weather(city: str) -> str:
    """Look up the weather."""
    return f"21 degrees in {city}"

def _private() -> None: ...
'''
CALL = {
    "choices": [
        {
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
                    }
                ],
            },
        }
    ]
}


def test_the_model_calls_the_functions_of_a_file(tmp_path: Path) -> None:
    """/tools loads the public functions; each call is shown, and the history has the turn."""
    path = tmp_path / "weather.py"
    path.write_text(TOOLS, encoding="utf-8")
    with (
        FaultServer(body(200, json.dumps(CALL).encode()), document("It is warm.")) as server,
        Client(base_url=f"{server.url}/v1", model="m") as client,
    ):
        session = Session(client, client.conversation(), Recorder())
        assert enter(session, f"/tools {path}", "Is it warm in Paris?") == [
            "Tools: get_weather",
            "[get_weather(city='Paris')]",
            "It is warm.",
        ]

    assert [role for role, _ in texts(session)] == ["user", "assistant", "tool", "assistant"]
    assert texts(session)[2] == ("tool", "21 degrees in Paris")
    assert enter(session, "/tools -")[0].startswith("Tools: none.")


def test_a_conversation_is_saved_and_loaded(session: Session, tmp_path: Path) -> None:
    """/save writes a file that /load continues, and that another /save replaces."""
    path = tmp_path / "chat.json"
    shown = enter(session, "/model hermes", "Hello", f"/save {path}", "Again", "/save")
    saved = session.conversation
    other = Session(session.client, session.client.conversation(), Recorder())
    loaded = enter(other, f"/load {path}")

    assert shown[2] == f"Saved 2 messages to {path}"
    assert loaded == [f"Loaded 4 messages from {path}"]
    assert other.conversation.to_dict() == saved.to_dict()
    assert other.conversation.model == "hermes"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_somebody_else_is_not_replaced(session: Session, tmp_path: Path) -> None:
    """/save refuses a file that this conversation was not saved to."""
    path = tmp_path / "notes.txt"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="exists"):
        run_line(session, f"/save {path}")

    assert path.read_text(encoding="utf-8") == "mine"


def test_tokens_are_counted_honestly() -> None:
    """/tokens sums the counts that the server sent; a sum with an unknown one is unknown."""
    usage = {"usage": {"prompt_tokens": 1200, "completion_tokens": 3}}
    known = body(200, json.dumps({"choices": [{"message": {"content": "x"}}], **usage}).encode())
    with FaultServer(known, said("One.")) as server, Client(base_url=server.url) as client:
        session = Session(client, client.conversation(), Recorder())
        assert enter(session, "/tokens") == ["No answers yet."]
        session.usages.append(client.chat.create("Hi").usage)
        assert enter(session, "/tokens")[0] == "Last answer: 1,200 in, 3 out (tokens)"
        run_line(session, "Hello")
        assert enter(session, "/tokens") == [
            "Last answer: unknown in, unknown out (tokens)",
            "All answers: unknown in, unknown out (tokens)",
        ]


def test_help_names_every_command(session: Session) -> None:
    """/help has a line for each command."""
    shown = enter(session, "/help")

    for name, command in COMMANDS.items():
        assert any(f"/{name}" in line and command.description in line for line in shown)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/nope", "Unknown command /nope. /help lists the commands"),
        ("/model gpt", "Unknown model 'gpt'"),
        ("/set heat 1", "Unknown option 'heat'. Options: thread_id"),
        ("/set temperature warm", "temperature must be a number; got 'warm'"),
        ("/set temperature 5", "temperature must be at least 0 and at most 2"),
        ("/image none.png", "none.png"),
        ("/image 'none", "No closing quotation"),
        ("/tools none.py", "none.py is not a file"),
        ("/save", "/save needs a file"),
        ("/save /none/chat.json", "Cannot save to /none/chat.json"),
        ("/load", "/load needs a file"),
        ("/load none.json", "Cannot load none.json"),
        ("/retry", "There is no message to send again"),
    ],
)
def test_a_wrong_command_changes_nothing(session: Session, line: str, problem: str) -> None:
    """An unknown command, option or value is an error that says what to do."""
    before = session.conversation.to_dict()
    with pytest.raises(ConfigurationError) as caught:
        run_line(session, line)

    assert problem in str(caught.value)
    assert session.conversation.to_dict() == before
    assert session.options == {}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.py", "1 / 0", "fails: ZeroDivisionError"),
        ("a.py", "import os", "has no public functions"),
        ("a.py", "async def f() -> None: ...", "f is asynchronous"),
        ("a.txt", "", "must end with .py"),
    ],
)
def test_a_file_without_tools_is_an_error(
    session: Session, tmp_path: Path, name: str, text: str, problem: str
) -> None:
    """/tools says what is wrong with the file."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=problem):
        run_line(session, f"/tools {tmp_path / name}")


@pytest.mark.parametrize("text", ["{", "[]", '{"model": "gpt", "thread_id": "1", "messages": []}'])
def test_a_file_that_is_not_a_conversation_is_an_error(
    session: Session, tmp_path: Path, text: str
) -> None:
    """/load refuses the file, and the conversation goes on."""
    path = tmp_path / "chat.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        run_line(session, f"/load {path}")

    assert session.file is None
