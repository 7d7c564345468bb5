"""The commands: what each takes, does and prints.

The SDK is imported when a command runs: `--help` needs none of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from .._version import __version__
from ..errors import APIConnectionError, AutonomousAIError, ConfigurationError
from .terminal import Progress, printable

if TYPE_CHECKING:
    from .._client import Client
    from .._generated.params import MessageParam

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def run() -> int:
    """Run the command that the arguments name.

    Returns:
        The exit code.
    """
    try:
        cli.main(prog_name="autonomousai", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ConfigurationError as error:
        return _failed(error, WRONG_USAGE)
    except AutonomousAIError as error:
        return _failed(error, FAILED)
    except BrokenPipeError:
        # Whoever read our output has enough. What is left of it goes nowhere, so that the
        # interpreter does not complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return DONE


def _failed(error: AutonomousAIError, code: int) -> int:
    if error.partial is not None:
        click.echo()
    click.echo(f"autonomousai: {printable(str(error), err=True)}", err=True)
    if error.partial is not None:
        click.echo("What is above is only a part of the answer.", err=True)
    elif isinstance(error, APIConnectionError):
        click.echo("Try --local for a model on this machine, or --base-url.", err=True)
    return code


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Chat with AutonomousAI's models, or with a model on this machine.

    The environment: AUTONOMOUSAI_BASE_URL, AUTONOMOUSAI_API_KEY (there is no option for
    the key: a command line can be read by everyone), AUTONOMOUSAI_MODEL, AUTONOMOUSAI_LOG.
    """


@cli.command()
@click.argument("prompt", nargs=-1)
@click.option("--model", "-m", help="A model's name or alias; see 'autonomousai models'.")
@click.option("--system", "-s", help="How the model is to behave.")
@click.option("--base-url", help="Where the service is.")
@click.option("--local", is_flag=True, help="Run a small real model on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as one JSON object.")
def chat(
    prompt: tuple[str, ...],
    model: str | None,
    system: str | None,
    base_url: str | None,
    local: bool,  # noqa: FBT001  # click's form
    as_json: bool,  # noqa: FBT001
) -> None:
    """Ask PROMPT and print the answer as it is written.

    PROMPT may be several words, or - (or nothing, with a pipe) to read it from the input.
    """
    text = _prompt(prompt)
    messages: list[MessageParam] = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": text})
    with _client(base_url, local=local) as client:
        with client.chat.stream(messages, model=model) as stream:
            if not as_json:
                for piece in stream.text:
                    click.echo(printable(piece), nl=False)
                    sys.stdout.flush()
            completion = stream.until_done() if as_json else stream.completion
        if as_json:
            from .._core.codec import unstructure

            click.echo(json.dumps(unstructure(completion), ensure_ascii=False, indent=2))
        else:
            click.echo()
            if completion.finish_reason == "length":
                click.echo("(The model stopped at its limit of length.)", err=True)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def models(as_json: bool) -> None:  # noqa: FBT001
    """List the models, with their aliases and paths."""
    from .._core.codec import unstructure
    from .._generated.catalog import DEFAULT_MODEL, MODELS

    if as_json:
        click.echo(json.dumps([unstructure(model) for model in MODELS], indent=2))
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
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[4]]).rstrip())
    click.echo(f"\nWithout --model, AUTONOMOUSAI_MODEL counts, else {DEFAULT_MODEL}.")


@cli.command()
@click.option(
    "--engine",
    default="smollm2",
    show_default=True,
    help="smollm2, a GGUF file, the URL of an OpenAI-compatible API, or echo.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port; 0 for any free one.")
@click.option(
    "--model-map",
    multiple=True,
    metavar="OURS=THEIRS",
    help="For an engine that is a URL: which of its models stands behind ours.",
)
def serve(engine: str, host: str, port: int, model_map: tuple[str, ...]) -> None:
    """Run a local server that speaks AutonomousAI's protocol, until Ctrl-C.

    AUTONOMOUSAI_API_KEY, if it is set, is the key that requests must carry; it is needed
    to listen on anything but loopback. AUTONOMOUSAI_ENGINE_API_KEY goes to the engine.
    """
    from ..local import LocalServer

    mapped = dict(_pair(each) for each in model_map)
    with (
        Progress() as progress,
        LocalServer(
            engine=engine,
            host=host,
            port=port,
            api_key=os.environ.get("AUTONOMOUSAI_API_KEY") or None,
            engine_api_key=os.environ.get("AUTONOMOUSAI_ENGINE_API_KEY") or None,
            model_map=mapped or None,
            progress=progress.say,
        ) as server,
    ):
        progress.done()
        click.echo(f"Serving at {server.base_url}")
        click.echo("Use it:  ", nl=False)
        click.echo(f'AUTONOMOUSAI_BASE_URL={server.base_url} autonomousai chat "Hello"')
        click.echo("Ctrl-C ends it.")
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, _interrupt)
        _wait()


def _interrupt(_: int, __: object) -> None:
    raise KeyboardInterrupt


def _wait() -> None:
    """Wait until somebody interrupts."""
    import threading

    threading.Event().wait()


def _pair(text: str) -> tuple[str, str]:
    ours, found, theirs = text.partition("=")
    if not found or not ours or not theirs:
        raise click.UsageError(
            f"--model-map is OURS=THEIRS, such as llama=llama3.3:70b; got {text!r}."
        )
    return ours, theirs


def _prompt(words: tuple[str, ...]) -> str:
    if words and words != ("-",):
        return " ".join(words)
    if not words and sys.stdin.isatty():
        raise click.UsageError('Say what to ask: autonomousai chat "Why is the sky blue?"')
    text = sys.stdin.read().strip()
    if not text:
        raise click.UsageError("The input is empty: there is nothing to ask.")
    return text


@contextmanager
def _client(base_url: str | None, *, local: bool) -> Generator[Client, None, None]:
    """A client, and with `local` a server for it that lives as long."""
    if local and base_url is not None:
        raise click.UsageError("--local and --base-url do not go together.")
    from .._client import Client

    with ExitStack() as stack:
        if local:
            from ..local import LocalServer

            with Progress() as progress:
                server = stack.enter_context(LocalServer(progress=progress.say))
            base_url = server.base_url
        yield stack.enter_context(Client(base_url=base_url))
