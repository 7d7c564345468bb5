"""The results as tables, in plain text and Markdown."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from attrs import frozen

from .columns import Column
from .measures import MEASURES_BY_NAME, Results
from .original import VERSION
from .targets import Verdict

START = "<!-- The next part is written by `nox -s bench`. -->"
END = "<!-- Here it ends. -->"

_TABLES = (
    ("Chunks and answers", ("at 64", "burst", "at 1", "whole", "first")),
    ("Starting, and memory", ("import", "answer", "construct", "kept", "memory")),
    ("Many streams at once", ("throughput 1", "throughput 100", "throughput 1000")),
)
_HEADS = {
    "at 64": "64 in one",
    "at 1": "one by one",
    "burst": "64 at once",
    "whole": "whole answer",
    "first": "first chunk",
    "import": "import",
    "answer": "first answer",
    "construct": "client made",
    "kept": "chunk kept",
    "memory": "1,000 streams",
    "throughput 1": "1 stream",
    "throughput 100": "100 streams",
    "throughput 1000": "1,000 streams",
}
_PACKAGES = ("httpx", "httpcore", "h11", "httpx2", "aiohttp", "openai", "anthropic", "ollama",
             "msgspec", "anyio", "trio")  # fmt: skip


@frozen
class Machine:
    """The machine of a run."""

    processor: str
    processors: int
    python: str
    system: str
    versions: Mapping[str, str]

    @classmethod
    def here(cls) -> Machine:
        """Describe this machine."""
        return cls(
            _processor(),
            os.cpu_count() or 1,
            f"{platform.python_implementation()} {platform.python_version()}",
            f"{platform.system()} {platform.release().split('-')[0]}",
            {name: found for name in _PACKAGES if (found := _version(name))}
            | {"g4f (the original provider)": VERSION},
        )

    @property
    def lines(self) -> tuple[str, str]:
        """The machine and the versions of the measured packages."""
        return (
            f"{self.processor}, {self.processors} processors; {self.python} on {self.system}.",
            ", ".join(f"{name} {found}" for name, found in self.versions.items()) + ".",
        )


Rows = list[list[str]]


def tables(columns: Sequence[Column], medians: Mapping[str, Results]) -> list[tuple[str, Rows]]:
    """Return a title and rows for each table; the first row is the header."""
    made: list[tuple[str, Rows]] = []
    for title, names in _TABLES:
        measures = [
            MEASURES_BY_NAME[name]
            for name in names
            if any(name in results for results in medians.values())
        ]
        if not measures:
            continue
        head = ["client", "runs on"] + [
            f"{_HEADS[measure.name]} ({measure.unit})" for measure in measures
        ]
        rows = [
            [column.title, column.kind]
            + [_cell(column, measure.name, medians) for measure in measures]
            for column in columns
            if any(measure.name in medians[column.name] for measure in measures)
        ]
        made.append((title, [head, *rows]))
    return made


def verdict_rows(verdicts: Sequence[Verdict]) -> Rows:
    """Return the table of targets and results."""
    return [
        ["", "measure", "client", "runs on", "target", "measured"],
        *(
            [
                "met" if verdict.is_met else "MISSED",
                MEASURES_BY_NAME[verdict.target.measure].title,
                verdict.column.title,
                verdict.column.kind,
                f"{verdict.sign} {_ratio(verdict.target.limit)} {verdict.other.title}",
                _ratio(verdict.ratio),
            ]
            for verdict in verdicts
        ),
    ]


def as_text(rows: Rows) -> str:
    """Format rows in columns of equal width, numbers aligned to the right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], "─" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])


def as_markdown(rows: Rows) -> str:
    """Format rows as a Markdown table."""
    numeric = [_is_number(cells[1:]) for cells in zip(*rows, strict=True)]
    rule = ["--:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def everything(
    machine: Machine,
    columns: Sequence[Column],
    medians: Mapping[str, Results],
    verdicts: Sequence[Verdict],
    render: Callable[[Rows], str],
) -> str:
    """Return all tables with the description of the machine."""
    parts = list(machine.lines)
    for title, rows in tables(columns, medians):
        parts += [f"### {title}", render(rows)]
    if verdicts:
        parts += ["### Targets", render(verdict_rows(verdicts))]
    return "\n\n".join(parts) + "\n"


def write_into(document: Path, generated: str) -> None:
    """Replace the generated part between its markers."""
    text = (
        document.read_text("utf-8") if document.exists() else f"# Performance\n\n{START}\n{END}\n"
    )
    marked = re.compile(re.escape(START) + ".*?" + re.escape(END), re.DOTALL)
    new = f"{START}\n\n{generated}\n{END}"
    if not marked.search(text):
        raise ValueError(f"{document} has lost its markers: {START} and {END}")
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(marked.sub(lambda _: new, text), "utf-8")


def _cell(column: Column, measure: str, medians: Mapping[str, Results]) -> str:
    value = medians[column.name].get(measure)
    if value is None:
        return ""
    shown = _number(value)
    reference = _reference(column, measure, medians)
    if not reference:
        return shown
    return f"{shown} ({_ratio(value / reference)})"


def _reference(column: Column, measure: str, medians: Mapping[str, Results]) -> float | None:
    """Return the value to compare with; process start-up is always compared with httpx's."""
    name = "httpx" if measure in ("import", "answer") else column.reference
    return medians.get(name, {}).get(measure)


def _number(value: float) -> str:
    """Format a number with three digits, the precision of the measurement."""
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{digits}f}"


def _ratio(value: float) -> str:
    digits = 3 if value < 0.0995 else 2 if value < 9.995 else 0
    return f"{value:.{digits}f}×"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if _is_number([cell]) else cell.ljust(width)
        for cell, width in zip(row, widths, strict=True)
    )
    return "  ".join(cells).rstrip()


def _is_number(cells: Sequence[str]) -> bool:
    return any(cells) and all(not cell or cell[0].isdigit() for cell in cells)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the processor's name, where the system provides it."""
    try:
        information = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", information, re.MULTILINE)
    return found[1] if found else platform.machine()
