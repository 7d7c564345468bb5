"""What a client is set up with: arguments over environment over defaults, all of it checked."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import PurePath
from traceback import TracebackException
from typing import Any

import pytest

from autonomousai_sdk._core.protocol import Protocol
from autonomousai_sdk._core.secret import Secret
from autonomousai_sdk._core.settings import (
    CallOptions,
    Environment,
    PickledOptions,
    checked_retries,
    pickled,
    resolve,
)
from autonomousai_sdk._core.timeout import Timeout
from autonomousai_sdk.errors import ConfigurationError
from tests.support.sample_operation import (
    BASE_URL,
    CATALOG,
    KEY,
    ORIGINAL,
    PLAIN,
    PLAIN_URL,
    PROTOCOLS,
    options,
    settings,
)

ENVIRON = {
    "AUTONOMOUSAI_BASE_URL": "https://environment.example/",
    "AUTONOMOUSAI_API_KEY": "sk-environment",
    "AUTONOMOUSAI_MODEL": "vision",
}


def test_defaults_are_the_specs() -> None:
    """With neither arguments nor environment, all comes from the spec."""
    made = settings()
    assert (made.base_url, made.model, made.api_key) == (BASE_URL, "llama", None)
    assert made.timeout == Timeout()
    assert (made.max_retries, made.headers) == (2, {})
    assert made.options == {"country_code": "US", "time_zone": "America/New_York"}


def test_the_environment_goes_over_the_defaults() -> None:
    """Its three variables are read, and its base URL loses the slash at its end too."""
    made = settings(ENVIRON)
    assert (made.base_url, made.model) == ("https://environment.example", "vision")
    assert made.api_key == Secret("sk-environment")


def test_arguments_go_over_the_environment() -> None:
    """What the caller says in the program is what counts."""
    made = settings(
        ENVIRON, base_url="https://argument.example", api_key="sk-argument", model="llama-3"
    )
    assert (made.base_url, made.model) == ("https://argument.example", "llama-3")
    assert made.api_key == Secret("sk-argument")


def test_an_empty_variable_is_as_good_as_none() -> None:
    """Shells and containers set variables to nothing when they mean to unset them."""
    made = settings(dict.fromkeys(ENVIRON, ""))
    assert (made.base_url, made.model, made.api_key) == (BASE_URL, "llama", None)


def test_everything_else_is_taken_over() -> None:
    """Numbers become limits, names become lower case, and options their headers' values."""
    made = settings(
        timeout=5,
        max_retries=0,
        headers={"X-Team": "a"},
        country_code="DE",
        time_zone="Europe/Berlin",
        models={"qwen3:8b": "/chat"},
        model="qwen3:8b",
        max_event_bytes=10,
    )
    assert made.timeout == Timeout(total=5)
    assert (made.max_retries, made.headers, made.model) == (0, {"x-team": "a"}, "qwen3:8b")
    assert made.options == {"country_code": "DE", "time_zone": "Europe/Berlin"}
    assert made.catalog.get("qwen3:8b").path == "/chat"
    assert made.max_event_bytes == 10


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_url": "service.example"}, "base_url .* needs a scheme"),
        ({"base_url": ""}, "base_url is empty"),
        ({"api_key": ""}, "api_key is empty: pass the key, or None for no key"),
        ({"api_key": 5}, "api_key must be a string, not int"),
        ({"api_key": "sk-\n"}, r"api_key: the value has the character U\+000A at position 3"),
        ({"api_key": "sk-é"}, r"api_key: the value has the character U\+00E9"),
        ({"api_key": "sk- x"}, "api_key: the key contains white space"),
        ({"api_key": "sk-\tx"}, "api_key: the key contains white space"),
        ({"api_key": " sk"}, "api_key: the value starts or ends with white space"),
        ({"model": "gpt"}, "Unknown model 'gpt'. Known models: llama"),
        ({"model": 5}, "model must be a string, not int"),
        ({"model": ""}, "Unknown model ''"),
        ({"timeout": "5"}, "timeout must be a number of seconds or a Timeout"),
        ({"timeout": 0}, "timeout: total must be a positive number of seconds"),
        ({"max_retries": -1}, "max_retries must be a whole number of 0 or more, not -1"),
        ({"max_retries": 1.5}, "max_retries must be a whole number .*not 1.5"),
        ({"max_retries": True}, "max_retries must be a whole number .*not True"),
        ({"max_retries": None}, "max_retries must be a whole number .*not None"),
        ({"headers": {"a b": "c"}}, "headers=: 'a b' is not a header name"),
        ({"headers": [("a", "b")]}, "headers= is a mapping"),
        ({"country_code": "U\nS"}, r"country_code: .*U\+000A"),
        ({"time_zone": 5}, "time_zone: a header's value is a string, not int"),
        ({"models": ["x"]}, r"models= maps names to paths, such as .*; got list"),
        ({"models": {"x": "chat"}}, "does not start with a slash"),
        ({"max_event_bytes": 0}, "max_event_bytes is a positive number of bytes; got 0"),
    ],
)
def test_what_cannot_work_is_refused_with_advice(changes: dict[str, Any], said: str) -> None:
    """Each wrong argument is named, with what it should be, before there is a connection."""
    with pytest.raises(ConfigurationError, match=said):
        settings(**changes)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AUTONOMOUSAI_BASE_URL", "service.example", "needs a scheme"),
        ("AUTONOMOUSAI_API_KEY", "sk-\r\n", r"U\+000D"),
        ("AUTONOMOUSAI_API_KEY", "sk- x", "white space"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, said: str) -> None:
    """Who set it nowhere in the program has to know where to look."""
    with pytest.raises(ConfigurationError, match=f"^{name}.*{said}"):
        settings({name: value})
    with pytest.raises(ConfigurationError, match="Unknown model 'gpt'"):
        settings({"AUTONOMOUSAI_MODEL": "gpt"})


@pytest.mark.parametrize("bad", [f"{KEY}\n", f"{KEY} x", f" {KEY}", f"{KEY}é"])
@pytest.mark.parametrize("by_environment", [False, True])
def test_a_wrong_key_is_not_repeated(bad: str, by_environment: bool) -> None:
    """Most of a wrong key is the right one, so neither message nor frames hold it."""
    environ = Environment({"AUTONOMOUSAI_API_KEY": bad} if by_environment else {})
    given = options(api_key=None if by_environment else bad)
    with pytest.raises(ConfigurationError) as caught:
        resolve(
            given,
            environ=environ,
            catalog=CATALOG,
            protocols=PROTOCOLS,
            default_model="llama",
        )
    inner = caught.value.__traceback__
    assert inner is not None
    frames = TracebackException(
        ConfigurationError, caught.value, inner.tb_next, capture_locals=True
    )
    assert "environ" in "".join(frames.format())
    assert "sesame" not in "".join(frames.format())


def test_an_environment_does_not_show() -> None:
    """It is a mapping like any other, but its repr has numbers only."""
    environ = Environment({"A": "sesame", "B": "2"})
    assert dict(environ) == {"A": "sesame", "B": "2"}
    assert (environ["A"], environ.get("C"), len(environ)) == ("sesame", None, 2)
    assert repr(environ) == "<2 environment variables>"


def test_a_key_goes_over_plain_http_to_this_machine_only() -> None:
    """Elsewhere it needs https, or the caller's word that the way is private."""
    for base_url in ("http://127.0.0.1:8000", "http://localhost", "https://service.example"):
        assert settings(base_url=base_url, api_key=KEY).api_key == Secret(KEY)
    with pytest.raises(
        ConfigurationError,
        match=r"unencrypted to http://service\.example: use https://, or pass allow_http_key=True",
    ):
        settings(base_url="http://service.example", api_key=KEY)
    assert settings(base_url="http://service.example").api_key is None
    assert settings(base_url="http://s.example", api_key=KEY, allow_http_key=True).api_key
    wrong: Any = "false"
    with pytest.raises(ConfigurationError, match="allow_http_key= must be True or False, not str"):
        settings(base_url="http://s.example", api_key=KEY, allow_http_key=wrong)


def test_secrets_show_nowhere() -> None:
    """Arguments and settings show neither the key nor a proxy's password."""
    secretive: dict[str, Any] = {
        "api_key": KEY,
        "proxy": "http://me:sesame@proxy:3128",
        "headers": {"authorization": "Bearer sesame"},
    }
    given, made = options(**secretive), settings(**secretive)
    for shown in (repr(given), str(given), repr(made), str(made), made.summary):
        assert "sesame" not in shown
    assert "['authorization']" in repr(made)
    assert made.summary == f"base_url='{BASE_URL}' protocol='original' model='llama'"
    for value in (given, made):
        with pytest.raises(TypeError, match="__dict__"):
            vars(value)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(value)
    assert "sesame" not in repr(given.api_key)


def test_options_can_be_changed_but_for_the_connections() -> None:
    """A copy has the changes and the rest of the arguments, the key included."""
    given = options(api_key=KEY, country_code="DE")
    changed = given.changed({"model": "vision", "max_retries": 0})
    assert (changed.model, changed.max_retries, changed.country_code) == ("vision", 0, "DE")
    assert changed.api_key == given.api_key == Secret(KEY)
    assert given.model is None
    assert given.changed({"api_key": "sk-other"}).api_key == Secret("sk-other")
    assert given.changed({"api_key": None}).api_key is None


@pytest.mark.parametrize("name", ["proxy", "verify", "http_client", "transport", "modle"])
def test_what_cannot_be_changed_is_refused_by_name(name: str) -> None:
    """The message lists what can be."""
    with pytest.raises(
        ConfigurationError,
        match=f"with_options cannot change '{name}'; it can change base_url, api_key, protocol",
    ):
        options().changed({name: None})


def test_a_pickle_has_the_arguments_without_the_key() -> None:
    """The key stays out of it, and is expected in the environment on the other side."""
    given = options(api_key=KEY, model="vision", headers={"x-team": "a"})
    data = pickle.dumps(pickled(given, own_connections=True))
    assert b"sesame" not in data
    travelled: PickledOptions = pickle.loads(data)
    restored = travelled.restored({"AUTONOMOUSAI_API_KEY": "sk-there"})
    assert (restored.model, restored.headers, restored.api_key) == ("vision", {"x-team": "a"}, None)
    for environ in ({}, {"AUTONOMOUSAI_API_KEY": ""}):
        with pytest.raises(ConfigurationError, match="Set AUTONOMOUSAI_API_KEY where it is unpi"):
            travelled.restored(environ)


@pytest.mark.parametrize("verify", [True, "ca.pem", PurePath("ca.pem")])
def test_a_client_without_a_key_needs_none_on_the_other_side(verify: object) -> None:
    """The arguments of a client without a key are the same after unpickling."""
    given = options(proxy="http://proxy", verify=verify)
    assert pickled(given, own_connections=True).restored({}) == given


@pytest.mark.parametrize(
    ("changes", "own_connections", "said"),
    [
        ({}, False, "http_client= or transport= cannot be pickled.* Make a new client"),
        ({"proxy": "http://me:sesame@proxy"}, True, "password .*Set the proxy in the environment"),
        ({"verify": object()}, True, r"verify= is an ssl\.SSLContext .* Pass the path"),
        ({"headers": {"Cookie": "sesame"}}, True, "headers= contain credentials.* to each call"),
    ],
)
def test_what_cannot_travel_in_a_pickle_is_refused(
    changes: dict[str, Any], own_connections: bool, said: str
) -> None:
    """Connections, and whatever else is secret; the message says what to do instead."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        pickled(options(**changes), own_connections=own_connections)
    assert "sesame" not in str(caught.value)


def test_a_call_sets_nothing_by_itself() -> None:
    """Without arguments a call leaves all to the client."""
    assert CallOptions() == CallOptions(headers=None, extra_body=None, timeout=None)
    assert checked_retries(0) == 0


@pytest.mark.parametrize(
    ("environ", "changes", "protocol"),
    [
        ({}, {}, ORIGINAL),
        ({}, {"base_url": PLAIN_URL}, PLAIN),
        ({"AUTONOMOUSAI_BASE_URL": f"{PLAIN_URL}/"}, {}, PLAIN),
        ({}, {"base_url": PLAIN_URL, "protocol": "original"}, ORIGINAL),
        ({"AUTONOMOUSAI_PROTOCOL": "original"}, {"base_url": PLAIN_URL}, ORIGINAL),
        ({"AUTONOMOUSAI_PROTOCOL": ""}, {"base_url": PLAIN_URL}, PLAIN),
        ({"AUTONOMOUSAI_PROTOCOL": "plain"}, {"protocol": "original"}, ORIGINAL),
    ],
)
def test_the_protocol_follows_argument_environment_and_base_url(
    environ: dict[str, str], changes: dict[str, Any], protocol: Protocol
) -> None:
    """The protocol is the argument's, else the environment's, else the base URL's."""
    assert settings(environ, **changes).protocol is protocol


@pytest.mark.parametrize(
    ("environ", "changes", "said"),
    [
        ({}, {"protocol": "grpc"}, "^protocol must be 'original' or 'plain', not 'grpc'"),
        ({"AUTONOMOUSAI_PROTOCOL": "grpc"}, {}, "^AUTONOMOUSAI_PROTOCOL must be"),
        ({}, {"base_url": "http://h", "protocol": "plain"}, "^base_url 'http://h' lacks /v1"),
        ({"AUTONOMOUSAI_BASE_URL": "http://h/v1/v1"}, {}, "^AUTONOMOUSAI_BASE_URL .* twice"),
        ({}, {"base_url": PLAIN_URL, "country_code": "DE"}, "country_code: the 'plain' protocol"),
        ({}, {"base_url": PLAIN_URL, "models": {"a": "/a"}}, "models: the 'plain' protocol"),
        ({}, {"base_url": PLAIN_URL, "model": ""}, "model is empty"),
        ({}, {"base_url": PLAIN_URL, "model": 5}, "model must be a string, not int"),
    ],
)
def test_settings_that_a_protocol_cannot_use_are_refused(
    environ: dict[str, str], changes: dict[str, Any], said: str
) -> None:
    """An unknown protocol, and a base URL, option or model that it cannot use, are refused."""
    with pytest.raises(ConfigurationError, match=said):
        settings(environ, **changes)


def test_a_protocol_without_a_model_table_takes_any_name() -> None:
    """Such a protocol sends any model's name, and has no default model."""
    assert settings(base_url=PLAIN_URL).model is None
    assert settings(base_url=PLAIN_URL, model="qwen3:8b").model == "qwen3:8b"
    assert settings({"AUTONOMOUSAI_MODEL": "gpt"}, base_url=PLAIN_URL).model == "gpt"
    assert settings({"AUTONOMOUSAI_MODEL": ""}, base_url=PLAIN_URL).model is None


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_options_and_settings_can_be_copied(copied: Callable[[Any], Any]) -> None:
    """Copies of a client's options and settings, deep ones too, are equal, the key included."""
    given, made = options(api_key=KEY, timeout=5), settings(api_key=KEY, timeout=5)
    assert copied(given) == given
    assert copied(made).api_key == made.api_key == Secret(KEY)
    assert copied(made).timeout == made.timeout
