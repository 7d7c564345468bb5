"""Run one target under atheris: `python -m tests.fuzz.engine TARGET ARG...`.

The arguments are libFuzzer's, which exits the process when it is done.
"""

from __future__ import annotations

import shlex
import sys
from importlib import import_module
from typing import Any


def main(name: str, arguments: list[str]) -> None:
    """Fuzz until the time is up or the target breaks."""
    atheris: Any = import_module("atheris")  # it has no types
    with atheris.instrument_imports(include=["autonomousai_sdk", "email"]):
        targets = import_module("tests.fuzz.targets")
    # libFuzzer restarts itself by its name for some tasks.
    command = shlex.join([sys.executable, "-m", "tests.fuzz.engine", name])
    atheris.Setup([command, *arguments], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
