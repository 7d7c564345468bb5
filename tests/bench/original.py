"""An environment with the original provider's package as it was released.

It is created once, below nox's folder, because its pins conflict with the SDK's dependencies.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VERSION = "0.4.1.0"
FOLDER = Path(".nox") / "bench-original"


def python() -> str | None:
    """Return its interpreter, creating it if needed; None where it cannot be installed."""
    interpreter = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not interpreter.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
    check = [str(interpreter), "-c", "import g4f, aiohttp, attrs"]
    if subprocess.run(check, capture_output=True, check=False).returncode:
        install = [str(interpreter), "-m", "pip", "install", "--quiet", f"g4f=={VERSION}"]
        if subprocess.run(install, capture_output=True, check=False).returncode:
            return None
    return str(interpreter.absolute())
