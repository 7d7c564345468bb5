"""The command `serve`: a local server in the foreground."""

from __future__ import annotations

import os
import signal
from time import sleep

import click

from .._core.url import is_loopback
from .terminal import Progress, put


@click.command(
    short_help="Run a local server.",
    help="Run a local server that speaks AutonomousAI's protocol, and OpenAI's.\n\n"
    "Runs until Ctrl-C, and prints at start how to use it.",
    epilog="If AUTONOMOUSAI_API_KEY is set, requests must carry that key; without it the server "
    "listens on loopback only. AUTONOMOUSAI_ENGINE_API_KEY is the key for an engine given as a "
    "URL.",
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
    """Run the command `serve`."""
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
