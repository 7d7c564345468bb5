"""Compare this SDK with other libraries: `nox -s comparison`.

Each cell is computed against the installed package, in a process of its own: by cases of the fault
table, by a call, or by inspection. What no check can decide is not in the table.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib import import_module
from importlib.metadata import distribution, version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from attrs import frozen
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.faults.table import LONGEST, bounded

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "comparison.md"
COMMAND = "nox -s comparison"
YES, NO = "✓", "✗"
HANGS = 8 * LONGEST
"""The limit of a cell, in seconds, after which its process is killed."""

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
        usage: the attributes that lead from a completion to the count of its tokens.
        server: the module with a local server, below the package.
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
    usage: tuple[str, ...] = ("usage", "completion_tokens")
    server: str = ""

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
        server="local",
    ),
    Column("openai", "openai", ("OpenAI", "AsyncOpenAI"), (f"{_PEERS}.openai", "OpenAI")),
    Column(
        "anthropic",
        "anthropic",
        ("Anthropic", "AsyncAnthropic"),
        (f"{_PEERS}.anthropic", "Anthropic"),
        wire="anthropic",
        usage=("usage", "output_tokens"),
    ),
    Column(
        "ollama",
        "ollama",
        ("Client", "AsyncClient"),
        (f"{_PEERS}.ollama", "Ollama"),
        wire="ollama",
        usage=("eval_count",),
    ),
    Column("litellm", "litellm", (), (f"{_PEERS}.litellm", "LiteLLM"), server="proxy"),
    Column(
        "pydantic-ai-slim",
        "pydantic_ai",
        ("Agent",),
        (f"{_PEERS}.pydantic_ai", "PydanticAI"),
        ("asyncio",),
        more=("providers.openai.OpenAIProvider",),
        usage=("usage", "output_tokens"),
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
    """Run cases of the fault table on each backend; return a blank if none applies.

    The reason of a ✗ goes to stderr.
    """
    # Imported here, as the wire is chosen for the process.
    from tests.faults.catalogue import CASES

    cases = [case for case in CASES if str(case) in names]
    assert len(cases) == len(names), f"there are no such cases as {names}"
    marks = [_mark(column, backend, cases) for backend in column.backends]
    return NO if NO in marks else YES if YES in marks else ""


def _mark(column: Column, backend: str, cases: Sequence[Any]) -> str:
    """Run cases on a backend; what fails is run again, as a busy machine fails cases as well."""
    from tests.faults.table import run_cases

    _import(column)
    for _ in range(2):
        result = run_cases(_adapter(column, backend), cases)
        if not result.failures:
            return result.mark
        sys.stderr.write(f"{column.distribution} {backend}: {dict(result.failures)}\n")
    return NO


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

    return _mark(column, "trio", [case for case in CASES if str(case) == "S13-no-marker"])


def reasoning(column: Column) -> str:
    """Return whether the reasoning that an engine sends apart is in the completion."""
    return YES if "We add." in _shown(_completion(column)) else NO


def unknown_field(column: Column) -> str:
    """Return whether a field that the library does not have can be read back."""
    return YES if "kept-by-name" in _shown(_completion(column)) else NO


def honest_usage(column: Column) -> str:
    """Return whether a count of tokens that the server did not send is None."""
    value = _completion(column)
    for name in column.usage:
        value = getattr(value, name, None)
        value = value() if inspect.isroutine(value) else value
        if value is None:
            return YES
    return NO


def local_server(column: Column) -> str:
    """Return the module of the package that serves models here."""
    name = f"{column.module}.{column.server}"
    return f"`{name}`" if column.server and find_spec(name) is not None else NO


@cache
def _completion(column: Column) -> Any:
    """Return the completion that the library makes of a document with unusual fields."""
    from tests.support.fault_server import FaultServer
    from tests.support.wire import body, completion

    document: dict[str, Any] = json.loads(completion("4"))
    document["unheard_of"] = "kept-by-name"
    if column.wire == "anthropic":
        document["content"].insert(0, {"type": "thinking", "thinking": "We add.", "signature": ""})
        del document["usage"]
    elif column.wire == "ollama":
        document["message"]["thinking"] = "We add."
    else:
        document["choices"][0]["message"]["reasoning_content"] = "We add."
    under_test = _adapter(column, column.backends[0])
    _import(column)

    async def call(url: str) -> Any:
        async with under_test.client(url, retries=0) as client:
            return await client.chat.create("2 + 2?")

    with FaultServer(body(200, json.dumps(document).encode())) as server, bounded(LONGEST):
        return under_test.run(partial(call, server.url))


def _shown(value: Any) -> str:
    """Return all that an object shows of itself, in its text and by its accessors."""
    more = (getattr(value, name, None) for name in ("extra", "all_messages"))
    return repr([value, *(each() if callable(each) else each for each in more)])


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
    "reasoning of an engine is in the completion": reasoning,
    "a field that it does not have can be read back": unknown_field,
    "a token count that was not sent is None, not 0": honest_usage,
    "local server": local_server,
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
    """Compute a column, except the import's time; two cells at a time, as most of them wait."""
    rows = (*CHECKS, *MEASURES)
    with ThreadPoolExecutor(2) as workers:
        return dict(zip(rows, workers.map(partial(cell, column), rows), strict=True))


def cell(column: Column, row: str) -> str:
    """Compute a cell in a process of its own, which is killed if it hangs."""
    try:
        child = subprocess.run(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                __spec__.name,
                "--cell",
                column.distribution,
                row,
            ],
            cwd=ROOT,
            env={**os.environ, "TESTS_WIRE": column.wire, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            timeout=HANGS,
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"{column.distribution}: killed after {HANGS} s: {row}\n")
        return NO
    found: str = json.loads(child.stdout.splitlines()[-1])
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
        f"✗ no, or a case took longer than {LONGEST} s, each in two runs;",
        "blank: does not apply to the library. This SDK imports its parts on first use;",
        "[Performance](performance.md) compares the time of a process with its first answer.",
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


def _import(column: Column) -> None:
    """Import what the library imports for its first call, so that no limit includes it."""
    import_module(column.module)
    _client(column)


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
    """Write the page, or print one cell as JSON."""
    if sys.argv[1] == "--cell":
        column = next(each for each in COLUMNS if each.distribution == sys.argv[2])
        result = {**CHECKS, **MEASURES}[sys.argv[3]](column)
        sys.stdout.write(f"\n{json.dumps(result)}\n")
    else:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
