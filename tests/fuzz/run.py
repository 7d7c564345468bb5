"""One target's run: the kept inputs in this process, made-up ones in another.

Reads what libFuzzer, which atheris is made of, prints and leaves behind.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from traceback import format_exception

from attrs import frozen

from . import corpus
from .targets import TARGETS

WORDS = Path(__file__).parent / "words.dict"

LONGEST = 2048
"""Bytes of the longest input that is made up: some events, and quick to try."""

SLOW = 20
"""Seconds that one input may take; the kept ones take thousandths."""


@frozen(kw_only=True)
class Result:
    """What a run found.

    Attributes:
        kept: how many inputs were in the corpus.
        tried: how many were made up.
        added: how many of those were added to the corpus.
        broken: the input that broke the target, where it is kept; or None.
        trace: how it did.
    """

    kept: int
    tried: int = 0
    added: int = 0
    broken: Path | None = None
    trace: str = ""

    @property
    def found(self) -> str:
        """What a run found, in one line."""
        if self.broken is not None:
            return f"BROKEN by {corpus.shown(self.broken)}"
        return f"nothing; {self.added} new inputs kept" if self.added else "nothing"


def replayed(name: str) -> Result:
    """Try every kept input, up to the first that breaks the target."""
    paths = corpus.kept(name)
    for path in paths:
        error = corpus.fault(TARGETS[name], path.read_bytes())
        if error is not None:
            return Result(kept=len(paths), broken=path, trace=_trace(error))
    return Result(kept=len(paths))


def fuzzed(name: str, seconds: int, *, keep: bool) -> Result:
    """Try made-up inputs for so long, or until one breaks the target."""
    folder, target = corpus.CORPUS / name, TARGETS[name]
    kept = len(corpus.kept(name))
    with tempfile.TemporaryDirectory() as scratch:
        new, broken = Path(scratch, "new"), Path(scratch, "broken")
        new.mkdir()
        broken.mkdir()
        said = _engine(
            name,
            *(str(new), str(folder)),
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOW}",
            f"-dict={WORDS}",
            f"-artifact_prefix={broken}/",
            "-print_final_stats=1",
        )
        tried = _number(r"stat::number_of_executed_units: +(\d+)", said)
        for path in broken.iterdir():
            put = corpus.put_aside(name, path.read_bytes(), target)
            error = corpus.fault(target, put.read_bytes())
            # What took too long, or too much memory, may do well in this process.
            trace = said[-2000:] if error is None else _trace(error)
            return Result(kept=kept, tried=tried, broken=put, trace=trace)
        added = 0
        if keep:
            # Which code is reached counts, not how often: the corpus stays small.
            said = _engine(name, "-merge=1", "-use_counters=0", str(folder), str(new))
            added = _number(r"MERGE-OUTER: (\d+) new files", said)
        return Result(kept=kept, tried=tried, added=added)


def _engine(*arguments: str) -> str:
    """Run the engine to its end; what it said."""
    command = [sys.executable, "-m", "tests.fuzz.engine", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace")


def _number(pattern: str, said: str) -> int:
    """A number that the engine tells; when it does not, it could not even start."""
    found = re.search(pattern, said)
    if found is None:
        raise RuntimeError(f"the fuzzer itself failed:\n{said[-2000:]}")
    return int(found[1])


def _trace(error: Exception) -> str:
    return "".join(format_exception(error))
