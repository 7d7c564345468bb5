"""The comparison of the public interface with the last release, in a repository of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packaging.version import Version

from . import api


def git(root: Path, *arguments: str) -> None:
    """Run git with an author of its own."""
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *author, *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path, version: str, code: str) -> None:
    """Commit a version of the package."""
    package = root / api.PACKAGE
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text(code)
    (package / "_version.py").write_text(f'__version__ = "{version}"\n')
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", version)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the release v1.0.0."""
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "1.0.0", "def ask(text, model=None): ...\n")
    git(tmp_path, "tag", "v1.0.0")
    return tmp_path


def test_a_removed_parameter_fails_a_minor_version(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A removed parameter is listed, and fails unless the version may break."""
    commit(root, "1.1.0", "def ask(text): ...\n")
    assert api.main([], root) == 1
    out = capsys.readouterr().out
    assert "with v1.0.0" in out
    assert "Parameter was removed" in out

    commit(root, "2.0.0rc1", "def ask(text): ...\n")
    assert api.main([], root) == 0


def test_an_added_parameter_is_compatible(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new optional parameter and a new function are not breaking."""
    commit(root, "1.1.0", "def ask(text, model=None, seed=None): ...\ndef tell(): ...\n")
    assert api.main([], root) == 0
    assert "No breaking changes." in capsys.readouterr().out


def test_without_a_tag_the_commit_of_the_version_counts(root: Path) -> None:
    """Without a tag, the interface is compared with the commit that set the version."""
    git(root, "tag", "--delete", "v1.0.0")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Another change")
    git(root, "tag", "v1.0.0")  # The release under way is not the last one.
    assert len(api.last_release(root)) == 40
    assert api.main([], root) == 0


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("1.0.0", "1.1.0", False),
        ("1.0.0", "2.0.0", True),
        ("1.0.0rc1", "1.0.0rc2", True),
        ("1.0.0rc1", "1.0.0", False),
    ],
)
def test_which_versions_may_break(old: str, new: str, allowed: bool) -> None:
    """A pre-release or a new major version may break, others may not."""
    assert api.may_break(Version(old), Version(new)) is allowed
