"""The real model behind the real server, through both clients and as an upstream."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from autonomousai_sdk import AsyncClient, Client, ConfigurationError
from autonomousai_sdk.local import LocalServer
from autonomousai_sdk.local.engines import weights

pytestmark = pytest.mark.model


def test_it_answers_and_streams(smollm2: LocalServer) -> None:
    """A whole answer and a stream, both of a real model, with usage and a finish reason."""
    with Client(base_url=smollm2.base_url) as client:
        answer = client.chat.create("Say hello in three words.")
        assert answer.text
        assert answer.usage is not None
        assert answer.usage.completion_tokens
        pieces: list[str] = []
        with client.chat.stream("Say hello in three words.") as stream:
            pieces.extend(stream.text)
        assert len(pieces) > 1
        assert stream.completion.text == "".join(pieces)
        assert stream.completion.finish_reason == "stop"
        assert stream.completion.usage is not None


@pytest.mark.anyio
async def test_it_answers_both_event_loops(smollm2: LocalServer) -> None:
    """The async client streams the real model on asyncio and trio."""
    async with (
        AsyncClient(base_url=smollm2.base_url) as client,
        client.chat.stream("Say hello in three words.", model="hermes") as stream,
    ):
        assert "".join([text async for text in stream.text]) == stream.completion.text


def test_leaving_stops_the_generation(smollm2: LocalServer) -> None:
    """After a stream of a long answer was left, the next question is answered at once."""
    with Client(base_url=smollm2.base_url) as client:
        # As many as the engine answers at a time: one left running would show as a wait.
        for _ in range(8):
            with client.chat.stream("Count from one to five thousand, in words.") as stream:
                next(stream)
        began = time.monotonic()
        client.chat.create("Say yes.")
        assert time.monotonic() - began < 60  # eight answers of 2,048 tokens take minutes


def test_progress_is_told() -> None:
    """Whoever waits for the model is told what is loaded and when it is ready."""
    told: list[str] = []
    with LocalServer(progress=told.append):
        pass
    assert told[0].startswith("loading SmolLM2")
    assert "ready after" in told[-1]


def test_a_model_by_its_path_and_as_an_upstream() -> None:
    """A GGUF file is an engine by its path, and that engine is an upstream like any other."""
    with LocalServer(engine=weights()) as server:
        engine: Any = vars(server)["_engine"]
        upstream = engine._upstream
        with (
            LocalServer(
                engine=upstream.base_url,
                engine_api_key=upstream.api_key.reveal(),
                model_map={"llama": engine.name},
            ) as front,
            Client(base_url=front.base_url) as client,
        ):
            assert client.chat.create("Say hello.").text
            assert client.chat.create("Say hello.", model="hermes").text


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """A broken model file is named in the error, and nothing is left running."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but not really")
    with pytest.raises(ConfigurationError, match="cannot load"), LocalServer(engine=broken):
        pass
