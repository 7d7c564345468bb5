"""The original provider's own environment: its package is measured as it was released.

Made once, below nox's folder, because what it pins must not mix with what the SDK uses.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VERSION = "0.4.1.0"
FOLDER = Path(".nox") / "bench-original"


def python() -> str | None:
    """The interpreter that has it, made if need be; None where it cannot be installed."""
    interpreter = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not interpreter.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
    check = [str(interpreter), "-c", "import g4f, aiohttp, attrs"]
    if subprocess.run(check, capture_output=True, check=False).returncode:
        install = [str(interpreter), "-m", "pip", "install", "--quiet", f"g4f=={VERSION}"]
        if subprocess.run(install, capture_output=True, check=False).returncode:
            return None
    return str(interpreter.absolute())
