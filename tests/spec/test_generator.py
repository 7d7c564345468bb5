"""Test the generator on a miniature spec: what it writes and refuses, and what --check finds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from spec.generator.__main__ import main
from spec.generator.document import build_spec
from spec.generator.expressions import check as check_of
from spec.generator.expressions import output
from spec.generator.load import Node, SpecError, load
from spec.generator.model import Spec
from spec.generator.render import render
from spec.generator.write import formatted

MINIATURE = Path(__file__).parent / "miniature.yaml"


@pytest.fixture
def spec() -> Spec:
    """Return the miniature spec."""
    return build_spec(load(MINIATURE))


def test_paths_of_one_method_become_one_operation(spec: Spec) -> None:
    """Two paths that name one method become one operation, whose path the model determines."""
    (resource,) = spec.resources
    (operation,) = resource.operations
    assert (resource.name, operation.name) == ("talk", "talk.create")
    assert [route.path for route in operation.routes] == [None]
    assert [(model.id, model.path) for model in spec.models] == [
        ("small", "/small"),
        ("large", "/large"),
    ]
    assert (spec.default_model, spec.servers[0].default_url) == ("small", "https://mini.example/v1")


def test_arguments_follow_the_request(spec: Spec) -> None:
    """Required arguments come first, the stream switch is left out, and checks follow the spec."""
    arguments = spec.resources[0].operations[0].arguments
    assert [(each.name, each.wire, each.kind, each.required) for each in arguments] == [
        ("text", "words", "value", True),
        ("model", "agent", "model", False),
        ("max_words", "maxWords", "value", False),
    ]
    checks = [None if each.type is None else check_of(each.type) for each in arguments]
    assert checks == ["check.String()", None, "check.Integer()"]


@pytest.mark.parametrize(
    ("schema", "annotation", "check"),
    [
        (
            "{type: number, minimum: 0, maximum: 2}",
            "float",
            "check.Number(minimum=0, maximum=2)",
        ),
        (
            "{type: integer, minimum: 1, multipleOf: 2}",
            "int",
            "check.Integer(minimum=1, multiple_of=2)",
        ),
        (
            "{type: [integer, 'null'], exclusiveMinimum: 0}",
            "int",
            "check.Integer(exclusive_minimum=0)",
        ),
        (
            "{type: integer, format: int32, maximum: 5}",
            "int",
            "check.Integer(minimum=-2147483648, maximum=5)",
        ),
        (
            "{type: string, minLength: 1, maxLength: 5}",
            "str",
            "check.String(min_length=1, max_length=5)",
        ),
        (r"{type: string, pattern: '^[$]\d$'}", "str", r"check.String(pattern='^[$]\\d\\Z')"),
        (
            r"{type: string, pattern: '^.[[\].]\.(?:a|b)[^x]+?$'}",
            "str",
            r"check.String(pattern='^[^\\n\\r\\u2028\\u2029][\\[\\].]\\.(?:a|b)[^x]+?\\Z')",
        ),
        ("{type: string, enum: [a, b]}", "Literal['a', 'b']", "check.Enum(values=('a', 'b'))"),
        ("{type: string, format: date-time}", "dt.datetime", "check.DateTime()"),
        (
            "{type: array, items: {type: integer}, maxItems: 4}",
            "Sequence[int]",
            "check.Array(items=check.Integer(), max_items=4)",
        ),
        (
            "{type: object, additionalProperties: {type: number}}",
            "Mapping[str, float]",
            "check.Map(values=check.Number())",
        ),
        ("{type: object}", "Mapping[str, object]", "check.Map(values=check.ANYTHING)"),
        (
            "{anyOf: [{type: string}, {type: array, items: {type: string}, maxItems: 4}]}",
            "str | Sequence[str]",
            "check.Union(options=(check.String(), check.Array(items=check.String(), max_items=4)))",
        ),
        (
            "{$ref: '#/components/schemas/Message'}",
            "models.Message | MessageParam",
            "check.Ref(target=lambda: checks.Message)",
        ),
    ],
)
def test_bounds_become_checks(schema: str, annotation: str, check: str) -> None:
    """A schema's bounds become the argument's check; null in an optional argument is dropped."""
    document = yaml.safe_load(MINIATURE.read_text(encoding="utf-8"))
    properties = document["components"]["schemas"]["Ask"]["properties"]
    properties["extra"] = {"description": "x", **yaml.safe_load(schema)}
    argument = build_spec(Node(document, document)).resources[0].operations[0].arguments[-1]
    assert (argument.name, argument.annotation) == ("extra", annotation)
    assert argument.type is not None
    assert check_of(argument.type).replace(",)", ")") == check


def test_the_stream_is_described(spec: Spec) -> None:
    """The chunk class, sentinel, switch and concatenated fields come from the spec."""
    stream = spec.resources[0].operations[0].stream
    assert stream is not None
    assert (output(stream.chunk), stream.sentinel, stream.switch) == ("models.Piece", "!", "flow")
    assert stream.accumulator is not None
    assert (stream.accumulator.choice, stream.accumulator.message) == ("Choice", "Message")
    (delta,) = (cls for cls in spec.classes if cls.name == "Delta")
    assert [each.metadata for each in delta.fields] == [{"concatenate": True}]


def test_classes_of_responses_have_extra_unless_a_field_has_that_name(spec: Spec) -> None:
    """Response classes have `extra` unless a field has that name; request classes do not.

    The field is named `extra` in the spec itself.
    """
    models = render(spec)["models.py"]
    assert "class Choice(ExtraFields):" in models
    assert "class Answer:" in models
    assert "class Ask:" in models


def test_classes_have_types_defaults_and_prose(spec: Spec) -> None:
    """Optional fields may be None, open enums suggest, and arrays are tuples."""
    fields = {
        (cls.name, each.name): (output(each.type, ""), each.default)
        for cls in spec.classes
        for each in cls.fields
    }
    assert fields["Choice", "mood"] == ("Literal['glad'] | str | None", "None")
    assert fields["Answer", "choices"] == ("tuple[Choice, ...]", None)
    assert fields["Answer", "extra"] == ("dict[str, Any] | None", "None")
    assert fields["Bit", "delta"] == ("Delta", "factory=Delta")
    assert fields["Choice", "index"] == ("int", "0")


def test_parameters_become_arguments(spec: Spec) -> None:
    """Parameters in the path, query and headers become arguments of the resource's methods."""
    document = yaml.safe_load(MINIATURE.read_text(encoding="utf-8"))
    document["paths"] |= yaml.safe_load(ROOMS)
    document["tags"].append({"name": "rooms", "description": "Rooms."})
    rooms = build_spec(Node(document, document)).resources[1]
    find, drop = rooms.operations
    (route,) = find.routes
    assert (route.http_method, route.path, route.has_body) == ("GET", "/rooms/{roomId}", False)
    assert [
        (each.name, each.wire, each.location, each.annotation, each.required)
        for each in find.arguments
    ] == [
        ("room_id", "roomId", "path", "str", True),
        ("tenant", "x-tenant", "header", "str", True),
        ("sizes", "size", "query", "Sequence[int]", False),
    ]
    assert [(each.wire, each.default) for each in route.headers] == [("accept", "*/*")]
    assert (drop.name, drop.routes[0].http_method) == ("rooms.drop", "DELETE")
    files = render(build_spec(Node(document, document)))
    assert "extra_body" not in files["methods.py"].partition("class Rooms")[2]


ROOMS = """
/rooms/{roomId}:
  parameters:
    - {name: roomId, in: path, required: true, description: Which., schema: {type: string}, x-python: {name: room_id}}
    - {name: X-Tenant, in: header, required: true, description: Whose., schema: {type: string}, x-python: {name: tenant}}
  get:
    operationId: findRoom
    x-python: {resource: rooms, method: {name: find, summary: Find a room.}}
    parameters:
      - {name: accept, in: header, description: What., schema: {type: string, default: "*/*"}}
      - {name: x-old, in: header, description: Old., schema: {type: string}, x-python: {skip: true}}
      - {name: size, in: query, description: Sizes., schema: {type: array, items: {type: integer}}, x-python: {name: sizes}}
    responses: &found
      "200":
        description: The room.
        content: {application/json: {schema: {$ref: "#/components/schemas/Answer"}}}
  delete:
    operationId: dropRoom
    x-python: {resource: rooms, method: {name: drop, summary: Drop a room.}}
    responses: *found
"""  # noqa: E501  # YAML in one line each


def test_both_colours_have_the_same_methods(spec: Spec) -> None:
    """The async methods are the blocking ones with `async` and `await`."""
    files = render(spec)
    blocking, awaiting = files["methods.py"], files["async_methods.py"]
    assert "    def create(self, text: str, *, model: ModelName | str | None = None" in blocking
    assert (
        "    async def create(self, text: str, *, model: ModelName | str | None = None" in awaiting
    )
    assert "return await self._runner.call(TALK_CREATE" in awaiting
    assert '(await client.talk.create("Hi"))' in awaiting
    for source in (blocking, awaiting):
        assert "Say something." in source
        assert "max_words: how many." in source


def change(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Return a change to the miniature: sets the value at a path of keys; None removes it."""

    def apply(document: dict[str, Any]) -> None:
        *keys, last = path.split("|")
        target = document
        for key in keys:
            target = target[key]
        if value is None:
            del target[last]
        else:
            target[last] = value

    return apply


WRONG = [
    (change("components|schemas|Ask|properties|words|type", "blob"), "does not know the type"),
    (
        change("components|schemas|Ask|properties|maxWords|pattern", "x"),
        "does not know 'pattern' for integer",
    ),
    (change("components|schemas|Ask|properties|words|pattern", "["), "not a pattern that Python"),
    (change("components|schemas|Ask|properties|words|minLength", -1), "a count belongs here"),
    (change("components|schemas|Ask|properties|maxWords|minimum", "1"), "a number belongs here"),
    (change("components|schemas|Ask|properties|maxWords|multipleOf", 0), "a step is more than 0"),
    (
        change(
            "components|schemas|Ask|properties|words",
            {"description": "x", "type": "string", "minLength": 2, "maxLength": 1},
        ),
        "min_length is more than max_length",
    ),
    (change("components|schemas|Ask|properties|words|format", "email"), "does not know the format"),
    (change("components|schemas|Ask|properties|words|description", None), "description is missing"),
    (change("components|schemas|Ask|required", ["nothing"]), "'nothing' is required"),
    (
        change("components|schemas|Ask|properties|words|x-python", {"name": "class"}),
        "it is a keyword: give one by",
    ),
    (change("components|schemas|Choice|properties|message", {"$ref": "#/x"}), "leads nowhere"),
    (change("paths|/small|trace", {}), "does not know 'trace'"),
    (change("paths|/small", {}), "a path needs an operation"),
    (change("paths|/small|get", {}), "names no method of the client"),
    (
        change(
            "paths|/small|post|x-models", [{"id": "large", "default": True, "description": "x"}]
        ),
        "two models go by the name 'large'",
    ),
    (
        change("paths|/large|post|x-models", [{"id": "b", "default": True, "description": "x"}]),
        "a default model already",
    ),
    (change("paths|/large|post|responses", {}), "responses differs"),
    (change("tags", [{"name": "other", "description": "x"}]), "no tag to describe it"),
    (change("paths|/small|post|x-python", {"resource": "talk"}), "names no method of the client"),
]


@pytest.mark.parametrize(("apply", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_not_known_is_refused(
    apply: Callable[[dict[str, Any]], None], message: str
) -> None:
    """An unsupported part of a spec is an error that names its place and the problem."""
    document = copy.deepcopy(yaml.safe_load(MINIATURE.read_text(encoding="utf-8")))
    apply(document)
    with pytest.raises(SpecError, match=message) as caught:
        build_spec(Node(document, document))
    assert str(caught.value).startswith("#")


def test_the_check_compares_whole_trees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check finds and names changed, truncated, missing and orphaned files."""
    arguments = ["--output", str(tmp_path)]
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    models = tmp_path / "models.py"
    models.write_text(models.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    methods = tmp_path / "methods.py"
    methods.write_text(methods.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    (tmp_path / "params.py").unlink()
    (tmp_path / "extra.py").write_text("", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("", encoding="utf-8")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "models.pyc").write_text("", encoding="utf-8")
    capsys.readouterr()
    assert main([*arguments, "--check"]) == 1
    said = capsys.readouterr().err
    for difference in (
        "changed: models.py",
        "changed: methods.py",
        "missing: params.py",
        "orphaned: extra.py",
        "orphaned: folder/notes.txt",
    ):
        assert difference in said
    assert "pyc" not in said
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0


def test_what_is_checked_in_is_what_the_spec_says() -> None:
    """The generated package in the repository matches the spec."""
    assert main(["--check"]) == 0


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"models.py": "class A("}, "not valid Python"),
        ({"models.py": "x = y"}, "(?s)ruff finds errors.*F821 Undefined name `y`"),
        ({"models.py": "from .nothing import x as x"}, "(?s)cannot import.*No module named"),
        ({"models.py": "raise RuntimeError(5)"}, "(?s)cannot import.*RuntimeError: 5"),
    ],
)
def test_files_that_do_not_work_are_not_written(
    files: dict[str, str], said: str, tmp_path: Path
) -> None:
    """Files that ruff refuses, or that cannot be imported, are a SpecError and are not written."""
    complete = {"__init__.py": "", "models.py": "", **files}
    with pytest.raises(SpecError, match=said):
        formatted(complete, tmp_path / "_generated")


def test_an_error_leaves_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An invalid spec prints the pointer, exits with 1 and writes nothing."""
    spec = tmp_path / "spec.yaml"
    spec.write_text("openapi: 3.2.0\npaths: []\n", encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "models.py").write_text("x = 1\n", encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "out")]) == 1
    assert "#" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["models.py"]
