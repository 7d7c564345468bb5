"""The output of an answer: Markdown on a terminal, plain text elsewhere, or JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .interrupts import Interrupts
from .terminal import Progress, TextWriter, columns, print_error, put, put_json

if TYPE_CHECKING:
    from .._generated.methods import ChatStream
    from .._generated.models import ChatCompletion
    from .markdown import MarkdownWriter


def print_answer(stream: ChatStream, progress: Progress, *, as_json: bool) -> None:
    """Print an answer as it arrives, or with `--json` its completion once it is complete.

    Args:
        stream: the answer, not yet requested.
        progress: is shown until the first text.
        as_json: print the completion as one line of JSON.
    """
    if not as_json:
        show_stream(stream, progress)
        return
    progress.wait("waiting for the response")
    with stream:
        completion = stream.until_done()
    progress.done()
    put_json(completion)


def show_stream(stream: ChatStream, progress: Progress) -> ChatCompletion:
    """Show an answer as it arrives, and return its completion.

    Reasoning is shown as progress. Further choices follow the first one.
    """
    writer = _writer()
    progress.wait("waiting for the response")
    with Interrupts() as interrupts, stream:
        try:
            for chunk in stream:
                if text := chunk.text:
                    with interrupts.held():
                        progress.done()
                        writer.write(text)
                elif chunk.reasoning:
                    progress.wait("thinking")
        finally:
            with interrupts.held():
                progress.done()
                writer.end()
    completion = stream.completion
    for choice in completion.choices[1:]:
        put("\n")
        show_text(choice.message.content or "")
    if completion.refusal:
        print_error(f"(The model refused: {completion.refusal})")
    if completion.finish_reason == "length":
        print_error("(Output truncated at the length limit.)")
    return completion


def show_text(text: str) -> None:
    """Show an answer that is complete."""
    writer = _writer()
    writer.write(text)
    writer.end()


def _writer() -> MarkdownWriter | TextWriter:
    """Return a writer for stdout: of plain text, unless it is a terminal with cursor movement.

    Raises:
        ConfigurationError: a package is missing.
    """
    if columns(sys.stdout) is None:
        return TextWriter()
    try:
        from .markdown import MarkdownWriter
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("markdown_it", "rich"):
            raise
        raise ConfigurationError(
            'Answers on a terminal need rich: pip install "autonomousai-sdk[cli]"'
        ) from error
    return MarkdownWriter()
