"""The registry of open streams, on its own."""

from __future__ import annotations

import pytest

from autonomousai_sdk._drivers.open_streams import OpenStreams


class Stream:
    """An object that can be dropped."""


class Response:
    """A response that counts how often it was aborted."""

    def __init__(self) -> None:
        self.aborted = 0

    def abort(self) -> None:
        """Abort the connection."""
        self.aborted += 1


@pytest.fixture
def registry() -> OpenStreams[Response]:
    """A registry without open streams."""
    return OpenStreams[Response]()


def test_a_dropped_streams_connection_is_broken_and_collected_once(
    registry: OpenStreams[Response],
) -> None:
    """A dropped stream's response is aborted at once, and collected once by the next call."""
    stream, response = Stream(), Response()
    registry.add(stream, response, "POST /chat")
    assert registry.collect() == []
    del stream
    assert response.aborted == 1
    assert registry.collect() == [response]
    assert registry.collect() == []
    assert registry.open_streams() == []


def test_a_stream_that_ends_properly_is_let_go(registry: OpenStreams[Response]) -> None:
    """A removed stream is not aborted when dropped, and can be removed twice."""
    stream, response = Stream(), Response()
    registry.add(stream, response, "POST /chat")
    registry.remove(stream)
    registry.remove(stream)
    del stream
    assert response.aborted == 0
    assert registry.open_streams() == []


def test_a_closing_client_gets_its_open_streams(registry: OpenStreams[Response]) -> None:
    """A closing client gets the streams that are open, without those that were dropped."""
    kept, dropped, responses = Stream(), Stream(), [Response(), Response()]
    registry.add(kept, responses[0], "POST /chat")
    registry.add(dropped, responses[1], "POST /chat")
    del dropped
    assert registry.open_streams() == [kept]
    assert registry.collect() == [responses[1]]
    assert [response.aborted for response in responses] == [0, 1]


def test_what_is_open_is_told(registry: OpenStreams[Response]) -> None:
    """The description has the number of open streams and each endpoint once."""
    assert str(registry) == "every connection is in use"
    one, two, three = Stream(), Stream(), Stream()
    registry.add(one, Response(), "POST /chat-b")
    assert str(registry).startswith("1 stream is still open (POST /chat-b): read streams")
    registry.add(two, Response(), "POST /chat-a")
    registry.add(three, Response(), "POST /chat-b")
    assert str(registry).startswith("3 streams are still open (POST /chat-a, POST /chat-b): ")
