"""What passes between a flow and a driver."""

from __future__ import annotations

import pickle

import pytest

from autonomousai_sdk._core.exchange import Attempt, Failure, Reply, Request, TransportError
from autonomousai_sdk._core.failure import Context
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.response import ResponseReader

REQUEST = Request(
    method="POST",
    url="https://service.example/api/chat",
    headers=(("accept", "*/*"), ("authorization", "Bearer sk-sesame"), ("cookie", "c=sesame")),
    content=b'{"messages": "prompt"}',
)


def test_a_request_shows_neither_its_credentials_nor_its_body() -> None:
    """A traceback with locals prints requests, so their repr is fit to be printed."""
    shown = repr(REQUEST)
    assert "sesame" not in shown
    assert "prompt" not in shown
    assert "<22 bytes>" in shown
    assert "https://service.example/api/chat" in shown
    assert "'accept': '*/*'" in shown


def test_values_are_frozen() -> None:
    """What a flow yields or is sent cannot be changed by whoever holds it."""
    reply = Reply(elapsed=1.0, duration=0.5, date=0.0)
    failure = Failure(
        error=TransportError("broken", "it broke"),
        limit="read",
        seconds=5.0,
        elapsed=1.0,
        duration=1.0,
    )
    answer = ResponseReader(Context("POST /", 1, None), 100, None)
    attempt = Attempt(request=REQUEST, number=1, delay=0.0, receiver=answer)
    for value, name in (
        (REQUEST, "url"),
        (reply, "elapsed"),
        (failure, "limit"),
        (attempt, "number"),
    ):
        with pytest.raises(AttributeError):
            setattr(value, name, "other")


def test_a_transport_error_says_what_kind_it_is() -> None:
    """A transport names the fault and, for a timeout, the limit; read is the usual one."""
    error = TransportError("timeout", "too slow", phase="connect")
    assert (error.kind, error.message, error.phase) == ("timeout", "too slow", "connect")
    assert str(error) == "too slow"
    assert TransportError("broken", "gone").phase == "read"


def test_a_receiver_is_what_the_driver_feeds() -> None:
    """An answer has all that the protocol asks of a receiver, under the same names."""
    answer = ResponseReader(Context("POST /", 1, None), 100, None)
    attempt = Attempt(request=REQUEST, number=1, delay=0.0, receiver=answer)
    receiver = attempt.receiver
    receiver.start(200, Headers([("content-type", "application/json")]))
    assert not receiver.satisfied
    assert not receiver.streaming
    receiver.feed(b"{}")
    assert not receiver.satisfied
    receiver.feed(b"")
    assert receiver.satisfied


def test_a_request_is_a_plain_value() -> None:
    """Two requests with the same parts are equal and hash alike, and one survives a pickle."""
    again = pickle.loads(pickle.dumps(REQUEST))
    assert again == REQUEST
    assert hash(again) == hash(REQUEST)
