"""Options that several commands share: the server, the model, and what steers an answer.

Imported for every `--help`, so the client is imported only when one is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen
from click.shell_completion import CompletionItem

from .._core.call_option import CallOption, Kind
from .._generated.catalog import DEFAULT_MODEL, MODELS, PROTOCOLS
from .._generated.option_table import CHAT_OPTIONS
from ..errors import ConfigurationError
from .terminal import Progress

if TYPE_CHECKING:
    from .._client import Client

Command = Callable[..., None]

_METAVARS: dict[Kind, str] = {
    "integer": "N",
    "number": "NUMBER",
    "json": "JSON",
    "text": "TEXT",
    "flag": "",
}


@frozen(kw_only=True)
class Target:
    """The server and the model that a command uses.

    Attributes:
        model: `--model`.
        base_url: `--base-url`.
        protocol: `--protocol`.
        local: `--local`.
        timeout: `--timeout`.
    """

    model: str | None = None
    base_url: str | None = None
    protocol: Any = None
    local: bool = False
    timeout: float | None = None

    @contextmanager
    def client(self, progress: Progress) -> Generator[Client]:
        """Open a client and, with `--local`, a local server for it; its start shows progress."""
        from .._client import Client

        with self.arguments(progress) as arguments, Client(**arguments) as client:
            yield client

    @contextmanager
    def arguments(self, progress: Progress) -> Generator[dict[str, Any]]:
        """Return the arguments of a client; `--local` runs a server for it meanwhile."""
        if self.local and self.base_url is not None:
            raise click.UsageError("--local and --base-url cannot be combined.")
        with ExitStack() as stack:
            base_url = self.base_url
            if self.local:
                from ..local import LocalServer

                server = stack.enter_context(LocalServer(progress=progress.say))
                protocol = self.protocol or os.environ.get("AUTONOMOUSAI_PROTOCOL")
                is_openai = protocol == "openai"
                base_url = server.openai_base_url if is_openai else server.base_url
            yield {
                "base_url": base_url,
                "protocol": self.protocol,
                "model": self.model,
                "timeout": self.timeout,
            }

    def model_for(self, client: Client, name: str) -> str | None:
        """Return a model of the original protocol, or None if the user named one.

        None as well for other protocols, whose models differ from server to server.
        """
        is_named = self.model is not None or os.environ.get("AUTONOMOUSAI_MODEL")
        # Threads are a feature of the original protocol.
        return name if client.chat.has_threads and not is_named else None


def complete_model(
    _ctx: click.Context, _option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the model names and aliases that begin with a text, for shells."""
    names = [(name, model.description) for model in MODELS for name in (model.id, *model.aliases)]
    return [CompletionItem(name, help=text) for name, text in names if name.startswith(incomplete)]


def target_options(command: Command) -> Command:
    """Add the options of a `Target`, which the command takes as `target`."""

    @wraps(command)
    def run(
        *,
        model: str | None,
        base_url: str | None,
        protocol: str | None,
        local: bool,
        timeout: float | None,
        **rest: Any,
    ) -> None:
        target = Target(
            model=model, base_url=base_url, protocol=protocol, local=local, timeout=timeout
        )
        command(target=target, **rest)

    made: Command = run
    for option in (
        click.option(
            "--timeout",
            type=click.FloatRange(0, min_open=True),
            metavar="SECONDS",
            help="The most seconds that the call may take.",
        ),
        click.option("--local", is_flag=True, help="Use a small real model on this machine's CPU."),
        click.option(
            "--protocol",
            type=click.Choice([each.name for each in PROTOCOLS.each]),
            help="The wire protocol.  [default: AUTONOMOUSAI_PROTOCOL, else by the base URL]",
        ),
        click.option(
            "--base-url",
            metavar="URL",
            help="Base URL of the server.  [default: AUTONOMOUSAI_BASE_URL, else the hosted "
            "service]",
        ),
        click.option(
            "--model",
            "-m",
            metavar="NAME",
            shell_complete=complete_model,
            help="A model's name or alias; see 'autonomousai models'.  "
            f"[default: AUTONOMOUSAI_MODEL, else {DEFAULT_MODEL}]",
        ),
    ):
        made = option(made)
    return made


def answer_options(command: Command) -> Command:
    """Add an option for each row of the generated table; the command takes them as `options`."""

    @wraps(command)
    def run(**given: Any) -> None:
        options: dict[str, Any] = {}
        for each in CHAT_OPTIONS:
            value = given.pop(each.name)
            if value is not None and value != ():
                options[each.name] = value
        command(options=options, **given)

    made: Command = run
    for each in reversed(CHAT_OPTIONS):
        made = _click_option(each)(made)
    return made


def _click_option(option: CallOption) -> Callable[[Command], Command]:
    name = f"--{option.name.replace('_', '-')}"
    text = option.description.replace("`", "")
    if option.kinds == ("flag",):
        return click.option(
            f"{name}/--no-{name[2:]}", option.name, is_flag=True, default=None, help=text
        )
    metavar = "|".join(option.values) or _METAVARS[option.kinds[0]]

    def parsed(ctx: click.Context, parameter: click.Parameter, given: Any) -> Any:
        try:
            if not option.is_list:
                return None if given is None else option.parse(given)
            values = [option.parse(text) for text in given]
        except ConfigurationError as error:
            raise click.BadParameter(error.message, ctx, parameter) from None
        return values[0] if len(values) == 1 else tuple(values)

    def complete(_ctx: click.Context, _option: click.Parameter, start: str) -> list[str]:
        return [value for value in option.values if value.startswith(start)]

    return click.option(
        name,
        option.name,
        metavar=metavar,
        multiple=option.is_list,
        callback=parsed,
        shell_complete=complete,
        help=f"{text} May be repeated." if option.is_list else text,
    )
