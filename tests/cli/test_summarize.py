"""`autonomousai summarize`: texts longer than the model's context are split and merged."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from tests.support.fault_server import FaultServer, Received
from tests.support.program import Done, call, on_terminal
from tests.support.script import Answer
from tests.support.wire import body, document, failed, said

SENTENCES = [f"Sentence number {number} of the text. " for number in range(200)]
LONG = "".join(SENTENCES)
LISTED = json.dumps({"object": "list", "data": [{"id": "m", "context_window": 2048}]}).encode()
LIST = body(200, LISTED)


def summarize(server: FaultServer, *arguments: str, given: str = "") -> Done:
    """Summarize by the scripted server, as an OpenAI-compatible one."""
    return call("summarize", "--base-url", f"{server.url}/v1", "-m", "m", *arguments, given=given)


def prompts(server: FaultServer) -> list[str]:
    """Return the prompts that the server was sent."""
    bodies = [json.loads(request.body) for request in server.requests if request.body]
    return [body["messages"][0]["content"] for body in bodies]


def test_a_short_text_is_one_request(tmp_path: Path) -> None:
    """The files together are one text, and the summary is printed as it arrives."""
    (tmp_path / "a.txt").write_text("First file.", encoding="utf-8")
    (tmp_path / "b.txt").write_text("\ufeffSecond file.", encoding="utf-8")
    with FaultServer(said("Short.")) as server:
        done = summarize(
            server, "--context", "2048", str(tmp_path / "a.txt"), str(tmp_path / "b.txt")
        )

    assert (done.returncode, done.stdout, done.stderr) == (0, "Short.\n", "")
    (prompt,) = prompts(server)
    assert prompt.endswith("\n\nFirst file.\n\nSecond file.")


def test_the_original_protocol_has_a_model_for_it(echo: str) -> None:
    """Without --model, the model `summary` is asked, and only there."""
    with FaultServer(said("Short."), said("Short.")) as server:
        call("summarize", "--base-url", server.url, given="Text.")
        call("summarize", "--base-url", server.url, "-m", "hermes", given="Text.")

    assert [request.line[1] for request in server.requests] == ["/summary", "/chat-hermes"]


def test_a_long_text_is_split_and_merged() -> None:
    """Each part ends at a sentence and fits the context that the server lists."""
    parts = [document(f"Part {number}.") for number in range(3)]
    with FaultServer(LIST, *parts, said("All of it.")) as server:
        done = summarize(server, given=LONG)

    assert (done.returncode, done.stdout, done.stderr) == (0, "All of it.\n", "")
    *sent, merge = prompts(server)
    texts = sorted((prompt.partition("\n\n")[2] for prompt in sent), key=LONG.index)
    assert "".join(texts) == LONG
    assert all(text.endswith("of the text. ") and len(text) <= 3072 for text in texts)
    assert merge.startswith("The following are summaries")
    assert sorted(merge.split("\n\n")[1:]) == ["Part 0.", "Part 1.", "Part 2."]


def test_parts_that_are_too_long_are_split_again() -> None:
    """A server that counts more tokens than estimated says how many, and the parts shrink."""

    def answer(request: Received) -> Answer:
        if len(request.prompt) > 1000:
            needed = len(request.prompt)
            return failed(
                400, message=f"maximum context length is 1000 tokens; it has {needed} tokens"
            )
        return said("All of it.") if json.loads(request.body).get("stream") else document("Part.")

    with FaultServer(answer) as server:
        done = summarize(server, "--context", "4096", given=LONG)

    assert (done.returncode, done.stdout, done.stderr) == (0, "All of it.\n", "")
    assert len(server.requests) > 7


def test_an_error_of_a_part_ends_the_command() -> None:
    """The first error is reported, and nothing is printed as a summary."""
    with FaultServer(failed(401)) as server:
        done = summarize(server, "--context", "2048", given=LONG)

    assert (done.returncode, done.stdout) == (1, "")
    assert "401" in done.stderr


def test_summaries_that_are_not_shorter_are_an_error(echo: str) -> None:
    """A model that repeats its input would never end."""
    done = call("summarize", "--base-url", echo, "--context", "1024", given=LONG)

    assert (done.returncode, done.stdout) == (1, "")
    assert "not shorter than the text" in done.stderr


def test_a_short_summary_leaves_room_for_the_text() -> None:
    """--max-tokens bounds the summary, so the rest of the context holds longer parts."""

    def answered(request: Received) -> Answer:
        return said("Done.") if json.loads(request.body).get("stream") else document("Part.")

    counts: list[int] = []
    for more in ((), ("--max-tokens", "60")):
        with FaultServer(answered) as server:
            assert summarize(server, "--context", "1024", *more, given=LONG).returncode == 0
        counts.append(len(server.requests))

    assert counts == [10, 4]


def test_progress_is_a_bar(tmp_path: Path) -> None:
    """On a terminal, a bar shows how many of the parts are done."""
    path = tmp_path / "long.txt"
    path.write_text(LONG, encoding="utf-8")
    numbers = count(1)
    drawn = Event()

    def answered(request: Received) -> Answer:
        if json.loads(request.body).get("stream"):
            return said("All of it.")
        if next(numbers) == 3:
            drawn.wait(10)
        return document("A part.")

    with (
        FaultServer(answered) as server,
        on_terminal(
            "summarize", "--base-url", f"{server.url}/v1", "-m", "m", "--context", "2048",
            str(path),
        ) as program,
    ):  # fmt: skip
        program.wait_for("summarizing ━━━━━━━━━━━━━─────── 2/3")
        drawn.set()
        assert program.end() == 0

    text = program.written.decode()
    assert f"summarizing {'─' * 20} 0/3" in text
    assert text.endswith("All of it.\r\n")


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "No such file"), (b"\xff", "not UTF-8"), (b" ", "is empty")]
)
def test_a_file_that_cannot_be_read_is_wrong_usage(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    """The error names the file, and nothing is sent."""
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_bytes(content)
    done = call("summarize", "--base-url", "http://127.0.0.1:9", str(path))

    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr
