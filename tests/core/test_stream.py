"""A stream's state: the same chunks however it is cut, and never a completion that was not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from autonomousai_sdk._core import codec, stream
from autonomousai_sdk._core.codec import decode, decode_standard
from autonomousai_sdk._core.exchange import Failure, TransportError
from autonomousai_sdk._core.failure import KEPT_BYTES, Context
from autonomousai_sdk._core.finish import Finish
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.operation import StreamShape
from autonomousai_sdk._core.secret import Secret
from autonomousai_sdk._core.stream import StreamState
from autonomousai_sdk.errors import (
    APIStatusError,
    APITimeoutError,
    AutonomousAIError,
    InternalServerError,
    RateLimitError,
    StreamDecodeError,
    StreamError,
    StreamInterrupted,
)
from tests.support.sample_operation import (
    DONE,
    HELLO,
    KEY,
    RECORDINGS,
    SHAPE,
    Call,
    Chunk,
    Completion,
    Function,
    Renamed,
    Usage,
    chunk,
    cuts,
    event,
    single_bytes,
)

CONTEXT = Context("POST https://service.example/chat", 3, Secret(KEY), "req-7")
PING = b": ping\n\n"
STOP = event(chunk(reason="stop"))
USAGE = event({"choices": [], "usage": {"prompt_tokens": 3}})

State = StreamState[Chunk, Completion]


def new(**changes: Any) -> State:
    """A stream that was just opened."""
    bound = changes.pop("max_event_bytes", 2**20)
    return StreamState(evolve(SHAPE, **changes), CONTEXT, Headers([("x", KEY)]), bound)


def read(pieces: Iterable[bytes], state: State | None = None) -> tuple[list[Chunk], State]:
    """The chunks of a stream cut like this, read until it ends by itself or its bytes do."""
    state = new() if state is None else state
    chunks: list[Chunk] = []
    for piece in (*filter(None, pieces), b""):
        if state.ended:
            break
        state.feed(piece)
        while state.ready:
            chunks.append(state.ready.popleft())
    assert state.ended
    return chunks, state


def failed(fault: Any = "broken", limit: str = "read") -> Failure:
    """What a driver says when a read fails."""
    return Failure(
        error=TransportError(fault, "it broke"), limit=limit, seconds=5, elapsed=9, duration=9
    )


def texts(error: AutonomousAIError | None) -> str | None:
    """The text of what a stream had delivered before an error."""
    assert error is not None
    came: Any = error.partial
    return None if came is None else str(came.text)


def whole(data: bytes) -> list[bytes]:
    """All bytes in one read."""
    return [data]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: str(path.stem))
def test_a_recording_is_the_same_however_it_is_cut(path: Path) -> None:
    """A real model's stream: whole, byte by byte, and cut in two at every point."""
    data = path.read_bytes()
    chunks, state = read([data])
    completion = state.completion()
    lines = [json.loads(line[6:]) for line in data.split(b"\n\n") if line.startswith(b"data: {")]
    assert len(chunks) == len(lines) > 50
    assert completion.finish_reason in ("stop", "length")
    said = [line["choices"][0]["delta"].get("content") or "" for line in lines if line["choices"]]
    assert completion.text == "".join(said) != ""
    assert state.error is None
    assert state.is_over

    def outcome(pieces: Iterable[bytes]) -> tuple[list[Chunk], Completion]:
        chunks, state = read(pieces)
        return chunks, state.completion()

    assert outcome(single_bytes(data)) == (chunks, completion)
    # Events in the middle are all alike: each cut of a stream without them, some of the whole.
    events = data.split(b"\n\n")
    short = b"\n\n".join(events[:4] + events[-5:])
    owed = outcome([short])
    assert all(outcome(two) == owed for two in cuts(short))
    for cut in range(0, len(data), 131):
        assert outcome([data[:cut], data[cut:]]) == (chunks, completion)


def test_a_short_stream_is_the_same_cut_anywhere_in_three() -> None:
    """Chunks and completion do not depend on the reads."""
    data = event(chunk("a")) + PING + event(chunk("é\u2028", reason="stop")) + DONE
    owed, uncut = read([data])
    assert uncut.completion().text == "aé\u2028"
    for first, rest in cuts(data):
        for second in range(0, len(rest), 17):
            chunks, state = read([first, rest[:second], rest[second:]])
            assert chunks == owed
            assert state.completion() == uncut.completion()


def test_chunks_come_as_soon_as_they_are_in() -> None:
    """With the byte that ends them, and keep-alives are none."""
    state = new()
    for byte in single_bytes(event(chunk("a"))):
        assert not state.ready
        state.feed(byte)
    assert len(state.ready) == 1
    state.feed(PING)
    state.feed(b"event: ping\ndata: {}\n\n")
    state.feed(b"event: ping\ndata: no json\n\n")
    assert len(state.ready) == 1
    state.feed(event(chunk("b")) + event(chunk("c")))
    assert len(state.ready) == 3
    assert not state.is_over
    state.feed(DONE)
    assert state.ended
    assert not state.is_over
    state.ready.clear()
    assert state.is_over


@pytest.mark.parametrize(
    "data",
    [
        HELLO,
        HELLO.removesuffix(DONE),
        HELLO.removesuffix(DONE) + USAGE,
        HELLO.removesuffix(DONE) + USAGE + PING,
        HELLO.removesuffix(b"\n"),
        HELLO.removesuffix(b"\n\n"),
        HELLO.removesuffix(DONE) + b"data: {",
        event(chunk("Hello")) + DONE,
        event(chunk("Hello", reason="odd")),
        event(chunk("Hello")) + event({"choices": [], "finish_reason": "stop"}),
        event(chunk("Hello")) + b"event: message\n" + STOP + b"event: end\n" + DONE,
        HELLO + b"data: not looked at",
        HELLO.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + HELLO.replace(b"\n", b"\r\n"),
    ],
)
def test_a_finish_reason_or_the_sentinel_completes_a_stream(data: bytes) -> None:
    """Whichever comes; what follows the reason may be cut, and what follows the sentinel is not."""
    for pieces in ([data], single_bytes(data)):
        _, state = read(pieces)
        assert state.error is None
        assert state.completion().text == "Hello"


@pytest.mark.parametrize("kind", ["ping", "keepalive", "heartbeat"])
def test_a_keep_alive_that_its_data_names_is_ignored(kind: str) -> None:
    """An object with the type of a keep-alive and without choices is no chunk."""
    chunks, state = read([event({"type": kind}) + event(chunk("Hi", reason="stop")) + DONE])
    assert [piece.choices[0].delta.content for piece in chunks] == ["Hi"]
    assert state.completion().text == "Hi"


def test_the_sentinel_alone_is_an_empty_answer() -> None:
    """The service says that it is complete, so it is."""
    chunks, state = read([DONE])
    assert chunks == []
    assert state.completion() == Completion(choices=())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ended with neither a finish reason nor an end marker"),
        (PING, "ended with neither a finish reason nor an end marker"),
        (event(chunk("Hel")), "ended with neither a finish reason nor an end marker"),
        (event(chunk("Hel")) + b": bye", "neither a finish reason nor an end marker"),
        (event(chunk("Hel", reason="")), "neither a finish reason nor an end marker"),
        (event(chunk("Hel")) + USAGE, "neither a finish reason nor an end marker"),
        (event(chunk("Hel")) + STOP[:-2], "ended inside an event"),
        (event(chunk("Hel")) + STOP[:-1], "ended inside an event"),
        (event(chunk("Hel")) + b"data: [DONE]", "ended inside an event"),
        (event(chunk("Hel")) + b"data: [DONE]\n", "ended inside an event"),
        (event(chunk("Hel")) + event(chunk("no", index=1, reason="stop")), "neither a finish"),
        (event(chunk("Hel", reason="stop")) + event(chunk("no", index=1)), "neither a finish"),
    ],
)
def test_whatever_else_ends_a_stream_interrupts_it(data: bytes, said: str) -> None:
    """With what had come, the endpoint, the try and the request's id."""
    for pieces in ([data], single_bytes(data)):
        chunks, state = read(pieces)
        error = state.error
        assert isinstance(error, StreamInterrupted)
        assert said in error.message
        assert texts(error) == ("Hel" if chunks else None)
        assert (error.endpoint, error.attempt, error.request_id) == (CONTEXT.endpoint, 3, "req-7")
        with pytest.raises(StreamInterrupted):
            state.completion()


def test_an_end_is_told_once() -> None:
    """Ending again changes nothing."""
    for data in (HELLO, event(chunk("Hel"))):
        _, state = read([data])
        error = state.error
        state.feed(b"")
        state.fail(failed())
        assert state.error is error


def test_a_broken_connection_interrupts_a_stream() -> None:
    """With what had come, and the transport's error as the cause; nothing raw gets out."""
    state = new()
    state.feed(event(chunk("Hel")))
    failure = failed()
    state.fail(failure)
    assert isinstance(state.error, StreamInterrupted)
    assert "it broke" in state.error.message
    assert state.error.__cause__ is failure.error
    assert texts(state.error) == "Hel"


def test_an_expired_limit_is_named_and_keeps_what_had_come() -> None:
    """It is the timeout's own error, with `.partial`."""
    state = new()
    state.feed(event(chunk("Hel")))
    state.fail(failed("timeout", "idle"))
    assert isinstance(state.error, APITimeoutError)
    assert (state.error.limit, state.error.seconds) == ("idle", 5)
    assert texts(state.error) == "Hel"


@pytest.mark.parametrize("fault", ["broken", "timeout"])
def test_a_failure_after_the_finish_reason_is_no_failure(fault: str) -> None:
    """The answer is complete; what its connection does now is no matter."""
    state = new()
    state.feed(HELLO.removesuffix(DONE))
    assert not state.ended
    state.fail(failed(fault))
    assert state.error is None
    assert state.completion().text == "Hello"


@pytest.mark.parametrize(
    ("bad", "cls", "said"),
    [
        (event({"error": {"message": "busy", "code": 429}}), RateLimitError, "busy"),
        (
            event({"error": {"message": "busy", "type": "overloaded_error"}}),
            InternalServerError,
            "busy",
        ),
        (event({"error": "busy"}), AutonomousAIError, "busy"),
        (event({"choices": [], "error": {"code": 500}}), InternalServerError, "code"),
        (b"event: error\n" + event({"message": "busy", "code": 429}), RateLimitError, "busy"),
        (b"event: error\n" + event({"odd": 1}), AutonomousAIError, "odd"),
        (b"event: error\ndata: went away\n\n", AutonomousAIError, "went away"),
        (b"event: error\ndata: \xff\n\n", AutonomousAIError, "\ufffd"),
        (b'{"error": {"message": "busy", "code": 503}}\n', InternalServerError, "busy"),
        (b'{"error": {"message": "busy", "code": 503}}\n\n', InternalServerError, "busy"),
        (b'{"error": {"message": "busy", "code": 503}}', InternalServerError, "busy"),
        (b'data: {"error": {"message": "busy", "code": 503}}', InternalServerError, "busy"),
        (b'data: {"error":\ndata:"busy"}\r\n', AutonomousAIError, "busy"),
        (b'{"error": "bu', StreamInterrupted, "inside an event"),
        (b'{"choices": []}\n\n', StreamDecodeError, "but is not a field of an event"),
        (b"{\n", StreamDecodeError, "cannot be decoded"),
        (b"data: {not json}\n\n", StreamDecodeError, "Expecting property name"),
        (b"data: \xff\xfe\n\n", StreamDecodeError, "utf-8"),
        (b"data: null\n\n", StreamDecodeError, "expected an object, got null"),
        (b"data: []\n\n", StreamDecodeError, "expected an object, got an array"),
        (b"data: 5\n\n", StreamDecodeError, "expected an object, got an integer"),
        (b"data: {}\n\n", StreamDecodeError, r"required field missing @ \$\.choices"),
        (b"data: {\n", StreamInterrupted, "inside an event"),
        (b'data: {"choices": [NaN]}\n\n', StreamDecodeError, "NaN is not JSON"),
        (b'data: {"choices": [], "error\n\n', StreamDecodeError, "decoded"),
        (b'data: {"choices": [], "error": \n\n', StreamDecodeError, "decoded"),
        (b'data: {"choices": [], "id": "error"\n\n', StreamDecodeError, "decoded"),
        (b"event: other\ndata: {}\n\n", StreamDecodeError, "required field missing"),
        (b"event: other\ndata: x\n\n", StreamDecodeError, "Expecting value"),
        (b"data: " + b"[" * 100_000 + b"\n\n", StreamDecodeError, "nested too deeply"),
    ],
)
def test_what_is_no_chunk_is_an_error_and_never_passed_over(
    bad: bytes, cls: type[AutonomousAIError], said: str
) -> None:
    """Events before it are handed out first, those after it never; however it is cut."""
    first = event(chunk("Hel"))
    data, more = first + bad, event(chunk("lo")) + STOP + DONE if bad.endswith(b"\n\n") else b""
    small = single_bytes(data) if len(data) < 500 else [data]
    for pieces in ([data + more], [first, bad + more], [first, bad], [data], small):
        chunks, state = read(pieces)
        assert [piece.choices[0].delta.content for piece in chunks] == ["Hel"]
        error = state.error
        assert error is not None
        assert type(error) is cls
        with pytest.raises(cls, match=said):
            raise error
        assert texts(error) == "Hel"
        assert (error.endpoint, error.attempt) == (CONTEXT.endpoint, 3)


def test_a_wrong_event_is_kept_for_whoever_looks() -> None:
    """Its bytes are on the error, without the key."""
    _, state = read([b"data: {%s}\n\n" % KEY.encode()])
    assert isinstance(state.error, StreamDecodeError)
    assert state.error.data == b"{**********}"
    assert KEY not in str(state.error)
    assert state.error.request_id == "req-7"
    _, state = read([event({"error": {"code": 401, "message": KEY}})])
    assert isinstance(state.error, APIStatusError)
    assert KEY not in f"{state.error!r} {state.error.body} {state.error.headers}"


@pytest.mark.parametrize(
    "harmless",
    [
        event(chunk('{"error": {"message": "quoted"}}')),
        event({**chunk("said"), "error": None}),
        event({**chunk("said"), "error": {}}),
        event({**chunk("said"), "unannounced": {"error": "inside"}}),
        b"event: chunk\n" + event(chunk("said")),
        b"event: \n" + event(chunk("said")),
        b"stray\n" + event(chunk("said")),
        b"id: 7\nretry: 5\n" + event(chunk("said")),
        b'data: {"choices":\ndata: [{"delta": {"content": "said"}}]}\n\n',
    ],
)
def test_what_only_looks_like_an_error_is_none(harmless: bytes) -> None:
    """Text about errors, empty errors, and errors further in."""
    chunks, state = read([harmless + DONE])
    assert len(chunks) == 1
    assert state.error is None
    assert state.completion().text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"data: " + json.dumps([chunk("a"), chunk("b", reason="stop")]).encode(), "ab"),
        (b"data: data: " + json.dumps(chunk("a", reason="stop")).encode(), "a"),
        (event(chunk("a")).strip() + b"\n" + STOP.strip() + b"\ndata: [DONE]", "a"),
        (
            b"data: " + json.dumps({"choices": chunk("a", reason="stop")["choices"][0]}).encode(),
            "a",
        ),
    ],
)
def test_several_chunks_in_one_event_are_read(data: bytes, text: str) -> None:
    """An event with several chunks, an array of them, or a repeated `data:` loses none of them."""
    for pieces in ([data + b"\n\n"], single_bytes(data + b"\n\n")):
        chunks, state = read(pieces)
        assert "".join(each.text for each in chunks) == text
        assert state.completion().text == text


def test_rubbish_after_a_chunk_in_one_event_is_an_error() -> None:
    """The chunk before it is handed out, and the error has the rubbish."""
    chunks, state = read([event(chunk("a")).strip() + b"oops\n\n"])
    assert [each.text for each in chunks] == ["a"]
    assert isinstance(state.error, StreamDecodeError)
    assert state.error.data == b"oops"


def test_a_tool_call_without_a_function_goes_the_standard_way() -> None:
    """The name and the arguments may stand beside the id, in chunks of the fast path too."""
    call: dict[str, Any] = {"index": 0, "id": "1", "name": "f", "arguments": "{}"}
    data = event({"choices": [{"delta": {"tool_calls": [call]}}]}) + STOP
    _, state = read([data])
    (made,) = state.completion().tool_calls
    assert (made.id, made.name, made.arguments) == ("1", "f", "{}")


def test_text_where_another_protocol_has_it_is_an_error() -> None:
    """An event without choices that has text elsewhere is an error, although it has an id."""
    _, state = read([event({"id": "a", "message": {"role": "assistant", "content": "Hi"}})])
    assert isinstance(state.error, StreamDecodeError)
    _, state = read([event({"id": "a"}), STOP])
    assert state.error is None


def test_half_an_emoji_in_each_of_two_chunks() -> None:
    """A lone surrogate takes the standard path, and is handed out as it came."""
    data = event(chunk("\ud83d")) + event(chunk("\ude00")) + STOP
    assert b"\\ud83d" in data
    chunks, state = read([data])
    assert [each.choices[0].delta.content for each in chunks] == ["\ud83d", "\ude00", None]
    assert state.completion().text == "\ud83d\ude00"


def standard_decoder(cls: type[Any]) -> Callable[[bytes], Any]:
    """A decoder by the standard path alone."""
    return partial(decode_standard, cls=cls)


@given(st.lists(st.text(st.characters(categories=["L", "P", "So", "Cs"]), max_size=5), max_size=5))
@example(["\ud83d", "\ude00"])
def test_both_decoding_paths_give_the_same_stream(pieces: list[str]) -> None:
    """Chunks and completion do not depend on which decoder read them."""
    data = b"".join(event(chunk(piece)) for piece in pieces) + STOP + USAGE + DONE
    chunks, state = read([data])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream, "decoder", standard_decoder)
        slow = new()
    assert read([data], slow)[0] == chunks
    assert slow.completion() == state.completion()
    # Two halves of an emoji in one piece are the emoji.
    said = "".join(pieces).encode("utf-16-le", "surrogatepass")
    assert state.completion().text.encode("utf-16-le", "surrogatepass") == said


def test_a_stream_without_a_fast_path() -> None:
    """A chunk class with renamed fields is read by the standard path, refusals included."""
    shape = StreamShape[Any, Completion](chunk=Renamed, accumulator=SHAPE.accumulator)
    state = StreamState(shape, CONTEXT, Headers(), 1000)
    state.feed(b'data: {"thread": "x"}\n\n')
    assert isinstance(state.error, StreamDecodeError)
    assert codec.decoder(Renamed)(b'{"threadId": "x"}') == decode(b'{"threadId": "x"}', Renamed)


def test_usage_after_the_finish_reason_is_part_of_the_answer() -> None:
    """A chunk without choices adds what it has."""
    _, state = read([HELLO.removesuffix(DONE), USAGE, DONE])
    assert state.completion().usage == Usage(prompt_tokens=3)


@pytest.mark.parametrize("cut", [whole, single_bytes])
@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (event(chunk("a")), False),
        (event(chunk("a")) + STOP, True),
        (event(chunk("a")) + STOP + USAGE, True),
        (STOP + USAGE + USAGE, False),
        (event(chunk("a", reason="")), False),
        (event(chunk("a")) + event({"choices": [], "finish_reason": "stop"}), True),
        (event(chunk("a", index=1)) + STOP, False),
        (STOP + event(chunk("late", index=1)), False),
        (event(chunk("a", index=1)) + STOP + event(chunk(index=1, reason="stop")), True),
        (event(chunk(index=1, reason="stop")) + event(chunk("a")), False),
        (event(chunk("a")) + event(chunk(index=1, reason="stop")) + STOP, True),
    ],
)
def test_a_stream_is_near_its_end_when_all_its_choices_are(
    cut: Callable[[bytes], list[bytes]], data: bytes, ending: bool
) -> None:
    """The driver then waits a moment only; so no choice that goes on may be taken for done."""
    state = new()
    for piece in cut(data):
        state.feed(piece)
    assert state.ending is ending
    assert not state.ended


def test_a_stream_of_several_choices() -> None:
    """Each is put together by itself, and the stream is complete when all are."""
    data = (
        event(chunk("a"))
        + event(chunk("b", index=1))
        + event(chunk("A", reason="stop"))
        + event(chunk("B", index=1, reason="length"))
    )
    for pieces in ([data], single_bytes(data)):
        _, state = read(pieces)
        choices = state.completion().choices
        assert [choice.message.content for choice in choices] == ["aA", "bB"]
        assert [choice.finish_reason for choice in choices] == ["stop", "length"]


def test_no_chunk_is_judged_twice() -> None:
    """A stream with a reason in every chunk judges each chunk once, as it arrives."""
    judged: list[Any] = []

    class Counted(Finish):
        def take(self, chunk: Any) -> None:
            judged.append(chunk)
            super().take(chunk)

    state = new()
    setattr(state, "_finish", Counted())  # noqa: B010  # a private field, to count what it sees
    state.feed(event(chunk("b", index=1)))
    for _ in range(50):
        state.feed(STOP)
    assert len(judged) == 51


def said(message: dict[str, Any] | None, *, index: int = 0, **choice: Any) -> bytes:
    """An event with a message in place of a delta."""
    return event({"choices": [{"index": index, "message": message, **choice}]})


@pytest.mark.parametrize("cut", [whole, single_bytes])
@pytest.mark.parametrize(
    ("events", "text"),
    [
        # Messages in place of deltas are pieces, even if they repeat themselves.
        ([said({"content": "ha"}), said({"content": "ha"})], "haha"),
        # After deltas a message is the whole: what it adds is new.
        ([event(chunk("Hel")), event(chunk("lo")), said({"content": "Hello"})], "Hello"),
        ([event(chunk("Hel")), said({"content": "Hello!", "role": "assistant"})], "Hello!"),
        (
            [
                event(chunk("Hel")),
                said({"content": "Hello"}, delta={"role": "x"}, finish_reason="stop"),
            ],
            "Hello",
        ),
        ([event(chunk("Hel")), said({"content": None})], "Hel"),
        ([event(chunk("a", index=1)), said({"content": "Hello"})], "Hello"),
        (
            [
                event({"choices": [{"delta": {"role": "assistant"}}]}),
                said({"role": "assistant", "content": "ha"}),
                said({"role": "assistant", "content": "ha"}),
            ],
            "haha",
        ),
        # A delta with content is the piece, whatever stands beside it.
        ([said({"content": "Hello"}, delta={"content": "Hel"}), event(chunk("lo"))], "Hello"),
        # Text, as of engines that complete prompts.
        ([said(None, text="Hel"), said(None, text="lo", finish_reason="stop")], "Hello"),
        # A choice without any of them.
        ([event(chunk("Hello")), said(None, finish_reason="stop")], "Hello"),
    ],
)
def test_text_under_another_name_is_read_once(
    events: list[bytes], text: str, cut: Callable[[bytes], list[bytes]]
) -> None:
    """A gateway's message or text in place of a delta is neither lost nor given twice."""
    chunks, state = read(cut(b"".join(events) + DONE))
    assert state.error is None
    assert state.completion().text == "".join(each.text for each in chunks) == text


def test_other_parts_of_a_repeated_message_are_not_given_twice() -> None:
    """Reasoning and tool calls that came in deltas are left out of the whole message."""
    call = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    delta = {"reasoning_content": "Hm", "tool_calls": [{"index": 0, **call}]}
    message = {"role": "assistant", "reasoning_content": "Hm.", "tool_calls": [call]}
    first = event({"choices": [{"delta": delta}]})
    _, state = read([first, said(message, finish_reason="tool_calls"), DONE])
    (choice,) = state.completion().choices
    assert choice.message.reasoning == "Hm."
    assert choice.message.tool_calls == (Call(id="a", function=Function(name="f", arguments="{}")),)


def test_what_only_the_whole_message_has_is_kept() -> None:
    """A tool call that no delta brought is taken from the message that closes the stream."""
    call = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    whole_message = {"content": "Hel", "tool_calls": [call]}
    _, state = read([event(chunk("Hel")), said(whole_message, finish_reason="tool_calls"), DONE])
    (choice,) = state.completion().choices
    assert choice.message.content == "Hel"
    assert choice.message.tool_calls == (Call(id="a", function=Function(name="f", arguments="{}")),)


@pytest.mark.parametrize("choices", ["odd", [5], None])
def test_choices_of_another_type_are_left_to_the_decoder(choices: object) -> None:
    """Looking into the choices does not depend on their type."""
    _, state = read([event({"id": "x", "finish_reason": "null", "choices": choices}) + DONE])
    assert (state.error is None) is (choices is None)


@pytest.mark.parametrize("keep_alive", [b"data:", b"data: ", b"event: keepalive\ndata: x"])
def test_an_event_without_data_is_a_keep_alive(keep_alive: bytes) -> None:
    """It is passed over, in a read with others and in one of its own."""
    for pieces in ([keep_alive, b"\n\n", HELLO], [keep_alive + b"\n\n" + HELLO]):
        chunks, state = read([event(chunk("")), *pieces])
        assert len(chunks) == 4
        assert state.completion().text == "Hello"


@pytest.mark.parametrize("sentinel", [b"[DONE] ", b" \t[DONE]\t", b'"[DONE]"'])
def test_white_space_around_the_sentinel_does_not_matter(sentinel: bytes) -> None:
    """Nor do quotes."""
    _, state = read([event(chunk("Hello")) + b"data: " + sentinel + b"\n\n"])
    assert state.completion().text == "Hello"


def test_content_beside_an_error_is_handed_out() -> None:
    """The text of an event that also reports an error comes before the error."""
    failed = {**chunk(" wor"), "error": {"code": 503}}
    chunks, state = read([event(chunk("Hello")) + event(failed)])
    assert [each.text for each in chunks] == ["Hello", " wor"]
    assert isinstance(state.error, InternalServerError)
    assert texts(state.error) == "Hello wor"


def test_the_bound_on_an_event_ends_a_stream() -> None:
    """With the argument that sets it, and after everything before it was handed out."""
    for bad in (b"data: " + b"x" * 200, b"data: x\n" * 200, b": " + b"x" * 200):
        chunks, state = read([event(chunk("Hel")) + bad], new(max_event_bytes=150))
        assert len(chunks) == 1
        assert isinstance(state.error, StreamDecodeError)
        assert "longer than 150 bytes; Client(max_event_bytes=…) sets the bound" in str(state.error)
        assert texts(state.error) == "Hel"
        assert state.error.data == b""


def test_an_overflow_after_the_sentinel_is_no_matter() -> None:
    """The stream was complete before it."""
    state = new(max_event_bytes=150)
    state.feed(HELLO + b"x" * 200)
    assert state.ended
    assert state.error is None
    assert state.completion().text == "Hello"


def test_a_large_wrong_event_is_kept_in_part() -> None:
    """A mebibyte of it is enough to look at."""
    bad = b"data: " + b"x" * (KEPT_BYTES + 10) + b"\n\n"
    _, state = read([bad], new(max_event_bytes=2 * KEPT_BYTES))
    assert isinstance(state.error, StreamDecodeError)
    assert len(state.error.data) == KEPT_BYTES
    assert len(str(state.error)) < 4096


def test_a_completion_is_asked_for_too_early() -> None:
    """The message says what to do; the stream goes on."""
    state = new()
    state.feed(event(chunk("Hel")))
    with pytest.raises(StreamError, match=r"has not ended, .*or call until_done\(\)") as caught:
        state.completion()
    assert (caught.value.endpoint, caught.value.attempt) == (CONTEXT.endpoint, 3)
    state.feed(STOP + DONE)
    assert state.completion().text == "Hel"


def test_a_completion_is_put_together_once() -> None:
    """Whoever asks again gets the same object."""
    _, state = read([HELLO])
    assert state.completion() is state.completion()


def test_an_abandoned_stream_lets_go_of_what_is_unread() -> None:
    """But one that has ended still hands out what it has."""
    state = new()
    state.feed(event(chunk("Hel")))
    state.abandon()
    assert not state.ready
    ended = new()
    ended.feed(HELLO)
    ended.abandon()
    assert len(ended.ready) == 3


def test_a_stream_without_a_sentinel_knows_none() -> None:
    """What would be the sentinel elsewhere is no chunk here."""
    _, state = read([event(chunk("Hel")) + DONE], new(sentinel=None))
    assert isinstance(state.error, StreamDecodeError)
    _, state = read([event(chunk("Hel", reason="stop"))], new(sentinel=None))
    assert state.completion().text == "Hel"


EVENTS = st.sampled_from(
    [
        *(event(chunk(text)) for text in ("a", "error", '"error"', "é", "\ud83d", "")),
        *(event(chunk("b", index=1)), event(chunk(index=1, reason="stop")), STOP, USAGE),
        *(
            event(chunk("a", reason="stop")),
            event(chunk(reason="")),
            event(chunk("a", reason="null")),
        ),
        *(PING, b"event: ping\ndata: {}\n\n", b"\n", b"event: chunk\n", b"id: 1\n"),
    ]
)


@given(st.lists(EVENTS, max_size=12), st.booleans(), st.integers(0, 10**6))
@example([event(chunk("a")), STOP], False, 0)
@example([STOP, event(chunk("b", index=1))], False, 0)
def test_a_prefix_of_a_stream_never_passes_for_the_whole(
    events: list[bytes], has_sentinel: bool, cut: int
) -> None:
    """A stream cut anywhere is complete only if each choice ended by the table's rules."""
    data = b"".join(events) + (DONE if has_sentinel else b"")
    prefix = data[: cut % (len(data) + 1)] if cut else data
    chunks, state = read([prefix])

    ended: dict[int, bool] = {}
    reasons: set[int] = set()
    contradicted: set[int] = set()
    for piece in (piece for each in chunks for piece in each.choices):
        index, has_content = piece.index, bool(piece.delta.content)
        ended.setdefault(index, False)
        if has_content and index in reasons:
            contradicted.add(index)
        if piece.finish_reason:
            reasons.add(index)
            ended[index] = not (has_content and index in contradicted)
        elif has_content:
            ended[index] = False
    is_complete = prefix.endswith(DONE) or (bool(ended) and all(ended.values()))
    assert (state.error is None) is is_complete
    if not is_complete:
        assert isinstance(state.error, StreamInterrupted)
        said = "".join(
            piece.delta.content or ""
            for each in chunks
            for piece in each.choices
            if piece.index == 0
        )
        assert texts(state.error) == (said if chunks else None)
    assert read(single_bytes(prefix))[0] == chunks


@given(st.binary(max_size=60), st.integers(0, 60))
def test_no_bytes_are_too_odd_for_a_stream(data: bytes, cut: int) -> None:
    """Whatever comes after a chunk, the stream ends in a completion or in one of its errors."""
    chunks, state = read([event(chunk("Hel")), data[:cut], data[cut:]])
    assert len(chunks) >= 1
    assert state.error is None or isinstance(state.error, AutonomousAIError)
