"""`autonomousai chat --schema`: answers that match a JSON schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.fault_server import FaultServer
from tests.support.program import call
from tests.support.wire import document

BOOK = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "year": {"$ref": "#/$defs/year"}},
    "required": ["title"],
    "additionalProperties": False,
    "$defs": {"year": {"type": "integer", "minimum": 1400}},
}


def write(folder: Path, schema: object) -> str:
    """Write a schema to a file and return its path."""
    path = folder / "book.json"
    path.write_text(json.dumps(schema), encoding="utf-8")
    return str(path)


def test_the_value_is_one_line_of_json(tmp_path: Path) -> None:
    """The schema is sent unchanged, and the value is found in the answer and printed."""
    answer = 'Here it is: {"title": "Emma", "year": 1815}'
    with FaultServer(document(answer)) as server:
        done = call(
            "chat", "--base-url", f"{server.url}/v1", "-m", "m", "--schema", write(tmp_path, BOOK),
            "--max-tokens", "50", "Name a book.",
        )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (
        0, '{"title": "Emma", "year": 1815}\n', "",
    )  # fmt: skip
    body = json.loads(server.requests[0].body)
    assert body["response_format"]["json_schema"]["schema"] == BOOK
    assert body["response_format"]["json_schema"]["name"] == "book"
    assert body["max_tokens"] == 50


def test_a_schema_of_another_type_than_object_is_wrapped(tmp_path: Path) -> None:
    """Engines require an object, so a list is sent as the property of one."""
    schema = {"type": "array", "items": {"type": "string"}}
    with FaultServer(document('{"value": ["a", "b"]}')) as server:
        done = call("chat", "--base-url", server.url, "--schema", write(tmp_path, schema), "Go.")

    assert (done.returncode, done.stdout) == (0, '["a", "b"]\n')


def test_an_answer_that_does_not_match_is_shown_to_the_model_once(tmp_path: Path) -> None:
    """The second request shows the model its errors; with --json, the completion is printed."""
    with FaultServer(document('{"year": 3}'), document('{"title": "Emma"}')) as server:
        done = call(
            "chat", "--base-url", f"{server.url}/v1", "-m", "m", "--schema", write(tmp_path, BOOK),
            "--json", "Name a book.",
        )  # fmt: skip

    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == '{"title": "Emma"}'
    correction = json.loads(server.requests[1].body)["messages"][-1]["content"]
    assert "$.year: 3 is less than the minimum of 1400" in correction
    assert "$: 'title' is a required property" in correction


def test_an_answer_that_never_matches_is_an_error(tmp_path: Path) -> None:
    """Exit code 1, nothing on stdout, and the first wrong field on stderr."""
    with FaultServer(document('{"title": 5}'), document('{"title": 5}')) as server:
        done = call("chat", "--base-url", server.url, "--schema", write(tmp_path, BOOK), "Go.")

    assert (done.returncode, done.stdout) == (1, "")
    assert "$.title: 5 is not of type 'string'" in done.stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"type": "thing"}', "is not a JSON schema: $.type"),
    ],
)
def test_a_file_that_is_not_a_schema_is_wrong_usage(
    tmp_path: Path, text: str, problem: str
) -> None:
    """The file is checked before anything is sent."""
    path = tmp_path / "schema.json"
    path.write_text(text, encoding="utf-8")
    done = call("chat", "--base-url", "http://127.0.0.1:9", "--schema", str(path), "Go.")

    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jsonschema the error says what to install."""
    missing: Any = None
    monkeypatch.setitem(__import__("sys").modules, "jsonschema.exceptions", missing)
    done = call("chat", "--schema", write(tmp_path, BOOK), "Go.")

    assert done.returncode == 2
    assert 'pip install "autonomousai-sdk[cli]"' in done.stderr
