"""A response as the fuzzer reads it: like a driver, but always to its end.

Owns the outcome of a response and the check that the outcome is true.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from contextlib import suppress

from attrs import field, frozen

from autonomousai_sdk._core.coding import CodingError, inflater
from autonomousai_sdk._core.failure import Context
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.response import ResponseReader
from autonomousai_sdk._core.secret import Secret
from autonomousai_sdk._generated.models import ChatCompletion, ChatCompletionChunk
from autonomousai_sdk._generated.operations import CHAT_CREATE
from autonomousai_sdk.errors import AutonomousAIError
from tests.support.reference_parser import read_by_the_rules
from tests.support.sample_operation import KEY

CONTEXT = Context("POST https://service.example/chat", 1, Secret(KEY))


@frozen
class Head:
    """The head of a response."""

    status: int
    headers: Mapping[str, str]

    @classmethod
    def parsed(cls, text: str) -> Head:
        """Parse a status and header lines; invalid lines are ignored."""
        status, *lines = text.split("\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        known = len(status) == 3 and status.isascii() and status.isdigit()
        return cls(int(status) if known else 200, headers)


def _kind(error: AutonomousAIError | None) -> object:
    """Return what an error shows, which must not depend on the reads."""
    return type(error), str(error)


@frozen
class Outcome:
    """The outcome of a response.

    Attributes:
        chunks: the chunks of a stream.
        completion: the completion, or None.
        error: the error, or None.
        is_stream: whether the response is a stream.
    """

    chunks: tuple[ChatCompletionChunk, ...] = ()
    completion: ChatCompletion | None = None
    error: AutonomousAIError | None = field(default=None, eq=_kind)
    is_stream: bool = False


def read(head: Head, pieces: Iterable[bytes], *, is_stream: bool, bound: int) -> Outcome:
    """Read a response whose body arrives in these pieces and then ends."""
    answer = ResponseReader(CONTEXT, bound, CHAT_CREATE.stream if is_stream else None)
    answer.start(head.status, Headers(head.headers.items()))
    state = answer.stream
    chunks: list[ChatCompletionChunk] = []
    for piece in (*filter(None, pieces), b""):
        if answer.ended or (state is not None and state.ended):
            break
        answer.feed(piece)
        if state is not None:
            chunks += state.ready
            state.ready.clear()
    completion: ChatCompletion | None = None
    error: AutonomousAIError | None = None
    try:
        if state is not None:
            completion = state.completion()
        elif (error := answer.error()) is None:
            completion = answer.document(ChatCompletion)
    except AutonomousAIError as caught:
        error = caught
    return Outcome(tuple(chunks), completion, error, state is not None)


def check(outcome: Outcome, head: Head, body: bytes) -> None:
    """Check that no cut stream passes as complete and that an error pickles and shows no key."""
    error = outcome.error
    if error is not None:
        said = vars(error) | {"partial": None}
        assert KEY not in f"{error} {error!r} {said}"
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    elif outcome.is_stream:
        is_done = any(event.data == "[DONE]" for event in read_by_the_rules(plain(head, body)))
        assert is_done or _is_finished(outcome.chunks)


def plain(head: Head, body: bytes) -> bytes:
    """Return a body without its content coding, as far as it can be decoded."""
    parts: list[bytes] = []
    with suppress(CodingError):
        inflate = inflater(head.headers.get("content-encoding", ""))
        parts += [body] if inflate is None else inflate.feed(body)
    return b"".join(parts)


def _is_finished(chunks: Iterable[ChatCompletionChunk]) -> bool:
    """Return whether every choice has a finish reason, and there is at least one choice."""
    begun: set[int] = set()
    ended: set[int] = set()
    for chunk in chunks:
        begun |= {choice.index for choice in chunk.choices}
        ended |= {choice.index for choice in chunk.choices if choice.finish_reason}
        ended |= {0} if chunk.finish_reason else set()
    return bool(ended) and begun <= ended
