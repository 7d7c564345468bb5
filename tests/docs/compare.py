"""Compare this SDK with other libraries: `python -m tests.docs.compare docs/comparison.md`.

Each cell is computed against the installed package, in a process per library: by cases of the fault
table, by a call, or by inspection. What no check can decide is not in the table.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from importlib.metadata import distribution, version
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from typing import Any

from attrs import frozen
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "comparison.md"
COMMAND = "python -m tests.docs.compare docs/comparison.md"
YES, NO = "✓", "✗"
IMPORTS = 2
"""How often each library is imported; the fastest counts."""


@frozen
class Column:
    """One library.

    Attributes:
        distribution: its name on PyPI.
        module: its package.
        clients: the classes of its clients: the blocking and the awaitable, or the only one.
        more: classes that the clients take their settings from.
        adapter: the class that puts it under test, and its module.
        backends: the backends it is put under test on.
        wire: the wire that it speaks.
    """

    distribution: str
    module: str
    clients: tuple[str, ...]
    adapter: tuple[str, str]
    backends: tuple[str, ...] = ("sync", "asyncio")
    wire: str = "openai"
    more: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The library and its version; this SDK's is not written, as it changes with each tag."""
        if self.module == "autonomousai_sdk":
            return self.distribution
        return f"{self.distribution} {version(self.distribution)}"


_PEERS = "tests.faults.peers"
COLUMNS = (
    Column(
        "autonomousai-sdk",
        "autonomousai_sdk",
        ("Client", "AsyncClient"),
        ("tests.support.client_under_test", "SDK"),
    ),
    Column("openai", "openai", ("OpenAI", "AsyncOpenAI"), (f"{_PEERS}.openai", "OpenAI")),
    Column(
        "anthropic",
        "anthropic",
        ("Anthropic", "AsyncAnthropic"),
        (f"{_PEERS}.anthropic", "Anthropic"),
        wire="anthropic",
    ),
    Column(
        "ollama",
        "ollama",
        ("Client", "AsyncClient"),
        (f"{_PEERS}.ollama", "Ollama"),
        wire="ollama",
    ),
    Column("litellm", "litellm", (), (f"{_PEERS}.litellm", "LiteLLM")),
    Column(
        "pydantic-ai-slim",
        "pydantic_ai",
        ("Agent",),
        (f"{_PEERS}.pydantic_ai", "PydanticAI"),
        ("asyncio",),
        more=("providers.openai.OpenAIProvider",),
    ),
)

FAULTS: Mapping[str, tuple[str, ...]] = {
    "a cut stream raises": ("S1-zero-chunk", "S2-close-delimited"),
    "an error event in a stream raises": ("S5-unknown-type",),
    "an event that is not JSON raises an error of the library": ("S9-no-json",),
    "its timeout ends a stream that drips": ("T2-stream",),
    "its timeout ends a stream of keep-alives alone": ("T1-comments",),
    "a `Retry-After` of hours is not waited for": ("T4-table",),
    "retries have one idempotency key": ("R1-fin-and-reset",),
    "retries of a client have a budget": ("R4-runs-out",),
    "a redirect is not followed": ("K1-create-307",),
    "the key is not in `vars`, `repr` or a pickle of the client": ("K3-client",),
    "one client in one event loop after another": ("P5-three-runs",),
    "one client in forks": ("P7-four-children",),
    "an abandoned stream writes nothing to stderr": ("P3-every-way",),
}
"""Rows decided by cases of the fault table."""

MEMBERS: Mapping[str, tuple[str, ...]] = {
    "answers as values of your own type": (
        "chat.parse",
        "chat.completions.parse",
        "messages.parse",
        "output_type",
    ),
    "tool loop": ("chat.run", "messages.tool_runner", "beta.messages.tool_runner", "tools"),
    "raw responses": ("chat.with_raw_response", "with_raw_response"),
}
"""Rows decided by the first of these members that a client has."""

ARGUMENTS: Mapping[str, str] = {
    "argument `http_client`": "http_client",
    "argument `transport`": "transport",
}
"""Rows decided by an argument of the client's class."""


def by_cases(column: Column, names: tuple[str, ...]) -> str:
    """Run cases of the fault table on each backend; return a blank if none applies."""
    # Imported here, as the wire is chosen for the process.
    from tests.faults.catalogue import CASES
    from tests.faults.table import run_cases

    cases = [case for case in CASES if str(case) in names]
    assert len(cases) == len(names), f"there are no such cases as {names}"
    marks = {run_cases(_adapter(column, backend), cases).mark for backend in column.backends}
    return NO if NO in marks else YES if YES in marks else ""


def by_member(column: Column, names: tuple[str, ...]) -> str:
    """Return the first of these members or arguments that the library's client has."""
    if not column.clients:
        return ""
    made = _client(column)
    for name in names:
        if _has(made, name):
            return f"`{name}`"
    return NO


def by_argument(column: Column, name: str) -> str:
    """Return whether a class of the library has an argument."""
    if not column.clients:
        return ""
    classes = (_resolve(column, each) for each in (*column.clients, *column.more))
    return YES if any(name in inspect.signature(each).parameters for each in classes) else NO


def twins(column: Column) -> str:
    """Return whether the blocking and the awaitable client have the same public names."""
    if len(column.clients) < 2:
        return ""
    found = [
        {name for name in dir(_resolve(column, each)) if not name.startswith("_")} - {"aclose"}
        for each in column.clients
    ]
    return YES if found[0] == found[1] else NO


def on_trio(column: Column) -> str:
    """Return whether a call works in trio's event loop."""
    from tests.faults.catalogue import CASES
    from tests.faults.table import run_cases

    case = next(case for case in CASES if str(case) == "S13-no-marker")
    return run_cases(_adapter(column, "trio"), [case]).mark


def typed(column: Column) -> str:
    """Return whether the package has a marker for type checkers."""
    return YES if files(column.module).joinpath("py.typed").is_file() else NO


def command(column: Column) -> str:
    """Return the commands that the package installs."""
    points = distribution(column.distribution).entry_points.select(group="console_scripts")
    return ", ".join(sorted(f"`{point.name}`" for point in points)) or NO


def dependencies(column: Column) -> str:
    """Return the number of packages that it requires, directly or not."""
    return str(len(_required(column.distribution)) - 1)


def size(column: Column) -> str:
    """Return the size of the package and all that it requires."""
    total = sum(
        path.stat().st_size
        for name in _required(column.distribution)
        for file in distribution(name).files or ()
        if file.suffix != ".pyc" and (path := Path(str(file.locate()))).is_file()
    )
    return f"{total / 1e6:.0f} MB"


CHECKS: Mapping[str, Callable[[Column], str]] = {
    "blocking and awaitable client have the same names": twins,
    "works on trio": on_trio,
    "`py.typed`": typed,
    **{row: partial(by_cases, names=names) for row, names in FAULTS.items()},
    **{row: partial(by_member, names=names) for row, names in MEMBERS.items()},
    **{row: partial(by_argument, name=name) for row, name in ARGUMENTS.items()},
    "command line": command,
}
"""The rows that are the same on every machine."""

MEASURES: Mapping[str, Callable[[Column], str]] = {
    "packages that it requires": dependencies,
    "size on disk with them": size,
}
"""The rows that depend on the machine, but for the import's time, which is a ratio."""


def cells(column: Column) -> dict[str, str]:
    """Compute a column, except the import's time, in a process of its own."""
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", __spec__.name, "--column", column.distribution],
        cwd=ROOT,
        env={**os.environ, "TESTS_WIRE": column.wire, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: dict[str, str] = json.loads(child.stdout.splitlines()[-1])
    return found


def import_seconds(column: Column) -> float:
    """Return how long a new process takes to import the package; the fastest of some."""
    seconds: list[float] = []
    for _ in range(IMPORTS):
        began = perf_counter()
        subprocess.run(
            [sys.executable, "-c", f"import {column.module}"],
            env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            check=True,
        )
        seconds.append(perf_counter() - began)
    return min(seconds)


def page() -> str:
    """Compute the page."""
    columns = [cells(column) for column in COLUMNS]
    seconds = [import_seconds(column) for column in COLUMNS]
    rows = [[row, *(column[row] for column in columns)] for row in columns[0]]
    rows.append(["time of its import", *(f"{each / seconds[0]:.1f} ×" for each in seconds)])
    lines = [
        "# Comparison",
        "",
        f"Made by `{COMMAND}`, which checks each cell against the installed package:",
        "by [cases of the fault table](faults.md) on real sockets, by inspection, or by measuring.",
        "A name in a cell is the member or argument that was found. Not to be edited by hand.",
        "",
        "✓ yes, on every backend that was tried (blocking and asyncio; pydantic-ai on asyncio);",
        "✗ no; blank: the check does not apply to the library.",
        "",
        _line(["", *(column.title for column in COLUMNS)]),
        _line(["---", *[":-:"] * len(COLUMNS)]),
        *map(_line, rows),
    ]
    return "\n".join(lines) + "\n"


def committed(title: str, text: str) -> dict[str, str]:
    """Return a column of the page by its title."""
    table = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    at = table[0].index(title)
    return {row[0]: row[at] for row in table[2:]}


def _line(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"


def _adapter(column: Column, backend: str) -> Any:
    module, name = column.adapter
    transport = "httpx" if name == "SDK" else column.distribution
    return getattr(import_module(module), name)(backend, transport)


@cache
def _client(column: Column) -> Any:
    from tests.support.client_under_test import Options

    return _adapter(column, column.backends[0]).make("http://127.0.0.1:9", Options())


def _resolve(column: Column, name: str) -> Any:
    module, _, attribute = f"{column.module}.{name}".rpartition(".")
    return getattr(import_module(module), attribute)


def _has(made: Any, name: str) -> bool:
    """Return whether an object has a member by a dotted name, or its class such an argument."""
    if name in inspect.signature(made.__class__).parameters:
        return True
    for part in name.split("."):
        made = getattr(made, part, None)
        if made is None:
            return False
    return True


@cache
def _required(name: str) -> frozenset[str]:
    """Return a package and all that it requires here, without extras."""
    found: set[tuple[str, frozenset[str]]] = set()
    left = [(name, frozenset[str]())]
    while left:
        each, extras = left.pop()
        if (each, extras) in found:
            continue
        found.add((each, extras))
        for text in distribution(each).requires or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(
                marker.evaluate({"extra": extra}) for extra in (extras or {""})
            ):
                left.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return frozenset(each for each, _ in found)


def main() -> None:
    """Write the page, or print one column as JSON."""
    if sys.argv[1] == "--column":
        column = next(each for each in COLUMNS if each.distribution == sys.argv[2])
        result = {row: check(column) for row, check in {**CHECKS, **MEASURES}.items()}
        sys.stdout.write(f"\n{json.dumps(result)}\n")
    else:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
