"""The state of a run: which lines become calls, and what is written.

Shared by the blocking and the awaiting batch, which only move bytes and make calls.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from attrs import define, field, frozen

from .._core.display import display
from .._core.pace import AdaptiveConcurrency, Pace, RateLimit, checked_rate
from .._core.window import Window, checked_concurrency
from ..errors import BatchError, ConfigurationError
from .job import Job, read_job
from .ledger import Ledger
from .lines import LineSplitter
from .output import Output
from .progress import BatchProgress, Meter
from .result import Outcome, failed

Source = str | os.PathLike[str] | BinaryIO
Progress = Callable[[BatchProgress], object]

_PATH_TYPES = (str, os.PathLike)

FIRST_CONCURRENCY = 8
LARGEST_CONCURRENCY = 64
"""How many calls run at the same time with `concurrency="auto"`: at first, and at most."""

_READ_SIZE = 2**16
_GUESSED_TOKENS = 256
"""The tokens of a completion before one is known."""


_NOT_TEXT = {
    b"\x1f\x8b": "compressed by gzip: decompress it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: decompress it first",
    b"PK\x03\x04": "a ZIP archive: extract it first",
    b"\xff\xfe": "in UTF-16: convert it to UTF-8",
    b"\xfe\xff": "in UTF-16: convert it to UTF-8",
}
"""The first bytes of files that would give nothing but errors, line by line."""


def _concurrency(value: object) -> int | Literal["auto"]:
    return "auto" if value == "auto" else checked_concurrency(value)


def _requests(value: object) -> int | None:
    return checked_rate(value, "max_requests_per_minute")


def _tokens(value: object) -> int | None:
    return checked_rate(value, "max_tokens_per_minute")


@frozen(kw_only=True)
class BatchOptions:
    """The arguments of a batch, checked."""

    source: Source
    target: Source
    concurrency: int | Literal["auto"] = field(converter=_concurrency)
    max_requests_per_minute: int | None = field(converter=_requests)
    max_tokens_per_minute: int | None = field(converter=_tokens)
    resume: bool
    progress: Progress | None


class BatchState:
    """The open files and the counts of a run."""

    def __init__(self, options: BatchOptions) -> None:
        """Open the files, and read the results of an earlier run.

        Raises:
            ConfigurationError: a file cannot be used; the message says what to do.
            BatchError: a file cannot be opened.
        """
        self._options = options
        self._resources = ExitStack()
        with ExitStack() as opening:
            self._input = opening.enter_context(_Input(options.source))
            _check_different(options.source, options.target)
            self._output = opening.enter_context(Output(options.target, resume=options.resume))
            self._ledger = opening.enter_context(Ledger())
            self._meter = Meter(monotonic(), self._input.size)
            if options.resume:
                self._read_results()
                self._meter.started = monotonic()
            self._resources = opening.pop_all()
        self._splitter = LineSplitter()
        auto = options.concurrency == "auto"
        self.window: Window[Any] = Window(
            FIRST_CONCURRENCY if options.concurrency == "auto" else options.concurrency,
            ordered=False,
        )
        self.pace: Pace = Pace(
            requests=_limit(options.max_requests_per_minute),
            tokens=_limit(options.max_tokens_per_minute),
            estimate=self._estimate,
            concurrency=AdaptiveConcurrency(self.window, LARGEST_CONCURRENCY) if auto else None,
        )
        self.is_exhausted = False
        """Set once every line of the input was read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.__exit__(exc_type, exc_value, traceback)

    @property
    def may_block(self) -> bool:
        """Whether writing may wait for a reader, as that of a pipe."""
        return not self._output.is_file

    @property
    def progress(self) -> BatchProgress:
        """How far the batch has come."""
        return self._meter.progress(
            monotonic(),
            self.window.concurrency,
            is_complete=self.is_exhausted and self.window.is_done,
        )

    def read(self) -> bytes:
        """Read a piece of the input; empty at its end.

        Raises:
            BatchError: the input cannot be read.
        """
        return self._input.read()

    def accept(self, data: bytes) -> list[Job | Outcome]:
        """Take a piece of the input, or its end if it is empty.

        Returns:
            The calls to make, and the results of lines that cannot become one.
        """
        lines = self._splitter.feed(data) if data else self._splitter.close()
        accepted: list[Job | Outcome] = []
        for line in lines:
            job = read_job(line)
            if job is None:
                self._meter.pass_empty(line.number, line.size)
                continue
            self._check_key(job, accepted)
        return accepted

    def write(self, outcome: Outcome) -> None:
        """Write a result, and report the progress.

        Raises:
            BatchError: it cannot be written.
        """
        self._output.write(outcome.record)
        self._meter.count(outcome)
        if outcome.unused_tokens and self.pace.tokens is not None:
            self.pace.tokens.correct(-outcome.unused_tokens)
        if self._options.progress is not None:
            self._options.progress(self.progress)

    def _read_results(self) -> None:
        """Read the results of an earlier run.

        Raises:
            ConfigurationError: the output has two results for a line, or is not a batch's.
        """
        for recorded in self._output.recorded():
            if not self._ledger.answered(recorded.key):
                line = recorded.key[1:].decode("utf-8", "replace")
                raise ConfigurationError(
                    f"{self._output.name} has two results for {display(line)}: remove one of them."
                )
            if recorded.failed:
                self._meter.failed_before += 1

    def _check_key(self, job: Job, accepted: list[Job | Outcome]) -> None:
        """Skip a line that was answered, and reject one whose id another line has."""
        status = self._ledger.read(job.key, job.line, has_id=job.custom_id is not None)
        if isinstance(status, int):
            job.reject(
                f"custom_id {display(job.custom_id)} is also that of line {status}: give each "
                "line an id of its own."
            )
            job.custom_id = None  # the id is that of the other line's result
            if self._ledger.read(job.key, job.line, has_id=False) == "answered":
                status = "answered"
        if status == "answered":
            self._meter.skip(job.size)
        elif job.problem is not None:
            accepted.append(failed(job, job.problem))
        else:
            accepted.append(job)

    def _estimate(self, job: Job) -> int:
        """Guess the tokens of a call: of the prompt by its length, of the completion by others."""
        limit = job.arguments.get("max_tokens")
        completion = self._meter.mean_completion_tokens
        if completion is None:
            completion = _GUESSED_TOKENS
        if isinstance(limit, int) and limit > 0:
            completion = min(completion, limit)
        job.reserved = job.size // 4 + completion
        return job.reserved


@define(eq=False)
class _Input:
    """The open input."""

    _source: Source
    size: int | None = field(init=False, default=None)
    _file: Any = field(init=False, default=None)

    def __enter__(self) -> Self:
        if not isinstance(self._source, _PATH_TYPES):
            self._file = self._source
            return self
        try:
            self._file = Path(self._source).open("rb", buffering=0)
        except OSError as error:
            raise ConfigurationError(
                f"Could not open {os.fspath(self._source)}: {error.strerror or error}."
            ) from error
        about = os.fstat(self._file.fileno())
        if stat.S_ISREG(about.st_mode):
            self.size = about.st_size
            self._check_text(os.fspath(self._source))
        return self

    def _check_text(self, name: str) -> None:
        """Check the first bytes of the file.

        Raises:
            ConfigurationError: the file is compressed, or in another encoding.
        """
        start: bytes = self._file.read(4)
        self._file.seek(0)
        for signature, problem in _NOT_TEXT.items():
            if start.startswith(signature):
                self._file.close()
                raise ConfigurationError(f"{name} is {problem}.")

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not self._source:
            self._file.close()

    def read(self) -> bytes:
        # A buffered reader's read() waits until it has all that was asked for.
        read = getattr(self._file, "read1", self._file.read)
        try:
            data: bytes = read(_READ_SIZE)
        except OSError as error:
            raise BatchError(f"Could not read the input: {error.strerror or error}.") from error
        return data


def _limit(per_minute: int | None) -> RateLimit | None:
    return None if per_minute is None else RateLimit(per_minute)


def _check_different(source: Source, target: Source) -> None:
    """Refuse to write to the input.

    Raises:
        ConfigurationError: input and output are the same file.
    """
    before, after = _regular(source), _regular(target)
    if before is not None and after is not None and os.path.samestat(before, after):
        names = [os.fspath(each) for each in (source, target) if isinstance(each, _PATH_TYPES)]
        raise ConfigurationError(
            f"Input and output are the same file{''.join(f', {name}' for name in names[:1])}: name "
            "another output."
        )


def _regular(file: Source) -> os.stat_result | None:
    """Return the status of a regular file, or None if it is not one."""
    try:
        about = Path(file).stat() if isinstance(file, _PATH_TYPES) else os.fstat(file.fileno())
    except (AttributeError, OSError):
        return None
    return about if stat.S_ISREG(about.st_mode) else None
