"""`autonomousai completion`: what the shells complete."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.program import PROGRAM, call, environment


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str) -> None:
    """The script calls the program with the variable that makes it complete."""
    done = call("completion", shell)

    assert done.returncode == 0
    assert f"_AUTONOMOUSAI_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("autonomousai ", {"chat", "summarize", "doctor"}),
        ("autonomousai chat --temp", {"--temperature"}),
        ("autonomousai chat --model her", {"hermes", "hermes-3"}),
        ("autonomousai chat --tool-choice a", {"auto"}),
        ("autonomousai completion f", {"fish"}),
    ],
)
def test_commands_options_and_values_are_completed(words: str, found: set[str]) -> None:
    """The program prints the words that a shell offers."""
    count = len(words.split(" ")) - 1
    done = subprocess.run(
        PROGRAM,
        env=environment(
            _AUTONOMOUSAI_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count)
        ),
        capture_output=True,
        check=True,
        text=True,
    )

    assert found <= {line.partition(",")[2] for line in done.stdout.splitlines()}


def test_an_unknown_shell_is_wrong_usage() -> None:
    """The error lists the shells."""
    done = call("completion", "tcsh")

    assert done.returncode == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr
