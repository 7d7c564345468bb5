"""The fuzzer's command, with and without an engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from . import __main__, corpus, run

Found = Callable[[list[bytes]], Path]


def breaks_at_x(data: bytes) -> None:
    """A target that breaks on an x."""
    assert b"x" not in data


def nowhere(_: str) -> None:
    """Pretend that no module is installed."""


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[bytes]], Path]:
    """A corpus with one target and one input, and a scripted engine."""
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
    """A run without a finding reports how many inputs were tried and kept."""
    made_up([])
    assert __main__.main() == 0
    assert capsys.readouterr().out.split("\n")[1].split() == [
        *("x", "1", "1,234", "nothing;", "3", "new", "inputs", "kept")
    ]


def test_what_breaks_a_target_is_kept(made_up: Found, capsys: pytest.CaptureFixture[str]) -> None:
    """A breaking input is minimised, saved in the corpus, and found by the next run."""
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
    """An input that broke only in the engine is kept with the engine's output."""
    folder = made_up([b"abc"])
    assert __main__.main() == 1
    (broken,) = folder.glob("broken-*")
    assert broken.read_bytes() == b"abc"
    assert "number_of_executed_units: 1234" in capsys.readouterr().out


def test_without_the_fuzzer_the_kept_inputs_are_tried(
    made_up: Found, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an engine, only the kept inputs run, and the command says so."""
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
    """An unknown target is refused with the list of known targets."""
    monkeypatch.setattr(sys, "argv", ["fuzz", "json"])
    with pytest.raises(SystemExit):
        __main__.main()
    assert "there is no target json; there are sse, codec" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
def test_the_engine_itself() -> None:
    """The real engine generates inputs and reports their number."""
    assert run.fuzzed("retry", 1, keep=False).tried > 100
