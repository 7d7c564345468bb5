"""The hop to an engine: names, usage, errors, and engines that fail."""

from __future__ import annotations

import base64
import gzip
import json
import re
import socket
import threading
from typing import Any

import httpx
import pytest
from attrs import evolve

from autonomousai_sdk import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    Client,
    ConfigurationError,
    InternalServerError,
    RateLimitError,
)
from autonomousai_sdk.local import LocalServer, upstream
from tests.support.fault_server import FaultServer
from tests.support.script import Answer, Fin, Hold, Repeat, Reset, Send
from tests.support.wire import (
    BEGUN,
    CHUNKED,
    DONE,
    FINISH,
    LAST_CHUNK,
    STREAM,
    body,
    closing,
    coded,
    completion,
    delta,
    deltas,
    document,
    event,
    head,
    said,
    stream,
)

from .wire import chat, original, post

MAP = {"llama": "mapped"}
USAGE = event(json.dumps({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}))


def models(*names: str) -> Answer:
    """A list of models in OpenAI's form."""
    data = [{"id": name, "object": "model"} for name in names]
    return body(200, json.dumps({"object": "list", "data": data}).encode())


def front(engine: FaultServer, **arguments: Any) -> LocalServer:
    """A server in front of a scripted engine."""
    arguments = {"model_map": MAP, **arguments}
    return LocalServer(engine=f"{engine.url}/v1", **arguments)


def events(answer: httpx.Response) -> list[Any]:
    """The documents of a stream's events, and the text of its end marker."""
    data = [part.removeprefix("data: ") for part in answer.text.split("\n\n") if part]
    return [each if each == "[DONE]" else json.loads(each) for each in data]


PLAIN = "".join(
    f'data: {{"choices":[{{"index":0,"delta":{{"content":"{number} "}},'
    f'"finish_reason":null}}]}}\n\n'
    for number in range(8)
).encode()


@pytest.mark.parametrize("size", [1, 7, 81, 82, 83, 84, 85, 200, 10_000])
@pytest.mark.parametrize("path", ["original", "openai"])
def test_events_arrive_whole_however_they_are_cut(size: int, path: str) -> None:
    """Events cut into reads and chunks of any size reach the client as the same bytes."""
    pieces = [coded(PLAIN[start : start + size]) for start in range(0, len(PLAIN), size)]
    paced = [Repeat(piece, 1, 0.002 if size < 10 else 0.02) for piece in pieces]
    answer: Answer = (Send(CHUNKED), *paced, Send(coded(FINISH + DONE) + LAST_CHUNK))
    with FaultServer(answer) as engine, front(engine) as server:
        if path == "openai":
            reply = chat(server, model="m", stream=True)
        else:
            reply = post(server, json=original(stream=True))
    assert reply.content.startswith(PLAIN)
    assert reply.content.endswith(b'"stop"}]}\n\ndata: [DONE]\n\n')


TEXTS = ("plain", "", r"a \\", r"say \"no\"", r"\n", r"\\\\", "ü", r"\"finish_reason\":\"stop\"")


@pytest.mark.parametrize("field", ["", ',"usage":null', ',"created":{}'])
def test_events_pass_whatever_their_text_is(field: str) -> None:
    """Text with escapes, quotes or nothing in it reaches the client as the same bytes."""
    sent = [
        (
            f'data: {{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]'
            f"{field.format(number)}}}\n\n"
        ).encode()
        for number, text in enumerate((*TEXTS, *TEXTS))
    ]
    paced = [Repeat(coded(each), 1, 0.01) for each in sent]
    answer: Answer = (Send(CHUNKED), *paced, Send(coded(FINISH + DONE) + LAST_CHUNK))
    with FaultServer(answer) as engine, front(engine) as server:
        for reply in (
            chat(server, model="m", stream=True),
            post(server, json=original(stream=True)),
        ):
            assert reply.content.startswith(b"".join(sent))
            assert reply.content.endswith(b"data: [DONE]\n\n")


USUAL = PLAIN[: PLAIN.index(b"\n\n") + 2]
SIZED = tuple(USUAL.replace(b"0 ", b"x" * size) for size in (1, 80, 200, 2, 5000, 3))
FRAMED: dict[str, tuple[bytes, ...]] = {
    "several in one read": (coded(USUAL) * 3, coded(USUAL) * 5, coded(USUAL), coded(USUAL) * 2),
    "of sizes with other numbers of digits": tuple(map(coded, SIZED)),
    "all of these in one read": (coded(USUAL), b"".join(map(coded, SIZED))),
    "sizes in upper case": tuple(coded(each).upper()[:5] + coded(each)[5:] for each in SIZED),
    "sizes with a zero in front": (b"0" + coded(USUAL),) * 4,
    "a size with an extension": (b"%x;a=b\r\n%b\r\n" % (len(USUAL), USUAL),) * 4,
    "a chunk and the half of one": (coded(USUAL), coded(USUAL) + coded(USUAL)[:30],
                                    coded(USUAL)[30:], coded(USUAL)),
    "an event in two chunks": (coded(USUAL), coded(USUAL[:40]) + coded(USUAL[40:]), coded(USUAL)),
    "an event, a comment and an event": (coded(USUAL), coded(USUAL + b": ping\n\n"), coded(USUAL)),
}  # fmt: skip


@pytest.mark.parametrize("case", FRAMED)
def test_events_pass_however_their_chunks_are_framed(case: str) -> None:
    """However an engine frames its events in chunks and reads, the client gets them all."""
    paced = [Repeat(piece, 1, 0.03) for piece in FRAMED[case]]
    answer: Answer = (Send(CHUNKED), *paced, Send(coded(FINISH + DONE) + LAST_CHUNK))
    sent = re.findall(rb"data: [^\n]*\n\n", re.sub(rb"\r\n(\w+\r\n)?", b"", b"".join(FRAMED[case])))
    with FaultServer(answer) as engine, front(engine) as server:
        for reply in (
            chat(server, model="m", stream=True),
            post(server, json=original(stream=True)),
        ):
            received = re.findall(rb"data: [^\n]*\n\n", reply.content)
            assert received[:-2] == sent
            assert received[-1] == DONE


@pytest.mark.parametrize("size", [-20, -1, 1, 20])
def test_a_chunk_with_a_false_size_breaks_the_stream(size: int) -> None:
    """A chunk that is longer or shorter than it says ends the stream with an error, in time."""
    false = b"%x\r\n%b\r\n" % (len(USUAL) + size, USUAL)
    paced = [Repeat(each, 1, 0.03) for each in (coded(USUAL), coded(USUAL), false)]
    with FaultServer((Send(CHUNKED), *paced, Fin())) as engine, front(engine) as server:
        reply = chat(server, model="m", stream=True)
    assert reply.content.startswith(USUAL * 2)
    assert "in the middle" in reply.text
    assert "[DONE]" not in reply.text


def test_a_stream_that_stalls_is_ended_and_a_slow_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The read timeout of an engine's stream runs from its last bytes, passed on or not."""
    monkeypatch.setattr(upstream, "LIMITS", evolve(upstream.LIMITS, read=0.6))
    for ending in (Hold(), Send(coded(FINISH + DONE) + LAST_CHUNK)):
        with (
            FaultServer((Send(CHUNKED), Repeat(coded(USUAL), 6, 0.2), ending)) as engine,
            front(engine) as server,
        ):
            reply = chat(server, model="m", stream=True)
        assert reply.content.startswith(USUAL * 6)
        assert ("[DONE]" in reply.text) is isinstance(ending, Send)
        assert ("in the middle" in reply.text) is isinstance(ending, Hold)


def test_an_error_among_usual_events_ends_the_stream() -> None:
    """An event with an error after ones that pass as they are is not passed on as one of them."""
    usual = PLAIN[: PLAIN.index(b"\n\n") + 2]
    failed = usual.replace(b"}]}\n", b'}],"error":{"message":"out of memory"}}\n')
    paced = [Repeat(coded(each), 1, 0.02) for each in (usual, usual, usual, failed)]
    answer: Answer = (Send(CHUNKED), *paced, Send(LAST_CHUNK))
    with FaultServer(answer) as engine, front(engine) as server:
        reply = chat(server, model="m", stream=True)
    assert reply.content.startswith(usual * 3)
    assert "out of memory" in reply.text
    assert "[DONE]" not in reply.text


# Names


def test_a_model_of_the_engine_is_asked_for_by_its_name_on_both_protocols() -> None:
    """A listed name goes to the engine as it is, and so does the advice of the client's error."""
    with (
        FaultServer(models("qwen3:8b", "llava"), document("Hi")) as engine,
        front(engine, model_map=None) as server,
        Client(base_url=server.base_url, models={"qwen3:8b": "/chat"}) as client,
    ):
        assert client.chat.create("Hello", model="qwen3:8b").text == "Hi"
        assert chat(server, model="qwen3:8b").status_code == 200
        assert [json.loads(request.body)["model"] for request in engine.requests[1:]] == [
            "qwen3:8b"
        ] * 2


def test_the_protocol_s_names_stand_for_the_mapped_or_the_first_model() -> None:
    """A mapped name becomes the engine's; any other becomes the first model that it lists."""
    with (
        FaultServer(document("Hi"), models("first", "second"), document("Hi")) as engine,
        front(engine, model_map={"llama-3.3-70b": "mapped"}) as server,
        Client(base_url=server.base_url) as client,
    ):
        client.chat.create("Hello", model="llama")
        client.chat.create("Hello", model="hermes")
        asked = [json.loads(request.body)["model"] for request in engine.requests if request.body]
        assert asked == ["mapped", "first"]


def test_a_name_that_nobody_knows_is_refused_with_those_that_are() -> None:
    """On the original protocol, an unlisted name gets 404 with the path's and the engine's."""
    with FaultServer(models("first")) as engine, front(engine) as server:
        answer = post(server, json=original(aiAgent="nope"))
        assert answer.status_code == 404
        message = answer.json()["error"]["message"]
        assert "/chat serves llama" in message
        assert "the engine lists first" in message


LISTS: list[tuple[Any, list[str]]] = [
    ({"data": [{"id": "a"}]}, ["a"]),
    ({"count": 1, "models": [{"key": "k", "name": "n"}]}, ["k"]),
    ({"models": [{"name": "o", "model": "o"}]}, ["o"]),
    ({"data": "x"}, []),
    ({"data": [5, {"id": 7}]}, []),
    ([], []),
    ("no list", []),
]


@pytest.mark.parametrize(("listed", "names"), LISTS)
def test_only_a_real_list_of_models_is_kept(listed: Any, names: list[str]) -> None:
    """Both forms of list are read; what is not a list is asked for again the next time."""
    answer = body(200, json.dumps(listed).encode())
    with FaultServer(answer, models("later")) as engine, front(engine) as server:
        url = f"{server.openai_base_url}/models"
        assert [model["id"] for model in httpx.get(url).json()["data"]] == names
        again = [model["id"] for model in httpx.get(url).json()["data"]]
        assert again == (names or ["later"])


def test_an_engine_that_loads_gives_503_and_is_asked_again() -> None:
    """A 503 of `/models` reaches the client with `retry-after`; the next request works (L17)."""
    loading = body(503, b'{"error":{"message":"Loading model","code":503}}')
    with (
        FaultServer(loading, models("m"), document("Hi")) as engine,
        front(engine, model_map=None) as server,
    ):
        first = post(server, json=original())
        assert (first.status_code, first.headers["retry-after"]) == (503, "1")
        assert "Loading model" in first.json()["error"]["message"]
        assert post(server, json=original()).status_code == 200


@pytest.mark.parametrize(
    ("model_map", "message"),
    [
        ({"lama": "x"}, "'lama' is not a model"),
        ({"llama": "x", "llama-3.3-70b": "y"}, "names the model 'llama' twice"),
        ({"llama": ""}, "needs the name"),
        ({5: "x"}, "is not a model"),
        ("llama=x", "must map"),
    ],
)
def test_the_names_of_a_model_map_are_checked(model_map: Any, message: str) -> None:
    """A misspelt, doubled or empty name in `model_map` is refused at the start."""
    with pytest.raises(ConfigurationError, match=message):
        LocalServer(engine="http://127.0.0.1:9/v1", model_map=model_map)


# Streams and usage


def test_usage_comes_with_the_finish_reason_on_the_original_protocol() -> None:
    """No chunk of the original protocol is without choices; the last one has usage."""
    with FaultServer(stream(BEGUN, FINISH, USAGE, DONE)) as engine, front(engine) as server:
        *chunks, end = events(post(server, json=original(stream=True)))
        assert end == "[DONE]"
        assert all(chunk["choices"] for chunk in chunks)
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert chunks[-1]["usage"] == {"prompt_tokens": 1, "completion_tokens": 2}
        assert json.loads(engine.requests[0].body)["stream_options"] == {"include_usage": True}


def test_a_stream_for_openai_clients_passes_unchanged() -> None:
    """On `/v1` each event is the engine's own, and usage is asked for only by the client."""
    parts = (BEGUN, FINISH, USAGE, DONE)
    with FaultServer(stream(*parts)) as engine, front(engine) as server:
        answer = chat(server, model="m", stream=True)
        assert answer.content == b"".join(parts)
        assert "stream_options" not in json.loads(engine.requests[0].body)


def test_every_choice_keeps_its_reason() -> None:
    """With several choices, each finish reason reaches the client of the original protocol."""
    parts = [event(delta("a", index=0)), event(delta("b", index=1))]
    parts += [event(delta(finish="stop", index=0)), event(delta(finish="length", index=1))]
    with FaultServer(stream(*parts, USAGE, DONE)) as engine, front(engine) as server:
        *chunks, _ = events(post(server, json=original(stream=True)))
        reasons = {
            choice["index"]: choice["finish_reason"]
            for chunk in chunks
            for choice in chunk["choices"]
            if choice["finish_reason"]
        }
        assert reasons == {0: "stop", 1: "length"}


def test_a_reason_in_every_chunk_delays_no_text() -> None:
    """Text that comes beside a finish reason goes on at once, and nothing is lost (D1)."""
    parts = [event(delta(text, finish="stop")) for text in ("Hel", "lo", "!")]
    with (
        FaultServer(stream(*parts, DONE)) as engine,
        front(engine) as server,
        Client(base_url=server.base_url) as client,
        client.chat.stream("Hello") as answer,
    ):
        assert "".join(answer.text) == "Hello!"
    with (
        FaultServer(closing(*parts)) as engine,
        front(engine) as server,
        Client(base_url=server.base_url, max_retries=0) as client,
        client.chat.stream("Hello") as answer,
        pytest.raises(APIStatusError, match="in the middle"),
    ):
        answer.until_done()


def test_an_end_marker_that_does_not_come_is_not_waited_for() -> None:
    """A stream that ends after its finish reason gets the end marker from the server."""
    with FaultServer(closing(BEGUN, FINISH)) as engine, front(engine) as server:
        assert events(post(server, json=original(stream=True)))[-1] == "[DONE]"


def test_options_reach_the_engine() -> None:
    """What steers a completion, and what the server does not know, is the engine's (both paths)."""
    options: dict[str, Any] = {
        "max_tokens": 5,
        "temperature": 0.5,
        "stop": ["x"],
        "mirostat": 2,
        "seed": None,
    }
    with FaultServer(document("Hi")) as engine, front(engine) as server:
        assert post(server, json=original(**options)).status_code == 200
        assert chat(server, model="m", **options).status_code == 200
        for request in engine.requests:
            sent = json.loads(request.body)
            assert {name: sent[name] for name in options if name != "seed"} == {
                name: value for name, value in options.items() if name != "seed"
            }
            assert "seed" not in sent


@pytest.mark.parametrize(
    "option",
    [
        {"max_tokens": 0},
        {"max_tokens": "5"},
        {"max_tokens": True},
        {"temperature": 3},
        {"top_p": -1},
        {"stop": [5]},
        {"seed": 1.5},
        {"n": 0},
        {"frequency_penalty": 2.5},
        {"response_format": "json"},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": "x"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": "x"}}},
        {"tools": [{"name": "x"}]},
        {"tools": [{"type": "function", "function": {"name": "x", "parameters": "y"}}]},
        {"tool_choice": "required"},
        {"tool_choice": "perhaps"},
        {"top_logprobs": 21},
        {"stream_options": 5},
    ],
)
def test_an_option_that_cannot_be_right_is_refused(
    echo: LocalServer, option: dict[str, Any]
) -> None:
    """An option out of its range gets 400 that names it, on both protocols."""
    for answer in (post(echo, json=original(**option)), chat(echo, **option)):
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == next(iter(option))


@pytest.mark.parametrize(
    "content",
    [
        5,
        True,
        {},
        ["text"],
        [{"text": "no type"}],
        [None],
        [{"type": "text"}],
        [{"type": "text", "text": 5}],
    ],
)
def test_content_that_is_not_text_or_parts_is_refused(echo: LocalServer, content: Any) -> None:
    """Content that is neither text nor a list of parts gets 400 that names the message."""
    messages = [{"role": "user", "content": "Hi"}, {"role": "user", "content": content}]
    answer = chat(echo, messages=messages)
    assert answer.status_code == 400
    assert "messages[1].content" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "calls",
    [
        5,
        ["x"],
        [{"id": "c"}],
        [{"type": 5, "function": {"name": "f", "arguments": "{}"}}],
        [{"type": "function"}],
        [{"type": "function", "function": {"arguments": "{}"}}],
        [{"type": "function", "function": {"name": "f", "arguments": {}}}],
    ],
)
def test_calls_in_a_message_that_no_engine_can_read_are_refused(
    echo: LocalServer, calls: Any
) -> None:
    """A tool call without its name or arguments gets 400, not an engine's 500."""
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": calls}]
    encoded = base64.b64encode(json.dumps(messages).encode()).decode()
    for answer in (chat(echo, messages=messages), post(echo, json=original(messages=encoded))):
        assert answer.status_code == 400
        assert "messages[1]" in answer.json()["error"]["message"]


def test_a_call_in_a_message_gets_the_type_that_it_lacks() -> None:
    """A call that an engine sent without its type can be given back to any engine as history."""
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}]
    with FaultServer(document("Hi")) as engine, front(engine) as server:
        assert chat(server, model="m", messages=messages).status_code == 200
    sent = json.loads(engine.requests[0].body)["messages"][1]["tool_calls"]
    assert sent == [{**call, "type": "function"}]


# Engines that fail


def test_an_engine_that_cannot_be_reached() -> None:
    """The client gets 502 with the engine's address."""
    with (
        LocalServer(engine="http://127.0.0.1:9/v1") as server,
        Client(base_url=server.base_url, max_retries=0) as client,
        pytest.raises(APIStatusError, match=r"127\.0\.0\.1:9/v1 cannot be reached") as caught,
    ):
        client.chat.create("Hello")
    assert caught.value.status == 502


class StaleEngine:
    """An engine that closes each kept connection as its next request arrives."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self.closed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        content = completion("Hi")
        lines = ("content-type: application/json", f"content-length: {len(content)}")
        with connection:
            if self._read(connection):
                connection.sendall(head(200, *lines) + content)
                self.closed += bool(connection.recv(65536))

    @staticmethod
    def _read(connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data or not data.endswith(b"}"):
            part = connection.recv(65536)
            if not part:
                return False
            data += part
        return True

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


def test_a_connection_that_the_engine_has_closed_is_never_an_error() -> None:
    """Of 300 calls, half of them on a connection the engine then closes, none fails (L12)."""
    engine = StaleEngine()
    try:
        with (
            LocalServer(engine=engine.url, model_map=MAP) as server,
            Client(base_url=server.base_url, max_retries=0) as client,
        ):
            for _ in range(300):
                assert client.chat.create("Hello").text == "Hi"
    finally:
        engine.close()
    assert engine.closed > 100


CUT: dict[str, Answer] = {
    "a length that is not reached": (
        Send(head(200, "content-type: application/json", "content-length: 9999") + b'{"id"'),
        Fin(),
    ),
    "a reset": (
        Send(head(200, "content-type: application/json", "content-length: 9999") + b'{"id"'),
        Reset(),
    ),
    "a chunk that is cut": (
        Send(head(200, "content-type: application/json", "transfer-encoding: chunked")),
        Send(coded(completion()[:50])),
        Fin(),
    ),
    "a document that ends early": (
        Send(head(200, "content-type: application/json", "connection: close")),
        Send(completion()[:-5]),
        Fin(),
    ),
    "compressed bytes that are cut": body(
        200, gzip.compress(completion())[:-12], "content-encoding: gzip"
    ),
    "compressed bytes that are broken": body(
        200, b"\x1f\x8b" + b"x" * 50, "content-encoding: gzip"
    ),
    "a coding nobody asked for": body(200, completion(), "content-encoding: br"),
}


@pytest.mark.parametrize("case", CUT)
def test_a_document_that_is_cut_aborts_the_connection(case: str) -> None:
    """An engine that dies inside a whole answer makes the client's connection break (L13)."""
    with FaultServer(CUT[case]) as engine, front(engine) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            post(server, json=original())
        with pytest.raises(httpx.RemoteProtocolError):
            chat(server, model="m")
        with (
            Client(base_url=server.base_url, max_retries=0) as client,
            pytest.raises(APIConnectionError),
        ):
            client.chat.create("Hello")


BROKEN_STREAMS: dict[str, Answer] = {
    "a reset": (Send(CHUNKED + coded(BEGUN)), Reset()),
    "an end without a reason": stream(BEGUN),
    "a closed connection": closing(BEGUN),
    "an event that is not JSON": stream(BEGUN, event("{not json")),
    "an event that is not an object": stream(BEGUN, event("5")),
    "a compressed stream that is cut": (
        Send(
            head(200, "content-type: text/event-stream", "content-encoding: gzip")
            + gzip.compress(BEGUN + FINISH + DONE)[:-20]
        ),
        Fin(),
    ),
}


@pytest.mark.parametrize("case", BROKEN_STREAMS)
def test_a_stream_that_breaks_ends_with_an_error_event(case: str) -> None:
    """A broken stream ends with an error event and without an end marker (L11)."""
    with FaultServer(BROKEN_STREAMS[case]) as engine, front(engine) as server:
        for answer in (
            post(server, json=original(stream=True)),
            chat(server, model="m", stream=True),
        ):
            if answer.status_code == 200:
                last = events(answer)[-1]
                assert last["error"]["type"] == "server_error"
            else:
                assert answer.status_code >= 500
                assert answer.json()["error"]["type"] == "server_error"
            assert b"Traceback" not in answer.content


def test_an_error_event_of_the_engine_reaches_the_client() -> None:
    """An engine's error inside a stream keeps its message and its kind."""
    error = event('{"error": {"message": "too many", "type": "rate_limit_error", "code": 429}}')
    with (
        FaultServer(stream(BEGUN, error)) as engine,
        front(engine) as server,
        Client(base_url=server.base_url, max_retries=0) as client,
        client.chat.stream("Hello") as answer,
        pytest.raises(RateLimitError, match="too many"),
    ):
        answer.until_done()


def test_an_error_before_the_first_event_is_a_status() -> None:
    """An engine that fails before its first event gives an HTTP status, not a stream."""
    with FaultServer((Send(STREAM), Fin())) as engine, front(engine) as server:
        answer = post(server, json=original(stream=True))
        assert answer.status_code == 500
        assert "in the middle" in answer.json()["error"]["message"]


def test_an_engine_s_error_keeps_its_fields_and_headers() -> None:
    """Status, message, code, own fields, request id, `retry-after` and location are passed on."""
    error = {"message": "too long", "type": "x", "code": "context_length", "n_ctx": 4}
    refusal = body(
        429, json.dumps({"error": error}).encode(), "retry-after: 7", "x-request-id: abc",
        "location: http://elsewhere.example/",
    )  # fmt: skip
    with FaultServer(refusal) as engine, front(engine) as server:
        answer = chat(server, model="m")
        assert answer.status_code == 429
        assert answer.json()["error"] == {
            "message": "too long",
            "type": "rate_limit_error",
            "param": None,
            "code": "context_length",
            "n_ctx": 4,
        }
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["x-request-id"] == "abc"
        assert answer.headers["location"] == "http://elsewhere.example/"


KEY = "sk-engine-secret"
CUT_KEY = b'data: {"choices":[{"index":0,"finish_reason":null,"delta":{"content":"%b"}}]}\n\n' % (
    KEY.encode()
)
MIDDLE = CUT_KEY.index(KEY.encode()) + 5
ECHOED = [
    body(401, json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()),
    body(400, json.dumps({"error": {"message": f"bad key {KEY}", KEY: KEY}}).encode()),
    body(500, f"<title>{KEY}</title>".encode(), f"x-request-id: {KEY}", kind="text/html"),
    body(200, json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()),
    stream(BEGUN, event(json.dumps({"error": {"message": f"bad key {KEY}"}}))),
    stream(BEGUN, event(json.dumps({"error": f"bad key {KEY}"}), "error")),
    document(f"my key is {KEY}"),
    (
        Send(CHUNKED),
        Repeat(coded(BEGUN), 1, 0.05),
        Repeat(coded(deltas(KEY)), 1, 0.05),
        Repeat(coded(CUT_KEY[:MIDDLE]), 1, 0.05),
        Repeat(coded(CUT_KEY[MIDDLE:]), 1, 0.05),
        Send(coded(FINISH + DONE) + LAST_CHUNK),
    ),
]


@pytest.mark.parametrize("answer", ECHOED)
@pytest.mark.parametrize("streamed", [True, False])
def test_the_engine_s_key_is_shown_to_nobody(answer: Answer, streamed: bool) -> None:
    """Whatever an engine repeats of its key, the client does not see it (L15)."""
    with FaultServer(answer) as engine, front(engine, engine_api_key=KEY) as server:
        for reply in (
            post(server, json=original(stream=streamed)),
            chat(server, model="m", stream=streamed),
        ):
            assert KEY not in reply.text
            assert KEY not in str(reply.headers)
        assert engine.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in repr(server)


def test_a_key_that_the_engine_refuses_is_not_the_client_s_fault() -> None:
    """An engine's 401 becomes 502, so that no client takes its own key for wrong."""
    with (
        FaultServer(body(401, b'{"error": {"message": "no"}}')) as engine,
        front(engine) as server,
        Client(base_url=server.base_url) as client,
        pytest.raises(InternalServerError, match="refuses the server's key") as caught,
    ):
        client.chat.create("Hello")
    assert caught.value.status == 502
    assert len(engine.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        body(200, b"[1, 2]"),
        body(200, b"null"),
        body(200, b"{}"),
        body(200, b'{"choices": null}'),
        body(200, b'{"choices": []}'),
        body(200, b"<html>Welcome</html>", kind="text/html; charset=utf-8"),
        (Send(head(204)),),
        (Send(head(304)),),
    ],
)
def test_a_document_that_is_not_a_completion_is_an_error(answer: Answer) -> None:
    """What can be no completion, such as a list or a page, gets 502 that says so."""
    with FaultServer(answer) as engine, front(engine) as server:
        for reply in (post(server, json=original()), chat(server, model="m")):
            assert reply.status_code == 502
            assert "The engine answered " in reply.json()["error"]["message"]


REPORTED: list[dict[str, Any]] = [
    {"error": {"message": "boom", "code": 429}},
    {"object": "error", "message": "boom", "type": "x", "code": 429},
    {"choices": [{"index": 0, "message": {}, "delta": {}, "error": {"message": "boom",
                                                                    "code": 429}}]},
]  # fmt: skip


@pytest.mark.parametrize("reported", REPORTED)
def test_an_error_inside_an_answer_is_an_error(reported: dict[str, Any]) -> None:
    """An error that an engine sends with status 200, of one choice too, becomes an error (D4)."""
    text = json.dumps(reported)
    with FaultServer(body(200, text.encode())) as engine, front(engine) as server:
        for reply in (post(server, json=original()), chat(server, model="m")):
            assert reply.status_code == 429
            assert reply.json()["error"]["message"] == "boom"
    with FaultServer(stream(BEGUN, event(text), DONE)) as engine, front(engine) as server:
        for reply in (
            post(server, json=original(stream=True)),
            chat(server, model="m", stream=True),
        ):
            assert events(reply)[-1]["error"]["message"] == "boom"


def test_an_event_of_several_lines_stays_one() -> None:
    """An event whose data has several lines reaches the client with the same data."""
    pretty = json.dumps(json.loads(delta("Hi")), indent=1)
    lines = "".join(f"data: {line}\n" for line in pretty.split("\n")).encode() + b"\n"
    with (
        FaultServer(stream(lines, FINISH, DONE)) as engine,
        front(engine) as server,
    ):
        assert chat(server, model="m", stream=True).content == lines + FINISH + DONE
        with Client(base_url=server.base_url) as client:
            assert client.chat.stream("Hello").until_done().text == "Hi"


def test_a_stream_for_a_document_is_an_error() -> None:
    """A document where a stream was asked for, and the reverse, gets 502."""
    with FaultServer(document("Hi")) as engine, front(engine) as server:
        assert post(server, json=original(stream=True)).status_code == 502
    with FaultServer(said("Hi")) as engine, front(engine) as server:
        assert post(server, json=original()).status_code == 502


def test_a_stream_for_ten_readers_is_never_mixed() -> None:
    """Streams at once each get their own text."""

    def answer(request: Any) -> Answer:
        return said(f"for {request.prompt}")

    with (
        FaultServer(answer) as engine,
        front(engine) as server,
        Client(base_url=server.base_url) as client,
    ):
        for number in range(10):
            assert client.chat.stream(f"{number}").until_done().text == f"for {number}"


def test_embeddings_pass() -> None:
    """A request for embeddings goes to the engine, and its answer comes back."""
    listed = b'{"object": "list", "data": [{"index": 0, "embedding": [1.0]}]}'
    with FaultServer(body(200, listed), body(200, b"{}")) as engine, front(engine) as server:
        url = f"{server.openai_base_url}/embeddings"
        assert httpx.post(url, json={"model": "e", "input": "x"}).content == listed
        assert httpx.post(url, json={"model": "e", "input": "x"}).status_code == 502
        assert engine.requests[0].line == ("POST", "/v1/embeddings")


def test_a_prompt_that_is_not_a_request_is_refused_once(echo: LocalServer) -> None:
    """What cannot be sent on is the client's 4xx, so it is not tried again."""
    with Client(base_url=echo.base_url) as client, pytest.raises(BadRequestError):
        client.chat.create("Hello", extra_body={"messages": ""})
