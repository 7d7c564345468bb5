"""The command `describe`: an image in words."""

from __future__ import annotations

import sys
from typing import Any

import click

from .answer import print_answer
from .options import Target, answer_options, target_options
from .terminal import Progress

_HELP = """Describe IMAGE, a file or a URL, or - for an image on stdin.

PROMPT asks something else about it: describe cat.png "What breed is it?"
"""


@click.command(help=_HELP, short_help="Describe an image.")
@click.argument("image")
@click.argument("prompt", nargs=-1)
@target_options
@answer_options
@click.option("--json", "as_json", is_flag=True, help="Print the completion as one line of JSON.")
def describe(
    image: str,
    prompt: tuple[str, ...],
    target: Target,
    options: dict[str, Any],
    as_json: bool,  # noqa: FBT001  # click's form
) -> None:
    """Run the command `describe`."""
    from .._message import Message

    if image == "-" and sys.stdin is None:
        raise click.UsageError("stdin is closed: pass the path of an image.")
    given = sys.stdin.buffer.read() if image == "-" else image
    message = Message.user(" ".join(prompt) or "Describe this image.", images=[given])
    with Progress() as progress, target.client(progress) as client:
        stream = client.chat.stream([message], model=target.model_for(client, "vision"), **options)
        print_answer(stream, progress, as_json=as_json)
