"""No error message is longer than 2 KiB, whatever was passed."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autonomousai_sdk as sdk
from autonomousai_sdk import errors

LIMIT = 2048
NOWHERE = "http://127.0.0.1:9"  # discard: nothing listens there

LONG = st.sampled_from(
    [
        "x" * 100_000,
        "é" * 50_000,
        "😀" * 30_000,
        "\ud83d" * 30_000,
        "\0" * 30_000,
        b"x" * 100_000,
        "https://" + "h" * 100_000,
        "socks5://u:" + "p" * 50_000 + "@h",
        "http://[" + "1" * 50_000,
        "/" + "a/" * 40_000,
        10**5000,
        -(10**4000),
        ["x" * 50_000],
        ["x"] * 20_000,
        [{"role": "x" * 50_000, "content": "hi"}],
        [{"role": "user", "content": {"y" * 50_000: 1}}],
        [{"role": "user", "content": [{"type": "z" * 50_000}]}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": "u" * 50_000}]}],
        {"k" * 50_000: "v" * 50_000},
        {"k": "v\n" * 50_000},
        {f"name{n}": n for n in range(5_000)},
        tuple(range(20_000)),
        float("nan"),
        object(),
        None,
    ]
)
OPTIONS = (
    "base_url",
    "api_key",
    "model",
    "timeout",
    "max_retries",
    "headers",
    "country_code",
    "time_zone",
    "models",
    "proxy",
    "max_event_bytes",
    "protocol",
    "verify",
    "http_client",
    "transport",
)
ARGUMENTS = (
    "messages",
    "model",
    "thread_id",
    "user_id",
    "use_tool",
    "headers",
    "extra_body",
    "timeout",
    "max_retries",
    "max_tokens",
    "temperature",
    "stop",
    "response_format",
    "tools",
    "tool_choice",
    "logprobs",
)


def check(act: Callable[[], object]) -> None:
    """Any error of the SDK is short; there is no other kind."""
    caught: errors.AutonomousAIError | None = None
    try:
        act()
    except errors.AutonomousAIError as error:
        caught = error
    if caught is not None:
        for text in (str(caught), caught.message):
            assert len(text.encode("utf-8", "surrogatepass")) <= LIMIT
        assert str(pickle.loads(pickle.dumps(caught))) == str(caught)


@given(st.sampled_from(OPTIONS), LONG)
def test_client_options(name: str, value: Any) -> None:
    """A bad option of a client gets a short error."""
    options: dict[str, Any] = {"base_url": NOWHERE, name: value}
    check(lambda: sdk.Client(**options).close())


@given(st.sampled_from(ARGUMENTS), LONG)
def test_arguments_of_a_call(name: str, value: Any) -> None:
    """A bad argument of a call gets a short error."""
    arguments: dict[str, Any] = {"messages": "Hi", name: value}

    def call() -> None:
        with sdk.Client(base_url=NOWHERE, max_retries=0, timeout=2) as client:
            client.chat.create(**arguments)

    check(call)


@given(LONG)
def test_other_functions(value: Any) -> None:
    """Images, limits, models and decoders of any size get short errors."""
    for act in (
        lambda: sdk.Message.user("Hi", images=[value]),
        lambda: sdk.Message.user("Hi", images=value),
        lambda: sdk.SSEDecoder(max_event_bytes=value),
        lambda: sdk.Timeout(total=value),
        lambda: sdk.Client(base_url=NOWHERE).models.get(value),
    ):
        check(act)


@pytest.mark.parametrize("character", ["x", "é", "😀", "\ud83d"])
@pytest.mark.parametrize("cls", [each for each in vars(errors).values() if isinstance(each, type)])
def test_every_error_class(cls: Any, character: str) -> None:
    """The limit holds for the message and for the endpoint with it, in any script."""
    if not issubclass(cls, errors.AutonomousAIError):
        return
    error = cls(character * 100_000, endpoint=f"POST https://{character * 100_000}", attempt=3)
    text = str(error)
    assert 1024 < len(text.encode("utf-8", "surrogatepass")) <= LIMIT
    assert text.startswith(character)
    assert "100000 characters" in text
    assert "try 3" in text or "attempt 3" in text
    short = cls("short", endpoint="POST https://service.example", attempt=1)
    assert "short [POST https://service.example" in str(short)
