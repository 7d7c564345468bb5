"""Compare the public interface with the last release: `python -m tests.packaging.api [REF]`.

REF is the last tag `v*`, or else the commit that set the current version. Removed names, removed or
reordered parameters and the like are listed. They fail the command unless the version is a
pre-release, or its major number is a new one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import griffe
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PACKAGE = "autonomousai_sdk"
VERSION_FILE = f"{PACKAGE}/_version.py"
INTERNAL = tuple(f"{PACKAGE}.{name}." for name in ("cli", "local"))
"""Their modules are named without an underscore; `LocalServer` is public by the package's name."""


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Print the breaking changes and return the exit code."""
    reference = arguments[0] if arguments else last_release(root)
    print(f"Comparing the public interface with {reference[:12]} ...")
    old = griffe.load_git(PACKAGE, ref=reference, repo=root)
    new = griffe.load(PACKAGE, search_paths=[root], try_relative_path=False)
    assert isinstance(old, griffe.Object)
    assert isinstance(new, griffe.Object)
    breaking = [
        change
        for change in griffe.find_breaking_changes(old, new)
        if not change.obj.path.startswith(INTERNAL)
    ]
    for change in breaking:
        print(change.explain(griffe.ExplanationStyle.ONE_LINE))
    if not breaking:
        print("No breaking changes.")
    return 1 if breaking and not may_break(_version(old), _version(new)) else 0


def last_release(root: Path) -> str:
    """Return the last tag before this commit, or the commit that set the current version."""
    earlier = ("--merged", "HEAD", "--no-contains", "HEAD", "--sort=-version:refname")
    tags = _git(root, "tag", *earlier, "--list", "v*")
    return tags.split()[0] if tags else _git(root, "log", "-1", "--format=%H", "--", VERSION_FILE)


def may_break(old: Version, new: Version) -> bool:
    """Tell whether the new version may have breaking changes (Semantic Versioning)."""
    return new.is_prerelease or new.major > old.major


def _version(package: griffe.Object) -> Version:
    value = package["_version.__version__"].value
    return Version(str(value).strip("'\""))


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
