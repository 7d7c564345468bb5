"""The client options, read from the class that declares them: `Options` of the core.

Read as source: a field's type and default are written to the constructors as they stand there,
and its docstring exists nowhere else.
"""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

from attrs import frozen

from .load import SpecError

SOURCE = Path(__file__).parents[2] / "autonomousai_sdk" / "_core" / "settings.py"


@frozen
class ClientOption:
    """One option of a client.

    Attributes:
        name: the keyword argument.
        annotation: its type.
        default: its default, as source.
        doc: what it does.
        is_secret: whether a traceback that shows local variables must not show it.
        is_connection: whether it says how to connect, so that a copy cannot change it.
    """

    name: str
    annotation: str
    default: str
    doc: str
    is_secret: bool
    is_connection: bool


def client_options(source: str | None = None) -> list[ClientOption]:
    """The options, in the order of their declaration."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8") if source is None else source)
    (body,) = (
        node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Options"
    )
    found: list[ClientOption] = []
    for field, after in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            found.append(_option(field.target.id, field, after))
    return found


def _option(name: str, field: ast.AnnAssign, after: ast.stmt) -> ClientOption:
    if not (
        isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(doc := after.value.value, str)
    ):
        raise SpecError(f"Options.{name} has no docstring: write one below the field")
    default, settings = field.value, dict[str | None, ast.expr]()
    if isinstance(default, ast.Call):  # `field(…)`
        settings = {each.arg: each.value for each in default.keywords}
        default = settings.get("default")
    if default is None:
        raise SpecError(f"Options.{name} has no default: every client option has one")
    annotation = ast.unparse(field.annotation)
    return ClientOption(
        name=name,
        # The converter of such a field makes a Secret of the string that a user passes.
        annotation=annotation.replace("Secret | ", ""),
        default=ast.unparse(default),
        doc=" ".join(doc.split()),
        is_secret="repr" in settings or "Secret" in annotation,
        is_connection="metadata" in settings,
    )


def option_imports(source: str | None = None) -> list[str]:
    """The imports of whatever the options' types and defaults name."""
    source = SOURCE.read_text(encoding="utf-8") if source is None else source
    named = {
        node.id
        for each in client_options(source)
        for node in ast.walk(ast.parse(f"({each.annotation}, {each.default})"))
        if isinstance(node, ast.Name)
    }
    lines: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom):
            package = ("", ".._core.", "..")[node.level]
            lines += [
                f"from {package}{node.module} import {each.name}"
                for each in node.names
                if each.name in named
            ]
        elif isinstance(node, ast.ClassDef) and node.name in named:
            lines.append(f"from .._core.settings import {node.name}")
    return lines
