"""Each module of the core is covered by its own test file alone: every line, every branch.

python -m tests.core            all modules
python -m tests.core sse url    these
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CORE = ROOT / "autonomousai_sdk" / "_core"
MODULES = sorted(path.stem for path in CORE.glob("*.py") if path.stem != "__init__")


def is_covered(module: str, scratch: str) -> bool:
    """Whether a module's own tests pass and reach all of it; what they miss is printed."""
    environment = {**os.environ, "COVERAGE_FILE": f"{scratch}/{module}"}
    test = HERE / f"test_{module}.py"
    only = f"--include={CORE / module}.py"
    coverage = (sys.executable, "-m", "coverage")
    steps = (
        (*coverage, "run", "-m", "pytest", "-q", "--no-header", test),
        (*coverage, "combine", "--quiet"),
        (*coverage, "report", only, "--fail-under=100"),
    )
    for step in steps:
        done = subprocess.run(
            step, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.stdout.write(f"{module}: {done.stdout}{done.stderr}")
            return False
    return True


def main(names: list[str]) -> int:
    """Check the modules named, or all of them."""
    with tempfile.TemporaryDirectory() as scratch:
        missed = [name for name in names or MODULES if not is_covered(name, scratch)]
    sys.stdout.write(f"Not covered: {', '.join(missed)}\n" if missed else "All covered.\n")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
