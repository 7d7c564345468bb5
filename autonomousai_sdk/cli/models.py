"""The command `models`: the model table, and the models that a server lists."""

from __future__ import annotations

from collections.abc import Sequence

import click

from .._generated.catalog import MODELS
from .options import Target, target_options
from .terminal import Progress, put, put_json

_HELP = """List the models, with their aliases and paths.

The list is built in and no request is sent. With --remote, ask the server for its own list.
"""


@click.command(help=_HELP, short_help="List the models.")
@click.option("--remote", is_flag=True, help="Ask the server; needs an OpenAI-compatible one.")
@target_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def models(
    remote: bool,  # noqa: FBT001  # click's form
    target: Target,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Run the command `models`."""
    if remote:
        _list_remote(target, as_json=as_json)
        return
    if target != Target():
        raise click.UsageError("Options of the server need --remote: the list is built in.")
    if as_json:
        for model in MODELS:
            put_json(model)
        return
    put_table(
        ("MODEL", "ALIASES", "PATH", "IMAGES", ""),
        [
            (
                model.id,
                ", ".join(model.aliases),
                model.path,
                _yes_or_no(model.accepts_images),
                model.description,
            )
            for model in MODELS
        ],
    )


def _list_remote(target: Target, *, as_json: bool) -> None:
    with Progress() as progress, target.client(progress) as client:
        progress.wait("waiting for the list")
        served = client.models.fetch()
    if as_json:
        for model in served:
            put_json(model)
        return
    put_table(
        ("MODEL", "CONTEXT", "IMAGES", "TOOLS"),
        [
            (
                model.id,
                "" if model.context_window is None else str(model.context_window),
                _yes_or_no(model.accepts_images),
                _yes_or_no(model.supports_tools),
            )
            for model in served
        ],
    )


def put_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with columns of equal width."""
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        put("  ".join(cells).rstrip() + "\n")


def _yes_or_no(value: bool | None) -> str:  # noqa: FBT001  # the value itself
    return {True: "yes", False: "no", None: ""}[value]
