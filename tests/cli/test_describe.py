"""`autonomousai describe`: an image and a question about it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.support.fault_server import FaultServer
from tests.support.program import call
from tests.support.wire import said

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def sent(server: FaultServer) -> list[object]:
    """Return the parts of the message that an OpenAI-compatible server was sent."""
    (request,) = server.requests
    parts: list[object] = json.loads(request.body)["messages"][0]["content"]
    return parts


def test_the_image_and_the_prompt_are_one_message(tmp_path: Path) -> None:
    """A file becomes a data URL, and the words are the question."""
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    with FaultServer(said("A cat.")) as server:
        url = f"{server.url}/v1"
        done = call("describe", "--base-url", url, "-m", "m", str(path), "What", "is", "it?")

    assert (done.returncode, done.stdout, done.stderr) == (0, "A cat.\n", "")
    assert sent(server) == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": URL}},
    ]


def test_an_image_can_come_from_stdin() -> None:
    """The image - is read from stdin; without a prompt the model is asked to describe it."""
    with FaultServer(said("A cat.")) as server:
        done = call("describe", "--base-url", f"{server.url}/v1", "-m", "m", "-", given=PNG)

    assert done.returncode == 0
    assert sent(server) == [
        {"type": "text", "text": "Describe this image."},
        {"type": "image_url", "image_url": {"url": URL}},
    ]


def test_the_original_protocol_has_a_model_for_it() -> None:
    """Without --model, and without AUTONOMOUSAI_MODEL, the model `vision` is asked."""
    with FaultServer(said("A cat.")) as server:
        call("describe", "--base-url", server.url, URL)
        refused = call("describe", "--base-url", server.url, URL, AUTONOMOUSAI_MODEL="llama")

    assert [request.line[1] for request in server.requests] == ["/chat-vision"]
    assert refused.returncode == 2
    assert "llama" in refused.stderr


def test_a_file_that_is_not_an_image_is_wrong_usage(tmp_path: Path) -> None:
    """Nothing is sent, and the error names the file."""
    path = tmp_path / "notes.txt"
    path.write_text("notes", encoding="utf-8")
    done = call("describe", "--base-url", "http://127.0.0.1:9", str(path))

    assert (done.returncode, done.stdout) == (2, "")
    assert "notes.txt" in done.stderr
