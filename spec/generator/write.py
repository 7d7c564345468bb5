"""Format and check the files, then write them or compare them with the existing ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from .load import SpecError
from .verify import verify

CONFIGURATION = Path(__file__).parents[2] / "pyproject.toml"


def formatted(files: dict[str, str], target: Path, sdk: str | None = None) -> dict[str, str]:
    """Return the files, formatted and without unused imports.

    Raises:
        SpecError: a file is not valid Python, or cannot be imported at the target.
    """
    with TemporaryDirectory() as folder:
        for name, source in files.items():
            Path(folder, name).write_text(source, encoding="utf-8")
        ruff = [sys.executable, "-m", "ruff"]
        options = ["--config", str(CONFIGURATION), "--no-cache", "--quiet", folder]
        for command in (
            ["check", "--select", "F401", "--fix-only"],
            ["check", "--select", "I", "--fix-only"],
            ["format"],
        ):
            _run([*ruff, *command, *options])
        verify(Path(folder), target, sdk)
        return {name: Path(folder, name).read_text(encoding="utf-8") for name in files}


def write(files: dict[str, str], target: Path) -> None:
    """Write these files into a folder, and remove all others."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _existing(target):
        if name not in files:
            (target / name).unlink()
    for name, source in files.items():
        (target / name).write_text(source, encoding="utf-8")


def differences(files: dict[str, str], target: Path) -> list[str]:
    """Return how a folder differs from these files: missing, changed and orphaned ones."""
    found = {name: (target / name).read_bytes() for name in _existing(target)}
    return [
        *(f"missing: {name}" for name in files if name not in found),
        *(
            f"changed: {name}"
            for name in files
            if name in found and files[name].encode() != found[name]
        ),
        *(f"orphaned: {name}" for name in found if name not in files),
    ]


def _existing(target: Path) -> list[str]:
    """Return the files in a folder and its subfolders, except Python's caches."""
    if not target.is_dir():
        return []
    return sorted(
        path.relative_to(target).as_posix()
        for path in target.rglob("*")
        if (path.is_file() or path.is_symlink()) and "__pycache__" not in path.parts
    )


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own tools
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise SpecError(f"the generated files are not valid Python, so none is written:\n{said}")
