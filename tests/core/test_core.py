"""The core as a whole: each module has its tests, and none does I/O."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..module_coverage import MODULES


def test_each_module_has_its_own_test_file() -> None:
    """And each test file is of a module, but for this one."""
    files = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert files == {f"test_{name}" for name in (*MODULES, "core")}


# Not socket, which the standard library's reader of dates, in email.utils, brings in.
@pytest.mark.parametrize(
    "library", ["httpx", "httpx2", "aiohttp", "anyio", "asyncio", "trio", "ssl"]
)
def test_the_core_brings_in_no_library_that_does_io(library: str) -> None:
    """Not even indirectly, in a process that imports all of it and nothing else."""
    program = "\n".join(
        [
            "import sys",
            *(f"import autonomousai_sdk._core.{name}" for name in MODULES),
            f"sys.exit({library!r} in sys.modules)",
        ]
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
