"""Measure the SDK and its peers in one run, and report which targets are met.

    nox -s bench                          everything; takes minutes
    nox -s bench -- --quick               the promised ratios of the basic clients, for CI
    nox -s bench -- --columns sdk,httpx   these clients only
    nox -s bench -- --write               write the results to docs/performance.md

Exits with 1 if a ratio is twice as bad as its target, which noise cannot explain.
"""

from __future__ import annotations

import json
import resource
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from attrs import asdict

from . import original, report
from .columns import BY_NAME, COLUMNS, ORIGINAL, Column
from .measures import ENOUGH_WAITS, WAITS
from .plot import draw
from .run import ALL_GROUPS, Plan, measured
from .server import running
from .targets import judged

DOCUMENT = Path("docs/performance.md")
PICTURE = Path("docs/images/performance.svg")
_QUICK_COLUMNS = ("sdk", "httpx", "openai", "sdk-asyncio", "httpx-asyncio", "openai-asyncio")
_QUICK_GROUPS = ("costs", "import")


def main() -> int:
    """Run the benchmark as the command line specifies."""
    arguments = _arguments()
    _allow_many_files()
    plan = _plan(arguments)
    with running() as root:
        outcome = measured(plan, root, _say)
    for name, reason in outcome.failures.items():
        _say(f"{name} failed: {reason}")
    for name, found in outcome.medians.items():
        if (waits := found.get(WAITS, 1)) < ENOUGH_WAITS:
            _say(f"{name} waited for {waits:.0%} of its chunks only: they came in company")
    verdicts = list(judged(outcome.medians))
    machine = report.Machine.here()
    results = (machine, plan.columns, outcome.medians, verdicts)
    sys.stdout.write("\n" + report.everything(*results, report.as_text))
    if arguments.json:
        document = {"machine": asdict(machine), "rounds": outcome.rounds}
        arguments.json.write_text(json.dumps(document, indent=1, ensure_ascii=False), "utf-8")
    if arguments.write:
        report.write_into(DOCUMENT, report.everything(*results, report.as_markdown))
        draw(PICTURE, plan.columns, outcome.medians)
    failed = [
        verdict
        for verdict, least in zip(verdicts, judged(outcome.least), strict=True)
        if verdict.is_failed and least.is_failed
    ]
    for verdict in failed:
        _say(f"FAILED: {verdict.column.name}: {verdict.target.measure} against "
             f"{verdict.other.name} is {verdict.ratio:.2f}, far from "
             f"{verdict.target.limit:.2f}")  # fmt: skip
    return 1 if failed or outcome.failures else 0


def _arguments() -> Namespace:
    parser = ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="fewer clients, measures and rounds")
    parser.add_argument(
        "--columns", metavar="A,B", help=f"of {', '.join(column.name for column in COLUMNS)}"
    )
    parser.add_argument("--groups", metavar="A,B", help=f"of {', '.join(ALL_GROUPS)}")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often all is measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there")
    parser.add_argument("--write", action="store_true", help=f"put the results into {DOCUMENT}")
    return parser.parse_args()


def _plan(arguments: Namespace) -> Plan:
    quick: bool = arguments.quick
    names = _chosen(arguments.columns, _QUICK_COLUMNS if quick else tuple(BY_NAME), tuple(BY_NAME))
    groups = _chosen(arguments.groups, _QUICK_GROUPS if quick else ALL_GROUPS, ALL_GROUPS)
    pythons: dict[str, str] = {}
    columns: list[Column] = []
    for name in names:
        if name == ORIGINAL and (python := original.python()) is not None:
            pythons[name] = python
        elif not BY_NAME[name].is_here:
            _say(f"{name} is left out: it is not installed")
            continue
        columns.append(BY_NAME[name])
    rounds = arguments.rounds or 3
    return Plan(columns, groups, rounds, effort=2 if quick else 3, pythons=pythons)


def _chosen(asked: str | None, default: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    names = default if asked is None else tuple(asked.split(","))
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"There is no {', '.join(unknown)}; there are {', '.join(known)}.")
    return names


def _allow_many_files() -> None:
    """Raise the limit of open files: 1,000 streams need as many; child processes inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 5000
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
