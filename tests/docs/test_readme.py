"""The README and docs: every snippet runs, and everything they name exists."""

from __future__ import annotations

import ast
import gc
import logging
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from autonomousai_sdk import AutonomousAI
from autonomousai_sdk.cli.commands import cli
from autonomousai_sdk.local import LocalServer

from .pages import PAGES, ROOT, Snippet, snippets


def _runs() -> Iterator[Any]:
    """Yield every Python block, marked if it runs a model."""
    for snippet in snippets("python"):
        marks = [pytest.mark.model] if "LocalServer()" in snippet.code else []
        yield pytest.param(snippet, id=snippet.name, marks=marks)


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """The base URL of a local server that echoes the last message."""
    with LocalServer(engine="echo") as server:
        yield server.base_url


@pytest.fixture
def closed_provider() -> Iterator[None]:
    """Close the connections that the original interface keeps between calls.

    The page ends like a program, without closing them, and their event loop has ended.
    """
    yield
    anyio.run(AutonomousAI.aclose)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def same_logging() -> Iterator[None]:
    """Restore the logger's level after a page has changed it."""
    logger = logging.getLogger("autonomousai_sdk")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("closed_provider", "same_logging")
@pytest.mark.parametrize("snippet", list(_runs()))
def test_every_python_snippet_runs(
    snippet: Snippet, echo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every Python block on a page runs as a program of its own; one with tests, under pytest."""
    if "from g4f" in snippet.code:
        pytest.importorskip("g4f")  # the programs of `nox -s clients` cover it
    monkeypatch.setenv("AUTONOMOUSAI_BASE_URL", echo)
    monkeypatch.chdir(tmp_path)
    if "\ndef test_" in snippet.code:
        program = tmp_path / "test_snippet.py"
        program.write_text(snippet.code, encoding="utf-8")
        subprocess.run([sys.executable, "-m", "pytest", "-q", program], check=True)
        return
    code = compile(
        "\n" * (snippet.line - 1) + snippet.code,
        str(snippet.page),
        "exec",
        dont_inherit=True,  # this module's `annotations` would make the snippet's ones strings
    )
    exec(code, {"__name__": "__main__"})  # noqa: S102  # our own


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Every relative link on a page leads to an existing file."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_every_nox_session_that_is_named_exists() -> None:
    """Every `nox -s NAME` on a page names a session of the noxfile."""
    known = {
        node.name
        for node in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    pages = [*PAGES, ROOT / "CONTRIBUTING.md"]
    named = {
        name
        for page in pages
        for name in re.findall(r"nox -s (\w+)", page.read_text(encoding="utf-8"))
    }

    assert {"chat", "tests"} <= named <= known


def test_every_command_and_option_that_is_shown_exists() -> None:
    """Every command and option in a console block exists in the program."""
    shown = 0
    for snippet in snippets("console"):
        for line in re.findall(r"autonomousai ([a-z][^|\n]*)", snippet.code):
            name, *words = line.split()
            command = cli.commands[name]
            known = {option for parameter in command.params for option in parameter.opts}
            options = {word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)}
            assert options <= known, f"{snippet.name}: {line}"
            shown += 1

    assert shown > 5
