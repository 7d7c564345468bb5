"""Files about the repository itself."""

from __future__ import annotations

import re
import subprocess

import pytest

from .conftest import ROOT


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="There is no history, as in the sdist.")
def test_the_commits_that_blame_ignores_exist() -> None:
    """Every commit in .git-blame-ignore-revs is in the history, which `git blame` requires."""
    shallow = ["git", "-C", str(ROOT), "rev-parse", "--is-shallow-repository"]
    if subprocess.run(shallow, check=True, capture_output=True, text=True).stdout == "true\n":
        pytest.skip("The clone is shallow.")
    listed = (ROOT / ".git-blame-ignore-revs").read_text(encoding="utf-8")
    commits = re.findall(r"^[0-9a-f]{40}$", listed, re.MULTILINE)
    assert len(commits) > 10
    for commit in commits:
        ancestor = ["git", "-C", str(ROOT), "merge-base", "--is-ancestor", commit, "HEAD"]
        assert subprocess.run(ancestor, check=False).returncode == 0, commit
