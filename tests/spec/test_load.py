"""Test reading the spec: YAML 1.2, references, and errors with their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spec.generator.load import Node, SpecError, load


def document(tmp_path: Path, text: str) -> Any:
    """Return the value in a YAML file with this text."""
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path).value


def test_yaml_is_read_as_version_1_2(tmp_path: Path) -> None:
    """Country codes, dates and status codes are strings, as OpenAPI's JSON has them."""
    text = "{country: NO, on: yes, day: 2026-11-25, 200: x, n: 5, f: 1.5, t: true, z: null}"
    assert document(tmp_path, text) == {
        "country": "NO",
        "on": "yes",
        "day": "2026-11-25",
        "200": "x",
        "n": 5,
        "f": 1.5,
        "t": True,
        "z": None,
    }


def test_an_alias_repeats_a_value(tmp_path: Path) -> None:
    """Anchors and aliases are part of YAML 1.2, merge keys are not."""
    assert document(tmp_path, "{a: &a {b: 1}, c: *a, <<: *a}") == {
        "a": {"b": 1},
        "c": {"b": 1},
        "<<": {"b": 1},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "the key 'a' occurs twice.*line 3"),
        ("a: {b: 1, b: 2}", "the key 'b' occurs twice"),
        ("200: 1\n'200': 2", "the key '200' occurs twice"),
        ("? [a]\n: b", "a key is a string"),
        ("a: [1", "expected ',' or ']'"),
        ("a: !!python/name:os.system x", "could not determine a constructor"),
        ("\x00", "special characters are not allowed"),
    ],
)
def test_what_is_not_a_spec_in_yaml_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """An error in YAML names the file and the line."""
    with pytest.raises(SpecError, match=f"(?s)^spec.yaml cannot be read as YAML: .*{said}"):
        document(tmp_path, text)


def test_a_missing_file_is_an_error_of_the_spec(tmp_path: Path) -> None:
    """A file that is missing or not UTF-8 is a SpecError."""
    with pytest.raises(SpecError, match="No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe4")
    with pytest.raises(SpecError, match="utf-8"):
        load(tmp_path / "latin.yaml")


ROOT: dict[str, Any] = {
    "a/b": {"~c": [{"d": 1}]},
    "ref": {"$ref": "#/a~1b/~0c/0", "description": "kept"},
    "twice": {"$ref": "#/ref"},
    "loop": {"$ref": "#/pool"},
    "pool": {"$ref": "#/loop"},
    "lost": {"$ref": "#/nothing"},
    "beyond": {"$ref": "#/a~1b/~0c/5"},
    "away": {"$ref": "other.yaml#/a"},
    "beside": {"$ref": "#/ref", "type": "string"},
    "number": {"$ref": 5},
    "list": [1],
    "text": "x",
}


def test_references_are_followed() -> None:
    """A pointer may have escapes, and may lead into a list or to another reference."""
    root = Node(ROOT, ROOT)
    assert root.at("ref").value == {"d": 1}
    assert root.at("twice").pointer == "#/a~1b/~0c/0"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loop", "#/loop: '#/pool' leads to itself|#/pool: '#/loop' leads to itself"),
        ("lost", "#/lost: '#/nothing' leads nowhere"),
        ("beyond", "#/beyond: .* leads nowhere"),
        ("away", "#/away: 'other.yaml#/a' does not point into this document"),
        ("beside", "#/beside: the generator does not know 'type' here"),
        ("number", "#/number/\\$ref: a string belongs here, not 5"),
        ("missing", "#: 'missing' is missing"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_refused(name: str, said: str) -> None:
    """A wrong reference is an error with the place of the reference."""
    with pytest.raises(SpecError, match=said):
        Node(ROOT, ROOT).at(name)


@pytest.mark.parametrize(
    ("read", "name", "said"),
    [
        (Node.string, "list", "#/list: a string belongs here, not \\[1\\]"),
        (Node.flag, "text", "#/text: true or false belongs here, not 'x'"),
        (Node.values, "text", "#/text: a list belongs here, not 'x'"),
        (Node.strings, "list", "#/list/0: a string belongs here, not 1"),
        (Node.members, "list", "#/list: an object belongs here, not \\[1\\]"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(
    read: Callable[[Node, str], object], name: str, said: str
) -> None:
    """A value of the wrong type is an error with its place and the expected type."""
    with pytest.raises(SpecError, match=said):
        read(Node(ROOT, ROOT), name)


def test_what_is_missing_may_be_left_out() -> None:
    """Missing optional members read as empty lists, empty objects and false."""
    node = Node(ROOT, ROOT)
    assert not node.flag("missing")
    assert node.items("missing") == []
    assert node.strings("missing") == []
    assert node.members("missing") == {}
