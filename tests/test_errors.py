"""The error tree: classes, attributes, messages and pickling."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import autonomousai_sdk
from autonomousai_sdk import errors
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.parse_attempt import ParseAttempt
from autonomousai_sdk._generated.models import ChatCompletion, ChatMessage, Choice
from autonomousai_sdk.errors import (
    AnswerParseError,
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AutonomousAIError,
    ConfigurationError,
    StreamDecodeError,
    StreamError,
    StreamInterrupted,
    ToolLoopError,
)

CLASSES: list[type[AutonomousAIError]] = [getattr(errors, name) for name in errors.__all__]
PARTIAL = ChatCompletion(choices=(Choice(message=ChatMessage(content="Hel")),))
CALL: dict[str, Any] = {
    "endpoint": "POST https://service.example/chat",
    "attempt": 2,
    "partial": PARTIAL,
}
STATUS: dict[str, Any] = {
    "status": 429,
    "headers": Headers([("Retry-After", "7")]),
    "body": {"error": {"message": "busy"}},
    "code": "rate_limit_error",
    "request_id": "req-7",
    "retry_after": 7.0,
}
DETAILS: dict[type[AutonomousAIError], dict[str, Any]] = {
    APITimeoutError: {"limit": "idle", "seconds": 2.5},
    APIResponseError: {
        "status": 200,
        "headers": {"content-type": "text/html"},
        "body": b"<html>",
        "request_id": "req-7",
    },
    AnswerParseError: {"problems": ("$: wrong",), "attempts": (ParseAttempt("x", ("$: wrong",)),)},
    ToolLoopError: {"messages": ({"role": "user", "content": "Hi"},), "rounds": 8},
    StreamError: {"request_id": "req-7"},
    StreamInterrupted: {"request_id": "req-7"},
    StreamDecodeError: {"request_id": "req-7", "data": b"{"},
}


def made(cls: type[AutonomousAIError], message: str = "It failed.") -> AutonomousAIError:
    """Create an error with every attribute of its class."""
    details = STATUS if issubclass(cls, APIStatusError) else DETAILS.get(cls, {})
    return cls(message, **CALL, **details)


def drawn() -> dict[str, str]:
    """Parse the tree in the module's docstring into classes and their bases."""
    above: list[str] = []
    found: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ([│├└ ]*)([A-Z]\w+)", line):
            depth = len(match[1]) // 2
            above[depth:] = [match[2]]
            found[match[2]] = above[depth - 1] if depth else ""
    return found


def test_the_tree_is_as_it_is_drawn() -> None:
    """Each error has the base of the documented tree and is exported at the top level."""
    tree = drawn()
    assert set(tree) == set(errors.__all__)
    assert errors.__all__ == sorted(errors.__all__)
    for name, above in tree.items():
        cls = getattr(errors, name)
        assert cls.__base__.__name__ == (above or "Exception")
        assert getattr(autonomousai_sdk, name) is cls
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert set(tree) == {
        name for name in defined if getattr(errors, name).__module__ == errors.__name__
    }


def test_a_bad_argument_is_also_a_value_error() -> None:
    """ConfigurationError is a ValueError."""
    assert issubclass(ConfigurationError, ValueError)
    assert not any(issubclass(cls, ValueError) for cls in CLASSES if cls is not ConfigurationError)


def through_pickle(protocol: int) -> Callable[[Any], Any]:
    """Pickle and unpickle with one protocol."""
    return lambda error: pickle.loads(pickle.dumps(error, protocol))


WAYS: Mapping[str, Callable[[Any], Any]] = {
    **{f"pickle {protocol}": through_pickle(protocol) for protocol in range(6)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("again", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_keeps_its_attributes_wherever_it_goes(
    cls: type[AutonomousAIError], again: Callable[[Any], Any]
) -> None:
    """A pickled error keeps every attribute."""
    error = made(cls)
    other = again(error)
    assert type(other) is cls
    assert other is not error
    assert vars(other) == vars(error)
    assert other.partial == PARTIAL
    assert (str(other), other.args) == (str(error), error.args)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_attribute_is_an_argument(cls: type[AutonomousAIError]) -> None:
    """An error has the attributes it was created with; only the message is required."""
    error = made(cls)
    names = [name for name in inspect.signature(cls).parameters if name != "message"]
    assert set(vars(error)) == {"message", *names}
    details = STATUS if issubclass(cls, APIStatusError) else DETAILS.get(cls, {})
    assert set(names) == {*CALL, *details}
    for name, value in {**CALL, **details}.items():
        assert getattr(error, name) == value
    bare = cls("It failed.")
    assert str(bare) == bare.message == "It failed."
    assert (bare.endpoint, bare.attempt, bare.partial) == (None, None, None)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_attribute_is_documented(cls: type[AutonomousAIError]) -> None:
    """Every attribute is documented by the class that adds it."""
    assert cls.__doc__
    base = cls.__mro__[1]
    inherited = set(inspect.signature(base).parameters) if base in CLASSES else set[str]()
    for name in set(inspect.signature(cls).parameters) - inherited:
        assert f"        {name}: " in cls.__doc__


@pytest.mark.parametrize("cls", CLASSES)
def test_the_text_names_the_endpoint_and_the_try(cls: type[AutonomousAIError]) -> None:
    """The text of an error names the endpoint and the attempt."""
    assert str(made(cls)) == "It failed. [POST https://service.example/chat, attempt 2]"
    assert str(cls("It failed.", endpoint="POST /chat")) == "It failed. [POST /chat]"
    assert str(cls("It failed.", attempt=2)) == "It failed."


def test_what_an_error_does_not_show_of_itself() -> None:
    """Bodies, headers and data are attributes and not part of the printed text."""
    for cls in CLASSES:
        error = made(cls)
        for shown in (str(error), repr(error)):
            assert "busy" not in shown
            assert "html" not in shown


def test_defaults_are_empty_and_never_shared() -> None:
    """Two errors without headers do not share a mapping."""
    for cls in (APIStatusError, APIResponseError):
        one, two = cls("a"), cls("b")
        assert one.headers == two.headers == {}
        assert one.headers is not two.headers
    status = APIStatusError("a")
    assert (status.status, status.body, status.code, status.retry_after) == (0, None, None, None)
    assert APIResponseError("a").body == StreamDecodeError("a").data == b""
    timeout = APITimeoutError("a")
    assert (timeout.limit, timeout.seconds) == ("total", None)
    assert isinstance(timeout, APIConnectionError)
