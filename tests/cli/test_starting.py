"""Before a command runs: help, what it costs to start, and what may be missing."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from autonomousai_sdk import __version__
from autonomousai_sdk.cli import exit_code
from autonomousai_sdk.cli.commands import cli
from autonomousai_sdk.cli.commands import run as run_here
from tests.support.program import PROGRAM, call, run

MAIN = "import sys; from autonomousai_sdk.cli import main; sys.argv = ['autonomousai', {!r}]; "


def test_help_names_the_commands_and_exit_codes() -> None:
    """--help is for people: it fits 80 columns and says what the exit codes mean."""
    done = call("--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "Exit codes: 0 done, 1 the service failed, 2 wrong usage, 130 interrupted." in (
        " ".join(done.stdout.split())
    )
    for command in ("chat", "models", "serve"):
        assert call(command, "--help").stdout.startswith(f"Usage: autonomousai {command}")


def test_help_says_where_the_key_belongs() -> None:
    """There is no option for a key, and the help names the variable instead."""
    assert "AUTONOMOUSAI_API_KEY" in call("chat", "--help").stdout
    assert call("chat", "--api-key", "secret", "Hi").returncode == 2


@pytest.mark.parametrize("argument", ["--help", "--version"])
@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [("> /dev/full", 1, "No space left on device"), ("| true", 0, "")],
    ids=["full disk", "closed pipe"],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_help_that_cannot_be_printed(argument: str, ending: str, code: int, said: str) -> None:
    """A full disk is an error in one line, and a reader that closes the pipe is none."""
    shell = ("bash", "-c", f'set -o pipefail; "$@" {ending}', "bash", *PROGRAM)
    done = run(argument, program=shell)

    assert done.returncode == code
    assert done.stderr == (f"autonomousai: [Errno 28] {said}\n" if said else "")


def test_help_survives_the_removal_of_docstrings() -> None:
    """`python -OO` prints the same help, although it removes docstrings."""
    program = (sys.executable, "-OO", "-m", "autonomousai_sdk")

    # The widths of the two differ.
    assert run("chat", "--help", program=program).stdout.split() == (
        call("chat", "--help").stdout.split()
    )
    assert run("--help", program=program).stdout.split() == call("--help").stdout.split()


def test_the_version_is_the_packages() -> None:
    """--version prints it and nothing else."""
    assert call("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize("argument", ["--help", "models"])
def test_what_sends_nothing_imports_no_http_library(argument: str) -> None:
    """Help and the table of models come at once."""
    script = MAIN.format(argument) + (
        "\ntry: main()\nexcept SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = run(program=(sys.executable, "-c", script))

    loaded = set(done.stderr.split())
    assert "click" in loaded
    assert not loaded & {"anyio", "asyncio", "httpx", "msgspec", "starlette", "uvicorn"}


def test_a_missing_extra_is_said_with_its_command() -> None:
    """Without click there is one line, and exit code 2."""
    script = MAIN.format("--help") + "sys.modules['click'] = None; main()"
    done = run(program=(sys.executable, "-c", script))

    assert done.returncode == 2
    assert done.stderr == 'The command line needs click: pip install "autonomousai-sdk[cli]"\n'


def test_a_broken_installation_is_not_blamed_on_the_extra() -> None:
    """Another module that is missing shows itself."""
    script = MAIN.format("--help") + "sys.modules['json'] = None; main()"
    done = run(program=(sys.executable, "-c", script))

    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_local_without_its_extra_says_which() -> None:
    """The local server's packages are named by their extra."""
    script = (
        "import sys; from autonomousai_sdk.cli import main; sys.modules['uvicorn'] = None;"
        "sys.argv = ['autonomousai', 'chat', '--local', 'Hi']; main()"
    )
    done = run(program=(sys.executable, "-c", script))

    assert done.returncode == 2
    assert 'pip install "autonomousai-sdk[' in done.stderr


def test_ctrl_c_before_a_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an interruption there too."""

    def interrupted(*_: object, **__: object) -> click.Context:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "make_context", interrupted)
    assert run_here() == exit_code.INTERRUPTED


def test_a_stream_in_memory_needs_no_discarding() -> None:
    """An error of the output has its exit code where stdout is not a file of the system."""
    with CliRunner().isolation():
        assert exit_code.exit_code(OSError(28, "No space left on device")) == 1
        assert exit_code.exit_code(BrokenPipeError()) == 0


def test_a_fault_of_the_program_shows_itself() -> None:
    """What is no error of the SDK's is not dressed up as one."""
    with pytest.raises(RuntimeError, match="a bug"):
        exit_code.exit_code(RuntimeError("a bug"))
