"""Checks of the generated files before they are written: ruff, then an import.

An error here is a gap in the generator, which neither supports nor refuses something in the
spec. It is reported like any other error in the spec, and nothing is written.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .load import SpecError

ROOT = Path(__file__).parents[2]

_IMPORT = """
import importlib, importlib.util, pathlib, sys, typing
import attrs

folder, package, parents = sys.argv[1], sys.argv[2], sys.argv[3:]
sys.path[:0] = parents
name = f"{package}._generated" if package else "_generated"
spec = importlib.util.spec_from_file_location(
    name, f"{folder}/__init__.py", submodule_search_locations=[folder]
)
sys.modules[name] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
for path in sorted(pathlib.Path(folder).glob("[!_]*.py")):
    importlib.import_module(f"{name}.{path.stem}")
models = sys.modules[f"{name}.models"]
for cls in list(vars(models).values()):
    if isinstance(cls, type) and cls.__module__ == models.__name__:
        typing.get_type_hints(cls)
        typing.get_type_hints(cls.__init__)
"""


def verify(folder: Path, target: Path, sdk: str | None) -> None:
    """Check the files in a folder as if they were at their target.

    Args:
        folder: the folder of the files.
        target: the folder that they will be written to; `autonomousai_sdk` replaces a parent
            that is not a package.
        sdk: the package that the files import the core from, if it is not their parent.

    Raises:
        SpecError: ruff finds an error in them, or Python cannot import them.
    """
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--quiet"]
    _run(
        [*ruff, "--select", "F,E9", "--output-format", "concise", str(folder)],
        "ruff finds errors in the generated files",
    )
    parent = target.resolve().parent
    package = parent if (parent / "__init__.py").is_file() else ROOT / "autonomousai_sdk"
    name = package.name if sdk is None else ""
    parents = [package.parent, ROOT] if sdk is None else [ROOT]
    _run(
        [sys.executable, "-c", _IMPORT, str(folder), name, *map(str, parents)],
        "Python cannot import the generated files",
    )


def _run(command: list[str], problem: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own tools
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise SpecError(
            f"{problem}, so nothing is written. The generator neither supports nor "
            f"refuses something in the spec:\n{said[-2000:]}"
        )
