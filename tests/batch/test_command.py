"""`autonomousai batch`: what it writes, what it prints, and its exit codes."""

from __future__ import annotations

import gzip
import json
import signal
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

import pytest

from autonomousai_sdk.cli.batch import _duration  # pyright: ignore[reportPrivateUsage]
from tests.support.fault_server import FaultServer, Received
from tests.support.program import CLEARED, PATIENCE, PROGRAM, call, on_terminal, run
from tests.support.script import Answer, Gate, Hold, Wait
from tests.support.wire import document, failed

from .runs import answered, echo, results, texts, write_lines


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """The paths of an input of three prompts and of the output."""
    write_lines(tmp_path / "in.jsonl", ["one", {"custom_id": "b", "prompt": "two"}, "three"])
    return str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl")


def test_every_line_is_answered(files: tuple[str, str]) -> None:
    """The exit code is 0, and a summary is on stderr."""
    with echo() as server:
        done = call("batch", *files, "--base-url", server.url, "--concurrency", "2")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("3 answered, 0 failed; ")
    assert texts(Path(files[1])) == {"line-1": "one", "line-2": "two", "line-3": "three"}


def test_a_failure_is_told_by_the_exit_code(files: tuple[str, str]) -> None:
    """The exit code is 1 if a result is an error, and after a resume it still is."""
    write_lines(Path(files[0]), ["one", b"\n", b"{\n"])
    with echo() as server:
        first = call("batch", *files, "--base-url", server.url)
        second = call("batch", *files, "--base-url", server.url, "--resume")
        again = call("batch", *files, "--base-url", server.url)

    assert (first.returncode, second.returncode) == (1, 1)
    assert "1 answered, 1 failed, empty lines: 1 (first: line 2)" in first.stderr
    assert "The first error: Line 3: it is not valid JSON" in first.stderr
    assert "0 answered, 0 failed, 2 had results already" in second.stderr
    assert "1 of the earlier results are errors" in second.stderr
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_the_model_is_that_of_lines_without_one(files: tuple[str, str]) -> None:
    """--model and --protocol go to the server; a line's own model takes precedence."""
    write_lines(Path(files[0]), [{"prompt": "one"}, {"prompt": "two", "model": "theirs"}])
    with echo() as server:
        call(
            "batch", *files, "--base-url", f"{server.url}/v1", "--model", "ours",
            "--protocol", "openai",
            "--concurrency", "1",
        )  # fmt: skip

    bodies = [json.loads(request.body) for request in server.requests]
    assert [body["model"] for body in bodies] == ["ours", "theirs"]


def test_limits_per_minute_are_obeyed(files: tuple[str, str]) -> None:
    """The options of limits spread the requests."""
    with echo() as server:
        call(
            "batch", *files, "--base-url", server.url,
            "--max-requests-per-minute", "200", "--max-tokens-per-minute", "1000000",
        )  # fmt: skip

    assert server.requests[-1].at - server.requests[0].at > 0.55


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--concurrency", "0"), "'0' is not a number of 1 or more, or 'auto'"),
        (("--concurrency", "many"), "'many' is not a number of 1 or more, or 'auto'"),
        (("--max-requests-per-minute", "0"), "--max-requests-per-minute"),
        (("--model", "unknown"), "unknown"),
        (("--ray-address", "auto"), "--ray-address needs --engine ray"),
        (("--ray-actors", "2"), "--ray-actors needs --engine ray"),
        (("--engine", "ray", "--max-requests-per-minute", "9"), "share no limits per minute"),
        pytest.param(
            ("--engine", "ray"),
            'pip install "autonomousai-sdk[ray]"',
            marks=pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed"),
        ),
        (("--local", "--base-url", "http://127.0.0.1:9"), "cannot be combined"),
    ],
)
def test_wrong_usage_is_told(files: tuple[str, str], arguments: tuple[str, ...], said: str) -> None:
    """The exit code of wrong usage is 2, and no output is made."""
    done = call("batch", *files, *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert not Path(files[1]).exists()


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        (gzip.compress(b'"one"\n'), "compressed by gzip"),
        (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
        (b"PK\x03\x04", "a ZIP archive"),
        ('"one"\n'.encode("utf-16"), "in UTF-16"),
    ],
    ids=["gzip", "zstd", "zip", "UTF-16"],
)
def test_an_input_that_is_not_text_is_refused(
    files: tuple[str, str], start: bytes, problem: str
) -> None:
    """A compressed file, or one in another encoding, is named at once, and no output is made."""
    Path(files[0]).write_bytes(start)
    done = call("batch", *files)

    assert done.returncode == 2
    assert problem in done.stderr
    assert not Path(files[1]).exists()


@pytest.mark.parametrize("command", ["- - < {file} >> {file}", "{file} - >> {file}"])
def test_redirections_to_the_input_are_refused(files: tuple[str, str], command: str) -> None:
    """Input and output are compared as files, also where the shell has opened them."""
    before = Path(files[0]).read_bytes()
    shell = ("sh", "-c", f'"$@" {command.format(file=files[0])}', "sh", *PROGRAM)
    done = run("batch", program=shell)

    assert done.returncode == 2
    assert "Input and output are the same file" in done.stderr
    assert Path(files[0]).read_bytes() == before


@pytest.mark.parametrize("ending", ["2> /dev/full", "2>&1 | true"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_a_stderr_that_takes_nothing_changes_no_exit_code(
    files: tuple[str, str], ending: str
) -> None:
    """A summary that cannot be printed makes a batch neither better nor worse."""
    write_lines(Path(files[0]), ["one", b"{\n"])
    with echo() as server:
        line = f'set -o pipefail; "$@" {ending}'
        shell = ("bash", "-c", line, "bash", *PROGRAM)
        done = run("batch", *files, "--base-url", server.url, program=shell)

    assert done.returncode == 1
    assert len(results(Path(files[1]))) == 2


def test_an_error_names_its_line(files: tuple[str, str]) -> None:
    """An option that is out of range is an error of its line, before anything is sent."""
    write_lines(Path(files[0]), ["one", {"custom_id": "b", "prompt": "two", "temperature": 9}])
    with echo() as server:
        done = call("batch", *files, "--base-url", server.url)

    assert "The first error: Line 2: temperature must be at least 0" in done.stderr
    (error,) = [each for each in results(Path(files[1])) if each["error"]]
    assert error["error"]["message"].startswith("Line 2: temperature")
    assert len(server.requests) == 1


def test_files_that_cannot_be_used_are_wrong_usage(files: tuple[str, str]) -> None:
    """A missing input, the input as output, and a resume of stdout have the exit code 2."""
    source, target = files
    for arguments, said in [
        (("no.jsonl", target), "Could not open no.jsonl: No such file"),
        ((source, source), "are the same file"),
        ((source, "-", "--resume"), "needs the path of a file"),
    ]:
        done = call("batch", *arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_a_full_disk_has_its_own_exit_code(files: tuple[str, str]) -> None:
    """The exit code is 3 when the output cannot be written."""
    with echo() as server:
        done = call("batch", files[0], "/dev/full", "--base-url", server.url)

    assert done.returncode == 3
    assert "Could not write to /dev/full: No space left on device." in done.stderr


def test_pipes_are_read_and_written() -> None:
    """- is stdin and stdout; stdout has results only."""
    with echo() as server:
        done = run("batch", "-", "-", "--base-url", server.url, given='"one"\n"two"\n')

    assert done.returncode == 0
    found = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    assert sorted(found) == ["line-1", "line-2"]
    assert "2 answered" in done.stderr


def by_prompt(request: Received) -> Answer:
    """Answer at once, but hold the prompts that say so."""
    actions = {"gate": (Gate(), *document("late")), "hold": (Hold(),)}
    return actions.get(request.prompt) or answered(request)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = monotonic() + PATIENCE
    while not is_so():
        assert monotonic() < deadline
        sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_calls_in_flight_end(tmp_path: Path, number: signal.Signals) -> None:
    """After the first signal no call starts, and the exit code and the message tell what to do."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_lines(source, ["one", "gate", "gate", *["more"] * 9])
    with (
        FaultServer(*[by_prompt] * 3, (Gate(), *document())) as server,
        on_terminal(
            "batch", str(source), str(target), "--base-url", server.url, "--concurrency", "2"
        ) as running,
    ):
        wait_until(lambda: len(server.requests) >= 3)
        running.interrupt(number)
        running.wait_for("Finishing the calls in flight")
        server.open_gate()
        code = running.end()

    assert code == 128 + number
    assert f"Stopped by {number.name}. To continue".encode() in running.written
    assert len(results(target)) == len(server.requests) < 12
    with echo() as server:
        call("batch", str(source), str(target), "--base-url", server.url, "--resume")
    assert len(texts(target)) == 12


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    """Calls that do not end are given up, and their lines are left to the next run."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_lines(source, ["hold", "hold", "one"])
    with (
        FaultServer(by_prompt) as server,
        on_terminal("batch", str(source), str(target), "--base-url", server.url) as running,
    ):
        wait_until(lambda: len(server.requests) == 3 and target.stat().st_size > 0)
        running.interrupt()
        running.wait_for("Finishing the calls in flight")
        running.interrupt()
        code = running.end()

    assert code == 130
    assert b"1 answered" in running.written
    assert texts(target) == {"line-3": "one"}


def test_a_terminal_shows_the_progress_in_one_line(tmp_path: Path) -> None:
    """The line has counts, rate, tokens and the time that is left, and is removed at the end."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write_lines(source, ["one"] * 6)
    slow = (Wait(0.3), *document())
    with (
        FaultServer(failed(400), slow) as server,
        on_terminal(
            "batch", str(source), str(target), "--base-url", server.url, "--concurrency", "1"
        ) as running,
    ):
        code = running.end()

    assert code == 1
    shown = running.written.split(CLEARED)
    assert any(b"2 done, 1 failed, " in line and b" left" in line for line in shown)
    assert shown[-1].startswith(b"5 answered, 1 failed; ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """A duration has at most two units."""
    assert _duration(seconds) == text
