"""Batches on a cluster, by Ray Data: a pool of actors, each with a client of its own.

Ray places the actors, and repeats the calls of those that are lost. The output is written here, as
by any other batch, so it can be resumed in the same way.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from os import PathLike
from typing import Any, BinaryIO

from .._client import Client
from .._core.pace import Pace
from .._core.window import Window, checked_concurrency
from ..errors import BatchError, ConfigurationError
from .blocking import call
from .job import Job
from .progress import BatchProgress
from .result import Outcome
from .state import BatchOptions, BatchState, Progress

LINES_PER_DATASET = 10_000
"""How many lines are in Ray's hands at a time."""


class RayBatch:
    """Calls for the lines of a file, made by the machines of a Ray cluster.

    Needs the extra `[ray]`, here and on the machines of the cluster. The client is sent to them
    without its key, which they read from `AUTONOMOUSAI_API_KEY`.

    Examples:
        >>> with Client() as client:
        ...     RayBatch(client, "prompts.jsonl", "results.jsonl", address="auto").run()
    """

    def __init__(
        self,
        client: Client,
        source: str | PathLike[str] | BinaryIO,
        target: str | PathLike[str] | BinaryIO,
        *,
        address: str | None = None,
        actors: int = 2,
        concurrency: int = 8,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Check the arguments; `run` opens the files and makes the calls.

        Args:
            client: makes the calls, on each machine.
            source: the input, as for `Batch`.
            target: the output, as for `Batch`.
            address: the address of the cluster, or None for a Ray on this machine.
            actors: how many actors make calls; each takes one CPU of the cluster.
            concurrency: how many calls each actor makes at the same time.
            resume: continue the output of an earlier run, if it exists.
            progress: is called with a `BatchProgress` after each result.

        Raises:
            ConfigurationError: an argument is invalid, or the extra is missing.
        """
        self._client = client
        self._address = address
        self._actors = checked_concurrency(actors)
        self._concurrency = checked_concurrency(concurrency)
        self._options = BatchOptions(
            source=source,
            target=target,
            concurrency=self._actors * self._concurrency,
            max_requests_per_minute=None,
            max_tokens_per_minute=None,
            resume=resume,
            progress=progress,
        )
        _imported("ray")

    def run(self) -> BatchProgress:
        """Make the calls and write their results.

        Returns:
            The final counts.

        Raises:
            ConfigurationError: a file cannot be used, or is not what it should be.
            BatchError: the input cannot be read, the output not be written, or Ray has failed.
        """
        with BatchState(self._options) as state, _connected(self._address):
            for jobs in _datasets(state):
                for outcome in self._outcomes(jobs):
                    state.write(outcome)
            state.window.exhausted = True
            return state.progress

    def _outcomes(self, jobs: list[Job]) -> Iterator[Outcome]:
        """Make the calls on the cluster; yield each line's result once.

        Raises:
            BatchError: Ray has failed.
        """
        data = _imported("ray.data")
        dataset = data.from_items([{"job": job} for job in jobs]).map_batches(
            _Caller,
            fn_constructor_args=(self._client, self._concurrency),
            batch_size=8 * self._concurrency,
            compute=data.ActorPoolStrategy(min_size=1, max_size=self._actors),
        )
        left = {job.line for job in jobs}
        try:
            for row in dataset.iter_rows():
                outcome: Outcome = row["outcome"]
                if outcome.line in left:  # calls of a lost actor are made again
                    left.remove(outcome.line)
                    yield outcome
        except _imported("ray.exceptions").RayError as error:
            raise BatchError(
                f"Ray has failed: {error}. The results so far are whole: resume the batch."
            ) from error
        if left:
            raise BatchError(f"Ray returned no result for {len(left)} lines: resume the batch.")


class _Caller:
    """An actor of the pool: makes the calls of some lines at a time."""

    def __init__(self, client: Client, concurrency: int) -> None:
        self._client = client
        self._concurrency = concurrency

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Outcome]]:
        window: Window[Outcome | BaseException] = Window(self._concurrency, ordered=False)
        chat = self._client.chat
        with chat._map(  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # not public
            batch["job"], call, window, Pace()
        ) as results:
            return {"outcome": list(results)}


def _datasets(state: BatchState) -> Iterator[list[Job]]:
    """Read the input in lists of calls; results of bad lines are written at once."""
    jobs: list[Job] = []
    data = b"."
    while data:
        data = state.read()
        for item in state.accept(data):
            if isinstance(item, Job):
                jobs.append(item)
            else:
                state.write(item)
        if len(jobs) >= LINES_PER_DATASET or (jobs and not data):
            yield jobs
            jobs = []
    state.is_exhausted = True


@contextmanager
def _connected(address: str | None) -> Generator[None]:
    """Connect to a cluster, or start a Ray on this machine, unless the caller has already."""
    ray = _imported("ray")
    if ray.is_initialized():
        yield
        return
    try:
        ray.init(address=address, include_dashboard=False if address is None else None)
    except Exception as error:  # Ray raises that class itself when a node does not start in time.
        if address is None:
            raise BatchError(f"Could not start Ray on this machine: {error}") from error
        raise ConfigurationError(f"Could not connect to Ray at {address}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            'A batch on Ray needs Ray Data: pip install "autonomousai-sdk[ray]"'
        ) from error
