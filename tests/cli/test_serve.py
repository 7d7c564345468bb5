"""`autonomousai serve`: a server that tells how to use it, until it is stopped."""

from __future__ import annotations

import json
import re
import signal
import socket

import pytest

from autonomousai_sdk import AuthenticationError, Client
from tests.support.fault_server import FaultServer
from tests.support.program import call, piped
from tests.support.wire import document


def test_what_it_prints_is_what_one_needs() -> None:
    """The command in its second line works as it stands, and the base URL is a client's."""
    with piped("serve", "--engine", "echo", "--port", "0") as program:
        program.wait_for("Press Ctrl-C to stop.\n")
        first, second, third, _ = program.written.decode().splitlines()
        url = first.removeprefix("Serving echo at ")
        with Client(base_url=url) as client:
            assert client.chat.create("Hello").text == "Hello"
        assert third == f"For OpenAI clients: {url.removesuffix('/api/v1/ai')}/v1"
        command = re.fullmatch(r'Try it: autonomousai (chat --base-url \S+) "Hello"', second)
        assert command is not None
        assert call(*command[1].split(), "Hello").stdout == "Hello\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["Ctrl-C", "SIGTERM"]
)
def test_it_ends_cleanly_when_asked_to(number: int, code: int) -> None:
    """Ctrl-C is 130, a supervisor's SIGTERM is success, and neither shows a traceback."""
    with piped("serve", "--engine", "echo", "--port", "0") as program:
        program.wait_for("Press Ctrl-C to stop.\n")
        program.interrupt(number)
        assert program.end() == code
        assert program.process.stderr is not None
        assert b"Traceback" not in program.process.stderr.read()


def test_a_log_gets_its_progress_in_lines() -> None:
    """What is not a terminal gets plain text."""
    with piped("serve", "--engine", "echo", "--port", "0") as program:
        program.wait_for("Press Ctrl-C to stop.\n")
        program.interrupt()
        program.end()
        assert program.process.stderr is not None
        assert program.process.stderr.read() == b"answering with an echo\n"


def test_a_key_in_the_environment_is_asked_for() -> None:
    """AUTONOMOUSAI_API_KEY, where the server runs, is what a client needs."""
    with piped("serve", "--engine", "echo", "--port", "0", AUTONOMOUSAI_API_KEY="k") as program:
        program.wait_for("Press Ctrl-C to stop.\n")
        url = program.written.decode().split()[3]
        with Client(base_url=url) as client, pytest.raises(AuthenticationError):
            client.chat.create("Hello")
        with Client(base_url=url, api_key="k") as client:
            assert client.chat.create("Hello").text == "Hello"


def test_an_engine_elsewhere_gets_its_key_and_its_own_name_for_the_model() -> None:
    """--model-map and AUTONOMOUSAI_ENGINE_API_KEY go to the engine at the URL."""
    with (
        FaultServer(document("from there")) as engine,
        piped(
            "serve", "--engine", f"{engine.url}/v1", "--port", "0", "--model-map", "llama=qwen3:8b",
            AUTONOMOUSAI_ENGINE_API_KEY="theirs",
        ) as program,
    ):  # fmt: skip
        program.wait_for("Press Ctrl-C to stop.\n")
        url = program.written.decode().split()[3]
        with Client(base_url=url) as client:
            assert client.chat.create("Hello").text == "from there"

    (request,) = engine.requests
    assert request.line == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer theirs"
    assert json.loads(request.body)["model"] == "qwen3:8b"


def test_an_engine_key_in_the_environment_is_no_matter_to_other_engines() -> None:
    """Who always has the variable set can serve a model of this machine all the same."""
    with piped(
        "serve", "--engine", "echo", "--port", "0", AUTONOMOUSAI_ENGINE_API_KEY="theirs"
    ) as program:
        program.wait_for("Press Ctrl-C to stop.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--engine", "no-such.gguf"), "is none of: 'smollm2', 'echo'"),
        (("--host", "192.0.2.1"), "set AUTONOMOUSAI_API_KEY"),
        (("--host", "::"), "set AUTONOMOUSAI_API_KEY"),
        (("--port", "65536"), "is not in the range"),
        (("--model-map", "llama"), "--model-map is OURS=THEIRS"),
        (("--model-map", "llama=x", "--model-map", "llama=y"), "names 'llama' twice"),
        (("--engine", "echo", "--cors-origin", "*"), "is not an origin"),
        (("--max-concurrent", "0"), "is not in the range"),
        (("--engine", "echo", "--model-map", "llama=x"), "an engine that is a URL"),
    ],
)
def test_what_cannot_be_served_is_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, and what to do about it."""
    done = call("serve", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said() -> None:
    """The message names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = call("serve", "--engine", "echo", "--port", str(port))

    assert done.returncode == 2
    assert f"Cannot listen on 127.0.0.1, port {port}" in done.stderr
