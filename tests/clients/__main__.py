"""Run every client's program against the local server, and write a table of the results.

Needs the clients installed (`nox -s clients` does that) and, for those from npm, Node.js.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from autonomousai_sdk.local import LocalServer

from .programs import NPM, PROGRAMS, Program

PATIENCE = 300


def main() -> int:
    """Run them all; the exit code is 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-node", action="store_true", help="leave the npm packages out")
    parser.add_argument("--newest", action="store_true", help="run the newest g4f instead")
    given = parser.parse_args()
    programs = [each for each in PROGRAMS if (each.release == "newest") == given.newest]
    if given.no_node:
        programs = [each for each in programs if each.language == "python"]
    has_node = any(each.language == "node" for each in programs)
    failed = 0
    with TemporaryDirectory() as name, LocalServer(engine="echo") as server:
        folder = Path(name)
        if has_node:
            _run(["npm", "install", "--no-audit", "--no-fund", *NPM], folder, os.environ.copy())
        environment = {
            **os.environ,
            "OPENAI_BASE": server.openai_base_url,
            "ORIGINAL_BASE": server.base_url,
        }
        print("| client | version | result |\n|---|---|---|", flush=True)
        for program in programs:
            problem = _problem(program, folder, environment)
            failed += problem is not None
            shown = "passes" if problem is None else "FAILS"
            print(f"| {program.name} | {_version(program, folder)} | {shown} |", flush=True)
            if problem is not None:
                print(problem, file=sys.stderr)
    return int(failed > 0)


def _problem(program: Program, folder: Path, environment: dict[str, str]) -> str | None:
    """What a program's run says if it fails."""
    is_node = program.language == "node"
    file = folder / f"program.{'mjs' if is_node else 'py'}"
    file.write_text(program.code, encoding="utf-8")
    return _run(["node" if is_node else sys.executable, str(file)], folder, environment)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str | None:
    run = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return None if run.returncode == 0 else f"{run.stdout[-2000:]}{run.stderr[-2000:]}"


def _version(program: Program, folder: Path) -> str:
    if program.language == "python":
        return version(program.package)
    package = folder / "node_modules" / program.package / "package.json"
    found: dict[str, str] = json.loads(package.read_text(encoding="utf-8"))
    return found["version"]


if __name__ == "__main__":
    sys.exit(main())
