"""The options of clients and calls, and the settings that a client resolves from them.

Arguments take precedence over the environment, and both over defaults. Everything is checked here,
so that a mistake is found before a request. The environment is an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from attrs import evolve, field, fields, frozen

from ..errors import ConfigurationError
from .catalog import Catalog, checked_model_name
from .display import display
from .headers import check_value, checked, is_secret, value_problem
from .protocol import Advice, Protocol, Protocols
from .secret import Secret
from .sse import MAX_EVENT_BYTES, checked_max_event_bytes
from .timeout import Timeout
from .url import checked_base_url, is_loopback, without_credentials
from .verify import Verify


class Environment(Mapping[str, str]):
    """Environment variables whose repr hides them, for tracebacks that show local variables."""

    __slots__ = ("_variables",)

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __repr__(self) -> str:
        return f"<{len(self)} environment variables>"


@frozen
class CallOptions:
    """The options of one call; None keeps the client's setting."""

    headers: Mapping[str, str | None] | None = None
    extra_body: Mapping[str, object] | None = None
    timeout: Timeout | float | None = None
    max_retries: int | None = None


@frozen(kw_only=True)
class Settings:
    """A client's settings, resolved and checked.

    Attributes:
        base_url: the URL of the service, without a trailing slash.
        api_key: sent as `authorization: Bearer`, or None.
        protocol: the wire protocol.
        advice: what errors advise.
        model: the model of calls that name none; None to use the server's only one.
        timeout: the time limits of a call.
        max_retries: how often a call is retried.
        headers: sent with every request, names in lower case.
        options: the client options that set a header that the spec declares.
        catalog: the known models.
        max_event_bytes: the limit on one line, event or document, in bytes.
    """

    base_url: str
    api_key: Secret | None
    protocol: Protocol
    advice: Advice
    model: str | None
    timeout: Timeout
    max_retries: int
    headers: Mapping[str, str] = field(repr=lambda headers: repr(sorted(headers)))
    options: Mapping[str, str]
    catalog: Catalog = field(repr=False)
    max_event_bytes: int

    @property
    def summary(self) -> str:
        """The settings that a client's repr shows: the address and the model, without the key."""
        return f"base_url={self.base_url!r} protocol={self.protocol.name!r} model={self.model!r}"


CONNECTION: Mapping[str, object] = {"connection": True}
"""Marks an option that says how to connect: `with_options` shares the connections, so it cannot
change these."""


def _hidden(value: Secret | str | None) -> Secret | str | None:
    return Secret(value) if isinstance(value, str) and value else value


@frozen(kw_only=True)
class Options:
    """A client's arguments as passed, so that the client can be copied and pickled.

    The only list of the client options: the generator writes both constructors and the type of
    `with_options(**changes)` from these fields and their docstrings. A `Secret` is a `str` there.
    """

    base_url: str | None = field(default=None, repr=False)
    """URL of the service. Default: `AUTONOMOUSAI_BASE_URL`, else the hosted service."""
    api_key: Secret | str | None = field(default=None, converter=_hidden)
    """Sent as `authorization: Bearer`. Default: `AUTONOMOUSAI_API_KEY`, else no key. Over plain
    http, the key is sent to loopback addresses only."""
    protocol: Literal["autonomousai", "openai"] | None = None
    """The wire protocol. Default: `AUTONOMOUSAI_PROTOCOL`, else `openai` for a base URL whose path
    ends with `/v1`, and `autonomousai` for any other."""
    model: str | None = None
    """The model of calls that name none. Default: `AUTONOMOUSAI_MODEL`, else `llama`, or with the
    `openai` protocol the only model that the server lists."""
    timeout: Timeout | float | None = None
    """Seconds that a whole call may take, or a `Timeout` with a limit for each phase."""
    max_retries: int = 2
    """How often to retry a call that failed in a way that a retry may fix."""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Sent with every request; they replace the SDK's own headers of the same name."""
    country_code: str = "US"
    """Your country, as ISO 3166-1 alpha-2; sent as `country-code`."""
    time_zone: str = "America/New_York"
    """Your time zone, by its IANA name; sent as `time-zone`."""
    models: Mapping[str, str] | None = None
    """Models that the spec does not list, as names to paths: `{"qwen3:8b": "/chat"}`."""
    proxy: str | None = field(default=None, repr=False, metadata=CONNECTION)
    """URL of a proxy. Default: the proxy of the environment, which never applies to loopback."""
    verify: Verify = field(default=True, metadata=CONNECTION)
    """Certificates to trust. True: certifi's, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`. A
    path: a CA bundle or a directory of certificates. "system": the operating system's (extra
    `[truststore]`). Or an `ssl.SSLContext`."""
    max_event_bytes: int = MAX_EVENT_BYTES
    """Limit on one line, event or document of a response, in bytes, after decompression."""
    allow_http_key: bool = False
    """Allow the key to be sent over plain http to another machine."""

    def changed(self, changes: Mapping[str, Any]) -> Options:
        """Return a copy of the options with these changes.

        Raises:
            ConfigurationError: an option does not exist, or cannot be changed.
        """
        allowed = [each.name for each in fields(Options) if not each.metadata]
        for name in changes:
            if name not in allowed:
                raise ConfigurationError(
                    f"with_options cannot change {name!r}; it can change {', '.join(allowed)}."
                )
        return evolve(self, **changes)


@frozen
class PickledOptions:
    """A client's options in a pickle, without its key.

    A pickle is readable, so it has no key: the process that unpickles it reads the key from its
    environment.
    """

    options: Options
    had_key: bool

    def restored(self, environ: Mapping[str, str]) -> Options:
        """Return the options, if a client that had a key finds one in the environment.

        Raises:
            ConfigurationError: the client had a key, and the environment has none.
        """
        if self.had_key and not environ.get("AUTONOMOUSAI_API_KEY"):
            raise ConfigurationError(
                "A pickled client is without its key, because a pickle is readable. Set "
                "AUTONOMOUSAI_API_KEY where it is unpickled."
            )
        return self.options


def pickled(options: Options, *, own_connections: bool) -> PickledOptions:
    """Return a client's options for a pickle.

    Raises:
        ConfigurationError: the client uses the caller's http_client, transport or TLS context,
            or its proxy or headers contain credentials.
    """
    if not own_connections:
        raise ConfigurationError(
            "A client with your own http_client= or transport= cannot be pickled, because "
            "connections cannot. Make a new client in the other process."
        )
    if options.proxy is not None and without_credentials(options.proxy) != options.proxy:
        raise ConfigurationError(
            "A client whose proxy= contains a password cannot be pickled: a pickle is readable. "
            "Set the proxy in the environment instead."
        )
    if not (
        options.verify is True
        or isinstance(options.verify, str)
        or hasattr(options.verify, "__fspath__")
    ):
        raise ConfigurationError(
            "A client whose verify= is an ssl.SSLContext cannot be pickled. Pass the path of "
            "the CA bundle instead."
        )
    if any(map(is_secret, options.headers or {})):
        raise ConfigurationError(
            "A client whose headers= contain credentials cannot be pickled: a pickle is readable. "
            "Pass them to each call instead."
        )
    return PickledOptions(evolve(options, api_key=None), options.api_key is not None)


def resolve(
    options: Options,
    *,
    environ: Mapping[str, str],
    catalog: Catalog,
    protocols: Protocols,
    default_model: str | None,
) -> Settings:
    """Return a client's settings from its options, the environment and the spec's defaults.

    Raises:
        ConfigurationError: an option is invalid; the message says what to do instead.
    """
    if options.models is not None:
        if not isinstance(options.models, Mapping):
            raise ConfigurationError(
                "models= maps names to paths, such as {'qwen3:8b': '/chat'}; "
                f"got {type(options.models).__name__}."
            )
        catalog = catalog.extended(options.models)
    url, protocol = _resolved_url(options, environ, protocols)
    key = _resolved_key(options.api_key, environ)
    is_open = url.startswith("http://") and not is_loopback(url)
    if not isinstance(cast("object", options.allow_http_key), bool):
        raise ConfigurationError(
            f"allow_http_key= must be True or False, not {type(options.allow_http_key).__name__}."
        )
    if key is not None and is_open and not options.allow_http_key:
        raise ConfigurationError(
            f"The key would be sent unencrypted to {url}: use https://, or pass "
            "allow_http_key=True if the network is private."
        )
    by_option = {"country_code": options.country_code, "time_zone": options.time_zone}
    for option, value in by_option.items():
        check_value(value, option)
    return Settings(
        base_url=url,
        api_key=key,
        protocol=protocol,
        advice=protocols.advice(url),
        model=_resolved_model(options, environ, protocol, catalog, default_model),
        timeout=Timeout() if options.timeout is None else Timeout.of(options.timeout),
        max_retries=checked_retries(options.max_retries),
        headers={} if options.headers is None else checked(options.headers, "headers="),
        options=by_option,
        catalog=catalog,
        max_event_bytes=checked_max_event_bytes(options.max_event_bytes),
    )


def checked_retries(value: object) -> int:
    """Check how often a call is retried.

    Raises:
        ConfigurationError: the value is not a whole number of 0 or more.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(
            f"max_retries must be a whole number of 0 or more, not {display(value)}."
        )
    return value


def _resolved_url(
    options: Options, environ: Mapping[str, str], protocols: Protocols
) -> tuple[str, Protocol]:
    """The base URL, and the protocol that a name or else the URL selects."""
    source, url = "base_url", options.base_url
    if url is None and (from_environment := environ.get("AUTONOMOUSAI_BASE_URL")):
        source, url = "AUTONOMOUSAI_BASE_URL", from_environment
    url = protocols.default_base_url if url is None else checked_base_url(url, source)
    if options.protocol is None and (name := environ.get("AUTONOMOUSAI_PROTOCOL")):
        protocol = protocols.choose(name, url, source="AUTONOMOUSAI_PROTOCOL")
    else:
        protocol = protocols.choose(options.protocol, url)
    protocols.check(protocol, url, source=source)
    defaults = {each.name: each.default for each in fields(Options)}
    for name in {name for each in protocols.each for name in each.options}:
        if name not in protocol.options and getattr(options, name) != defaults[name]:
            raise ConfigurationError(
                f"{name}: the {protocol.name!r} protocol of {url} does not send it: leave it out."
            )
    return url, protocol


def _resolved_model(
    options: Options,
    environ: Mapping[str, str],
    protocol: Protocol,
    catalog: Catalog,
    default: str | None,
) -> str | None:
    name = options.model
    if name is None:
        name = environ.get("AUTONOMOUSAI_MODEL") or None
    if protocol.has_catalog:
        name = default if name is None else name
        catalog.get(name)
        return name
    return None if name is None else checked_model_name(name)


def _resolved_key(argument: object, environ: Mapping[str, str]) -> Secret | None:
    source, secret = "api_key", argument
    if secret is None:
        source = "AUTONOMOUSAI_API_KEY"
        secret = _hidden(environ.get(source) or None)
    return None if secret is None else checked_key(secret, source)


def checked_key(value: object, source: str) -> Secret:
    """Check that a key can be sent as a bearer token.

    Raises:
        ConfigurationError: the key is not a string, is empty, or has characters that a header
            cannot contain. The message never repeats the key.
    """
    secret = Secret(value) if isinstance(value, str) and value else value
    del value
    if secret == "":
        raise ConfigurationError(f"{source} is empty: pass the key, or None for no key.")
    if not isinstance(secret, Secret):
        raise ConfigurationError(f"{source} must be a string, not {type(secret).__name__}.")
    # Revealed in a call that has returned before anything is raised, so that a traceback with
    # local variables does not show the key.
    problem = _key_problem(secret)
    if problem is not None:
        raise ConfigurationError(f"{source}: {problem}.")
    return secret


def _key_problem(secret: Secret) -> str | None:
    key = secret.reveal()
    if " " in key.strip() or "\t" in key.strip():
        return "the key contains white space"
    return value_problem(key)
