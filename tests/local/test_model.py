"""The real model behind the real server: what it answers, and how its process lives."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from autonomousai_sdk import (
    APIStatusError,
    AsyncClient,
    BadRequestError,
    Client,
    ConfigurationError,
)
from autonomousai_sdk.local import LocalServer
from autonomousai_sdk.local.engines import weights
from tests.support.program import piped

from .wire import PATIENCE, chat, openai, post

pytestmark = pytest.mark.model

STEM = "SmolLM2-135M-Instruct.Q4_1"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
TIME = {"type": "function", "function": {"name": "get_time"}}


def process_of(server: LocalServer) -> Any:
    """The process that the model of a server runs in."""
    return vars(server)["_engine"]._process


def test_it_answers_and_streams(smollm2: LocalServer) -> None:
    """A whole completion and a stream, both of a real model, with usage and a finish reason."""
    with Client(base_url=smollm2.base_url) as client:
        answer = client.chat.create("Say hello in three words.")
        assert answer.text
        assert answer.usage is not None
        assert (answer.usage.completion_tokens or 0) > 0
        assert answer.model == STEM
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
        client.chat.stream("Say hello in three words.", model="hermes", max_tokens=20) as stream,
    ):
        assert "".join([text async for text in stream.text]) == stream.completion.text


def test_leaving_stops_the_generation(smollm2: LocalServer) -> None:
    """After streams of long answers were left, the next question is answered at once."""
    with Client(base_url=smollm2.base_url) as client:
        # More than the engine answers at a time: those left running would show as a wait.
        for _ in range(8):
            with client.chat.stream("Count to five thousand.", max_tokens=8000) as stream:
                next(stream)
        began = time.monotonic()
        client.chat.create("Say yes.", max_tokens=5)
        assert time.monotonic() - began < 60


def test_options_are_honoured_on_both_protocols(smollm2: LocalServer) -> None:
    """`max_tokens` and `stop` hold by the SDK's arguments, `extra_body` and `/v1` (L18)."""
    with Client(base_url=smollm2.base_url) as client:
        for answer in (
            client.chat.create("Tell me a story.", max_tokens=5),
            client.chat.create("Tell me a story.", extra_body={"max_tokens": 5}),
        ):
            assert answer.finish_reason == "length"
            assert answer.usage is not None
            assert answer.usage.completion_tokens == 5
    long = chat(smollm2, "Say hello.", max_tokens=2**40, stop="l").json()
    assert long["choices"][0]["finish_reason"] == "stop"
    for name in ("max_tokens", "max_completion_tokens"):
        document = chat(smollm2, "Tell me a story.", **{name: 5}).json()
        assert document["usage"]["completion_tokens"] == 5
    texts = {
        chat(smollm2, "Tell me a story.", seed=7, temperature=1, max_tokens=20).json()["choices"][
            0
        ]["message"]["content"]
        for _ in range(2)
    }
    assert len(texts) == 1
    whole = chat(smollm2, "Tell me a story.", max_tokens=20, temperature=0).json()
    text = whole["choices"][0]["message"]["content"]
    mark = text[5:9]
    cut = chat(smollm2, "Tell me a story.", max_tokens=20, temperature=0, stop=mark).json()
    assert mark not in cut["choices"][0]["message"]["content"]


@pytest.fixture(scope="module")
def small() -> Iterator[LocalServer]:
    """A server with a short context, which a prompt fills quickly, and short completions."""
    with LocalServer(context=1024, max_tokens=8) as server:
        yield server


def test_a_runaway_ends_at_the_server_s_limit(small: LocalServer) -> None:
    """A completion whose request sets no limit ends at `max_tokens` of the server (L18)."""
    with Client(base_url=small.base_url) as client:
        answer = client.chat.create("Tell me a long story.", extra_body={"ignore_eos": True})
        assert answer.finish_reason == "length"
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 8


def test_one_prompt_may_fill_the_context(small: LocalServer) -> None:
    """One prompt may use more than a fourth of the context, and an error names the context.

    llama.cpp would divide the context among the four completions that it makes at a time.
    """
    with Client(base_url=small.base_url) as client:
        answer = client.chat.create("word " * 500, max_tokens=2)
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens or 0) > 500
        with pytest.raises(BadRequestError, match="1024"):
            client.chat.create("word " * 1100)


def test_a_demanded_tool_is_called_whole_and_streamed(smollm2: LocalServer) -> None:
    """`required` and a named tool give a call whose arguments follow the tool's schema."""
    choices: tuple[Any, ...] = ("required", {"type": "function", "function": {"name": "get_time"}})
    for choice in choices:
        options: dict[str, Any] = {"tools": [WEATHER, TIME], "tool_choice": choice}
        options["max_tokens"] = 200
        (made,) = chat(smollm2, "What is the weather in Paris?", **options).json()["choices"]
        assert made["finish_reason"] == "tool_calls"
        assert made["message"]["content"] is None
        (call,) = made["message"]["tool_calls"]
        assert call["function"]["name"] in ("get_weather", "get_time")
        if choice != "required":
            assert call["function"]["name"] == "get_time"
        with Client(base_url=smollm2.base_url) as client:
            answer = client.chat.stream("What is the weather in Paris?", **options).until_done()
            assert answer.finish_reason == "tool_calls"


def test_a_demanded_tool_may_have_definitions(smollm2: LocalServer) -> None:
    """References in a tool's schema hold, also beside another tool with the same definition."""
    tools: list[Any] = []
    for name, sizes in (("buy", ["small"]), ("sell", ["large"])):
        parameters = {
            "type": "object",
            "properties": {"sizes": {"type": "array", "items": {"$ref": "#/$defs/Size"},
                                     "minItems": 1, "maxItems": 1}},
            "required": ["sizes"],
            "additionalProperties": False,
            "$defs": {"Size": {"enum": sizes}},
        }  # fmt: skip
        tools.append({"type": "function", "function": {"name": name, "parameters": parameters}})
    for name, sizes in (("buy", ["small"]), ("sell", ["large"])):
        choice = {"type": "function", "function": {"name": name}}
        answer = chat(smollm2, "Go!", tools=tools, tool_choice=choice, max_tokens=100)
        (call,) = answer.json()["choices"][0]["message"]["tool_calls"]
        assert json.loads(call["function"]["arguments"]) == {"sizes": sizes}
    answer = chat(smollm2, "Go!", tools=tools, tool_choice="required", max_tokens=100)
    assert answer.json()["choices"][0]["finish_reason"] == "tool_calls"


def allowed(mode: str, *names: str) -> dict[str, Any]:
    """A `tool_choice` that allows some of the tools."""
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def test_one_of_the_allowed_tools_is_called(smollm2: LocalServer) -> None:
    """`allowed_tools` limits a demanded call to some of the tools; with `auto` none is demanded."""
    options: dict[str, Any] = {"tools": [WEATHER, TIME], "max_tokens": 200}
    choice = allowed("required", "get_time")
    (made,) = chat(smollm2, "The weather?", **options, tool_choice=choice).json()["choices"]
    assert made["message"]["tool_calls"][0]["function"]["name"] == "get_time"
    options["max_tokens"] = 3
    choice = allowed("auto", "get_time")
    assert chat(smollm2, "Hello", **options, tool_choice=choice).json()["choices"][0]["message"]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"type": "function", "function": {"name": "other"}}, "'other'"),
        (allowed("required", "get_weather", "other"), "'other'"),
        (allowed("required"), "no tool"),
        ({"type": "custom", "custom": {"name": "x"}}, "'custom' is not supported"),
    ],
)
def test_a_tool_choice_without_its_tool_is_refused(
    smollm2: LocalServer, choice: dict[str, Any], message: str
) -> None:
    """A choice of a tool that the request does not have, or of another type, gets 400."""
    answer = chat(smollm2, "Hello", tools=[WEATHER], tool_choice=choice)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_a_json_schema_holds(smollm2: LocalServer) -> None:
    """`response_format` with a schema gives JSON that follows it."""
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "c", "schema": schema}}
    answer = chat(smollm2, "Pick a colour.", response_format=wanted, max_tokens=50).json()
    assert httpx.Response(200, text=answer["choices"][0]["message"]["content"]).json()["colour"]


def test_an_image_is_refused_once(smollm2: LocalServer) -> None:
    """A model that reads text only gives 400 for an image, which no client tries again."""
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    answer = chat(smollm2, messages=[{"role": "user", "content": [part]}])
    assert answer.status_code == 400
    assert "reads text only" in answer.json()["error"]["message"]


def test_the_model_has_its_file_s_name(smollm2: LocalServer) -> None:
    """The list names the file's stem, and it, its alias and the protocol's names are served."""
    listed = httpx.get(f"{smollm2.openai_base_url}/models").json()["data"]
    assert [model["id"] for model in listed] == [STEM]
    for name in (STEM, "smollm2", "llama", "hermes-3"):
        assert chat(smollm2, model=name, max_tokens=1).status_code == 200
    refused = chat(smollm2, model="gpt-4")
    assert refused.status_code == 404
    assert STEM in refused.json()["error"]["message"]
    assert str(weights().parent) not in refused.text


def test_a_process_that_dies_is_started_again() -> None:
    """The request after the process was killed is answered; one that dies again waits."""
    with LocalServer() as server:
        os.kill(process_of(server).pid, signal.SIGKILL)
        time.sleep(0.3)
        assert chat(server, max_tokens=1).status_code == 200
        os.kill(process_of(server).pid, signal.SIGKILL)
        time.sleep(0.3)
        refused = chat(server, max_tokens=1)
        if refused.status_code != 200:
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            time.sleep(int(refused.headers["retry-after"]) + 0.1)
            assert chat(server, max_tokens=1).status_code == 200


def test_a_process_that_dies_inside_a_stream_is_an_error() -> None:
    """A stream whose process is killed ends with an error, not as if it were complete."""
    with (
        LocalServer() as server,
        Client(base_url=server.base_url, max_retries=0) as client,
        client.chat.stream("Count to a thousand.") as stream,
    ):
        next(stream)
        os.kill(process_of(server).pid, signal.SIGKILL)
        with pytest.raises(APIStatusError, match="in the middle"):
            stream.until_done()


def test_progress_is_told() -> None:
    """`progress` gets what is loaded, and when it is ready."""
    told: list[str] = []
    with LocalServer(progress=told.append):
        pass
    assert told[0].startswith("loading SmolLM2")
    assert "ready after" in told[-1]


def test_a_model_by_its_path_and_as_an_upstream() -> None:
    """A GGUF file is an engine by its path, and that engine is an upstream like any other."""
    with LocalServer(engine=weights()) as server:
        upstream = vars(server)["_engine"]._upstream
        with (
            LocalServer(
                engine=upstream.base_url,
                engine_api_key=upstream.api_key.reveal(),
                model_map={"llama": STEM},
            ) as front,
            Client(base_url=front.base_url) as client,
        ):
            assert client.chat.create("Say hello.", max_tokens=5).text
            assert client.chat.create("Say hello.", model="hermes", max_tokens=5).text
            # Each on a connection that was used before; llama.cpp closes one after 100.
            for _ in range(105):
                assert chat(front, max_tokens=1, model=STEM).status_code == 200


@pytest.mark.thorough
def test_no_call_on_a_used_connection_fails(smollm2: LocalServer) -> None:
    """2,000 calls in turn, each on connections used before, all succeed (L12)."""
    url = f"{smollm2.openai_base_url}/chat/completions"
    with httpx.Client(timeout=PATIENCE) as client:
        for _ in range(2000):
            assert client.post(url, json=openai("Hi", max_tokens=1)).status_code == 200


def test_the_model_embeds_texts(smollm2: LocalServer) -> None:
    """Similar texts have similar vectors, and a text that is too long gets 400."""
    with Client(base_url=smollm2.openai_base_url) as client:
        texts = ["A cat sleeps.", "A kitten sleeps.", "Shares fell by nine percent."]
        cat, kitten, shares = client.embeddings.create(texts, model="smollm2").vectors
        assert math.dist(cat, kitten) < math.dist(cat, shares)
        with pytest.raises(BadRequestError, match="longer than 2048 tokens"):
            client.embeddings.create("word " * 2500, model="smollm2")
        with pytest.raises(BadRequestError, match="leave dimensions out"):
            client.embeddings.create("word", model="smollm2", extra_body={"dimensions": 8})


def test_a_file_that_is_not_a_model_is_refused(tmp_path: Path) -> None:
    """A broken model file is named in the error with llama.cpp's own words."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but not really")
    with (
        pytest.raises(ConfigurationError, match="cannot load .*broken.gguf. Its last words: "),
        LocalServer(engine=broken),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("select.py", None),
        ("token.py", None),
        ("xllamacpp.py", None),
        ("select.py", ""),
        ("select.py", os.curdir),
        ("select.py", os.pathsep),
    ],
)
def test_nothing_in_the_current_folder_is_executed(
    tmp_path: Path, name: str, path: str | None
) -> None:
    """A module in the current folder is not executed by the model's process (L14)."""
    (tmp_path / name).write_text("open('executed', 'w').close()\n")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    script = (
        "import os, sys\n"
        "from autonomousai_sdk.local import LocalServer\n"
        "if sys.argv[2:]: os.environ['PYTHONPATH'] = sys.argv[2]\n"
        "with LocalServer(engine=sys.argv[1]): pass\n"
    )
    broken = tmp_path / "broken.gguf"  # refused after all imports, which is soon
    broken.write_bytes(b"GGUF but not really")
    run = subprocess.run(
        [sys.executable, "-P", "-c", script, str(broken), *([] if path is None else [path])],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "cannot load" in run.stderr
    assert not (tmp_path / "executed").exists()


def test_a_frozen_program_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `sys.executable` is not Python, the error says so before a process is started."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(ConfigurationError, match="frozen"), LocalServer():
        pass


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_while_the_model_loads_ends_the_command(number: int, code: int) -> None:
    """Ctrl-C and SIGTERM during the loading end the command within 1 s, quietly (L17)."""
    with piped("serve", "--port", "0") as program:
        assert program.process.stderr is not None
        line = program.process.stderr.readline()
        assert line.startswith(b"loading")
        time.sleep(0.1)
        began = time.monotonic()
        program.interrupt(number)
        assert program.process.wait(30) == code
        # A machine that runs other tests as well gets a little more than the second.
        assert time.monotonic() - began < 2
        assert b"Traceback" not in program.process.stderr.read()


def test_original_requests_reach_the_model(smollm2: LocalServer) -> None:
    """The original protocol's request with options of an engine is answered within them."""
    from .wire import original

    answer = post(smollm2, json=original("Tell me a story.", max_tokens=3))
    assert answer.json()["usage"]["completion_tokens"] == 3
