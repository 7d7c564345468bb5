"""The command `batch`: calls for every line of a file."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from signal import SIGINT, SIGTERM, Signals
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import click

from ..errors import AutonomousAIError, BatchError
from .options import Target, target_options
from .terminal import CLEAR_LINE, Progress, columns, is_terminal, print_error, put_error

if TYPE_CHECKING:
    from ..batch import AsyncBatch, BatchProgress, RayBatch

SOME_FAILED, STOPPED = 1, 3
"""Exit codes: some results are errors; the input cannot be read or the output not be written."""

_INTERVAL = {True: 0.2, False: 10.0}
"""Seconds between two reports of the progress: on a terminal, and elsewhere."""


def _concurrency(ctx: click.Context, option: click.Parameter, value: str) -> int | Literal["auto"]:
    """Check a number of calls, or `auto`."""
    if value == "auto":
        return "auto"
    if not (value.isascii() and value.isdigit() and int(value)):
        raise click.BadParameter(f"{value!r} is not a number of 1 or more, or 'auto'.", ctx, option)
    return int(value)


@click.command(
    short_help="Make a call for each line of a file.",
    help="Make a call for each line of IN and write the results to OUT, both JSON Lines; - is "
    "stdin or stdout."
    '\n\nA line is a prompt (a JSON string), a chat ({"messages": [...]}), or one of OpenAI\'s '
    'batch lines ({"custom_id": ..., "body": ...}). A result has the form of OpenAI\'s batch '
    "output.",
    epilog="Exit codes: 0 every line was answered, 1 some results are errors, 2 wrong usage, 3 the "
    "input could not be read or the output not be written, 130 or 143 stopped by a signal.",
)
@click.argument("source", metavar="IN")
@click.argument("output", metavar="OUT")
@click.option(
    "--concurrency",
    callback=_concurrency,
    metavar="N|auto",
    default="auto",
    show_default=True,
    help="Calls at the same time; auto adapts to what the server accepts.",
)
@click.option(
    "--max-requests-per-minute",
    type=click.IntRange(1),
    metavar="N",
    help="A limit of requests, retries included.",
)
@click.option(
    "--max-tokens-per-minute",
    type=click.IntRange(1),
    metavar="N",
    help="A limit of tokens, of prompts and completions together.",
)
@click.option("--resume", is_flag=True, help="Continue OUT, which an earlier run has written.")
@click.option("--engine", type=click.Choice(["ray"]), help="Make the calls on a Ray cluster.")
@click.option(
    "--ray-address",
    metavar="ADDRESS",
    help="The cluster for --engine ray, or auto.  [default: a Ray on this machine]",
)
@click.option(
    "--ray-actors",
    type=click.IntRange(1),
    metavar="N",
    help="Actors of --engine ray, each with --concurrency calls.  [default: 2]",
)
@target_options
def batch(
    source: str,
    target: Target,
    output: str,
    *,
    concurrency: int | Literal["auto"],
    max_requests_per_minute: int | None,
    max_tokens_per_minute: int | None,
    resume: bool,
    engine: Literal["ray"] | None,
    ray_address: str | None,
    ray_actors: int | None,
) -> None:
    """Make a call for each line of IN and write the results to OUT."""
    if output == "-" and resume:
        raise click.UsageError("--resume needs the path of a file as OUT.")
    for option, value in (("--ray-address", ray_address), ("--ray-actors", ray_actors)):
        if engine is None and value is not None:
            raise click.UsageError(f"{option} needs --engine ray.")
    if engine is not None and (max_requests_per_minute or max_tokens_per_minute):
        raise click.UsageError(
            "The actors of --engine ray share no limits per minute: omit --max-requests-per-minute "
            "and --max-tokens-per-minute, and bound the calls by --ray-actors and --concurrency."
        )
    import anyio

    with Progress() as progress, target.arguments(progress) as arguments:
        progress.done()
        if engine is not None:
            from .._client import Client
            from ..batch import RayBatch

            report = _Report()
            with Client(**arguments) as client:
                spread = RayBatch(
                    client,
                    _binary(sys.stdin) if source == "-" else source,
                    _binary(sys.stdout) if output == "-" else output,
                    address=ray_address,
                    actors=ray_actors or 2,
                    concurrency=8 if concurrency == "auto" else concurrency,
                    resume=resume,
                    progress=report.show,
                )
                raise click.exceptions.Exit(_run_on_ray(spread, report))

        async def main() -> int:
            from .._async_client import AsyncClient
            from ..batch import AsyncBatch

            report = _Report()
            async with AsyncClient(**arguments) as client:
                made = AsyncBatch(
                    client,
                    _binary(sys.stdin) if source == "-" else source,
                    _binary(sys.stdout) if output == "-" else output,
                    concurrency=concurrency,
                    max_requests_per_minute=max_requests_per_minute,
                    max_tokens_per_minute=max_tokens_per_minute,
                    resume=resume,
                    progress=report.show,
                )
                return await _run(made, report, can_resume=output != "-")

        raise click.exceptions.Exit(anyio.run(main))


def _binary(stream: Any) -> BinaryIO:
    if stream is None:
        raise click.UsageError("- needs an open stdin or stdout.")
    buffer: BinaryIO = stream.buffer
    return buffer


def _run_on_ray(batch: RayBatch, report: _Report) -> int:
    """Run a batch on a cluster; return the exit code."""
    try:
        progress = batch.run()
    except BatchError as error:
        report.say(f"autonomousai: {error}")
        return STOPPED
    report.end()
    _print_summary(progress)
    return SOME_FAILED if progress.failed + progress.failed_before else 0


async def _run(batch: AsyncBatch, report: _Report, *, can_resume: bool) -> int:
    """Run a batch until its end or the second signal; return the exit code."""
    from anyio import CancelScope

    signals: list[Signals] = []
    progress: BatchProgress | None = None
    failure: AutonomousAIError | None = None
    with CancelScope() as scope:

        def stop(number: Signals) -> None:
            signals.append(number)
            if len(signals) > 1:
                scope.cancel()
                return
            batch.stop()
            report.say("Finishing the calls in flight; press Ctrl-C again to stop at once.")

        async with _signals(stop):
            try:
                progress = await batch.run()
            except AutonomousAIError as error:
                failure = error
    report.end()
    if isinstance(failure, BatchError):
        if isinstance(failure.__cause__, BrokenPipeError):
            raise failure.__cause__
        print_error(f"autonomousai: {failure}")
        return STOPPED
    if failure is not None:
        raise failure
    if progress is None:  # cancelled by a second signal
        progress = report.last
    _print_summary(progress)
    if signals and not progress.is_complete:
        advice = " To continue, run the same command with --resume." if can_resume else ""
        print_error(f"Stopped by {signals[0].name}.{advice}")
        return 128 + signals[0]
    return SOME_FAILED if progress.failed + progress.failed_before else 0


@asynccontextmanager
async def _signals(stop: Callable[[Signals], None]) -> AsyncGenerator[None]:
    """Call a function for SIGINT and SIGTERM, where the event loop can wait for signals."""
    from anyio import create_task_group, open_signal_receiver

    async def watch() -> None:
        try:
            with open_signal_receiver(SIGINT, SIGTERM) as received:
                async for number in received:
                    stop(number)
        except NotImplementedError:
            return  # Windows: Ctrl-C raises KeyboardInterrupt

    async with create_task_group() as group:
        group.start_soon(watch)
        yield
        group.cancel_scope.cancel()


class _Report:
    """Reports the progress on stderr: one line on a terminal, a line at times elsewhere."""

    def __init__(self) -> None:
        from ..batch import BatchProgress

        self.last = BatchProgress()
        self._live = is_terminal(sys.stderr)
        self._shown = monotonic()
        self._in_line = False

    def show(self, progress: BatchProgress) -> None:
        """Report the progress if it is time to."""
        self.last = progress
        now = monotonic()
        if now - self._shown < _INTERVAL[self._live]:
            return
        self._shown = now
        if not self._live:
            print_error(_described(progress))
            return
        width = columns(sys.stderr) or 80
        put_error(CLEAR_LINE + _described(progress)[: width - 1])
        self._in_line = True

    def say(self, text: str) -> None:
        """Print a line."""
        self.end()
        print_error(text)

    def end(self) -> None:
        """Remove the line of the progress."""
        if self._in_line:
            self._in_line = False
            put_error(CLEAR_LINE)


def _described(progress: BatchProgress) -> str:
    """Return one line about a batch that is running."""
    parts = [f"{progress.done:,} done", f"{progress.failed:,} failed", f"{progress.rate:.1f}/s"]
    if tokens := _tokens(progress):
        parts.append(tokens)
    if progress.eta is not None:
        parts.append(f"{_duration(progress.eta)} left")
    return ", ".join(parts)


def _print_summary(progress: BatchProgress) -> None:
    """Print what a batch has done."""
    parts = [f"{progress.succeeded:,} answered", f"{progress.failed:,} failed"]
    if progress.skipped:
        parts.append(f"{progress.skipped:,} had results already")
    if progress.empty:
        parts.append(f"empty lines: {progress.empty:,} (first: line {progress.first_empty})")
    if tokens := _tokens(progress):
        parts.append(tokens)
    print_error(f"{', '.join(parts)}; {_duration(progress.elapsed)}, {progress.rate:.1f}/s.")
    if progress.first_error is not None:
        print_error(f"The first error: {progress.first_error}")
    elif progress.failed_before:
        print_error(f"{progress.failed_before:,} of the earlier results are errors.")


def _tokens(progress: BatchProgress) -> str:
    counts = [(progress.prompt_tokens, "prompt"), (progress.completion_tokens, "completion")]
    known = [f"{count:,} {name}" for count, name in counts if count is not None]
    return f"{' + '.join(known)} tokens" if known else ""


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
