"""Both clients over the OpenAI-compatible protocol, against scripted servers on real sockets."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from autonomousai_sdk import (
    AsyncClient,
    BadRequestError,
    Client,
    ConfigurationError,
    NotFoundError,
)
from tests.support.fault_server import FaultServer, Received
from tests.support.wire import body, document, event, failed, stream

MODELS = body(200, json.dumps({"data": [{"id": "only"}]}).encode())
VENDOR_MODELS = body(
    200,
    json.dumps(
        {"default_model": "Auto-AI", "models": [{"key": "Auto-AI"}, {"key": "other"}]}
    ).encode(),
)
HELLO = document("Hello")
FINISH = event(json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
DONE = event("[DONE]")

BACKENDS = pytest.mark.parametrize("backend", ["sync", "asyncio", "trio"])


def run(backend: str, url: str, call: Callable[[Any], Any], **options: Any) -> Any:
    """Make a call with a client of a backend, and return its result."""
    if backend == "sync":
        with Client(base_url=url, **options) as client:
            return call(client)

    async def act() -> Any:
        async with AsyncClient(base_url=url, **options) as client:
            return await call(client)

    return anyio.run(act, backend=backend)


def until_done(client: Any, *arguments: Any, **options: Any) -> Any:
    """Read a stream to its end, on either client."""
    if isinstance(client, Client):
        with client.chat.stream(*arguments, **options) as stream:
            return stream.until_done()

    async def act() -> Any:
        async with client.chat.stream(*arguments, **options) as stream:
            return await stream.until_done()

    return act()


def create_with_llama(client: Any) -> Any:
    """Request a whole completion, from a model of either protocol."""
    return client.chat.create("Hi", model="llama")


def until_done_with_llama(client: Any) -> Any:
    """Read a stream to its end, from a model of either protocol."""
    return until_done(client, "Hi", model="llama")


def sent(request: Received) -> Any:
    """The JSON body of a request."""
    return json.loads(request.body)


@BACKENDS
def test_a_call_sends_plain_messages_and_options(backend: str) -> None:
    """A call goes to `/chat/completions` with plain messages, and without headers of the vendor."""
    with FaultServer(HELLO) as server:
        completion = run(
            backend,
            f"{server.url}/v1",
            lambda client: client.chat.create(
                "Hi", model="any/name:8b", max_tokens=5, temperature=0.5, stop=["x"], seed=1, n=2
            ),
            api_key="sk-sesame",
        )
    (request,) = server.requests
    assert completion.text == "Hello"
    assert request.line == ("POST", "/v1/chat/completions")
    assert sent(request) == {
        "messages": [{"role": "user", "content": "Hi"}],
        "model": "any/name:8b",
        "max_tokens": 5,
        "temperature": 0.5,
        "stop": ["x"],
        "seed": 1,
        "n": 2,
        "stream": False,
    }
    assert request.headers["authorization"] == "Bearer sk-sesame"
    assert not {"country-code", "time-zone", "origin", "referer"} & set(request.headers)


@BACKENDS
def test_a_call_without_a_model_uses_the_only_one(backend: str) -> None:
    """The client asks once for the list of models and then uses the only one for all calls."""
    with FaultServer(MODELS, HELLO, stream(FINISH, DONE)) as server:

        def both(client: Any) -> Any:
            if isinstance(client, Client):
                client.chat.create("Hi")
                return until_done(client, "Hi")

            async def act() -> Any:
                await client.chat.create("Hi")
                return await until_done(client, "Hi")

            return act()

        run(backend, f"{server.url}/v1", both)
    assert [request.line for request in server.requests] == [
        ("GET", "/v1/models"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions"),
    ]
    assert [sent(request)["model"] for request in server.requests[1:]] == ["only", "only"]


@BACKENDS
def test_several_models_are_named_before_the_prompt_is_sent(backend: str) -> None:
    """If the server lists several models, the error names them and no prompt is sent."""
    with (
        FaultServer(VENDOR_MODELS) as server,
        pytest.raises(ConfigurationError, match="it lists 'Auto-AI', 'other'"),
    ):
        run(backend, f"{server.url}/v1", lambda client: client.chat.create("Hi"))
    assert [request.line for request in server.requests] == [("GET", "/v1/models")]


@BACKENDS
def test_copies_share_what_a_client_has_learned(backend: str) -> None:
    """`max_completion_tokens` is sent from the first refusal on, by copies of the client too."""
    refusal = failed(400, message="Use 'max_completion_tokens' instead of 'max_tokens'.")
    with FaultServer(refusal, HELLO) as server:

        def both(client: Any) -> Any:
            copy = client.with_options(max_retries=0)
            if isinstance(client, Client):
                client.chat.create("Hi", model="m", max_tokens=5)
                return copy.chat.create("Hi", model="m", max_tokens=6)

            async def act() -> Any:
                await client.chat.create("Hi", model="m", max_tokens=5)
                return await copy.chat.create("Hi", model="m", max_tokens=6)

            return act()

        run(backend, f"{server.url}/v1", both, max_retries=0)
    assert [
        (sent(each).get("max_tokens"), sent(each).get("max_completion_tokens"))
        for each in server.requests
    ] == [(5, None), (None, 5), (None, 6)]


@BACKENDS
def test_a_refused_field_that_is_not_the_reason_is_that_error(backend: str) -> None:
    """A 400 for another reason is raised after one request."""
    with (
        FaultServer(failed(400, message="max_tokens is too large")) as server,
        pytest.raises(BadRequestError, match="too large"),
    ):
        run(
            backend,
            f"{server.url}/v1",
            lambda client: client.chat.create("Hi", model="m", max_tokens=5),
        )
    assert len(server.requests) == 1


@BACKENDS
def test_several_choices_stream_into_one_completion(backend: str) -> None:
    """A stream with `n` choices is put together by their indices, with the usage at its end."""

    def chunk(index: int, text: str, reason: str | None = None) -> bytes:
        choice = {"index": index, "delta": {"content": text}, "finish_reason": reason}
        return event(json.dumps({"choices": [choice]}))

    usage = event(json.dumps({"choices": [], "usage": {"completion_tokens": 4}}))
    parts = (chunk(0, "a"), chunk(1, "c"), chunk(0, "b"), chunk(1, "d"))
    ends = (chunk(0, "", "stop"), chunk(1, "", "length"), usage, DONE)
    with FaultServer(stream(*parts, *ends)) as server:
        completion = run(
            backend, f"{server.url}/v1", lambda client: until_done(client, "Hi", model="m", n=2)
        )
    assert [
        (choice.index, choice.message.content, choice.finish_reason)
        for choice in completion.choices
    ] == [(0, "ab", "stop"), (1, "cd", "length")]
    assert completion.usage.completion_tokens == 4
    assert completion.usage.prompt_tokens is None
    request = sent(server.requests[0])
    assert (request["stream"], request["stream_options"]) == (True, {"include_usage": True})


@BACKENDS
@pytest.mark.parametrize("path", ["", "/v1"])
def test_fields_that_the_spec_does_not_have_are_extra(backend: str, path: str) -> None:
    """On both protocols, whole and streamed, each object has its unknown fields as `extra`."""
    said: dict[str, Any] = {"content": "Hi", "annotations": [1]}
    usage: dict[str, Any] = {"total_tokens": 2, "cost": 0.5}
    whole: dict[str, Any] = {"choices": [{"message": said}], "usage": usage, "provider": "x"}
    pieces: tuple[dict[str, Any], ...] = (
        {"choices": [{"delta": said}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage, "provider": "x"},
    )
    document = body(200, json.dumps(whole).encode())
    for answer, call in (
        (document, create_with_llama),
        (stream(*map(event, map(json.dumps, pieces)), DONE), until_done_with_llama),
    ):
        with FaultServer(answer) as server:
            completion = run(backend, f"{server.url}{path}", call)
        assert completion.extra == {"provider": "x"}
        assert completion.usage.extra == {"cost": 0.5}
        assert completion.choices[0].message.extra == {"annotations": [1]}


@BACKENDS
def test_models_are_fetched_in_either_form(backend: str) -> None:
    """`models.fetch` reads OpenAI's list and AutonomousAI's."""
    for answer, ids in ((MODELS, ["only"]), (VENDOR_MODELS, ["Auto-AI", "other"])):
        with FaultServer(answer) as server:
            models = run(backend, f"{server.url}/v1", lambda client: client.models.fetch())
        assert [model.id for model in models] == ids
        assert server.requests[0].line == ("GET", "/v1/models")


@BACKENDS
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_have_vectors_in_either_encoding(backend: str, encoding: str) -> None:
    """`embeddings.create` returns the vectors in the order of the inputs."""
    packed = base64.b64encode(struct.pack("<2f", 1, 2.5)).decode()
    vector: object = [1, 2.5] if encoding == "float" else packed
    data = [{"index": 1, "embedding": vector}, {"index": 0, "embedding": vector}]
    with FaultServer(body(200, json.dumps({"data": data}).encode())) as server:
        made = run(
            backend,
            f"{server.url}/v1",
            lambda client: client.embeddings.create(
                ["a", "b"], model="m", encoding_format=encoding
            ),
        )
    assert made.vectors == ((1.0, 2.5), (1.0, 2.5))
    assert sent(server.requests[0]) == {
        "input": ["a", "b"],
        "model": "m",
        "encoding_format": encoding,
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"thread_id": "t"}, "the 'openai' protocol has no thread_id"),
    ({"user_id": "u"}, "the 'openai' protocol has no user_id"),
    ({"use_tool": False}, "the 'openai' protocol has no use_tool"),
    ({"max_tokens": 0}, "max_tokens must be at least 1; got 0"),
    ({"max_tokens": True}, "max_tokens must be a whole number of at least 1, not bool"),
    ({"temperature": float("nan")}, "temperature must be a finite number of at least 0 and at"),
    ({"temperature": 2.1}, "temperature must be at least 0 and at most 2; got 2.1"),
    ({"temperature": "1"}, "temperature must be a number of at least 0 and at most 2, not str"),
    ({"top_p": -0.1}, "top_p must be at least 0 and at most 1; got -0.1"),
    ({"top_p": float("inf")}, "top_p must be a finite number"),
    ({"stop": []}, "stop must have at least 1"),
    ({"stop": 5}, "stop must be"),
    ({"seed": 1.5}, "seed must be a whole number"),
    ({"frequency_penalty": 3}, "frequency_penalty must be at least -2 and at most 2"),
    ({"presence_penalty": -3}, "presence_penalty must be at least -2 and at most 2"),
    ({"n": 129}, "n must be at least 1 and at most 128"),
    ({"logprobs": 1}, "logprobs must be True or False, not int"),
    ({"top_logprobs": 21}, "top_logprobs must be at least 0 and at most 20"),
    ({"response_format": "json"}, "response_format must be a mapping"),
    ({"tool_choice": 5}, "tool_choice must be"),
    ({"parallel_tool_calls": "yes"}, "parallel_tool_calls must be True or False"),
    ({"reasoning_effort": ""}, "reasoning_effort must"),
    ({"tools": []}, "tools= is empty"),
    ({"model": ""}, "model is empty"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_sent_is_refused_with_the_range(
    arguments: dict[str, Any], said: str
) -> None:
    """An argument that the protocol lacks or the spec forbids is refused before sending."""
    with (
        FaultServer(HELLO) as server,
        Client(base_url=f"{server.url}/v1", model="m") as client,
    ):
        for method in (client.chat.create, client.chat.stream):
            with pytest.raises(ConfigurationError) as caught:
                method("Hi", **arguments)
            assert said in str(caught.value)
    assert server.requests == []


def test_the_original_protocol_lacks_embeddings_and_the_list_of_models() -> None:
    """Without the OpenAI-compatible protocol, both are refused before sending."""
    with FaultServer(HELLO) as server, Client(base_url=server.url) as client:
        for call in (client.models.fetch, lambda: client.embeddings.create("a", model="m")):
            with pytest.raises(ConfigurationError, match="not part of the 'autonomousai' protocol"):
                call()
    assert server.requests == []


def test_the_original_protocol_sends_the_options_too() -> None:
    """The options of an answer go to servers of the original protocol as well."""
    with FaultServer(HELLO) as server, Client(base_url=server.url) as client:
        client.chat.create("Hi", max_tokens=5, temperature=0)
    (request,) = map(sent, server.requests)
    assert (request["max_tokens"], request["temperature"]) == (5, 0)
    assert request["aiAgent"] == "llama"


def test_a_missing_endpoint_names_the_likely_base_url() -> None:
    """A 404 from a server whose base URL lacks `/v1` says what the base URL usually is."""
    with (
        FaultServer(body(404, b"404 page not found", kind="text/plain")) as server,
        Client(base_url=server.url) as client,
        pytest.raises(NotFoundError, match=f"base_url='{server.url}/v1'"),
    ):
        client.chat.create("Hi")


@pytest.mark.parametrize("option", [{"country_code": "DE"}, {"time_zone": "Europe/Berlin"}])
def test_options_of_the_original_protocol_are_refused(option: dict[str, Any]) -> None:
    """A client option that only the original protocol sends is refused by the constructor."""
    with pytest.raises(ConfigurationError, match=r"the 'openai' protocol of .* does not send it"):
        Client(base_url="http://127.0.0.1:1/v1", **option)
