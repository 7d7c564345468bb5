"""`python -m autonomousai_sdk`: the same as `autonomousai`."""

from __future__ import annotations

from .cli import main

main()
