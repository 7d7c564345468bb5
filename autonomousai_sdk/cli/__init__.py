"""The command line, `autonomousai`: a thin layer over `Client` and `LocalServer`.

Exit codes: 0 done, 1 the service failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; the entry point of the `autonomousai` program."""
    try:
        from .commands import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write('The command line needs click: pip install "autonomousai-sdk[cli]"\n')
        sys.exit(2)
    sys.exit(run())
