"""The dependencies of a plain install, which works without any extra."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough  # The installation takes longer than all other packaging tests.

OURS = {"anyio", "attrs", "cattrs", "httpx", "msgspec"}
THEIRS = {"certifi", "h11", "httpcore", "idna", "typing-extensions"}
TOOLS = {"pip", "setuptools"}


def _run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments],
        cwd=program.parent,  # Outside the checkout, which would be imported instead.
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_plain_install_brings_five_packages_and_their_own(installed: Path) -> None:
    """A plain install has exactly the promised dependencies."""
    listed = _run(installed / "python", "-m", "pip", "list", "--format", "json")
    names = {entry["name"].lower().replace("_", "-") for entry in json.loads(listed.stdout)}

    assert names - TOOLS == {"autonomousai-sdk"} | OURS | THEIRS


def test_every_public_name_can_be_imported_without_extras(installed: Path) -> None:
    """Every public name can be imported in a plain install without a warning."""
    everything = "import autonomousai_sdk as s; print([getattr(s, name) for name in s.__all__])"
    done = _run(installed / "python", "-W", "error", "-c", everything)

    assert done.stderr == ""
    assert "Client" in done.stdout


def test_the_command_without_its_extra_says_what_to_install(installed: Path) -> None:
    """`autonomousai` in a plain install names the extra to install, without a traceback."""
    done = _run(installed / "autonomousai", "--help")

    assert done.returncode == 2
    assert "pip install" in done.stderr
    assert "autonomousai-sdk[cli]" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_extra_can_be_added_to_an_installed_sdk(installed: Path) -> None:
    """Installing an extra by name keeps the installed SDK and adds the extra's packages."""
    extra = "autonomousai-sdk[socks]"
    done = _run(installed / "python", "-m", "pip", "install", "--dry-run", extra)

    assert done.returncode == 0, done.stderr
    (added,) = (line for line in done.stdout.splitlines() if line.startswith("Would install"))
    assert added.startswith("Would install socksio-")
