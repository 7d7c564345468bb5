"""The locked environment for development, and the versions that other files repeat."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import ROOT

if not (ROOT / "pylock.toml").exists():
    pytest.skip("The sdist has no lock.", allow_module_level=True)

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = tomllib.loads((ROOT / "pylock.toml").read_text(encoding="utf-8"))


def requirements() -> list[Requirement]:
    """Return the dependencies of the package, its extras and the locked groups."""
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    texts = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        texts += extra
    for name in ("build", "docs", "lint", "spec", "test", "types"):
        texts += [text for text in groups[name] if isinstance(text, str)]
    found = [Requirement(text) for text in texts]
    return [one for one in found if one.name != project["name"]]


def test_the_lock_satisfies_the_bounds() -> None:
    """Every locked version of a dependency satisfies its bounds."""
    locked = {package["name"]: package["version"] for package in LOCK["packages"]}
    known = [one for one in requirements() if canonicalize_name(one.name) in locked]
    assert len(known) > 40
    for requirement in known:
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}: {version}: nox -s lock"


def test_the_lock_names_the_public_index_only() -> None:
    """Every locked file has a hash and an address on the public index."""
    files: list[dict[str, Any]] = []
    for package in LOCK["packages"]:
        files += package.get("wheels", [])
        files += [package["sdist"]] if "sdist" in package else []
    assert len(files) > len(LOCK["packages"])
    assert all(file["url"].startswith("https://files.pythonhosted.org/") for file in files)
    assert all("sha256" in file["hashes"] for file in files)


def test_pre_commit_runs_the_same_ruff() -> None:
    """The hooks before a commit run the ruff that CI runs."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (pin,) = PYPROJECT["dependency-groups"]["format"]
    assert set(re.findall(r"ruff==[\d.]+", hooks)) == {pin}
