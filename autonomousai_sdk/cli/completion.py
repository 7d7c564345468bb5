"""The command `completion`: a script that lets a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from .terminal import put

_HELP = """Print a script that completes commands, options and models in SHELL.

\b
bash: eval "$(autonomousai completion bash)"      in ~/.bashrc
zsh:  eval "$(autonomousai completion zsh)"       in ~/.zshrc
fish: autonomousai completion fish | source       in ~/.config/fish/config.fish
"""

_CLASSES = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(help=_HELP, short_help="Print a script for your shell's completion.")
@click.argument("shell", type=click.Choice(list(_CLASSES)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Run the command `completion`."""
    group = ctx.find_root().command
    put(_CLASSES[shell](group, {}, "autonomousai", "_AUTONOMOUSAI_COMPLETE").source() + "\n")
