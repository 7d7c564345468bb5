"""Check that each part is fully covered, lines and branches, by its own tests alone.

python -m tests.module_coverage                    all parts
python -m tests.module_coverage sse url drivers    these

A part is a module of the core with the test file of the same name, or the drivers with their folder
of tests and the tests of closing, raw responses and copies.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGE = ROOT / "autonomousai_sdk"
MODULES = sorted(path.stem for path in (PACKAGE / "_core").glob("*.py") if path.stem != "__init__")
PARTS: dict[str, tuple[Path, tuple[Path, ...]]] = {
    # First, because its tests wait while others compute.
    "drivers": (
        PACKAGE / "_drivers" / "*",
        (
            TESTS / "drivers",
            TESTS / "transports" / "test_closing.py",
            TESTS / "test_raw_responses.py",
            TESTS / "test_base_client.py",
        ),
    ),
    **{
        module: (PACKAGE / "_core" / f"{module}.py", (TESTS / "core" / f"test_{module}.py",))
        for module in MODULES
    },
}


def is_covered(part: str, scratch: str) -> bool:
    """Return whether a part's own tests pass and cover it; print what they miss."""
    sources, tests = PARTS[part]
    environment = {
        **os.environ,
        "COVERAGE_FILE": f"{scratch}/{part}",
        # Compile imports once for all parts, whatever the environment says.
        "PYTHONPYCACHEPREFIX": f"{scratch}/compiled",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    coverage = (sys.executable, "-m", "coverage")
    steps: tuple[tuple[str | Path, ...], ...] = (
        (*coverage, "run", "-m", "pytest", "-q", "--no-header", *tests),
        (*coverage, "combine", "--quiet"),
        (*coverage, "report", f"--include={sources}", "--fail-under=100"),
    )
    for step in steps:
        done = subprocess.run(
            step, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.stdout.write(f"{part}: {done.stdout}{done.stderr}")
            return False
    return True


def main(names: list[str]) -> int:
    """Check the named parts, or all of them."""
    parts = names or [*PARTS]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        covered = pool.map(is_covered, parts, repeat(scratch))
        missed = [part for part, is_all in zip(parts, covered, strict=True) if not is_all]
    sys.stdout.write(f"Not covered: {', '.join(missed)}\n" if missed else "All covered.\n")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
