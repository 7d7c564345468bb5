"""The fuzzer's command: what it does with what the engine finds, and without an engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from . import __main__, corpus, run

Found = Callable[[list[bytes]], Path]


def breaks_at_x(data: bytes) -> None:
    """A target that does not like an x."""
    assert b"x" not in data


def nowhere(_: str) -> None:
    """Find no module."""


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[bytes]], Path]:
    """A corpus with one target and one input, and an engine that makes up what it is given."""
    root = tmp_path / "tests" / "fuzz" / "corpus"
    (root / "x").mkdir(parents=True)
    (root / "x" / "kept").write_bytes(b"a")
    monkeypatch.setattr(corpus, "CORPUS", root)
    monkeypatch.setattr(sys, "argv", ["fuzz", "--seconds", "7", "--keep"])
    for module in (run, __main__):
        monkeypatch.setattr(module, "TARGETS", {"x": breaks_at_x})

    def give(inputs: list[bytes]) -> Path:
        def engine(*arguments: str) -> str:
            if "-merge=1" in arguments:
                return "MERGE-OUTER: 3 new files with 4 new features added; 0 new coverage edges\n"
            assert "-max_total_time=7" in arguments
            (prefix,) = (each for each in arguments if each.startswith("-artifact_prefix="))
            for data in inputs:
                Path(prefix.partition("=")[2] + "crash-1").write_bytes(data)
            return "stat::number_of_executed_units: 1234\n"

        monkeypatch.setattr(run, "_engine", engine)
        monkeypatch.setattr(__main__, "find_spec", str)
        return root / "x"

    return give


def test_a_run_that_finds_nothing(made_up: Found, capsys: pytest.CaptureFixture[str]) -> None:
    """Says how much was tried, and how much of it is kept."""
    made_up([])
    assert __main__.main() == 0
    assert capsys.readouterr().out.split("\n")[1].split() == [
        *("x", "1", "1,234", "nothing;", "3", "new", "inputs", "kept")
    ]


def test_what_breaks_a_target_is_kept(made_up: Found, capsys: pytest.CaptureFixture[str]) -> None:
    """As small as it can be, beside the other inputs, and found there by the next run."""
    folder = made_up([b"abcxdef"])
    assert __main__.main() == 1
    (broken,) = folder.glob("broken-*")
    assert broken.read_bytes() == b"x"
    said = capsys.readouterr().out
    assert f"BROKEN by tests/fuzz/corpus/x/{broken.name}" in said
    assert "in breaks_at_x" in said

    made_up([])
    assert __main__.main() == 1
    assert f"BROKEN by tests/fuzz/corpus/x/{broken.name}" in capsys.readouterr().out


def test_what_breaks_the_engine_alone_is_kept_as_it_is(
    made_up: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as an input that took too long: with what the engine said of it."""
    folder = made_up([b"abc"])
    assert __main__.main() == 1
    (broken,) = folder.glob("broken-*")
    assert broken.read_bytes() == b"abc"
    assert "number_of_executed_units: 1234" in capsys.readouterr().out


def test_without_the_fuzzer_the_kept_inputs_are_tried(
    made_up: Found, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that it was no more than that is said."""
    folder = made_up([b"x"])
    monkeypatch.setattr(__main__, "find_spec", nowhere)
    assert __main__.main() == 0
    said = capsys.readouterr().out
    assert said.split("\n")[1].split() == ["x", "1", "0", "nothing"]
    assert "atheris, the fuzzer, is not\ninstalled" in said
    (folder / "other").write_bytes(b"x")
    assert __main__.main() == 1


def test_a_target_that_there_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is told with those that there are."""
    monkeypatch.setattr(sys, "argv", ["fuzz", "json"])
    with pytest.raises(SystemExit):
        __main__.main()
    assert "there is no target json; there are sse, codec" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
def test_the_engine_itself() -> None:
    """It makes inputs up, and says so."""
    assert run.fuzzed("retry", 1, keep=False).tried > 100
