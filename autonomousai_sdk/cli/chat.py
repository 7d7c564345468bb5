"""The command `chat`: one prompt and its answer, or a conversation at a prompt line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ..errors import ConfigurationError
from .answer import print_answer, show_text
from .options import Target, answer_options, target_options
from .stdin import read_prompt
from .terminal import Progress, is_terminal, put_json

if TYPE_CHECKING:
    from .._message import Message

_HELP = """Send PROMPT and print the answer as it arrives.

PROMPT may be several words. Text from a pipe is added below the prompt, or is the prompt if
there are no words: git diff | autonomousai chat "Review this."

Without PROMPT on a terminal, chat starts a conversation.
"""

_EXAMPLE = 'autonomousai chat "Why is the sky blue?"'


@click.command(
    short_help="Send a prompt, or start a conversation.",
    help=_HELP,
    epilog="There is no option for the key, because other users can read a command line: set "
    "AUTONOMOUSAI_API_KEY. AUTONOMOUSAI_LOG=debug logs each request to stderr.",
)
@click.argument("prompt", nargs=-1)
@click.option("--system", "-s", metavar="TEXT", help="System prompt.")
@click.option(
    "--image", "-i", metavar="FILE", multiple=True, help="An image or its URL; may be repeated."
)
@target_options
@answer_options
@click.option(
    "--schema",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="A JSON schema: print an answer that matches it, as one line of JSON.",
)
@click.option(
    "--tools",
    metavar="FILE.py",
    type=click.Path(exists=True, dir_okay=False),
    help="Run the file, and let the model call its public functions.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the completion as one line of JSON.")
def chat(
    prompt: tuple[str, ...],
    system: str | None,
    image: tuple[str, ...],
    target: Target,
    options: dict[str, Any],
    schema: str | None,
    tools: str | None,
    as_json: bool,  # noqa: FBT001  # click's form
) -> None:
    """Run the command `chat`."""
    from .._message import Message

    is_single = bool(prompt) or as_json or schema is not None
    if not is_single and is_terminal(sys.stdin) and is_terminal(sys.stdout):
        _converse(target, system, image, tools, options)
        return
    text = read_prompt(prompt, _EXAMPLE)
    messages = [Message.system(system)] if system else []
    messages.append(Message.user(text, images=image))
    if schema is not None and tools is not None:
        raise click.UsageError("--schema and --tools cannot be combined.")
    if tools is not None:
        _run(messages, target, options, tools, as_json=as_json)
        return
    if schema is not None:
        _parse(messages, target, options, schema, as_json=as_json)
        return
    with Progress() as progress, target.client(progress) as client:
        print_answer(client.chat.stream(messages, **options), progress, as_json=as_json)


def _converse(
    target: Target,
    system: str | None,
    images: tuple[str, ...],
    tools: str | None,
    options: dict[str, Any],
) -> None:
    try:
        from .prompt import converse
    except ModuleNotFoundError as error:
        if error.name not in ("prompt_toolkit", "rich"):
            raise
        raise ConfigurationError(
            'A conversation needs prompt-toolkit and rich: pip install "autonomousai-sdk[cli]"'
        ) from error
    converse(target, system, images, tools, options)


def _run(
    messages: list[Message], target: Target, options: dict[str, Any], tools: str, *, as_json: bool
) -> None:
    """Print the answer that the model gives after it has called functions; show each call."""
    from .tools import announced, load_tools

    functions = load_tools(tools)
    with Progress() as progress, target.client(progress) as client:

        def announce(call: str) -> None:
            progress.note(call)
            progress.wait("waiting for the response")

        progress.wait("waiting for the response")
        run = client.chat.run(messages, tools=announced(functions, announce), **options)
    if as_json:
        put_json(run.completion)
        return
    show_text(run.completion.text)


def _parse(
    messages: list[Message], target: Target, options: dict[str, Any], schema: str, *, as_json: bool
) -> None:
    """Print a structured answer: its value, or with `--json` the completion that has it."""
    from .schema import read_schema

    into = read_schema(schema)
    with Progress() as progress, target.client(progress) as client:
        progress.wait("waiting for the response")
        parsed = client.chat.parse(messages, into=into, **options)
    put_json(parsed.completion if as_json else parsed.value)
