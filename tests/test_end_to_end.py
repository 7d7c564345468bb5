"""Both clients against the local server over HTTP: every model, whole and streamed."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from autonomousai_sdk import (
    APIResponseError,
    AsyncClient,
    ChatCompletionChunk,
    ChatMessage,
    Client,
    ConfigurationError,
    ImagePart,
    ImageURL,
    Message,
    NotFoundError,
    StreamError,
    TextPart,
)
from autonomousai_sdk._generated.catalog import MODELS
from autonomousai_sdk.local import LocalServer

WIRE = Path(__file__).parent / "data" / "wire"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
NAMES = [(name, model) for model in MODELS for name in (model.id, *model.aliases)]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A local server without a model."""
    with LocalServer(engine="echo") as running:
        yield running


@pytest.fixture
def client(server: LocalServer) -> Iterator[Client]:
    """A client of that server."""
    with Client(base_url=server.base_url) as made:
        yield made


class Recorder:
    """A listener that keeps its one request and responds with an empty completion."""

    ANSWER = b'{"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}'

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/api/v1/ai"
        self.request = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # closed before a request arrived
            return
        with connection:
            while not self._is_whole():
                self.request += connection.recv(65536)
            head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            head += f"content-length: {len(self.ANSWER)}\r\n\r\n"
            connection.sendall(head.encode() + self.ANSWER)

    def _is_whole(self) -> bool:
        head, found, body = self.request.partition(b"\r\n\r\n")
        if not found:
            return False
        lengths = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        return len(body) >= lengths[0]

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):  # it is not connected
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes a thread that is still waiting
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A listener for one request."""
    listening = Recorder()
    yield listening
    listening.close()


def parsed(request: bytes) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Parse a request into line, headers and body, with the messages decoded."""
    # The recordings have line feeds only.
    head, _, body = request.replace(b"\r\n", b"\n").partition(b"\n\n")
    line, *lines = head.decode().split("\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
    }
    fields = json.loads(body)
    fields["messages"] = json.loads(base64.b64decode(fields["messages"], validate=True))
    return line, headers, fields


@pytest.mark.parametrize("model", [model.id for model in MODELS])
def test_requests_are_those_of_the_original(recorder: Recorder, model: str) -> None:
    """A request equals the recorded request of the original client."""
    line, headers, fields = parsed((WIRE / f"original_{model}.http").read_bytes())
    with Client(base_url=recorder.base_url, max_retries=0) as client:
        stream = client.chat.stream(fields["messages"], model=model)
        with pytest.raises(APIResponseError), stream:  # the recorder responds with a document
            pass
    ours_line, ours_headers, ours_fields = parsed(recorder.request)
    assert ours_line == line
    assert ours_fields == fields
    for name in ("user-agent", "host", "accept-encoding", "content-length"):
        headers.pop(name, None)
    assert {name: ours_headers.get(name) for name in headers} == headers
    assert ours_headers["user-agent"].startswith("autonomousai-sdk/")


@pytest.mark.parametrize(("name", "model"), NAMES, ids=[name for name, _ in NAMES])
def test_names_and_aliases_reach_their_path(recorder: Recorder, name: str, model: Any) -> None:
    """Each of the five models and aliases is sent to its path with the right `aiAgent`."""
    with Client(base_url=recorder.base_url) as client:
        assert client.chat.create("Hello", model=name).text == "ok"
    line, _, fields = parsed(recorder.request)
    assert line == f"POST /api/v1/ai{model.path} HTTP/1.1"
    assert (fields["aiAgent"], fields["threadId"]) == (model.id, model.id)
    assert fields["stream"] is False


def test_every_option_arrives(recorder: Recorder) -> None:
    """Options of the call override options of the client in the request."""
    client = Client(
        base_url=recorder.base_url,
        api_key="sk-test",
        headers={"X-Client": "1", "x-both": "client", "user-agent": "mine"},
        country_code="DE",
        time_zone="Europe/Berlin",
    )
    with client:
        client.chat.create(
            "Hello",
            thread_id="t",
            user_id="u",
            use_tool=False,
            headers={"x-both": "call"},
            extra_body={"temperature": 0, "aiAgent": "other"},
        )
    _, headers, fields = parsed(recorder.request)
    assert headers["authorization"] == "Bearer sk-test"
    assert (headers["x-client"], headers["x-both"]) == ("1", "call")
    assert (headers["user-agent"], headers["country-code"]) == ("mine", "DE")
    assert headers["time-zone"] == "Europe/Berlin"
    assert (fields["threadId"], fields["userId"], fields["useTool"]) == ("t", "u", False)
    assert (fields["temperature"], fields["aiAgent"]) == (0, "other")


def test_the_first_snippet(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client configured by the environment makes whole and streamed calls."""
    monkeypatch.setenv("AUTONOMOUSAI_BASE_URL", server.base_url)
    with Client() as client:
        assert client.chat.create("Why is the sky blue?").text == "Why is the sky blue?"
        pieces: list[str] = []
        with client.chat.stream("Tell me a story.", model="hermes") as stream:
            pieces.extend(stream.text)
        assert pieces == ["Tell", " me", " a", " story."]
        assert stream.completion.finish_reason == "stop"
        assert stream.completion.text == "Tell me a story."
        assert stream.completion.usage is not None


@pytest.mark.anyio
async def test_the_second_snippet(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The async client makes whole and streamed calls on asyncio and trio."""
    monkeypatch.setenv("AUTONOMOUSAI_BASE_URL", server.base_url)
    async with AsyncClient() as client:
        completion = await client.chat.create("Why is the sky blue?")
        assert completion.text == "Why is the sky blue?"
        async with client.chat.stream("Tell me a story.") as stream:
            chunks = [chunk async for chunk in stream]
        assert all(isinstance(chunk, ChatCompletionChunk) for chunk in chunks)
        assert stream.completion.text == "Tell me a story."
        async with client.chat.stream("Tell me a story.") as again:
            assert [text async for text in again.text] == ["Tell", " me", " a", " story."]
        assert (await client.chat.stream("Hello").until_done()).text == "Hello"
        assert (await client.models.get("llama-3.3-70b")).id == "llama"


def test_bare_loop_until_done_and_leaving_early(client: Client) -> None:
    """A stream works without a block, reads to its end at once, and can be left early."""
    assert "".join(client.chat.stream("a b c").text) == "a b c"
    assert client.chat.stream("a b c").until_done().text == "a b c"
    with client.chat.stream("a b c") as stream:
        next(stream)
        assert stream.until_done().text == "a b c"
    with client.chat.stream("a b c " * 2000) as stream:
        next(stream)
    with pytest.raises(StreamError, match="closed before its end"):
        next(stream)
    with pytest.raises(StreamError):
        _ = stream.completion
    assert client.chat.create("still works").text == "still works"


def test_messages_in_every_form(client: Client) -> None:
    """Messages may be strings, objects, mappings, parts and earlier completions."""
    first = client.chat.create([Message.system("Be brief."), {"role": "user", "content": "Hi"}])
    assert first.text == "Hi"
    history: list[Message | ChatMessage] = [
        Message.user("Hi"),
        first.choices[0].message,
        Message(role="user", content=[TextPart(text="And"), TextPart(text="again")]),
    ]
    assert client.chat.create(history).text == "And again"
    parts: list[TextPart | ImagePart] = [
        TextPart(text="What is this?"),
        ImagePart(image_url=ImageURL(url="https://example.com/cat.png")),
    ]
    answer = client.chat.create([Message(role="user", content=parts)], model="vision")
    assert answer.text == "What is this?"
    with_image = Message.user("And this?", images=[PNG])
    assert client.chat.create([with_image], model="vision").text == "And this?"


def test_options_of_a_copy(client: Client) -> None:
    """A copy shares the connections, has the changed options, and leaves the client open."""
    with client.with_options(model="hermes", timeout=5) as copy:
        assert copy.chat.create("Hi").text == "Hi"
    assert client.chat.create("Hi").text == "Hi"
    with pytest.raises(ConfigurationError, match="cannot change 'proxy'"):
        client.with_options(**cast("Any", {"proxy": "http://x"}))


def test_a_closed_client_says_so(server: LocalServer) -> None:
    """A closed client raises an error that says so."""
    client = Client(base_url=server.base_url)
    client.close()
    with pytest.raises(ConfigurationError, match="was closed"):
        client.chat.create("Hi")


def test_custom_models_go_where_they_are_served(client: Client) -> None:
    """A model of `models=` is sent to its path under its own name."""
    custom = client.with_options(models={"qwen3:8b": "/chat"})
    with pytest.raises(NotFoundError, match=r"qwen3:8b"):
        custom.chat.create("Hi", model="qwen3:8b")


BAD_CALLS: list[tuple[dict[str, Any], str]] = [
    ({"messages": "Hi", "model": "nope"}, "Unknown model 'nope'. Known models: llama"),
    ({"messages": []}, "messages is empty"),
    ({"messages": ""}, "messages is an empty string"),
    ({"messages": {"role": "user", "content": "Hi"}}, "put it in a list"),
    ({"messages": [{"role": 1, "content": "Hi"}]}, "role is a string"),
    ({"messages": [{"content": "Hi"}]}, "has no 'role'"),
    ({"messages": [{"role": "user", "content": 5}]}, "content is a string or a list of parts"),
    ({"messages": ["Hi"]}, "a Message or a"),
    ({"messages": b"Hi"}, "got bytes"),
    ({"messages": [Message.user("?", images=[PNG])]}, "takes none"),
    ({"messages": "Hi", "thread_id": 5}, "thread_id must be a string"),
    ({"messages": "Hi", "use_tool": "no"}, "use_tool must be True or False"),
    ({"messages": "Hi", "timeout": -1}, "positive number of seconds"),
    ({"messages": "Hi", "max_retries": -1}, "max_retries must be a whole number"),
    ({"messages": "Hi", "headers": {"a b": "c"}}, "is not a header name"),
    ({"messages": "Hi", "headers": {"a": "b\r\nc: d"}}, "printable ASCII"),
    ({"messages": "Hi", "headers": {"content-length": "5"}}, "because the transport sets it"),
    ({"messages": "Hi", "extra_body": {"a": object()}}, "JSON can hold"),
    ({"messages": "Hi", "extra_body": [1]}, "extra_body must be a mapping"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_CALLS, ids=[text for _, text in BAD_CALLS])
def test_bad_calls_are_refused_before_anything_is_sent(
    arguments: dict[str, Any], message: str
) -> None:
    """An invalid argument raises an error with advice, before a connection is opened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)
        port = listener.getsockname()[1]
        with Client(base_url=f"http://127.0.0.1:{port}") as client:
            for method in (client.chat.create, client.chat.stream):
                with pytest.raises(ConfigurationError) as caught:
                    method(**arguments)
                assert message in str(caught.value)
        with pytest.raises(TimeoutError):
            listener.accept()


class StandardTransport:
    """A transport in name only."""


BAD_CLIENTS: list[tuple[dict[str, Any], str]] = [
    ({"base_url": "127.0.0.1:8000/api"}, "needs a scheme"),
    ({"base_url": ""}, "base_url is empty"),
    ({"base_url": "/v9"}, "needs a scheme"),
    ({"base_url": "http://a/?k=1"}, "query or fragment"),
    ({"base_url": "http://user:secret@a/"}, "user name or password"),
    ({"base_url": "http://example.com", "api_key": "sk-1"}, "sent unencrypted"),
    ({"api_key": ""}, "api_key is empty"),
    ({"api_key": "a\nb"}, "printable ASCII"),
    ({"model": "nope"}, "Unknown model"),
    ({"timeout": 0}, "positive number of seconds"),
    ({"max_event_bytes": 0}, "positive number of bytes"),
    ({"models": {"a": "chat"}}, "does not start with a slash"),
    ({"proxy": "127.0.0.1:80"}, "has no scheme"),
    ({"http_client": object()}, "http_client= cannot be"),
    ({"headers": [("a", "b")]}, "mapping of names to values"),
    ({"headers": ""}, "headers= is a mapping of names to values, not str"),
    ({"allow_http_key": "false"}, "allow_http_key= must be True or False, not str"),
    ({"transport": "secret"}, "transport= cannot be a builtins.str, which has no method send"),
    ({"transport": StandardTransport}, "got the class StandardTransport: call it"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), BAD_CLIENTS, ids=[text for _, text in BAD_CLIENTS]
)
@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_bad_clients_are_refused(cls: Any, arguments: dict[str, Any], message: str) -> None:
    """An invalid option is refused when the client is created, without repeating secrets."""
    with pytest.raises(ConfigurationError) as caught:
        cls(**arguments)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
