"""`autonomousai models`: the spec's models, for people and for programs."""

from __future__ import annotations

import json

from autonomousai_sdk import Client
from tests.support.program import call


def test_the_table_names_every_model() -> None:
    """Each line has a model's name, its aliases and its path; the columns stand in line."""
    done = call("models")
    with Client() as client:
        known = client.models.list()

    head, *lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines) == len(known)
    for line, model in zip(lines, known, strict=True):
        assert line.split()[:3] == [model.id, ",".join(model.aliases), model.path]
        assert line.index(model.path) == head.index("PATH")
        assert line.endswith(model.description)


def test_json_has_what_a_program_wants() -> None:
    """--json prints an object with the fields of `Model` on each line."""
    done = call("models", "--json")

    listed = {model["id"]: model for model in map(json.loads, done.stdout.splitlines())}
    assert listed["hermes"]["aliases"] == ["hermes-3"]
    assert listed["hermes"]["path"] == "/chat-hermes"
    assert listed["vision"]["accepts_images"] is True


def test_remote_asks_the_server(echo: str) -> None:
    """--remote prints the server's own list, as a table or as JSON."""
    url = echo.removesuffix("/api/v1/ai") + "/v1"
    table = call("models", "--remote", "--base-url", url)
    listed = [json.loads(line) for line in _remote_json(url)]

    assert (table.returncode, table.stderr) == (0, "")
    assert [line.split()[0] for line in table.stdout.splitlines()] == [
        "MODEL",
        *(model["id"] for model in listed),
    ]


def _remote_json(url: str) -> list[str]:
    return call("models", "--remote", "--json", "--base-url", url).stdout.splitlines()


def test_remote_needs_a_server_that_lists_models(echo: str) -> None:
    """The original protocol has no list, and options of the server have no use without one."""
    refused = call("models", "--remote", "--base-url", echo)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "openai" in refused.stderr
    assert "need --remote" in call("models", "--base-url", echo).stderr
