"""`python -m autonomousai_sdk.cli`: the same as `autonomousai`."""

from __future__ import annotations

from . import main

main()
