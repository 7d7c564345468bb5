"""The command: write the typed layer, or check it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .document import build_spec
from .load import SpecError, load
from .render import render
from .write import differences, formatted, write

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Write or check the typed layer.

    Returns:
        0 when all is well, 1 when the check finds a difference or the spec is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m spec.generator", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--spec", type=Path, default=ROOT / "spec" / "autonomousai.yaml")
    parser.add_argument("--output", type=Path, default=ROOT / "autonomousai_sdk" / "_generated")
    parser.add_argument(
        "--sdk", help="the package to import the core from, instead of the output's parent"
    )
    options = parser.parse_args(arguments)
    try:
        files = formatted(
            render(build_spec(load(options.spec)), options.sdk), options.output, options.sdk
        )
    except (SpecError, RecursionError) as error:
        print(f"{options.spec}: {error}", file=sys.stderr)
        return 1
    if not options.check:
        write(files, options.output)
        print(f"{options.output}: {len(files)} files written")
        return 0
    found = differences(files, options.output)
    for difference in found:
        print(f"{options.output}: {difference}", file=sys.stderr)
    if found:
        print("Run `python -m spec.generator` to write it anew.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
