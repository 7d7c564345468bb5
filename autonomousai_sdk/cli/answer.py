"""The output of a streamed answer: its text, or with `--json` the completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .terminal import Progress, TextWriter, print_error, put, put_json

if TYPE_CHECKING:
    from .._generated.methods import ChatStream


def print_answer(stream: ChatStream, progress: Progress, *, as_json: bool) -> None:
    """Print an answer as it arrives.

    Args:
        stream: the answer, not yet requested.
        progress: is removed before the first text.
        as_json: print the completion as one line of JSON once it is complete.
    """
    writer = TextWriter()
    with stream:
        if as_json:
            stream.until_done()
        else:
            try:
                for piece in stream.text:
                    progress.done()
                    writer.write(piece)
            finally:
                writer.end()
    progress.done()
    completion = stream.completion
    if as_json:
        put_json(completion)
        return
    for choice in completion.choices[1:]:
        put("\n")
        writer.write(choice.message.content or "")
        writer.end()
    if completion.refusal:
        print_error(f"(The model refused: {completion.refusal})")
    if completion.finish_reason == "length":
        print_error("(Output truncated at the length limit.)")
