"""Fuzz the promises of the core, guided by code coverage.

    nox -s fuzz                               every target, a minute each
    nox -s fuzz -- --seconds 600 sse codec    two targets, ten minutes each
    nox -s fuzz -- --keep                     also keep inputs that reach new code

A target runs on every kept input first, then on variations of them. An input that breaks it is
minimised and saved with the others, where the test suite replays it, and the command exits with 1.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from importlib.util import find_spec

from . import corpus
from .run import fuzzed, replayed
from .targets import TARGETS

MISSING = """
Nothing was made up, only the kept inputs were tried, as in the suite: atheris, the fuzzer, is not
installed. `nox -s fuzz` installs it on Linux and x86-64, with Python 3.11 to 3.14.
"""


def main() -> int:
    """Run the command; return 1 if a target broke."""
    parser = ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        epilog="targets:\n" + "".join(map(described, TARGETS)),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="one of those below, or all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target; else 60")
    parser.add_argument(
        "--keep",
        action="store_true",
        help=f"put the inputs that reach new code into {corpus.shown(corpus.CORPUS)}",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")

    is_here = find_spec("atheris") is not None
    traces: list[str] = []
    say(f"{'target':10}{'kept':>6}{'made up':>11}   found")
    for name in arguments.targets or TARGETS:
        result = replayed(name)
        if result.broken is None and is_here:
            result = fuzzed(name, arguments.seconds, keep=arguments.keep)
        say(f"{name:10}{result.kept:6,}{result.tried:11,}   {result.found}")
        if result.broken is not None:
            traces.append(f"\n{name}: {result.trace}")
    say("".join(traces) + ("" if is_here else MISSING))
    return 1 if traces else 0


def described(name: str) -> str:
    """Describe a target in one line."""
    promise = (TARGETS[name].__doc__ or "").partition("\n")[0]
    return f"  {name:10}{promise}\n"


def say(text: str) -> None:
    """Print and flush."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
