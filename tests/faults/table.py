"""The fault table: a row per fault and a column per client, as text and Markdown."""

from __future__ import annotations

import gc
import platform
import signal
import sys
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from attrs import define, field, frozen

from tests.support.case import Case, named
from tests.support.client_under_test import (
    Backend,
    ClientUnderTest,
    DoesNotApply,
    FaultNotHandled,
)

from .catalogue import CASES, GROUPS, Fault
from .peers import Peer

COMMAND = "nox -s faults -- --peer all --markdown docs/faults.md"
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
LONGEST = 90
"""The limit of a peer's case, in seconds: a peer may have none of its own."""


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
    """Run all variants of a fault; resources left to the garbage collector fail, too."""
    return run_cases(client_under_test, [case for case in CASES if case.fault == fault.id])


def run_cases(
    client_under_test: ClientUnderTest, cases: Sequence[Case], limit: int = LONGEST
) -> Result:
    """Run those of the cases that apply to a client; `limit` bounds a peer's case in seconds."""
    cases = [case for case in cases if case.suits(client_under_test)]
    failures: dict[str, str] = {}
    excluded = 0
    with _left_behind(client_under_test) as complaints:
        for case in cases:
            try:
                with bounded(limit if client_under_test.is_peer else 0):
                    case.run(client_under_test)
            except Exception as error:  # noqa: BLE001  # any exception is the client's failure
                first = _first(error)
                if isinstance(first, DoesNotApply):
                    excluded += 1
                    continue
                own = isinstance(first, FaultNotHandled)
                failures[case.variant] = str(first) if own else f"{named(first)}: {first}"
        gc.collect()
    if complaints and not failures and not client_under_test.is_peer:
        failures["afterwards"] = complaints[0]
    return Result(len(cases) - excluded, failures)


@contextmanager
def bounded(seconds: int) -> Generator[None]:
    """Raise `FaultNotHandled` in the main thread after some seconds; 0 for no limit."""

    def stop(*_: object) -> None:
        raise FaultNotHandled(f"not finished after {seconds} s")

    if not seconds:
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


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
    peers: tuple[Peer, ...] = ()
    _results: dict[Fault, Mapping[ClientUnderTest, Result]] = field(
        init=False, factory=dict[Fault, Mapping[ClientUnderTest, Result]]
    )
    _peers_results: dict[tuple[Peer, str], Mapping[Backend, Result]] = field(
        init=False, factory=dict[tuple[Peer, str], Mapping["Backend", Result]]
    )

    @property
    def passed(self) -> bool:
        """Return whether this SDK passed every fault."""
        return not any(
            result.failures for results in self._results.values() for result in results.values()
        )

    def add(self, fault: Fault, results: Mapping[ClientUnderTest, Result]) -> None:
        """Add this SDK's results for a fault."""
        self._results[fault] = results

    def add_peer(self, peer: Peer, results: Mapping[str, Mapping[Backend, Result]]) -> None:
        """Add a peer's results by the faults' ids."""
        self._peers_results |= {(peer, fault): found for fault, found in results.items()}

    def heading(self) -> str:
        """Return the header of this SDK's table for a terminal."""
        columns = "".join(f"{name:>{len(name) + 2}}" for name in self._own)
        return f"{'':<34}{columns}\n"

    def row(self, fault: Fault) -> str:
        """Return this SDK's row for a terminal."""
        cells = "".join(
            f"{self._results[fault][client_under_test].mark:>{len(name) + 2}}"
            for name, client_under_test in zip(self._own, self.clients_under_test, strict=True)
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
        lines += [
            f"{fault}-{variant} {peer.title} {backend}: {' '.join(reason.split())[:300]}"
            for (peer, fault), results in self._peers_results.items()
            for backend, result in results.items()
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
            "The other libraries run with their defaults, blocking and on asyncio, and a ✗ is from",
            "either. Their errors need neither the partial text nor a name of a limit. Cases whose",
            "bytes or settings a library does not have are left out for it.",
            "",
            f"Python {platform.python_version()}, {', '.join(self._versions())}.",
        ]
        for letter, title in GROUPS.items():
            faults = [fault for fault in self._results if fault.id[0] == letter]
            if faults:
                lines += ["", f"## {title}", "", *self._section(faults)]
        return "\n".join(lines) + "\n"

    def _section(self, faults: list[Fault]) -> list[str]:
        peers = [peer.title for peer in self.peers]
        columns = ["", "fault", "what is done", "what is owed", *self._own, *peers]
        marks = [":-:"] * (len(self._own) + len(peers))
        lines = [_line(columns), _line(["---"] * 4 + marks)]
        for fault in faults:
            own = [result.mark for result in self._results[fault].values()]
            others = [self._peers_mark(peer, fault) for peer in self.peers]
            lines.append(_line([fault.id, fault.name, fault.done, fault.owed, *own, *others]))
        for peer in self.peers:
            reasons = [
                f"- {fault.id}: {reason}"
                for fault in faults
                if (reason := self._peers_reason(peer, fault))
            ]
            if reasons:
                lines += ["", f"What {peer.title} does instead:", "", *reasons]
        return lines

    @property
    def _own(self) -> list[str]:
        return [str(each).replace("-", " ") for each in self.clients_under_test]

    def _peers_mark(self, peer: Peer, fault: Fault) -> str:
        marks = {result.mark for result in self._peers_results[peer, fault.id].values()}
        return "✗" if "✗" in marks else "✓" if "✓" in marks else ""

    def _peers_reason(self, peer: Peer, fault: Fault) -> str:
        """Return a peer's failure: the first variant on the first backend."""
        for backend, result in self._peers_results[peer, fault.id].items():
            for variant, reason in result.failures.items():
                told = " ".join(reason.split()).replace("<", "&lt;")
                rest = len(result.failures) - 1
                more = f", and {rest} more of {result.cases} variants" if rest else ""
                return f"{told[:160].rstrip('.')} ({backend}, {variant}{more})"
        return ""

    def _versions(self) -> list[str]:
        found: list[str] = []
        for name in LIBRARIES:
            try:
                found.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                continue
        return found + [peer.title for peer in self.peers]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
