"""The command `summarize`: texts of any length in a few sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from ..errors import APIResponseError, APIStatusError, AutonomousAIError
from .answer import print_answer
from .options import Target, answer_options, target_options
from .sentences import size, split
from .stdin import decoded, read_prompt
from .terminal import Progress, print_error

if TYPE_CHECKING:
    from .._client import Client

_HELP = """Summarize the text of the FILEs together, or of stdin.

A text that is longer than the model's context is split at sentences; the parts are summarized at
the same time, and their summaries are merged. Progress is shown on stderr.
"""

_PART = "Summarize the following text in a few sentences. Give only the summary.\n\n"
_MERGE = (
    "The following are summaries of the consecutive parts of one text. Write one summary of the "
    "whole text. Give only the summary.\n\n"
)

CONTEXT = 8192
"""Tokens of a context whose size the server does not list; the local server's default."""

BYTES_PER_TOKEN = 3
"""A cautious estimate: English has more than four bytes a token."""

SUMMARY = 896
"""Tokens for a summary, unless `--max-tokens` is given."""

INSTRUCTIONS = 128
"""Tokens for the instructions and the marks of a chat."""

CONCURRENCY = 4
"""Parts at a time; the local server's model runs as many."""

MAX_SPLITS = 5
"""How often parts that a server finds too long are made shorter."""


@click.command(help=_HELP, short_help="Summarize files, or stdin.")
@click.argument("file", nargs=-1, type=click.Path())
@target_options
@answer_options
@click.option(
    "--context",
    type=click.IntRange(256),
    metavar="TOKENS",
    help=f"The model's context.  [default: as the server lists it, else {CONTEXT}]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the completion as one line of JSON.")
def summarize(
    file: tuple[str, ...],
    target: Target,
    options: dict[str, Any],
    context: int | None,
    as_json: bool,  # noqa: FBT001  # click's form
) -> None:
    """Run the command `summarize`."""
    text = _text(file)
    with Progress() as progress, target.client(progress) as client:
        options["model"] = target.model_for(client, "summary") or target.model
        progress.wait("asking for the model's context")
        tokens = context or _listed_context(client, target.model) or CONTEXT
        reserved = options.get("max_tokens", SUMMARY) + INSTRUCTIONS
        spare = max(tokens - reserved, tokens // 4)
        limit = spare * BYTES_PER_TOKEN
        prompt = _PART
        for _ in range(MAX_SPLITS):
            try:
                while size(text) > limit:
                    summaries = _mapped(client, text, prompt, limit, options, progress)
                    if size(summaries) >= size(text):
                        raise APIResponseError(
                            "The model's summaries are together not shorter than the text: use "
                            "another model, or a smaller --max-tokens."
                        )
                    text, prompt = summaries, _MERGE
                stream = client.chat.stream(prompt + text, **options)
                print_answer(stream, progress, as_json=as_json)
            except APIStatusError as error:
                # The estimate was wrong, and the server says by how much.
                limit = _shorter(limit, error)
            else:
                return
        raise APIResponseError(
            f"The server finds parts of {limit} bytes too long: pass --context with the model's "
            "context in tokens."
        )


def _mapped(
    client: Client,
    text: str,
    prompt: str,
    limit: int,
    options: dict[str, Any],
    progress: Progress,
) -> str:
    """Return the summaries of the parts of a text, in order; the first error is raised."""
    parts = split(text, limit)
    found = [""] * len(parts)
    truncated = 0
    progress.bar("summarizing", 0, len(parts))
    prompts = (prompt + part for part in parts)
    with client.chat.map(prompts, concurrency=CONCURRENCY, ordered=False, **options) as results:
        for done, result in enumerate(results, 1):
            completion = result.completion
            if completion is None:
                raise cast("AutonomousAIError", result.error)
            found[result.index] = completion.text
            truncated += completion.finish_reason == "length"
            progress.bar("summarizing", done, len(parts))
    if truncated:
        progress.done()
        print_error(f"(Summaries of parts truncated at the length limit: {truncated}.)")
    return "\n\n".join(found)


def _shorter(limit: int, error: APIStatusError) -> int:
    """Return the size of parts that fit by the numbers in an error; raise any other error."""
    from .._core.overflow import context_overflow

    overflow = context_overflow(error)
    if overflow is None or error.partial is not None:
        raise error
    return max(int(limit * 0.8 * overflow.limit / overflow.needed), 1)


def _listed_context(client: Client, name: str | None) -> int | None:
    """Return the model's context as the server lists it, or None if it does not."""
    if client.chat.has_threads:  # the original protocol has no list
        return None
    served = client.models.fetch()
    models = [model for model in served if name is None or model.id == name]
    return models[0].context_window if len(models) == 1 else None


def _text(files: tuple[str, ...]) -> str:
    """Return the text of all files, or of stdin."""
    if files in ((), ("-",)):
        return read_prompt(files, "autonomousai summarize report.txt")
    texts: list[str] = []
    for name in files:
        try:
            texts.append(decoded(Path(name).read_bytes(), name))
        except OSError as error:
            raise click.UsageError(f"{name}: {error.strerror}.") from None
    text = "\n\n".join(texts)
    if not text.strip():
        raise click.UsageError("The text is empty.")
    return text
