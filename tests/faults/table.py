"""The fault table: a row per fault and a column per client, as text and Markdown."""

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

from .catalogue import CASES, GROUPS, Fault

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
    """The result of one client for one fault.

    Attributes:
        cases: the number of variants; 0 where the fault does not apply.
        failures: error messages by variant.
    """

    cases: int
    failures: Mapping[str, str]

    @property
    def mark(self) -> str:
        """Return the result as one character."""
        if not self.cases:
            return ""
        return "✗" if self.failures else "✓"


def put_to(client_under_test: ClientUnderTest, fault: Fault) -> Result:
    """Run all variants of a fault; resources left to the garbage collector are failures too."""
    cases = [case for case in CASES if case.fault == fault.id and case.suits(client_under_test)]
    failures: dict[str, str] = {}
    with _left_behind(client_under_test) as complaints:
        for case in cases:
            try:
                case.run(client_under_test)
            except Exception as error:  # noqa: BLE001  # any exception is the client's failure
                first = _first(error)
                own = isinstance(first, FaultNotHandled)
                failures[case.variant] = str(first) if own else f"{named(first)}: {first}"
        gc.collect()
    if complaints and not failures and not client_under_test.is_peer:
        failures["afterwards"] = complaints[0]
    return Result(len(cases), failures)


@contextmanager
def _left_behind(client_under_test: ClientUnderTest) -> Generator[list[str]]:
    """Collect exceptions that nobody can catch, except a peer's warnings."""
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
    """Return the first error of an exception group."""
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _first(inner[0]) if inner else error


@define
class Table:
    """The results so far."""

    clients_under_test: tuple[ClientUnderTest, ...]
    _results: dict[Fault, Mapping[ClientUnderTest, Result]] = field(
        init=False, factory=dict[Fault, Mapping[ClientUnderTest, Result]]
    )

    @property
    def passed(self) -> bool:
        """Return whether this SDK passed every fault."""
        return not any(
            result.failures
            for results in self._results.values()
            for client_under_test, result in results.items()
            if not client_under_test.is_peer
        )

    def add(self, fault: Fault, results: Mapping[ClientUnderTest, Result]) -> None:
        """Add a row."""
        self._results[fault] = results

    def heading(self) -> str:
        """Return the header of the table for a terminal."""
        columns = "".join(f"{name:>{len(name) + 2}}" for name in self._columns)
        return f"{'':<34}{columns}\n"

    def row(self, fault: Fault) -> str:
        """Return a row for a terminal."""
        cells = "".join(
            f"{cell:>{len(name) + 2}}"
            for name, cell in zip(self._columns, self._cells(fault), strict=True)
        )
        return f"{fault.id:<4}{fault.name:<30}{cells}\n"

    def failures(self) -> str:
        """Return the failures, a line per variant and client."""
        lines = [
            f"{fault.id}-{variant} {client_under_test}: {' '.join(reason.split())[:300]}"
            for fault, results in self._results.items()
            for client_under_test, result in results.items()
            for variant, reason in result.failures.items()
        ]
        return "".join(f"\n{line}" for line in lines) + ("\n" if lines else "")

    def markdown(self) -> str:
        """Return the table as a Markdown page."""
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

    def _section(self, faults: list[Fault]) -> list[str]:
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

    def _cells(self, fault: Fault) -> list[str]:
        results = self._results[fault]
        cells = [results[client_under_test].mark for client_under_test in self._own]
        if self._peers:
            marks = {results[client_under_test].mark for client_under_test in self._peers}
            cells.append("✗" if "✗" in marks else "✓" if "✓" in marks else "")
        return cells

    def _peers_reason(self, fault: Fault) -> str:
        """Return the peer's failure: the first variant on the first backend."""
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
