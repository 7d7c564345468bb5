"""Random scripts: no client reports a cut response as complete."""

from __future__ import annotations

import json

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.case import streamed
from tests.support.client_under_test import SDK_ERRORS, ClientUnderTest, clients_of_both_protocols
from tests.support.fault_server import FaultServer
from tests.support.script import Action, Answer, Fin, Reset, Send, Wait
from tests.support.wire import CHUNKED, DONE, LAST_CHUNK, STREAM, coded, delta, event

NOISE = (b": ping\n\n", b"\n", event("{}", "ping"), b"id: 7\n\n", b"unknown: field\n\n")
TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=6)


@frozen
class Script:
    """The writes of a server and how its response ends."""

    writes: tuple[bytes, ...]
    is_chunked: bool
    ending: str

    @property
    def sent(self) -> bytes:
        """Return the body."""
        return b"".join(self.writes)

    @property
    def answer(self) -> Answer:
        """Return the actions."""
        wrap = coded if self.is_chunked else bytes
        actions: list[Action] = [Send(CHUNKED if self.is_chunked else STREAM)]
        for write in self.writes:
            if write:
                actions += [Send(wrap(write)), Wait(0.0005)]
        if self.ending == "proper" and self.is_chunked:
            actions.append(Send(LAST_CHUNK))
        return (*actions, Reset() if self.ending == "reset" else Fin())

    @property
    def whole_events(self) -> list[str]:
        """Return the data of all completed events."""
        blocks = self.sent.split(b"\n\n")[:-1]
        lines = [block.lstrip(b"\n") for block in blocks]
        return [line[6:].decode() for line in lines if line.startswith(b"data: ")]

    @property
    def text(self) -> str:
        """Return the text of the first choice."""
        return "".join(
            choice["delta"].get("content", "")
            for data in self.whole_events
            if data != "[DONE]"
            for choice in json.loads(data)["choices"]
            if choice["index"] == 0
        )

    @property
    def is_finished(self) -> bool:
        """Return whether the end marker, or a finish reason for each choice, was sent."""
        begun: set[int] = set()
        ended: set[int] = set()
        for data in self.whole_events:
            if data == "[DONE]":
                return True
            for choice in json.loads(data)["choices"]:
                begun.add(choice["index"])
                if choice["finish_reason"]:
                    ended.add(choice["index"])
        return bool(ended) and begun <= ended


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Generate scripts of a few events with noise between them, cut anywhere or nowhere."""
    choices = draw(st.integers(1, 2))
    parts = [
        event(delta(text, index=draw(st.integers(0, choices - 1))))
        for text in draw(st.lists(TEXTS, max_size=4))
    ]
    parts += [
        event(delta(finish="stop", index=index)) for index in range(choices) if draw(st.booleans())
    ]
    if draw(st.booleans()):
        parts.append(DONE)
    for noise in draw(st.lists(st.sampled_from(NOISE), max_size=3)):
        parts.insert(draw(st.integers(0, len(parts))), noise)
    body = b"".join(parts)
    if draw(st.booleans()):
        body = body[: draw(st.integers(0, len(body)))]
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=4)))
    writes = tuple(body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True))
    ending = draw(st.sampled_from(["proper", "closed", "reset"]))
    return Script(writes, draw(st.booleans()), ending)


@pytest.mark.parametrize(
    "client_under_test",
    [
        pytest.param(each, marks=() if each.transport == "httpx" else pytest.mark.thorough)
        for each in clients_of_both_protocols()
    ],
    ids=str,
)
@settings(max_examples=25)
@given(script=scripts())
def test_no_lie(client_under_test: ClientUnderTest, script: Script) -> None:
    """A stream ends without an error if and only if the server completed the response."""
    with FaultServer(script.answer) as server:

        async def read() -> None:
            async with client_under_test.client(server.url, retries=0) as client:
                outcome = await streamed(client_under_test, client)
            assert script.text.startswith(outcome.text)
            if outcome.error is None:
                assert script.is_finished
                assert outcome.text == script.text == client_under_test.answer(outcome.completion)
                return
            assert isinstance(outcome.error, (*SDK_ERRORS.interrupted, SDK_ERRORS.connection)), (
                outcome.error
            )
            client_under_test.check_partial(outcome.error, outcome.text)
            # A reset may discard sent data; everything else must be delivered.
            if script.ending != "reset":
                assert not script.is_finished
                assert outcome.text == script.text

        client_under_test.run(read)
