"""Batches on a blocking client, in threads.

The twin of `awaiting`.
"""

from __future__ import annotations

from collections import deque
from os import PathLike
from typing import BinaryIO, Literal, Self

from .._chat import Chat
from .._client import Client
from ..errors import AutonomousAIError
from .job import Job
from .progress import BatchProgress
from .result import Outcome, completed, failed
from .state import BatchOptions, BatchState, Progress


class Batch:
    """Calls for the lines of a file, whose results go to another file.

    Examples:
        >>> with Client() as client:
        ...     progress = Batch(client, "prompts.jsonl", "results.jsonl", resume=True).run()
        >>> print(progress.succeeded, progress.failed)
    """

    def __init__(
        self,
        client: Client,
        source: str | PathLike[str] | BinaryIO,
        target: str | PathLike[str] | BinaryIO,
        *,
        concurrency: int | Literal["auto"] = "auto",
        max_requests_per_minute: int | None = None,
        max_tokens_per_minute: int | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Check the arguments; `run` opens the files and makes the calls.

        Args:
            client: makes the calls, with its model where a line names none.
            source: the input, as JSON Lines: a path, or a binary file.
            target: the output: the path of a file that does not exist, or a binary file.
            concurrency: how many calls run at the same time. `"auto"` adapts to the server: more
                while it accepts all requests, fewer after 429 or 503.
            max_requests_per_minute: a limit of requests, retries included.
            max_tokens_per_minute: a limit of tokens, by the counts of the server.
            resume: continue the output of an earlier run, if it exists.
            progress: is called with a `BatchProgress` after each result.

        Raises:
            ConfigurationError: an argument is invalid.
        """
        self._client = client
        self._options = BatchOptions(
            source=source,
            target=target,
            concurrency=concurrency,
            max_requests_per_minute=max_requests_per_minute,
            max_tokens_per_minute=max_tokens_per_minute,
            resume=resume,
            progress=progress,
        )
        self._is_stopped = False

    def run(self) -> BatchProgress:
        """Make the calls and write their results.

        A call that fails is a result with its error. A run that ends early, also by a kill,
        leaves an output that another run can resume.

        Returns:
            The final counts.

        Raises:
            ConfigurationError: a file cannot be used, or is not what it should be.
            BatchError: the input cannot be read or the output not be written.
        """
        self._client.warm()
        with BatchState(self._options) as state:
            jobs = _Jobs(self, state)
            chat = self._client.chat
            with chat._map(  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # not public
                jobs, call, state.window, state.pace
            ) as results:
                for outcome in results:
                    state.write(outcome)
            return state.progress

    def stop(self) -> None:
        """Read no more lines; `run` returns once the calls that have started are done."""
        self._is_stopped = True

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._is_stopped


def call(chat: Chat, _: int, job: Job) -> Outcome:
    """Make the call of a line."""
    try:
        return completed(job, chat.with_raw_response.create(**job.arguments))
    except AutonomousAIError as error:
        return failed(job, error)


class _Jobs:
    """The calls to make, as the input is read; results of bad lines are written at once."""

    def __init__(self, batch: Batch, state: BatchState) -> None:
        self._batch = batch
        self._state = state
        self._waiting = deque[Job | Outcome]()
        self._has_ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Job:
        while not self._batch.is_stopped:
            if self._waiting:
                item = self._waiting.popleft()
                if isinstance(item, Job):
                    return item
                self._state.write(item)
            elif self._has_ended:
                self._state.is_exhausted = True
                break
            else:
                data = self._state.read()
                self._has_ended = not data
                self._waiting += self._state.accept(data)
        raise StopIteration
