"""Generate, type-check and call a second, made-up REST API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spec.generator.__main__ import ROOT, main

HERE = Path(__file__).parent
PROGRAM = HERE / "library_program.txt"
"""Not named `.py`, because it imports a package that exists during the test only."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the generated package `library` and the program that calls it."""
    folder = tmp_path_factory.mktemp("library")
    shutil.copy(PROGRAM, folder / "program.py")
    spec, output = HERE / "library.yaml", folder / "library"
    assert main(["--spec", str(spec), "--output", str(output), "--sdk", "autonomousai_sdk"]) == 0
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in the folder, with the SDK on the path."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_operation_works_with_both_clients(folder: Path) -> None:
    """Both clients call every operation on a real server: blocking, on asyncio and on trio."""
    done = run(folder, "program.py")
    assert done.returncode == 0, done.stderr
    requests: list[tuple[str, str, dict[str, str], Any]] = json.loads(done.stdout)
    sent = {(method, path): (headers, body) for method, path, headers, body in requests}
    listed = "/books?tag=novel&tag=poetry&inPrint=true&since=2026-01-02"
    assert sent["GET", listed][0]["x-tenant"] == "main"
    assert ("GET", f"{listed}&cursor=2") in sent
    assert sent["POST", "/books"][1] == {
        "title": "Emma",
        "authors": [{"name": "Jane Austen", "bornOn": "1775-12-16"}],
        "tags": ["novel"],
        "printedAt": "2026-11-25T12:00:00Z",
        "binding": {"kind": "hard"},
    }
    assert sent["GET", "/books/b1"][0]["x-trace"] == "t-1"
    assert sent["PATCH", "/books/b1"][1] == {"price": 1.25}
    assert "content-type" not in sent["DELETE", "/books/a%2Fb"][0]
    assert sent["PUT", "/shelves/7/A-1"][1] == {"bookId": "b1"}
    assert sent["PUT", "/books/b1/shelf"][1] == {"shelf": None}
    assert sent["GET", "/tags"][0]["authorization"] == "Bearer key"
    assert "authorization" not in sent["GET", "/status"][0]
    assert ("GET", "/members?page=4") in sent
    assert sent["POST", "/loans"][1]["medium"] == {"kind": "disc", "minutes": 60}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "checker", [["mypy", "--strict", "library", "program.py"], ["pyright", "library", "program.py"]]
)
def test_the_generated_package_is_strictly_typed(folder: Path, checker: list[str]) -> None:
    """Mypy and pyright accept the package and the program that uses it, in strict mode."""
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}
    if checker[0] == "pyright":
        settings["include"] = checker[1:]
        (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        checker = checker[:1]
    done = run(folder, "-m", *checker)
    assert done.returncode == 0, done.stdout
