"""Requests and their outcomes."""

from __future__ import annotations

import pickle

import pytest

from autonomousai_sdk._core.exchange import Failure, Reply, Request, TransportError

REQUEST = Request(
    method="POST",
    url="https://service.example/api/chat",
    headers=(("accept", "*/*"), ("authorization", "Bearer sk-sesame"), ("cookie", "c=sesame")),
    content=b'{"messages": "prompt"}',
)


def test_a_request_shows_neither_its_credentials_nor_its_body() -> None:
    """The repr of a request, which a traceback with locals prints, has no secret and no body."""
    shown = repr(REQUEST)
    assert "sesame" not in shown
    assert "prompt" not in shown
    assert "<22 bytes>" in shown
    assert "https://service.example/api/chat" in shown
    assert "'accept': '*/*'" in shown


def test_values_are_frozen() -> None:
    """Requests and outcomes cannot be changed by the code that receives them."""
    reply = Reply(elapsed=1.0, duration=0.5, date=0.0)
    failure = Failure(
        error=TransportError("broken", "it broke"),
        limit="read",
        seconds=5.0,
        elapsed=1.0,
        duration=1.0,
    )
    for value, name in ((REQUEST, "url"), (reply, "elapsed"), (failure, "limit")):
        with pytest.raises(AttributeError):
            setattr(value, name, "other")


def test_a_transport_error_says_what_kind_it_is() -> None:
    """A transport error has a kind and, for a timeout, the expired limit: read by default."""
    error = TransportError("timeout", "too slow", phase="connect")
    assert (error.kind, error.message, error.phase) == ("timeout", "too slow", "connect")
    assert str(error) == "too slow"
    assert TransportError("broken", "gone").phase == "read"


def test_a_request_is_a_plain_value() -> None:
    """Two requests with the same parts are equal and hash alike, and one survives a pickle."""
    again = pickle.loads(pickle.dumps(REQUEST))
    assert again == REQUEST
    assert hash(again) == hash(REQUEST)
