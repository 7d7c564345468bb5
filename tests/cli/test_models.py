"""`autonomousai models`: the spec's models, for people and for programs."""

from __future__ import annotations

import json

from autonomousai_sdk import Client
from tests.support.program import run


def test_the_table_names_every_model() -> None:
    """Each line has a model's name, its aliases and its path; the columns stand in line."""
    done = run("models")
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
    """--json is a list of objects with the fields of `Model`."""
    done = run("models", "--json")

    listed = {model["id"]: model for model in json.loads(done.stdout)}
    assert listed["hermes"]["aliases"] == ["hermes-3"]
    assert listed["hermes"]["path"] == "/chat-hermes"
    assert listed["vision"]["accepts_images"] is True
