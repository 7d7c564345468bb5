"""The program: its commands, and what an exception becomes.

Each command has a module of its own. Its help is a string, because `python -OO` removes
docstrings. The client is imported when a command runs, so that `--help` stays fast.
"""

from __future__ import annotations

from typing import Any

import click

from .._version import __version__
from .batch import batch
from .chat import chat
from .completion import completion
from .describe import describe
from .doctor import doctor
from .exit_code import INTERRUPTED, WRONG_USAGE, exit_code
from .models import models
from .serve import serve
from .summarize import summarize
from .terminal import prepare_output


def run() -> int:
    """Run the command named on the command line.

    Returns:
        The exit code.
    """
    prepare_output()
    try:
        code: int = cli.main(prog_name="autonomousai", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except click.Abort:
        return INTERRUPTED
    return code


class _Commands(click.Group):
    """A click group that maps exceptions to exit codes and keeps the order of its commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's interface
        return list(self.commands)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except OSError as error:  # of printing the help
            raise click.exceptions.Exit(exit_code(error)) from None

    def invoke(self, ctx: click.Context) -> int:
        try:
            super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # exit_code() re-raises bugs
            return exit_code(error)
        return 0


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Chat with AutonomousAI's models, or with a model on this machine.\n\n"
    "Exit codes: 0 done, 1 the service failed, 2 wrong usage, 130 interrupted.",
)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Do nothing before a command."""


for _command in (chat, summarize, describe, batch, models, serve, doctor, completion):
    cli.add_command(_command)
