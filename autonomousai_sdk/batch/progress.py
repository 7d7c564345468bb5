"""How far a batch has come."""

from __future__ import annotations

from attrs import define, field, frozen

from ..errors import AutonomousAIError
from .result import Outcome


@frozen(kw_only=True)
class BatchProgress:
    """How far a batch has come.

    Attributes:
        succeeded: the completions that this run wrote.
        failed: the errors that this run wrote.
        skipped: the lines whose results an earlier run wrote.
        failed_before: the errors among these results.
        first_error: the first error that this run wrote, or None.
        empty: the lines without any text.
        first_empty: the number of the first of these lines, or None.
        prompt_tokens: as the server counted them, or None if it never did.
        completion_tokens: as the server counted them, or None if it never did.
        elapsed: the seconds since the start of this run.
        eta: the seconds that the rest will probably take, or None if the size of the input is
            unknown.
        concurrency: how many calls may run at the same time.
        is_complete: whether every line of the input has its result, once `run` has returned.
    """

    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    failed_before: int = 0
    first_error: AutonomousAIError | None = None
    empty: int = 0
    first_empty: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    elapsed: float = 0.0
    eta: float | None = None
    concurrency: int = 0
    is_complete: bool = False

    @property
    def done(self) -> int:
        """The results that this run wrote."""
        return self.succeeded + self.failed

    @property
    def rate(self) -> float:
        """The results that this run wrote per second."""
        return self.done / self.elapsed if self.elapsed else 0.0


@define
class Meter:
    """Counts results. Reads no clock.

    Attributes:
        started: the time of the start.
        total_bytes: the size of the input, or None.
    """

    started: float
    total_bytes: int | None
    skipped: int = field(init=False, default=0)
    failed_before: int = field(init=False, default=0)
    empty: int = field(init=False, default=0)
    first_empty: int | None = field(init=False, default=None)
    _succeeded: int = field(init=False, default=0)
    _failed: int = field(init=False, default=0)
    _first_error: AutonomousAIError | None = field(init=False, default=None)
    _prompt_tokens: int | None = field(init=False, default=None)
    _completion_tokens: int | None = field(init=False, default=None)
    _passed_bytes: int = field(init=False, default=0)
    _done_bytes: int = field(init=False, default=0)

    def skip(self, size: int) -> None:
        """Count a line whose result an earlier run wrote."""
        self.skipped += 1
        self._passed_bytes += size

    def pass_empty(self, line: int, size: int) -> None:
        """Count an empty line."""
        self.empty += 1
        if self.first_empty is None:
            self.first_empty = line
        self._passed_bytes += size

    def count(self, outcome: Outcome) -> None:
        """Count a result that was written."""
        if outcome.error is not None:
            self._failed += 1
            self._first_error = self._first_error or outcome.error
        else:
            self._succeeded += 1
        if outcome.prompt_tokens is not None:
            self._prompt_tokens = (self._prompt_tokens or 0) + outcome.prompt_tokens
        if outcome.completion_tokens is not None:
            self._completion_tokens = (self._completion_tokens or 0) + outcome.completion_tokens
        self._done_bytes += outcome.size

    @property
    def mean_completion_tokens(self) -> int | None:
        """The tokens of a completion on average, or None before the first one."""
        if self._completion_tokens is None:
            return None
        return self._completion_tokens // self._succeeded

    def progress(self, now: float, concurrency: int, *, is_complete: bool) -> BatchProgress:
        """Return the counts of now."""
        elapsed = now - self.started
        return BatchProgress(
            succeeded=self._succeeded,
            failed=self._failed,
            skipped=self.skipped,
            failed_before=self.failed_before,
            first_error=self._first_error,
            empty=self.empty,
            first_empty=self.first_empty,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            elapsed=elapsed,
            eta=self._eta(elapsed),
            concurrency=concurrency,
            is_complete=is_complete,
        )

    def _eta(self, elapsed: float) -> float | None:
        if self.total_bytes is None or not self._done_bytes:
            return None
        left = max(0, self.total_bytes - self._done_bytes - self._passed_bytes)
        return left * elapsed / self._done_bytes
