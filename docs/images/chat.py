"""Draws chat.svg: runs the real command on the real model, and draws what it printed.

    python docs/images/chat.py

Needs the SDK with `[cli,local]`, the weights, and rich.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

QUESTION = "Why is the sky blue?"
COMMAND = 'python -m nox -s chat -- "Why is the sky blue?"'
WIDTH = 88


def recorded() -> str:
    """What `autonomousai chat --local` writes to a terminal, as it stands at the end."""
    main, side = pty.openpty()
    command = [sys.executable, "-m", "autonomousai_sdk.cli", "chat", "--local", QUESTION]
    process = subprocess.Popen(command, stdout=side, stderr=side, stdin=side)
    os.close(side)
    output = b""
    while True:
        try:
            data = os.read(main, 65536)
        except OSError:  # how Linux says that the other side has closed
            break
        if not data:
            break
        output += data
    process.wait()
    text = output.decode().replace("\r\n", "\n")
    # A line that was cleared and written again counts as it was last.
    return re.sub(r"[^\n]*\r\x1b\[2K", "", text)


def main() -> None:
    """Draw the picture."""
    console = Console(record=True, width=WIDTH, file=StringIO())
    console.print(Text(f"$ {COMMAND}", style="bold"))
    console.print(Text(recorded().strip()))
    target = Path(__file__).with_suffix(".svg")
    picture = console.export_svg(title="autonomousai")
    # Whoever looks at the picture has a font of their own; it is not to fetch one.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    target.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
