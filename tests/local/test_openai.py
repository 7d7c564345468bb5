"""OpenAI's own Python client, against the server's `/v1`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from autonomousai_sdk.local import LocalServer
from tests.support.fault_server import FaultServer
from tests.support.wire import body, completion, document, said


class Colour(BaseModel):
    """What a structured answer holds."""

    name: str


@pytest.fixture
def client(echo: LocalServer) -> Iterator[openai.OpenAI]:
    """OpenAI's blocking client on the echo engine."""
    with openai.OpenAI(base_url=echo.openai_base_url, api_key="any", max_retries=0) as client:
        yield client


def test_a_whole_completion(client: openai.OpenAI) -> None:
    """A completion has its text, its finish reason, its usage and a request id."""
    answer = client.chat.completions.create(
        model="echo", messages=[{"role": "user", "content": "two words"}]
    )
    assert answer.choices[0].message.content == "two words"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2
    raw = client.chat.completions.with_raw_response.create(
        model="echo", messages=[{"role": "user", "content": "x"}]
    )
    assert raw.headers["x-request-id"].startswith("req_")


def test_a_stream_with_usage(client: openai.OpenAI) -> None:
    """`include_usage` gives a last chunk with usage; without it there is none."""
    for wanted in (True, False):
        stream = client.chat.completions.create(
            model="echo",
            messages=[{"role": "user", "content": "two words"}],
            stream=True,
            stream_options={"include_usage": True} if wanted else openai.omit,
        )
        chunks = list(stream)
        text = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
        assert "".join(text) == "two words"
        assert (chunks[-1].usage is not None) is wanted


def test_the_stream_helper(client: openai.OpenAI) -> None:
    """The helper that accumulates a stream gives the same completion."""
    with client.chat.completions.stream(
        model="echo", messages=[{"role": "user", "content": "two words"}]
    ) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].message.content == "two words"


def test_the_async_client(echo: LocalServer) -> None:
    """The async client gets completions, streams and the list of models."""
    import asyncio

    async def use() -> None:
        async with openai.AsyncOpenAI(base_url=echo.openai_base_url, api_key="any") as client:
            messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "two words"}]
            answer = await client.chat.completions.create(model="echo", messages=messages)
            assert answer.choices[0].message.content == "two words"
            stream = await client.chat.completions.create(
                model="echo", messages=messages, stream=True
            )
            text = [chunk.choices[0].delta.content or "" async for chunk in stream]
            assert "".join(text) == "two words"
            assert [model.id async for model in client.models.list()] == ["echo"]

    asyncio.run(use())


def test_models_and_embeddings(client: openai.OpenAI) -> None:
    """The list, one model of it, and embeddings in both encodings."""
    assert [model.id for model in client.models.list()] == ["echo"]
    assert client.models.retrieve("echo").id == "echo"
    one = client.embeddings.create(model="echo", input="text").data[0].embedding
    two = client.embeddings.create(model="echo", input=["text"], encoding_format="float")
    assert one == pytest.approx(two.data[0].embedding, abs=1e-6)


def test_embeddings_of_tokens_and_of_a_given_length(client: openai.OpenAI) -> None:
    """Lists of tokens are embedded like texts, and `dimensions` is the length of the vectors."""
    for given, count in (([1, 2], 1), ([[1, 2], [3]], 2), (["a", "b"], 2)):
        data = client.embeddings.create(model="echo", input=given, dimensions=20).data
        assert [len(each.embedding) for each in data] == [20] * count


NOT_EMBEDDED: list[dict[str, Any]] = [
    {"input": []},
    {"input": [[]]},
    {"input": ["a", 1]},
    {"input": [[1], "a"]},
    {"input": [1.5]},
    {"input": "a", "dimensions": 0},
    {"input": "a", "dimensions": 5000},
    {"input": "a", "encoding_format": "hex"},
]


@pytest.mark.parametrize("options", NOT_EMBEDDED)
def test_embeddings_that_cannot_be_made_are_refused(
    echo: LocalServer, options: dict[str, Any]
) -> None:
    """An input, a length or an encoding that cannot be right gets 400 that names it."""
    answer = httpx.post(f"{echo.openai_base_url}/embeddings", json=options)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == list(options)[-1]


def test_errors_are_its_own(client: openai.OpenAI) -> None:
    """A refusal is the client's own error, with message, code and parameter."""
    with pytest.raises(openai.NotFoundError, match="There is no model 'gpt-5'") as missing:
        client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "x"}])
    assert missing.value.code == "model_not_found"
    assert missing.value.param == "model"
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "x"}], temperature=5
        )


def test_the_key_is_its_own(echo: LocalServer) -> None:
    """A wrong key is the client's authentication error."""
    with (
        LocalServer(engine="echo", api_key="sk-right") as server,
        openai.OpenAI(base_url=server.openai_base_url, api_key="sk-wrong") as wrong,
        pytest.raises(openai.AuthenticationError),
    ):
        wrong.models.list()


def test_parse_and_tools_reach_the_engine() -> None:
    """`parse` and tools go to the engine, and its structured answer and calls come back."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    called = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m",
                         "choices": choices}).encode()  # fmt: skip
    with (
        FaultServer(body(200, completion('{"name": "red"}')), body(200, called)) as engine,
        LocalServer(engine=f"{engine.url}/v1") as server,
        openai.OpenAI(base_url=server.openai_base_url, api_key="any") as client,
    ):
        parsed = client.chat.completions.parse(
            model="m", messages=[{"role": "user", "content": "A colour."}], response_format=Colour
        )
        assert parsed.choices[0].message.parsed == Colour(name="red")
        sent = json.loads(engine.requests[0].body)
        assert sent["response_format"]["json_schema"]["schema"]["required"] == ["name"]
        tool: ChatCompletionToolParam = {
            "type": "function",
            "function": {"name": "f"},
        }
        answer = client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "Call."}],
            tools=[tool],
            tool_choice="required",
        )
        calls = answer.choices[0].message.tool_calls or []
        assert [each.id for each in calls] == ["c"]
        sent = json.loads(engine.requests[1].body)
        assert (sent["tools"], sent["tool_choice"]) == ([tool], "required")


def test_retries_heed_the_engine() -> None:
    """A 429 of the engine reaches the client, which tries again as `retry-after` says."""
    busy = body(429, b'{"error": {"message": "busy"}}', "retry-after: 0.1")
    with (
        FaultServer(busy, document("Hi"), said("Hi")) as engine,
        LocalServer(engine=f"{engine.url}/v1") as server,
        openai.OpenAI(base_url=server.openai_base_url, api_key="any") as client,
    ):
        answer = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "x"}]
        )
        assert answer.choices[0].message.content == "Hi"
        assert len(engine.requests) == 2
