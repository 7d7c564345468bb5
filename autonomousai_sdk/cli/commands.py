"""The commands, their arguments and their output.

The client is imported when a command runs, so that `--help` stays fast.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from time import sleep
from typing import TYPE_CHECKING

import click

from .._core.catalog import Catalog
from .._core.url import is_loopback
from .._generated.catalog import DEFAULT_MODEL, MODELS
from .._version import __version__
from ..errors import ConfigurationError
from .exit_code import INTERRUPTED, WRONG_USAGE, exit_code
from .terminal import Progress, TextWriter, is_terminal, prepare_output, print_error, put

if TYPE_CHECKING:
    from .._client import Client
    from .._generated.params import MessageParam


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
    """A click group that maps exceptions to exit codes."""

    def invoke(self, ctx: click.Context) -> int:
        try:
            super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # exit_code() re-raises bugs
            return exit_code(error)
        return 0


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Chat with AutonomousAI's models, or with a model on this machine.

    Exit codes: 0 done, 1 the service failed, 2 wrong usage, 130 interrupted.
    """


def _known_model(ctx: click.Context, option: click.Parameter, name: str | None) -> str | None:
    """Check a model name, and list the known ones in the error."""
    if name is not None:
        catalog = Catalog(MODELS)
        try:
            catalog.get(name)
        except ConfigurationError:
            known = ", ".join(catalog.names())
            raise click.BadParameter(
                f"{name!r} is not a known model. Known models: {known}.", ctx, option
            ) from None
    return name


@cli.command(
    epilog="There is no option for the key, because other users can read a command line: set "
    "AUTONOMOUSAI_API_KEY. AUTONOMOUSAI_LOG=debug logs each request to stderr."
)
@click.argument("prompt", nargs=-1)
@click.option(
    "--model",
    "-m",
    callback=_known_model,
    help="A model's name or alias; see 'autonomousai models'.  "
    f"[default: AUTONOMOUSAI_MODEL, else {DEFAULT_MODEL}]",
)
@click.option("--system", "-s", metavar="TEXT", help="System prompt.")
@click.option(
    "--base-url",
    metavar="URL",
    help="Base URL of the server.  [default: AUTONOMOUSAI_BASE_URL, else the hosted service]",
)
@click.option("--local", is_flag=True, help="Use a small real model on this machine's CPU.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole completion as one JSON object."
)
def chat(
    prompt: tuple[str, ...],
    model: str | None,
    system: str | None,
    base_url: str | None,
    local: bool,  # noqa: FBT001  # click's form
    as_json: bool,  # noqa: FBT001
) -> None:
    """Send PROMPT and print the response as it arrives.

    PROMPT may be several words, or - (or nothing, in a pipe) to read it from stdin.
    """
    messages: list[MessageParam] = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": _asked(prompt)})
    writer = TextWriter()
    with Progress() as progress, _client(base_url, progress, local=local) as client:
        progress.wait("waiting for the response")
        with client.chat.stream(messages, model=model) as stream:
            if as_json:
                stream.until_done()
            else:
                try:
                    for piece in stream.text:
                        progress.done()
                        writer.write(piece)
                finally:
                    writer.end()
    completion = stream.completion
    if as_json:
        _put_json(completion)
    elif completion.finish_reason == "length":
        print_error("(Output truncated at the length limit.)")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def models(as_json: bool) -> None:  # noqa: FBT001
    """List the models, with their aliases and paths."""
    if as_json:
        _put_json(MODELS)
        return
    rows = [("MODEL", "ALIASES", "PATH", "IMAGES", "")] + [
        (
            model.id,
            ", ".join(model.aliases),
            model.path,
            "yes" if model.accepts_images else "no",
            model.description,
        )
        for model in MODELS
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        put("  ".join(cells).rstrip() + "\n")


@cli.command(
    epilog="If AUTONOMOUSAI_API_KEY is set, requests must carry that key; without it the server "
    "listens on loopback only. AUTONOMOUSAI_ENGINE_API_KEY is the key for an engine given as a "
    "URL."
)
@click.option(
    "--engine",
    default="smollm2",
    show_default=True,
    help="The engine: smollm2, a GGUF file, the URL of an OpenAI-compatible API, or echo.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=8000,
    show_default=True,
    help="The port to listen on; 0 for any free port.",
)
@click.option(
    "--model-map",
    multiple=True,
    metavar="OURS=THEIRS",
    help="The engine's model for one of ours, where the engine is a URL; may be repeated.",
)
@click.option(
    "--max-concurrent",
    type=click.IntRange(1),
    metavar="N",
    default=64,
    show_default=True,
    help="Completions at a time; more get status 429.",
)
@click.option(
    "--queue",
    type=click.IntRange(0),
    metavar="N",
    default=0,
    show_default=True,
    help="Requests that may wait for their turn instead of getting 429.",
)
@click.option(
    "--max-body",
    type=click.IntRange(1),
    metavar="BYTES",
    default=64 * 2**20,
    show_default=True,
    help="The longest body of a request.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(1),
    metavar="N",
    default=1024,
    show_default=True,
    help="Tokens of a completion whose request sets no limit, for a model that runs here.",
)
@click.option(
    "--context",
    type=click.IntRange(1),
    metavar="N",
    default=8192,
    show_default=True,
    help="Tokens of a conversation, for a model that runs here.",
)
@click.option(
    "--cors-origin",
    multiple=True,
    metavar="ORIGIN",
    help="A web page's origin, such as http://localhost:3000, that may use the server; may be "
    "repeated.",
)
def serve(
    engine: str,
    host: str,
    port: int,
    model_map: tuple[str, ...],
    max_concurrent: int,
    queue: int,
    max_body: int,
    max_tokens: int,
    context: int,
    cors_origin: tuple[str, ...],
) -> None:
    """Run a local server that speaks AutonomousAI's protocol.

    Runs until Ctrl-C, and prints at start how to use it.
    """
    from ..local import LocalServer

    key = os.environ.get("AUTONOMOUSAI_API_KEY") or None
    if key is None and not is_loopback(f"http://{f'[{host}]' if ':' in host else host}"):
        raise click.UsageError(
            f"Listening on {host} exposes the server to other machines: set AUTONOMOUSAI_API_KEY "
            "to the key that they must send, or omit --host."
        )
    engine_key = None
    if engine.startswith(("http://", "https://")):
        engine_key = os.environ.get("AUTONOMOUSAI_ENGINE_API_KEY") or None
    signal.signal(signal.SIGTERM, _leave)
    with (
        Progress() as progress,
        LocalServer(
            engine=engine,
            host=host,
            port=port,
            api_key=key,
            engine_api_key=engine_key,
            model_map=_mapping(model_map) or None,
            max_concurrent=max_concurrent,
            queue=queue,
            max_body_bytes=max_body,
            max_tokens=max_tokens,
            context=context,
            cors_origins=cors_origin,
            progress=progress.say,
        ) as server,
    ):
        progress.done()
        put(f"Serving {engine} at {server.base_url}\n")
        put(f'Try it: autonomousai chat --base-url {server.base_url} "Hello"\n')
        put(f"For OpenAI clients: {server.openai_base_url}\n")
        put("Press Ctrl-C to stop.\n")
        while True:
            # Ctrl-C does not interrupt a lock's wait on Windows; it interrupts sleep().
            sleep(3600)


def _leave(_: int, __: object) -> None:
    """Exit cleanly on SIGTERM, the signal that supervisors send."""
    raise click.exceptions.Exit(0)


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    """The names of `--model-map`, each given once."""
    found: dict[str, str] = {}
    for text in pairs:
        ours, _, theirs = text.partition("=")
        if not ours or not theirs:
            raise click.UsageError(
                f"--model-map is OURS=THEIRS, such as llama=llama3.3:70b; got {text!r}."
            )
        if ours in found:
            raise click.UsageError(f"--model-map names {ours!r} twice.")
        found[ours] = theirs
    return found


def _asked(words: tuple[str, ...]) -> str:
    """Return the prompt: the arguments, or stdin."""
    if words and words != ("-",):
        text = " ".join(words)
    elif sys.stdin is None or (not words and is_terminal(sys.stdin)):
        raise click.UsageError('No prompt. Example: autonomousai chat "Why is the sky blue?"')
    else:
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise click.UsageError(f"stdin is not UTF-8 text: {error.reason}.") from None
    if not text.strip():
        raise click.UsageError("The prompt is empty.")
    return text


@contextmanager
def _client(
    base_url: str | None, progress: Progress, *, local: bool
) -> Generator[Client, None, None]:
    """Open a client and, with `local`, a local server for it."""
    if local and base_url is not None:
        raise click.UsageError("--local and --base-url cannot be combined.")
    from .._client import Client

    with ExitStack() as stack:
        if local:
            from ..local import LocalServer

            server = stack.enter_context(LocalServer(progress=progress.say))
            base_url = server.base_url
        yield stack.enter_context(Client(base_url=base_url))


def _put_json(value: object) -> None:
    """Print a value as ASCII JSON, which suits every encoding and holds no control characters."""
    from .._core.codec import unstructure

    put(json.dumps(unstructure(value), indent=2) + "\n")
