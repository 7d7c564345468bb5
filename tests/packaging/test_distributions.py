"""The contents and metadata of the wheel and the sdist."""

from __future__ import annotations

import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path, PurePosixPath

import pytest

from .conftest import ROOT

PACKAGE = ROOT / "autonomousai_sdk"
SDIST_TOP = {
    ".gitignore",  # Added by hatchling, so that a build from the sdist ignores the same files.
    "autonomousai_sdk",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs",
    "LICENSE",
    "noxfile.py",
    "PKG-INFO",
    "pyproject.toml",
    "README.md",
    "spec",
    "tests",
}


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """The wheel has every file of the package and no test, spec or generator."""
    with zipfile.ZipFile(wheel) as archive:
        paths = {PurePosixPath(name) for name in archive.namelist()}

    shipped = {path for path in paths if not path.parts[0].endswith(".dist-info")}
    assert shipped == {
        PurePosixPath(file.relative_to(ROOT).as_posix())
        for file in PACKAGE.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    assert PurePosixPath("autonomousai_sdk/py.typed") in shipped


def test_the_sdist_holds_what_a_packager_needs(sdist: Path) -> None:
    """The sdist has spec, tests and docs, and no dotfiles except the build's own."""
    with tarfile.open(sdist) as archive:
        top = {PurePosixPath(name).parts[1] for name in archive.getnames()}

    assert top == SDIST_TOP


def test_the_metadata_is_complete(metadata: Message) -> None:
    """The metadata has name, licence, Python versions, README and the typing classifier."""
    assert metadata["Name"] == "autonomousai-sdk"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "autonomousai" in str(metadata.get_payload())
    assert {"Typing :: Typed", "Framework :: Trio", "Framework :: AsyncIO"} <= set(
        metadata.get_all("Classifier", [])
    )


def test_the_extras_are_those_promised(metadata: Message) -> None:
    """Every documented extra exists."""
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "aiohttp",
        "cli",
        "httpx2",
        "local",
        "server",
        "socks",
        "tools",
        "truststore",
    }


def test_the_version_is_said_once(metadata: Message) -> None:
    """The version of the wheel is that of the package."""
    said: dict[str, str] = {}
    exec((PACKAGE / "_version.py").read_text(), said)  # noqa: S102 (our own one-line file)
    assert metadata["Version"] == said["__version__"]
