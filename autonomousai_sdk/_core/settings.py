"""What a client is set up with, and what one call changes of it.

Resolves arguments over environment over defaults, and checks all of it: everything a
caller can get wrong before a request is found here or in `message`. The environment is an
argument.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ..errors import ConfigurationError
from .catalog import Catalog
from .headers import check_value, checked
from .operation import HeaderParameter
from .secret import Secret
from .sse import checked_max_event_bytes
from .timeout import Timeout
from .url import checked_base_url, is_loopback, without_credentials


@frozen
class CallOptions:
    """What one call sets for itself; None leaves the client's setting."""

    headers: Mapping[str, str] | None = None
    extra_body: Mapping[str, object] | None = None
    timeout: Timeout | float | None = None
    max_retries: int | None = None


@frozen(kw_only=True)
class Settings:
    """A client's settings, checked.

    Attributes:
        base_url: no trailing slash.
        api_key: sent as `authorization: Bearer`, or None.
        model: the model a call uses when it names none.
        timeout: the time limits of a call.
        max_retries: how many more tries a call gets.
        headers: sent with every request, names in lower case.
        options: the client options that set a header the spec declares.
        catalog: the models known.
        proxy: the proxy's URL, or None for the environment's.
        max_event_bytes: the bound on one line, event or document, in bytes.
    """

    base_url: str
    api_key: Secret | None
    model: str
    timeout: Timeout
    max_retries: int
    headers: Mapping[str, str] = field(repr=lambda headers: repr(sorted(headers)))
    options: Mapping[str, str]
    catalog: Catalog = field(repr=False)
    proxy: str | None = field(repr=lambda proxy: repr(proxy and without_credentials(proxy)))
    max_event_bytes: int


def resolve(
    *,
    environ: Mapping[str, str],
    catalog: Catalog,
    default_base_url: str,
    default_model: str,
    base_url: str | None,
    api_key: str | None,
    model: str | None,
    timeout: Timeout | float | None,
    max_retries: int,
    headers: Mapping[str, str] | None,
    options: Mapping[str, str],
    models: Mapping[str, str] | None,
    proxy: str | None,
    max_event_bytes: int,
    allow_http_key: bool,
) -> Settings:
    """A client's settings from its arguments, the environment and the spec's defaults.

    Raises:
        ConfigurationError: whatever of it cannot work, with what to do instead.
    """
    if models is not None:
        if not isinstance(models, Mapping):
            raise ConfigurationError(
                f"models= maps names to paths, such as {{'qwen3:8b': '/chat'}}; "
                f"got {type(models).__name__}."
            )
        catalog = catalog.extended(models)
    url = _resolved_url(base_url, environ, default_base_url)
    key = _resolved_key(api_key, environ)
    if key is not None and url.startswith("http://") and not is_loopback(url) and not allow_http_key:
        raise ConfigurationError(
            f"The key would travel unencrypted to {url}: use https://, or pass "
            "allow_http_key=True if the way there is private."
        )
    name = model if model is not None else environ.get("AUTONOMOUSAI_MODEL") or default_model
    catalog.get(name)
    for option, value in options.items():
        check_value(value, option)
    sent = checked(headers or {}, "headers=")
    return Settings(
        base_url=url,
        api_key=key,
        model=name,
        timeout=Timeout() if timeout is None else Timeout.of(timeout),
        max_retries=checked_retries(max_retries),
        headers=sent,
        options=dict(options),
        catalog=catalog,
        proxy=_checked_proxy(proxy),
        max_event_bytes=checked_max_event_bytes(max_event_bytes),
    )


def checked_retries(value: object) -> int:
    """How many more tries a call gets, if it is such a number.

    Raises:
        ConfigurationError: not a whole number of 0 or more.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(
            f"max_retries is a whole number, 0 for a single try; got {value!r}."
        )
    return value


def header_values(
    parameters: tuple[HeaderParameter, ...], options: Mapping[str, str]
) -> dict[str, str]:
    """The headers the spec declares, each by its client option or its default."""
    values = {
        parameter.wire: options.get(parameter.option or "", parameter.default)
        for parameter in parameters
    }
    return {name: value for name, value in values.items() if value is not None}


def _resolved_url(argument: str | None, environ: Mapping[str, str], default: str) -> str:
    if argument is not None:
        return checked_base_url(argument)
    if from_environment := environ.get("AUTONOMOUSAI_BASE_URL"):
        return checked_base_url(from_environment, "AUTONOMOUSAI_BASE_URL")
    return default


def _resolved_key(argument: str | None, environ: Mapping[str, str]) -> Secret | None:
    source, value = "api_key", argument
    if value is None:
        source, value = "AUTONOMOUSAI_API_KEY", environ.get("AUTONOMOUSAI_API_KEY") or None
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(f"{source} is a string, not {type(value).__name__}.")
    if not value:
        raise ConfigurationError(f"{source} is empty: pass the key, or None for no key.")
    check_value(value, source)
    if " " in value or "\t" in value:
        raise ConfigurationError(f"{source} has white space in it.")
    return Secret(value)


def _checked_proxy(value: str | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or "://" not in value:
        raise ConfigurationError(
            "proxy is a URL with a scheme, for example 'http://127.0.0.1:8080'."
        )
    scheme = value.partition("://")[0].lower()
    if scheme not in ("http", "https", "socks5", "socks5h"):
        raise ConfigurationError(
            f"proxy: {scheme}:// is not supported; use http://, https:// or socks5://."
        )
    return value
