"""Putting the files in place, formatted, or comparing them with what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

CONFIGURATION = Path(__file__).parents[2] / "pyproject.toml"


def formatted(files: dict[str, str]) -> dict[str, str]:
    """The files as the project's own formatter leaves them, with their imports sorted."""
    with TemporaryDirectory() as folder:
        for name, source in files.items():
            Path(folder, name).write_text(source, encoding="utf-8")
        ruff = [sys.executable, "-m", "ruff"]
        options = ["--config", str(CONFIGURATION), "--no-cache", "--quiet", folder]
        for command in (["check", "--select", "I", "--fix"], ["format"]):
            subprocess.run([*ruff, *command, *options], check=True)  # noqa: S603  # our own tool
        return {name: Path(folder, name).read_text(encoding="utf-8") for name in files}


def write(files: dict[str, str], target: Path) -> None:
    """Make a folder hold these files, and no other Python ones."""
    target.mkdir(parents=True, exist_ok=True)
    for path in _existing(target):
        if path.name not in files:
            path.unlink()
    for name, source in files.items():
        (target / name).write_text(source, encoding="utf-8")


def differences(files: dict[str, str], target: Path) -> list[str]:
    """How a folder differs from these files: what is missing, changed or there without reason."""
    found = {path.name: path.read_text(encoding="utf-8") for path in _existing(target)}
    return [
        *(f"missing: {name}" for name in files if name not in found),
        *(f"changed: {name}" for name in files if name in found and files[name] != found[name]),
        *(f"orphaned: {name}" for name in found if name not in files),
    ]


def _existing(target: Path) -> list[Path]:
    return sorted(path for path in target.iterdir() if path.is_file()) if target.is_dir() else []
