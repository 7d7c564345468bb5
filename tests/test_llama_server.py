"""The client against llama.cpp's own server, called directly with SmolLM2-135M."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest

from autonomousai_sdk import BadRequestError, Client
from tests.support.llama_server import llama_server

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of a server for chat."""
    with llama_server() as url, Client(base_url=url, timeout=300) as made:
        yield made


def test_the_protocol_and_the_model_need_no_options(client: Client) -> None:
    """With nothing but the base URL, the client asks for the model and answers."""
    completion = client.chat.create("What is the capital of France?", max_tokens=16, temperature=0)
    assert completion.text
    assert completion.usage is not None
    assert completion.usage.prompt_tokens


def test_the_server_lists_its_model(client: Client) -> None:
    """`models.fetch` has the model under the name that the server gives it."""
    (model,) = client.models.fetch()
    assert (model.id, model.owned_by) == ("smollm2", "llamacpp")


def test_max_tokens_is_seen_in_the_usage_and_the_finish_reason(client: Client) -> None:
    """An answer that the limit cuts has that many tokens and the finish reason `length`."""
    completion = client.chat.create("Write a story about a fox.", max_tokens=7, temperature=0)
    assert completion.finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 7


def test_a_stream_has_the_usage(client: Client) -> None:
    """A stream ends with the usage, which the client asks for."""
    with client.chat.stream("Say hello.", max_tokens=5, temperature=0) as stream:
        assert "".join(stream.text)
    assert stream.completion.finish_reason == "length"
    assert stream.completion.usage is not None
    assert stream.completion.usage.completion_tokens == 5


def test_stop_and_seed_are_honoured(client: Client) -> None:
    """A stop text ends the answer before it, and a seed repeats an answer."""
    counted = client.chat.create("Count: 1 2 3", max_tokens=40, temperature=0).text
    word = counted.split()[1]
    stopped = client.chat.create("Count: 1 2 3", max_tokens=40, temperature=0, stop=word)
    assert word not in stopped.text
    assert stopped.finish_reason == "stop"
    first, second = (
        client.chat.create("Tell me a joke.", max_tokens=20, temperature=1.5, seed=7).text
        for _ in range(2)
    )
    assert first == second


def test_a_schema_becomes_a_grammar(client: Client) -> None:
    """With a JSON schema as the response format, the answer is JSON of that schema."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 20}, "legs": {"enum": [2, 4]}},
        "required": ["name", "legs"],
        "additionalProperties": False,
    }
    completion = client.chat.create(
        "Describe a fox.",
        max_tokens=100,
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    )
    answer = json.loads(completion.text)
    assert set(answer) == {"name", "legs"}
    assert answer["legs"] in (2, 4)


def test_extra_body_reaches_the_engine(client: Client) -> None:
    """A field that only llama.cpp knows takes effect."""
    completion = client.chat.create("Say hello.", extra_body={"n_predict": 3}, temperature=0)
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 3


def test_too_long_a_prompt_is_an_error_with_the_numbers(client: Client) -> None:
    """A prompt that does not fit is a 400 whose message has the sizes of prompt and context."""
    with pytest.raises(BadRequestError, match="2048") as caught:
        client.chat.create("word " * 5000, max_tokens=5)
    assert caught.value.code is not None
    with pytest.raises(BadRequestError), client.chat.stream("word " * 5000) as stream:
        stream.until_done()


def test_embeddings_compare_by_meaning() -> None:
    """A server for embeddings returns vectors in both encodings, which agree."""
    with llama_server(embedding=True) as url, Client(base_url=url, timeout=300) as client:
        floats = client.embeddings.create(["a cat", "a dog"], model="smollm2").vectors
        packed = client.embeddings.create(
            ["a cat", "a dog"], model="smollm2", encoding_format="base64"
        ).vectors
    assert len(floats) == len(packed) == 2
    for first, second in zip(floats, packed, strict=True):
        assert len(first) > 100
        assert all(math.isclose(a, b, abs_tol=1e-4) for a, b in zip(first, second, strict=True))
