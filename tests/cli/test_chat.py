"""`autonomousai chat`: what is asked, what is printed, and how it ends when something fails."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from autonomousai_sdk import ChatCompletion
from autonomousai_sdk._core.codec import decode
from autonomousai_sdk._generated.option_table import CHAT_OPTIONS
from autonomousai_sdk.cli.chat import chat
from tests.support.fault_server import FaultServer, refused
from tests.support.program import PROGRAM, call, environment, piped, run
from tests.support.script import Gate, Hold, Repeat, Send
from tests.support.wire import (
    BEGUN,
    DONE,
    FINISH,
    STREAM,
    body,
    closing,
    delta,
    deltas,
    document,
    event,
    failed,
    problem,
    said,
    stream,
)


def test_the_words_of_the_prompt_are_one_message(echo: str) -> None:
    """Several words need no quotes, and the answer ends with one line feed."""
    done = call("chat", "--base-url", echo, "why", "is", "the", "sky", "blue")

    assert (done.returncode, done.stdout, done.stderr) == (0, "why is the sky blue\n", "")


@pytest.mark.parametrize("arguments", [(), ("-",)], ids=["pipe", "dash"])
def test_the_prompt_can_come_from_the_input(echo: str, arguments: tuple[str, ...]) -> None:
    """A pipe, or a dash, is read to its end: UTF-8, with or without a byte order mark."""
    done = run("chat", "--base-url", echo, *arguments, given="\ufeffÜber\nzwei Zeilen\n")

    assert (done.returncode, done.stdout) == (0, "Über\nzwei Zeilen\n")


def test_the_environment_says_where_the_service_is(echo: str) -> None:
    """AUTONOMOUSAI_BASE_URL stands for --base-url."""
    done = call("chat", "hello", AUTONOMOUSAI_BASE_URL=echo)

    assert (done.returncode, done.stdout) == (0, "hello\n")


def test_the_model_and_the_system_prompt_are_sent() -> None:
    """--model picks the path, and --system goes before the prompt."""
    with FaultServer(said("ok")) as server:
        call("chat", "--base-url", server.url, "-m", "hermes-3", "--system", "Be brief.", "Hello")

    (request,) = server.requests
    assert request.line == ("POST", "/chat-hermes")
    assert json.loads(base64.b64decode(json.loads(request.body)["messages"])) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]


def test_text_on_stdin_goes_below_the_prompt(echo: str) -> None:
    """Text from a pipe is added to the words of the prompt, below an empty line."""
    done = call("chat", "--base-url", echo, "Summarise", "this", given="Some notes.\n")

    assert (done.returncode, done.stdout) == (0, "Summarise this\n\nSome notes.\n")


def test_a_final_dash_waits_for_stdin(echo: str) -> None:
    """The word - at the end stands for stdin; elsewhere it is a word of the prompt."""
    assert call("chat", "--base-url", echo, "Sum up", "-", given="a").stdout == "Sum up\n\na\n"
    assert call("chat", "--base-url", echo, "5", "-", "3").stdout == "5 - 3\n"


def test_a_pipe_without_data_does_not_hold_up_a_prompt(echo: str) -> None:
    """A pipe to which nobody writes is given up after three seconds, and a notice says so."""
    with subprocess.Popen(
        [*PROGRAM, "chat", "--base-url", echo, "Hi"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == b"Hi\n"
        assert process.stderr.read().startswith(b"(No data on stdin within 3 s")
        assert process.wait() == 0


def test_the_options_of_an_answer_are_sent() -> None:
    """Each option of the generated table becomes a field of the request, as its own type."""
    with FaultServer(said("ok")) as server:
        done = call(
            "chat", "--base-url", f"{server.url}/v1", "--model", "m", "--max-tokens", "5",
            "--temperature", "0.2", "--stop", "END", "--stop", "###", "--seed", "-1", "--logprobs",
            "--no-parallel-tool-calls", "--tool-choice", "none", "--reasoning-effort", "low", "Hi",
        )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "ok\n")
    (request,) = server.requests
    body = json.loads(request.body)
    assert request.line == ("POST", "/v1/chat/completions")
    assert {name: body[name] for name in body if name not in ("messages", "stream_options")} == {
        "model": "m",
        "stream": True,
        "max_tokens": 5,
        "temperature": 0.2,
        "stop": ["END", "###"],
        "seed": -1,
        "logprobs": True,
        "parallel_tool_calls": False,
        "tool_choice": "none",
        "reasoning_effort": "low",
    }


def test_every_option_of_the_generated_table_is_an_option_of_chat() -> None:
    """An option that the spec gains appears in the command's help without a hand edit."""
    known = {name for parameter in chat.params for name in parameter.opts}

    assert {f"--{option.name.replace('_', '-')}" for option in CHAT_OPTIONS} <= known
    text = " ".join(call("chat", "--help").stdout.split())
    for option in CHAT_OPTIONS:
        assert option.description.replace("`", "") in text


def test_the_protocol_can_be_named(echo: str) -> None:
    """--protocol takes precedence over the protocol that the base URL selects."""
    with FaultServer(said("ok")) as server:
        url = f"{server.url}/engine"
        done = call("chat", "--base-url", url, "--protocol", "openai", "--model", "m", "Hi")

    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert server.requests[0].line == ("POST", "/engine/chat/completions")
    refused = call("chat", "--base-url", echo, "--protocol", "smtp", "Hi")
    assert refused.returncode == 2
    assert "'smtp' is not one of" in refused.stderr


def test_every_choice_is_printed() -> None:
    """With --n, further choices follow the first one, each after an empty line."""
    answer = stream(
        event(delta("one", index=0)),
        event(delta("two", index=1)),
        event(delta(index=0, finish="stop")),
        event(delta(index=1, finish="stop")),
        DONE,
    )
    with FaultServer(answer) as server:
        done = call("chat", "--base-url", server.url, "--n", "2", "Hi")

    assert (done.returncode, done.stdout) == (0, "one\n\ntwo\n")


def test_the_answer_is_printed_as_it_comes() -> None:
    """A piece is on the output before the next one was sent."""
    answer = (Send(STREAM + deltas("Hello")), Gate(), Send(deltas(" world") + FINISH + DONE))
    with (
        FaultServer((*answer, Hold())) as server,
        piped("chat", "--base-url", server.url, "Hi") as program,
    ):
        program.wait_for("Hello")
        assert program.written == b"Hello"
        server.open_gate()
        assert program.end() == 0

    assert program.written == b"Hello world\n"


def test_halves_of_a_character_are_put_together() -> None:
    """An emoji cut between two chunks is whole; half of one is a replacement character."""
    with FaultServer(stream(deltas("a\ud83d", "\ude00 b\ud83d"), FINISH, DONE)) as server:
        done = call("chat", "--base-url", server.url, "Hi")

    assert (done.returncode, done.stdout) == (0, "a\U0001f600 b\ufffd\n")


def test_a_character_the_output_cannot_hold_is_a_question_mark(echo: str) -> None:
    """A narrow encoding costs that character, not the answer."""
    env = environment(PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    done = run("chat", "--base-url", echo, given="3 €, please", env=env)

    assert (done.returncode, done.stdout) == (0, "3 ?, please\n")


def test_a_pipe_gets_the_text_as_it_is() -> None:
    """Control sequences are stripped for terminals only: a file may want them."""
    with FaultServer(said("\x1b[31mred\x1b[0m\n")) as server:
        done = call("chat", "--base-url", server.url, "Hi")

    assert done.stdout == "\x1b[31mred\x1b[0m\n"


def test_json_is_one_line_of_the_completion(echo: str) -> None:
    """--json prints the completion that a program would have got, as one line of ASCII."""
    done = call("chat", "--json", "--base-url", echo, given="Grüße \x9b31m")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert done.stdout.count("\n") == 1
    completion = decode(done.stdout.encode(), ChatCompletion)
    assert (completion.text, completion.finish_reason) == ("Grüße \x9b31m", "stop")


def test_an_answer_that_reached_its_limit_says_so() -> None:
    """`length` is worth a word, on stderr."""
    cut = event(delta("Once upon", finish="length"))
    with FaultServer(stream(cut, DONE)) as server:
        done = call("chat", "--base-url", server.url, "Hi")

    assert (done.returncode, done.stdout) == (0, "Once upon\n")
    assert done.stderr == "(Output truncated at the length limit.)\n"


def test_a_cut_stream_leaves_its_text_and_says_that_it_is_a_part() -> None:
    """What had come stays on the output, with its line ended; the exit code is 1."""
    with FaultServer(closing(BEGUN)) as server:
        done = call("chat", "--base-url", server.url, "Hi")

    assert (done.returncode, done.stdout) == (1, "Hello wor\n")
    first, second = done.stderr.splitlines()
    assert first.startswith("autonomousai: The stream ended before it was complete")
    assert second == "The response was cut off: the output above is incomplete."


def test_a_cut_stream_is_no_json() -> None:
    """With --json there is a whole document or none."""
    with FaultServer(closing(BEGUN)) as server:
        done = call("chat", "--json", "--base-url", server.url, "Hi")

    assert (done.returncode, done.stdout) == (1, "")


def test_an_error_is_one_line_whatever_the_server_says() -> None:
    """A message with line feeds in it cannot pass for lines of ours."""
    answer = failed(400, message="bad\n\nautonomousai: all is well")
    with FaultServer(answer) as server:
        done = call("chat", "--base-url", server.url, "Hi")

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "400 Bad Request: bad autonomousai: all is well" in done.stderr


def test_an_error_event_is_a_failure_of_the_service() -> None:
    """An error inside a 200 stream is an error all the same."""
    with FaultServer(stream(event(problem("overloaded")))) as server:
        done = call("chat", "--base-url", server.url, "Hi")

    assert (done.returncode, done.stdout) == (1, "")
    assert "overloaded" in done.stderr


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "AUTONOMOUSAI_API_KEY"), (404, "/api/v1/ai")],
)
def test_some_errors_come_with_advice(status: int, advice: str) -> None:
    """A missing key and a base URL without its path are mistakes one can mend."""
    with FaultServer(failed(status)) as server:
        done = call("chat", "--base-url", server.url, "Hi")

    assert done.returncode == 1
    assert advice in done.stderr.splitlines()[1]


def test_a_service_that_is_not_there_is_said_with_what_to_do_instead() -> None:
    """Nobody listens: exit code 1, the address, and --local."""
    with refused() as url:
        done = call("chat", "--base-url", url, "Hi")

    assert (done.returncode, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    assert url in first
    assert "--local" in second


def test_the_hosted_service_is_said_to_be_the_one_that_fails() -> None:
    """Without a base URL, a failure names the hosted service's state and --local."""
    with refused() as nobody:
        # A proxy that is not there keeps the request on this machine.
        done = call("chat", "Hi", HTTPS_PROXY=nobody, NO_PROXY="")

    assert done.returncode == 1
    assert "https://chatgpt.autonomous.ai" in done.stderr
    assert "The hosted service may no longer exist. " in done.stderr
    assert "--local" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (("chat",), b"", "The prompt is empty"),
        (("chat", " "), b"", "The prompt is empty"),
        (("chat", "-"), b"\xff", "stdin is not UTF-8 text"),
        (("chat", "--model", "gpt", "Hi"), b"", "Unknown model 'gpt'. Known models: llama"),
        (("chat", "--base-url", "example.com", "Hi"), b"", "needs a scheme"),
        (("chat", "--local", "--base-url", "http://x", "Hi"), b"", "cannot be combined"),
        (("chat", "--nonsense"), b"", "No such option"),
        (("chat", "--temperature", "warm", "Hi"), b"", "must be a number; got 'warm'"),
        (("chat", "--temperature", "3", "Hi"), b"", "must be at least 0 and at most 2; got 3"),
        (("chat", "--image", "none.png", "Hi"), b"", "none.png"),
        (("chat", "--schema", "none.json", "Hi"), b"", "does not exist"),
        (("talk",), b"", "No such command"),
        ((), b"", "Usage: autonomousai"),
    ],
)
def test_wrong_usage_is_told_from_failure(
    arguments: tuple[str, ...], given: bytes, said: str
) -> None:
    """Exit code 2, nothing on the output, and what is wrong in the last line or so."""
    done = call(*arguments, given=given)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_environment_is_wrong_usage() -> None:
    """What the SDK refuses before it sends anything is the user's to mend."""
    done = call("chat", "Hi", AUTONOMOUSAI_MODEL="gpt")

    assert done.returncode == 2
    assert "Unknown model 'gpt'" in done.stderr


def test_ctrl_c_ends_a_stream_cleanly() -> None:
    """Exit code 130, the line ended, no traceback, and the server sees the client leave."""
    with (
        FaultServer((Send(STREAM + BEGUN), Hold())) as server,
        piped("chat", "--base-url", server.url, "Hi") as program,
    ):
        program.wait_for("Hello wor")
        program.interrupt()
        assert program.end() == 130
        assert program.process.stderr is not None
        assert program.process.stderr.read() == b""

    assert program.written == b"Hello wor\n"
    assert server.connections[0].ended in ("fin", "reset")


def test_a_reader_that_has_had_enough_ends_it_quietly() -> None:
    """`| head -1` is no error: exit code 0, nothing on stderr."""
    line = b"".join(event(delta("line\n")) for _ in range(100))
    answer = (Send(STREAM + line), Gate(), Repeat(line, 100), Send(FINISH + DONE), Hold())
    with (
        FaultServer(answer) as server,
        subprocess.Popen(
            [*PROGRAM, "chat", "--base-url", server.url, "Hi"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        server.open_gate()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_an_output_that_takes_nothing_is_said(echo: str) -> None:
    """A full disk is named in one line, not in a traceback."""
    shell = ("sh", "-c", 'exec "$@" > /dev/full', "sh", *PROGRAM)
    done = run("chat", "--base-url", echo, "Hi", program=shell)

    assert done.returncode == 1
    assert done.stderr == "autonomousai: [Errno 28] No space left on device\n"


def test_closed_files_are_done_without(echo: str) -> None:
    """A program started without an output, or without anything, still runs to its end."""
    silent = ("sh", "-c", 'exec "$@" >&- 2>&-', "sh", *PROGRAM)
    assert run("chat", "--base-url", echo, "Hi", program=silent).returncode == 0
    assert run("chat", "--model", "gpt", "Hi", program=silent).returncode == 2
    assert run("chat", "--base-url", "nowhere", "Hi", program=silent).returncode == 2

    without_input = ("sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM)
    assert "No prompt." in run("chat", program=without_input).stderr


def test_the_model_calls_the_functions_of_a_file(tmp_path: Path) -> None:
    """--tools sends the public functions of a file, and the final answer is printed."""
    path = tmp_path / "weather.py"
    path.write_text("def get_weather(city: str) -> str:\n    return f'{city}: 21'\n", "utf-8")
    call_of_tool = {
        "id": "1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call_of_tool]}
    asked = {"choices": [{"finish_reason": "tool_calls", "message": message}]}
    with FaultServer(body(200, json.dumps(asked).encode()), document("Warm.")) as server:
        url = f"{server.url}/v1"
        done = call("chat", "--base-url", url, "-m", "m", "--tools", str(path), "Is it warm?")

    assert (done.returncode, done.stdout, done.stderr) == (0, "Warm.\n", "")
    sent = json.loads(server.requests[1].body)["messages"][-1]
    assert (sent["role"], sent["content"]) == ("tool", "Paris: 21")
    both = call("chat", "--schema", str(path), "--tools", str(path), "Hi")
    assert "cannot be combined" in both.stderr


def test_a_file_of_tools_that_exits_is_an_error(tmp_path: Path) -> None:
    """A script that ends its program does not end this one in silence."""
    path = tmp_path / "script.py"
    path.write_text("raise SystemExit(0)\n")
    done = call("chat", "--tools", str(path), "Hi")

    assert done.returncode == 2
    assert done.stderr == f"autonomousai: {path} fails: SystemExit: 0\n"


def test_a_prompt_that_is_not_utf_8_is_refused() -> None:
    """Bytes of the command line that are not UTF-8 are an error, as they are on stdin."""
    done = run("chat", "--base-url", "http://127.0.0.1:1", "a\udcffb")

    assert done.returncode == 2
    assert "Error: The prompt is not UTF-8 text." in done.stderr
