"""One target's run: the kept inputs in this process, generated ones in another.

Parses the output and the files of libFuzzer, on which atheris is built.
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
"""The longest generated input, in bytes: several events, and quick to run."""

SLOW = 20
"""Seconds that one input may take; the kept ones take milliseconds."""


@frozen(kw_only=True)
class Result:
    """The result of a run.

    Attributes:
        kept: the number of inputs in the corpus.
        tried: the number of generated inputs.
        added: the number of inputs added to the corpus.
        broken: the file of the input that broke the target, or None.
        trace: the traceback of that input.
    """

    kept: int
    tried: int = 0
    added: int = 0
    broken: Path | None = None
    trace: str = ""

    @property
    def found(self) -> str:
        """Return the result in one line."""
        if self.broken is not None:
            return f"BROKEN by {corpus.shown(self.broken)}"
        return f"nothing; {self.added} new inputs kept" if self.added else "nothing"


def replayed(name: str) -> Result:
    """Run every kept input, up to the first that breaks the target."""
    paths = corpus.kept(name)
    for path in paths:
        error = corpus.fault(TARGETS[name], path.read_bytes())
        if error is not None:
            return Result(kept=len(paths), broken=path, trace=_trace(error))
    return Result(kept=len(paths))


def fuzzed(name: str, seconds: int, *, keep: bool) -> Result:
    """Run generated inputs until the time is over or one breaks the target."""
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
            # An input that took too long or too much memory may pass in this process.
            trace = said[-2000:] if error is None else _trace(error)
            return Result(kept=kept, tried=tried, broken=put, trace=trace)
        added = 0
        if keep:
            # Coverage counts whether code is reached, not how often, so the corpus stays small.
            said = _engine(name, "-merge=1", "-use_counters=0", str(folder), str(new))
            added = _number(r"MERGE-OUTER: (\d+) new files", said)
        return Result(kept=kept, tried=tried, added=added)


def _engine(*arguments: str) -> str:
    """Run the engine and return its output."""
    command = [sys.executable, "-m", "tests.fuzz.engine", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace")


def _number(pattern: str, said: str) -> int:
    """Return a number from the engine's output; without it, the engine failed to start."""
    found = re.search(pattern, said)
    if found is None:
        raise RuntimeError(f"the fuzzer itself failed:\n{said[-2000:]}")
    return int(found[1])


def _trace(error: Exception) -> str:
    return "".join(format_exception(error))
