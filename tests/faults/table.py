"""How the clients did: one row a fault, one column a client, in the terminal and in Markdown."""

from __future__ import annotations

import gc
import platform
import sys
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from attrs import define, field, frozen

from tests.support.case import named
from tests.support.client_under_test import ClientUnderTest, FaultNotHandled

from .catalogue import CASES, GROUPS, ErrorKind

COMMAND = "nox -s faults -- --peer openai --markdown docs/faults.md"
LIBRARIES = (
    "autonomousai-sdk",
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "aiohttp",
    "anyio",
    "trio",
)


@frozen
class Result:
    """How one client did at one fault.

    Attributes:
        cases: in how many variants it was put to it; none where the fault does not apply.
        failures: what went wrong, by variant.
    """

    cases: int
    failures: Mapping[str, str]

    @property
    def mark(self) -> str:
        """The result in one character."""
        if not self.cases:
            return ""
        return "✗" if self.failures else "✓"


def put_to(client_under_test: ClientUnderTest, fault: ErrorKind) -> Result:
    """Put a client to all variants of a fault; what it leaves to the collector is a failure too."""
    cases = [case for case in CASES if case.fault == fault.id and case.suits(client_under_test)]
    failures: dict[str, str] = {}
    with _left_behind(client_under_test) as complaints:
        for case in cases:
            try:
                case.run(client_under_test)
            except Exception as error:  # noqa: BLE001  # whatever comes is the client's failure
                first = _first(error)
                own = isinstance(first, FaultNotHandled)
                failures[case.variant] = str(first) if own else f"{named(first)}: {first}"
        gc.collect()
    if complaints and not failures and not client_under_test.is_peer:
        failures["afterwards"] = complaints[0]
    return Result(len(cases), failures)


@contextmanager
def _left_behind(client_under_test: ClientUnderTest) -> Generator[list[str]]:
    """What is raised where nobody can catch it, a peer's warnings excepted."""
    complaints: list[str] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda raised: complaints.append(repr(raised.exc_value))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if client_under_test.is_peer else "error")
            yield complaints
    finally:
        sys.unraisablehook = before


def _first(error: BaseException) -> BaseException:
    """The first error of a group of them, as task groups raise."""
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _first(inner[0]) if inner else error


@define
class Table:
    """The results so far."""

    clients_under_test: tuple[ClientUnderTest, ...]
    _results: dict[ErrorKind, Mapping[ClientUnderTest, Result]] = field(
        init=False, factory=dict[ErrorKind, Mapping[ClientUnderTest, Result]]
    )

    @property
    def passed(self) -> bool:
        """Whether no client but a peer has failed."""
        return not any(
            result.failures
            for results in self._results.values()
            for client_under_test, result in results.items()
            if not client_under_test.is_peer
        )

    def add(self, fault: ErrorKind, results: Mapping[ClientUnderTest, Result]) -> None:
        """Add a row."""
        self._results[fault] = results

    def heading(self) -> str:
        """The head of the table, for a terminal."""
        columns = "".join(f"{name:>{len(name) + 2}}" for name in self._columns)
        return f"{'':<34}{columns}\n"

    def row(self, fault: ErrorKind) -> str:
        """A row, for a terminal."""
        cells = "".join(
            f"{cell:>{len(name) + 2}}"
            for name, cell in zip(self._columns, self._cells(fault), strict=True)
        )
        return f"{fault.id:<4}{fault.name:<30}{cells}\n"

    def failures(self) -> str:
        """What went wrong, a line for each variant and client."""
        lines = [
            f"{fault.id}-{variant} {client_under_test}: {' '.join(reason.split())[:300]}"
            for fault, results in self._results.items()
            for client_under_test, result in results.items()
            for variant, reason in result.failures.items()
        ]
        return "".join(f"\n{line}" for line in lines) + ("\n" if lines else "")

    def markdown(self) -> str:
        """The whole table as a page."""
        lines = [
            "# Faults",
            "",
            f"Made by `{COMMAND}`,",
            "which runs each fault against each client on real sockets. Not to be edited by hand.",
            "",
            "✓ behaves as owed, in every variant of the fault; ✗ does not; blank: does not apply.",
            "",
            f"Python {platform.python_version()}, {', '.join(self._versions())}.",
        ]
        for letter, title in GROUPS.items():
            faults = [fault for fault in self._results if fault.id[0] == letter]
            if faults:
                lines += ["", f"## {title}", "", *self._section(faults)]
        return "\n".join(lines) + "\n"

    def _section(self, faults: list[ErrorKind]) -> list[str]:
        columns = ["", "fault", "what is done", "what is owed", *self._columns]
        lines = [_line(columns), _line(["---"] * 4 + [":-:"] * len(self._columns))]
        for fault in faults:
            lines.append(_line([fault.id, fault.name, fault.done, fault.owed, *self._cells(fault)]))
        reasons = [
            f"- {fault.id}: {reason}" for fault in faults if (reason := self._peers_reason(fault))
        ]
        if reasons:
            lines += ["", f"What {self._peers_name} does instead:", "", *reasons]
        return lines

    @property
    def _own(self) -> list[ClientUnderTest]:
        return [
            client_under_test
            for client_under_test in self.clients_under_test
            if not client_under_test.is_peer
        ]

    @property
    def _peers(self) -> list[ClientUnderTest]:
        return [
            client_under_test
            for client_under_test in self.clients_under_test
            if client_under_test.is_peer
        ]

    @property
    def _columns(self) -> list[str]:
        own = [
            f"{client_under_test.backend} {client_under_test.transport}"
            for client_under_test in self._own
        ]
        return [*own, self._peers_name] if self._peers else own

    @property
    def _peers_name(self) -> str:
        return f"openai {version('openai')}"

    def _cells(self, fault: ErrorKind) -> list[str]:
        results = self._results[fault]
        cells = [results[client_under_test].mark for client_under_test in self._own]
        if self._peers:
            marks = {results[client_under_test].mark for client_under_test in self._peers}
            cells.append("✗" if "✗" in marks else "✓" if "✓" in marks else "")
        return cells

    def _peers_reason(self, fault: ErrorKind) -> str:
        """What went wrong with the peer: the first variant's reason, for the first colour."""
        for client_under_test in self._peers:
            result = self._results[fault][client_under_test]
            for variant, reason in result.failures.items():
                told = " ".join(reason.split()).replace("<", "&lt;")
                rest = len(result.failures) - 1
                more = f", and {rest} more of {result.cases} variants" if rest else ""
                return f"{told[:160].rstrip('.')} ({client_under_test.backend}, {variant}{more})"
        return ""

    def _versions(self) -> list[str]:
        found: list[str] = []
        for name in (*LIBRARIES, *(["openai"] if self._peers else [])):
            try:
                found.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                continue
        return found


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
