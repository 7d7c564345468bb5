"""Rounds of measurements, each in its own process, with the clients taking turns.

The load of the machine varies, so every round measures every client once, in reverse order every
other time. The result is the median over the rounds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from attrs import frozen

from .columns import Column
from .measures import GROUPS, Results
from .server import WHOLE

Say = Callable[[str], None]

_TIMEOUT = 300
_IMPORT = "import"
_ANSWER = "answer"


@frozen
class Plan:
    """The plan of a run.

    Attributes:
        columns: the clients, in the order of the table.
        groups: the measurements (`measures.GROUPS` and "import").
        rounds: the number of rounds.
        effort: the number of repetitions per process.
        pythons: interpreters other than this one, by column.
    """

    columns: Sequence[Column]
    groups: Sequence[str]
    rounds: int
    effort: int
    pythons: Mapping[str, str]

    def python(self, column: Column) -> str:
        """Return the interpreter for a column."""
        return self.pythons.get(column.name, sys.executable)


ALL_GROUPS = (*GROUPS, _IMPORT)


@frozen
class Outcome:
    """The results of a run.

    Attributes:
        medians: the medians by column and measure.
        least: the minimums by column and measure.
        rounds: the values of each round by column and measure.
        failures: error messages by column.
    """

    medians: dict[str, Results]
    least: dict[str, Results]
    rounds: dict[str, dict[str, list[float]]]
    failures: dict[str, str]


def measured(plan: Plan, root: str, say: Say) -> Outcome:
    """Run the plan against the server at `root`."""
    found: dict[str, dict[str, list[float]]] = {column.name: {} for column in plan.columns}
    failures: dict[str, str] = {}
    for number in range(plan.rounds):
        order = plan.columns if number % 2 == 0 else plan.columns[::-1]
        for group in plan.groups:
            # Memory varies little, and the cost of an import is the least of several already.
            if group in ("kept", _IMPORT) and number > 0:
                continue
            say(f"round {number + 1} of {plan.rounds}: {group}")
            for column in order:
                try:
                    results = _once(plan, column, group, root)
                except subprocess.SubprocessError as error:
                    failures[column.name] = _reason(error)
                    continue
                for name, value in results.items():
                    found[column.name].setdefault(name, []).append(value)
    return Outcome(_reduced(found, median), _reduced(found, min), found, failures)


def _reduced(
    found: Mapping[str, Mapping[str, list[float]]], reduce: Callable[[list[float]], float]
) -> dict[str, Results]:
    return {
        column: {name: reduce(values) for name, values in results.items()}
        for column, results in found.items()
    }


def _once(plan: Plan, column: Column, group: str, root: str) -> Results:
    if group == _IMPORT:
        return _imports(plan, column, root)
    if group == "thousand" and column.kind == "blocking":
        return {}
    if column.is_floor and group != "costs":
        return {}
    command = [
        plan.python(column), "-m", f"{__package__}.worker",
        column.name, group, root, str(plan.effort),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT)
    results: Results = json.loads(done.stdout)
    return results


def _imports(plan: Plan, column: Column, root: str) -> Results:
    """Measure the CPU of whole processes, minus that of an empty one."""
    python = plan.python(column)
    if column.imports is None:
        return {}
    nothing = _cpu(python, "pass")
    results = {_IMPORT: (_cpu(python, column.imports) - nothing) * 1e3}
    if column.answer is not None:
        script = column.answer.format(url=root + WHOLE)
        results[_ANSWER] = (_cpu(python, script) - nothing) * 1e3
    return results


def _cpu(python: str, script: str) -> float:
    """Return the CPU seconds of a script, the minimum of three runs with warm caches."""
    return min(_cpu_once(python, script) for _ in range(3))


def _cpu_once(python: str, script: str) -> float:
    process = subprocess.Popen([python, "-c", script], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, [python, "-c", script])
    return usage.ru_utime + usage.ru_stime


def _reason(error: subprocess.SubprocessError) -> str:
    """Return the last line that a failed process printed."""
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        said: str = error.stderr.decode(errors="replace").strip()
        return said.splitlines()[-1]
    return str(error)
