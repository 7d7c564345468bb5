"""The benchmark: its server, its clients and the evaluation of its results."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from . import wire
from .columns import BY_NAME
from .report import END, START, as_markdown, as_text, tables, write_into
from .server import WHOLE, Script, running, stream_pieces
from .targets import judged


@pytest.fixture(scope="module", name="root")
def running_server() -> Iterator[str]:
    """The benchmark's server."""
    with running() as root:
        yield root


@pytest.mark.parametrize(
    "script", [Script(10), Script(10, framed=4), Script(10, written=64), Script(10, paced=True)]
)
def test_a_script_survives_its_path(script: Script) -> None:
    """A script survives the round trip through its path."""
    assert Script.of(script.path[1:].encode()) == script


def test_the_server_sends_the_same_events_however_they_are_framed(root: str) -> None:
    """Framing and pace change how a stream arrives, never its content."""
    whole = b"".join(wire.openai_events(100))
    for script in (Script(100), Script(100, framed=64), Script(100, written=7, paced=True)):
        assert httpx.post(root + script.path + "/chat", content=b"{}").content == whole


def test_events_are_framed_and_written_as_the_script_says() -> None:
    """Events are grouped into HTTP chunks, and chunks into writes, as the script says."""
    each = stream_pieces(b"/chat", Script(97))
    assert (len(each), len(stream_pieces(b"/chat", Script(97, framed=64)))) == (100, 2)
    assert b"".join(stream_pieces(b"/chat", Script(97, written=64))) == b"".join(each)


@pytest.mark.parametrize("path", ["/chat", "/chat/completions", "/v1/messages", "/api/chat"])
def test_the_server_answers_every_wire(root: str, path: str) -> None:
    """Every client reads the same text from its own wire format."""
    answer = httpx.post(root + WHOLE + path, content=b"{}")
    assert "".join(wire.words(100)) in json.dumps(answer.json(), ensure_ascii=False).replace(
        "\\n", "\n"
    )


@pytest.mark.parametrize("name", ["sdk", "httpx", "sdk-asyncio", "aiohttp", "sdk-trio"])
def test_a_worker_measures_a_client_in_a_process_of_its_own(root: str, name: str) -> None:
    """A worker prints its numbers and nothing else."""
    command = [sys.executable, "-m", f"{__package__}.worker", name, "kept", root, "1"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert 100 < json.loads(done.stdout)["kept"] < 10_000


def test_a_ratio_is_missed_before_it_fails_a_run() -> None:
    """A missed target fails the run only if the ratio is twice as bad."""
    verdicts = [
        next(judged({"sdk": {"at 64": mine}, "httpx": {"at 64": 10.0}})) for mine in (7, 15, 17)
    ]
    assert [(each.is_met, each.is_failed) for each in verdicts] == [
        (True, False),
        (False, False),
        (False, True),
    ]


def test_throughput_is_better_when_it_is_higher() -> None:
    """A lower bound is checked as a lower bound."""
    name, other = "sdk-aiohttp", "httpx-asyncio"
    fast, slow = (
        next(judged({name: {"throughput 1000": mine}, other: {"throughput 1000": 100.0}}))
        for mine in (150, 149)
    )
    assert (fast.is_met, slow.is_met, fast.sign) == (True, False, "≥")


def test_tables_show_each_client_beside_its_reference() -> None:
    """A value is shown with its ratio to the baseline on the same backend."""
    columns = [BY_NAME["sdk"], BY_NAME["httpx"]]
    ((title, rows),) = tables(columns, {"sdk": {"at 64": 3.0}, "httpx": {"at 64": 4.0}})
    assert title == "Chunks and answers"
    assert [row[-1] for row in rows[1:]] == ["3.00 (0.75×)", "4.00 (1.00×)"]
    assert as_markdown(rows).splitlines()[1] == "| --- | --- | --: |"
    assert as_text(rows).splitlines()[2].startswith("this SDK")


def test_results_go_between_their_markers(tmp_path: Path) -> None:
    """Text around the generated part is kept; a document without markers is refused."""
    document = tmp_path / "performance.md"
    document.write_text(f"Before.\n{START}\nold\n{END}\nAfter.\n", "utf-8")
    write_into(document, "new\n")
    assert document.read_text("utf-8") == f"Before.\n{START}\n\nnew\n\n{END}\nAfter.\n"
    document.write_text("No markers.", "utf-8")
    with pytest.raises(ValueError, match="lost its markers"):
        write_into(document, "new\n")
