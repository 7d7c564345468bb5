"""Prepared calls: the request of a call, or an error that says what to do."""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Mapping
from itertools import count
from traceback import TracebackException
from typing import Any

import pytest
from attrs import evolve

from autonomousai_sdk._core.check import Boolean, Integer, Null, String, Union
from autonomousai_sdk._core.failure import Context
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.operation import Argument, Operation, Route, StreamShape
from autonomousai_sdk._core.prepared_call import Fallback, PreparedCall, prepare_call
from autonomousai_sdk._core.secret import Secret
from autonomousai_sdk._core.settings import CallOptions, Settings
from autonomousai_sdk._core.timeout import Timeout
from autonomousai_sdk._version import __version__
from autonomousai_sdk.errors import (
    APIConnectionError,
    APIStatusError,
    AutonomousAIError,
    ConfigurationError,
)
from tests.support.sample_operation import (
    ACCUMULATOR,
    BASE_URL,
    CHAT,
    CHAT_ROUTE,
    EMBED,
    EMBED_ROUTE,
    KEY,
    PLAIN_CHAT_ROUTE,
    PLAIN_URL,
    PROTOCOLS,
    SHAPE,
    Chunk,
    Completion,
    Note,
    Usage,
    settings,
)

LOOP: list[object] = []
LOOP.append(LOOP)


def plan(
    arguments: Mapping[str, object] | None = None,
    operation: Operation[Completion] = CHAT,
    *,
    client: Settings | None = None,
    shape: StreamShape[Chunk, Completion] | None = None,
    **call: Any,
) -> PreparedCall[Completion]:
    """A prepared call. Its idempotency key is `key-1`; a second key would be `key-2`."""
    keys = count(1)
    return prepare_call(
        settings() if client is None else client,
        operation,
        {"messages": "hi"} if arguments is None else arguments,
        CallOptions(**call),
        shape=shape,
        new_key=lambda: f"key-{next(keys)}",
    )


def body(made: PreparedCall[Any]) -> Any:
    """The JSON body of a prepared call."""
    return json.loads(made.request.content)


def headers(made: PreparedCall[Any]) -> dict[str, str]:
    """The headers of a prepared call, which must not repeat."""
    assert len(dict(made.request.headers)) == len(made.request.headers)
    return dict(made.request.headers)


def test_a_prepared_call_is_complete() -> None:
    """`prepare_call` sets method, URL, body, headers, time limits, retries and size limit."""
    made = plan()
    assert (made.request.method, made.request.url) == ("POST", f"{BASE_URL}/chat")
    sent = body(made)
    assert json.loads(base64.b64decode(sent.pop("messages"))) == [{"role": "user", "content": "hi"}]
    assert sent == {"aiAgent": "llama", "threadId": "llama", "stream": False}
    assert headers(made) == {
        "user-agent": f"autonomousai-sdk/{__version__} "
        f"python/{sys.version_info[0]}.{sys.version_info[1]}",
        "accept-encoding": "gzip, deflate",
        "accept": "*/*",
        "country-code": "US",
        "content-type": "application/json",
        "idempotency-key": "key-1",
    }
    assert made.context == Context(
        f"POST {BASE_URL}/chat", 1, None, advice=PROTOCOLS.advice(BASE_URL)
    )
    assert (made.timeout, made.max_retries, made.max_bytes) == (Timeout(), 2, 2**20)
    assert (made.operation, made.shape) == (CHAT, None)


def test_the_switch_requests_a_stream() -> None:
    """A call with a stream shape differs only in the value of the switch field."""
    streamed = plan(shape=SHAPE)
    assert streamed.shape is SHAPE
    assert body(streamed) == {**body(plan()), "stream": True}


def test_an_operation_without_a_switch_sends_no_such_field() -> None:
    """If the spec has no switch, the body is the same with and without a stream."""
    shape = StreamShape(chunk=Chunk, accumulator=ACCUMULATOR)
    operation = evolve(CHAT, stream=shape)
    assert "stream" not in body(plan(operation=operation, shape=shape))
    assert "stream" not in body(plan(operation=operation))


@pytest.mark.parametrize(
    ("model", "path", "agent"),
    [
        (None, "/chat-vision", "vision"),
        ("llama", "/chat", "llama"),
        ("llama-3", "/chat", "llama"),
        ("vision", "/chat-vision", "vision"),
        ("new", "/chat-new", "new"),
    ],
)
def test_the_model_decides_the_path(model: str | None, path: str, agent: str) -> None:
    """The path follows from the model's name, alias, `models=` entry or the client's default."""
    client = settings(model="vision", models={"new": "/chat-new"})
    made = plan({"messages": "hi", "model": model}, client=client)
    assert made.request.url == BASE_URL + path
    assert (body(made)["aiAgent"], body(made)["threadId"]) == (agent, agent)


def test_an_argument_replaces_its_default() -> None:
    """`thread_id` is the model's name only if the caller passes none."""
    made = plan({"messages": "hi", "thread_id": "t-1", "use_tool": False})
    assert (body(made)["threadId"], body(made)["useTool"]) == ("t-1", False)


def test_an_operation_without_models_has_its_own_path() -> None:
    """An operation without a model uses its own path and omits arguments that are None."""
    made = plan({"input": [Usage(prompt_tokens=1).prompt_tokens, "x"]}, EMBED)
    assert made.request.url == f"{BASE_URL}/embeddings"
    assert body(made) == {"input": [1, "x"]}
    made = plan({"input": Note(role="a", content="b"), "dimensions": 3, "scale": 1.5}, EMBED)
    assert body(made)["input"] == {"role": "a", "content": "b", "name": None}
    assert (body(made)["dimensions"], body(made)["scale"]) == (3, 1.5)
    made = plan({"input": 1, "scale": 2, "user": "me"}, EMBED)
    assert (body(made)["scale"], body(made)["user"], body(made)["trace"]) == (2, "me", "me")


@pytest.mark.parametrize(
    ("arguments", "operation", "said"),
    [
        ({}, CHAT, r"chat\.create: messages is missing"),
        ({"messages": []}, CHAT, "messages is empty: give at least one message"),
        ({"messages": "hi", "model": "gpt"}, CHAT, "Unknown model 'gpt'. Known models: llama"),
        ({"messages": "hi", "model": 5}, CHAT, "model must be a string, not int"),
        ({"messages": "hi", "thread_id": 5}, CHAT, "thread_id must be a string, not int"),
        ({"messages": "hi", "use_tool": 1}, CHAT, "use_tool must be True or False, not int"),
        ({"input": 1, "dimensions": "3"}, EMBED, "dimensions must be a whole number, not str"),
        ({"input": 1, "dimensions": True}, EMBED, "dimensions must be a whole number, not bool"),
        ({"input": 1, "dimensions": 1.5}, EMBED, "dimensions must be a whole number, not float"),
        ({"input": 1, "scale": True}, EMBED, "scale must be a number, not bool"),
        ({"input": 1, "scale": math.nan}, EMBED, "scale must be a finite number; got nan"),
        ({"input": object()}, EMBED, "input must be a value that JSON can hold, not object"),
        ({"input": 10**5000}, EMBED, "request body cannot be encoded as JSON: .*4300 digits"),
        ({"input": LOOP}, EMBED, "input is nested too deeply"),
        (
            {"input": 1},
            evolve(EMBED, routes={"original": evolve(EMBED_ROUTE, path=None)}),
            "has no path and no model that determines one",
        ),
    ],
)
def test_an_invalid_argument_is_refused_by_name(
    arguments: dict[str, object], operation: Operation[Completion], said: str
) -> None:
    """An invalid argument raises an error that names it and the expected type."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        plan(arguments, operation)
    assert caught.value.endpoint is None


def test_an_image_needs_a_model_that_takes_it() -> None:
    """Images are refused for models known not to accept them, and sent to all others."""
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    messages = [{"role": "user", "content": [part]}]
    client = settings(models={"new": "/chat"})
    for model in ("vision", "new"):
        plan({"messages": messages, "model": model}, client=client)
    with pytest.raises(ConfigurationError, match=r"the model 'llama' takes none"):
        plan({"messages": messages, "model": "llama-3"}, client=client)


def test_messages_need_no_model() -> None:
    """An operation may take messages without having a model argument."""
    route = evolve(CHAT_ROUTE, path="/count", arguments=CHAT_ROUTE.arguments[:1])
    operation = evolve(CHAT, routes={"original": route})
    made = plan({"messages": [{"role": "user", "content": "hi"}]}, operation)
    assert made.request.url == f"{BASE_URL}/count"


def test_extra_body_is_merged_last() -> None:
    """`extra_body` adds fields to the body and replaces existing ones."""
    made = plan(extra_body={"top_k": 5, "threadId": "t", "usage": Usage(prompt_tokens=1)})
    sent = body(made)
    assert (sent["top_k"], sent["threadId"], sent["aiAgent"]) == (5, "t", "llama")
    assert sent["usage"] == {"prompt_tokens": 1, "completion_tokens": None}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ([("a", 1)], "extra_body must be a mapping of field names to values, not list"),
        ({5: 1}, "extra_body: the field name 5 must be a string"),
        ({"a": b""}, r"extra_body\['a'\] must be a value that JSON can hold, not bytes"),
        ({"a": {"b": math.inf}}, r"extra_body\['a'\]\['b'\] must be a finite number; got inf"),
        ({"a": LOOP}, "extra_body is nested too deeply"),
    ],
)
def test_an_extra_body_is_a_json_object(extra: Any, said: str) -> None:
    """`extra_body` must be a mapping that JSON can represent."""
    with pytest.raises(ConfigurationError, match=said):
        plan(extra_body=extra)


def test_headers_of_a_call_override_the_clients() -> None:
    """Headers override in this order: spec, client options, client headers, call headers."""
    client = settings(country_code="DE", headers={"Accept": "client", "X-A": "client"})
    sent = headers(plan(client=client, headers={"x-a": "call", "User-Agent": "me/1"}))
    assert (sent["country-code"], sent["accept"], sent["x-a"]) == ("DE", "client", "call")
    assert sent["user-agent"] == "me/1"
    assert "socketid" not in sent
    assert headers(plan(headers={"idempotency-key": "mine"}))["idempotency-key"] == "mine"


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "Connection", "upgrade", "TE"]
)
def test_framing_headers_are_refused(name: str) -> None:
    """Headers that frame the message are refused, since two framings allow smuggling."""
    said = f"headers=: '{name.lower()}' cannot be set, because the transport sets it"
    with pytest.raises(ConfigurationError, match=said):
        plan(headers={name: "1"})
    with pytest.raises(ConfigurationError, match=said):
        plan(client=settings(headers={name: "1"}))


def test_a_call_overrides_the_clients_limits() -> None:
    """A call uses the client's timeout and retries unless it sets its own."""
    client = settings(timeout=Timeout(read=7), max_retries=4)
    assert plan(client=client).timeout == Timeout(read=7)
    assert plan(client=client).max_retries == 4
    made = plan(client=client, timeout=3, max_retries=0)
    assert (made.timeout, made.max_retries) == (Timeout(total=3), 0)
    with pytest.raises(ConfigurationError, match="max_retries must be a whole number"):
        plan(max_retries=-1)
    with pytest.raises(ConfigurationError, match="timeout must be a number of seconds"):
        plan(timeout="3")


def test_the_key_is_in_one_header_and_in_no_repr() -> None:
    """The key is sent as `authorization`, and no repr of the call shows it."""
    made = plan(client=settings(api_key=KEY))
    assert headers(made)["authorization"] == f"Bearer {KEY}"
    assert made.context.secret == Secret(KEY)
    assert KEY not in repr(made)
    assert KEY not in repr(made.context)
    assert "authorization" not in headers(plan())
    own = plan(client=settings(api_key=KEY), headers={"Authorization": "Basic x"})
    assert headers(own)["authorization"] == "Basic x"


def test_a_public_operation_is_called_without_the_key() -> None:
    """A route that the spec declares public has no authorization, but for the caller's own."""
    route = evolve(CHAT_ROUTE, is_public=True)
    operation = evolve(CHAT, routes={"original": route})
    client = settings(api_key=KEY)
    assert "authorization" not in headers(plan(operation=operation, client=client))
    own = plan(operation=operation, client=client, headers={"Authorization": "Basic x"})
    assert headers(own)["authorization"] == "Basic x"


def test_null_is_sent_for_a_required_argument_that_may_be_null() -> None:
    """None is sent as null if the argument is required and its check takes None."""
    check = Union(options=(String(), Null()))
    route = Route(
        method="POST",
        path="/move",
        arguments=(Argument(name="shelf", wire="shelf", check=check, required=True),),
    )
    operation = evolve(EMBED, routes={"original": route})
    assert body(plan({"shelf": None}, operation)) == {"shelf": None}
    assert body(plan({"shelf": "A"}, operation)) == {"shelf": "A"}
    with pytest.raises(ConfigurationError, match="shelf is missing"):
        plan({}, operation)


def test_the_traceback_of_a_refused_header_hides_the_key() -> None:
    """A traceback with local variables, of a refused header, does not contain the key."""
    client = settings(api_key=KEY)
    with pytest.raises(ConfigurationError) as caught:
        plan(client=client, headers={"x": "a\n"})
    frames = TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(frames.format())


FIND_ROUTE = Route(
    method="GET",
    path="/shelves/{shelf}/files/{id}",
    arguments=(
        Argument(name="shelf", wire="shelf", check=Integer(), location="path", required=True),
        Argument(name="file_id", wire="id", check=String(), location="path", required=True),
        Argument(name="tags", wire="tag[]", location="query"),
        Argument(name="deep", wire="deep", check=Boolean(), location="query"),
        Argument(name="trace", wire="x-trace", check=String(), location="header"),
    ),
    has_body=False,
)
FIND = Operation(name="files.find", routes={"original": FIND_ROUTE}, result=Completion)


def test_arguments_go_into_path_query_and_headers() -> None:
    """Each path parameter is one encoded segment, and an array repeats its query parameter."""
    made = plan(
        {"shelf": 7, "file_id": "../a?b", "tags": ["x", "y&z"], "deep": False, "trace": "t-1"},
        FIND,
    )
    assert made.request.method == "GET"
    url = f"{BASE_URL}/shelves/7/files/..%2Fa%3Fb"
    assert made.request.url == f"{url}?tag%5B%5D=x&tag%5B%5D=y%26z&deep=false"
    assert headers(made)["x-trace"] == "t-1"
    assert made.context.endpoint == f"GET {url}"
    assert plan({"shelf": 7, "file_id": "{shelf}"}, FIND).request.url.endswith("/%7Bshelf%7D")


def test_a_body_holds_the_arguments_that_belong_there() -> None:
    """A path parameter is not repeated in the body."""
    note = Argument(name="note", wire="note", check=String())
    route = evolve(FIND_ROUTE, method="PUT", arguments=(*FIND_ROUTE.arguments, note), has_body=True)
    operation = evolve(FIND, routes={"original": route})
    made = plan({"shelf": 7, "file_id": "a", "note": "x"}, operation)
    assert (made.request.url, body(made)) == (f"{BASE_URL}/shelves/7/files/a", {"note": "x"})


def test_a_request_without_a_body_declares_none() -> None:
    """It has neither content nor a content type, and, being idempotent, no idempotency key."""
    made = plan({"shelf": 1, "file_id": "a"}, FIND)
    assert made.request.content == b""
    assert not {"content-type", "idempotency-key", "x-trace"} & set(headers(made))
    assert made.request.url == f"{BASE_URL}/shelves/1/files/a"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shelf": 1}, r"files\.find: file_id is missing"),
        ({"shelf": 1, "file_id": ".."}, "file_id must not be empty"),
        ({"shelf": "1", "file_id": "a"}, "shelf must be a whole number, not str"),
        ({"shelf": 1, "file_id": "a", "tags": [b""]}, r"tags\[0\] must be a value that JSON"),
        ({"shelf": 1, "file_id": "a", "tags": "\ud800"}, "tags cannot be encoded in a URL"),
        ({"shelf": 1, "file_id": "a", "trace": "a\n"}, "trace: the value has the character"),
    ],
)
def test_parameters_that_cannot_be_sent_are_refused(
    arguments: dict[str, object], said: str
) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigurationError, match=said):
        plan(arguments, FIND)


PLAIN_CLIENT = settings(base_url=PLAIN_URL, model="m")


def test_a_protocol_determines_path_encoding_names_and_headers() -> None:
    """The same call through another protocol has that protocol's path, body and headers."""
    made = plan({"messages": "hi", "max_tokens": 5}, client=PLAIN_CLIENT)
    assert made.request.url == f"{PLAIN_URL}/chat/completions"
    assert body(made) == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "m",
        "max_tokens": 5,
        "stream": False,
    }
    assert not {"accept", "country-code"} & set(headers(made))
    assert (made.model_list, made.model_wire) == (None, "model")
    streamed = body(plan(client=PLAIN_CLIENT, shape=SHAPE))
    assert (streamed["stream"], streamed["stream_options"]) == (True, {"include_usage": True})


def test_an_argument_that_a_protocol_lacks_is_refused() -> None:
    """An argument is refused if the client's protocol cannot carry it, unless it is None."""
    plan({"messages": "hi", "thread_id": None}, client=PLAIN_CLIENT)
    with pytest.raises(
        ConfigurationError, match=r"chat\.create: the 'plain' protocol has no thread_id"
    ):
        plan({"messages": "hi", "thread_id": "t"}, client=PLAIN_CLIENT)
    with pytest.raises(ConfigurationError, match="the 'original' protocol has no max_tokens"):
        plan({"messages": "hi", "max_tokens": 5})


def test_an_operation_that_a_protocol_lacks_is_refused() -> None:
    """The error names the protocol of the client, its server and the protocols that have it."""
    with pytest.raises(
        ConfigurationError,
        match=r"embeddings\.create is not part of the 'plain' protocol of https://engine\.example/v1"
        r": use a server of the 'original' protocol",
    ):
        plan({"input": 1}, EMBED, client=PLAIN_CLIENT)


@pytest.mark.parametrize("name", ["", 5])
def test_a_model_that_no_server_has_is_refused(name: object) -> None:
    """A protocol that sends any name refuses one that is empty or not a string."""
    with pytest.raises(ConfigurationError, match="^model "):
        plan({"messages": "hi", "model": name}, client=PLAIN_CLIENT)


def test_a_call_without_a_model_asks_for_the_servers_models() -> None:
    """Without any model, the call comes with the one that lists the models."""
    client = settings(base_url=PLAIN_URL, api_key=KEY)
    made = plan({"messages": "hi"}, client=client, headers={"x-a": "b"}, timeout=3)
    assert "model" not in body(made)
    listing = made.model_list
    assert listing is not None
    assert (listing.request.method, listing.request.url) == ("GET", f"{PLAIN_URL}/models")
    assert (headers(listing)["x-a"], listing.timeout) == ("b", Timeout(total=3))
    assert (listing.request.content, listing.model_list) == (b"", None)
    chosen = made.with_model("only")
    assert (body(chosen)["model"], chosen.model_list) == ("only", None)
    assert chosen.context == made.context
    for given in (plan(client=client, extra_body={"model": "x"}), plan(client=PLAIN_CLIENT)):
        assert given.model_list is None
    unlisted = evolve(PLAIN_CHAT_ROUTE.arguments[1], listed_by=None)
    route = evolve(PLAIN_CHAT_ROUTE, arguments=(PLAIN_CHAT_ROUTE.arguments[0], unlisted))
    assert plan(operation=evolve(CHAT, routes={"plain": route}), client=client).model_list is None


def test_a_call_falls_back_on_another_name_or_none() -> None:
    """A fallback renames a field or drops it, once, and changes the idempotency key."""
    made = plan({"messages": "hi", "max_tokens": 5}, client=PLAIN_CLIENT, shape=SHAPE)
    renamed, dropped = made.fallbacks
    assert renamed == Fallback(wire="max_tokens", instead="max_new_tokens")
    assert dropped == Fallback(wire="stream_options")
    second = made.with_fallback(renamed)
    assert (body(second)["max_new_tokens"], "max_tokens" in body(second)) == (5, False)
    assert headers(second)["idempotency-key"] == "key-1-max_new_tokens"
    assert (second.fallbacks, second.applied) == ((dropped,), (renamed,))
    third = second.with_fallback(dropped)
    assert "stream_options" not in body(third)
    assert headers(third)["idempotency-key"] == "key-1-max_new_tokens-stream_options"
    assert (third.fallbacks, third.applied) == ((), (renamed, dropped))


def test_fields_of_extra_body_have_no_fallback() -> None:
    """A field that the caller put into `extra_body` is sent as it is, or not at all."""
    extra: dict[str, object] = {"max_tokens": 7, "stream_options": {}}
    made = plan(
        {"messages": "hi", "max_tokens": 5}, client=PLAIN_CLIENT, shape=SHAPE, extra_body=extra
    )
    assert made.fallbacks == ()
    extra = {"max_new_tokens": 7}
    made = plan({"messages": "hi", "max_tokens": 5}, client=PLAIN_CLIENT, extra_body=extra)
    assert made.fallbacks == ()


def refusal(status: int, body: object) -> APIStatusError:
    """An error response."""
    return APIStatusError(
        "refused",
        status=status,
        headers=Headers(),
        body=body,
        code=None,
        request_id=None,
        endpoint="POST /",
        attempt=1,
    )


@pytest.mark.parametrize(
    ("error", "wire"),
    [
        (refusal(400, {"error": {"message": "Use 'max_new_tokens' instead."}}), "max_tokens"),
        (refusal(422, {"detail": [{"loc": ["body", "stream_options"]}]}), "stream_options"),
        (refusal(400, "unknown field stream_options"), "stream_options"),
        (refusal(400, "max_tokens is too large"), None),
        (refusal(500, "stream_options"), None),
        (APIConnectionError("max_new_tokens", endpoint="POST /", attempt=1), None),
    ],
)
def test_an_error_that_names_a_field_selects_its_fallback(
    error: AutonomousAIError, wire: str | None
) -> None:
    """A 400 or 422 that names the required or refused field selects the fallback."""
    made = plan({"messages": "hi", "max_tokens": 5}, client=PLAIN_CLIENT, shape=SHAPE)
    found = made.fallback_after(error)
    assert (found and found.wire) == wire
    assert plan(client=PLAIN_CLIENT).fallback_after(error) is None


def test_functions_are_sent_as_their_definitions() -> None:
    """An argument for tools takes functions and definitions, and sends definitions."""

    def get_weather(city: str) -> str:
        """Say what the weather is."""
        return city

    given = {"type": "function", "function": {"name": "other"}}
    tools = Argument(name="tools", wire="tools", kind="tools")
    route = evolve(PLAIN_CHAT_ROUTE, arguments=(*PLAIN_CHAT_ROUTE.arguments, tools))
    operation = evolve(CHAT, routes={"plain": route})
    made = plan({"messages": "hi", "tools": [get_weather, given]}, operation, client=PLAIN_CLIENT)
    first, second = body(made)["tools"]
    assert (first["function"]["name"], second) == ("get_weather", given)
    with pytest.raises(ConfigurationError, match=r"tools\[0\] is a function or a mapping, not int"):
        plan({"messages": "hi", "tools": [5]}, operation, client=PLAIN_CLIENT)


def test_none_leaves_a_header_out() -> None:
    """A header set to None is not sent, whether the SDK or the client set it."""
    made = plan(headers={"user-agent": None, "x-nothing": None})
    assert "user-agent" not in dict(made.request.headers)
