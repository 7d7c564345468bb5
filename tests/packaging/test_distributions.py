"""The contents and metadata of the wheel and the sdist."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pytest

from .conftest import ROOT

PACKAGE = ROOT / "autonomousai_sdk"
SDIST_TOP = {
    ".gitignore",  # Added by hatchling, so that a build from the sdist ignores the same files.
    ".zensical.toml",
    "autonomousai_sdk",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs",
    "LICENSE",
    "noxfile.py",
    "PKG-INFO",
    "pyproject.toml",
    "README.md",
    "SECURITY.md",
    "spec",
    "tests",
}


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def bill(wheel: Path) -> dict[str, Any]:
    """The wheel's software bill of materials."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if ".dist-info/sboms/" in n)
        found: dict[str, Any] = json.loads(archive.read(name))
    return found


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """The module of the build hooks, imported as hatchling imports it: by its path."""
    spec = spec_from_file_location("hatch_build", ROOT / "docs" / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    """The sdist has spec, tests and docs, and no dotfiles except the builds' own."""
    with tarfile.open(sdist) as archive:
        top = {PurePosixPath(name).parts[1] for name in archive.getnames()}

    assert top == SDIST_TOP


def test_the_sdist_leaves_out_the_inputs_of_the_fuzzer(sdist: Path) -> None:
    """The sdist has the fuzzer without its kept inputs, and no rendered site."""
    with tarfile.open(sdist) as archive:
        paths = [PurePosixPath(*PurePosixPath(name).parts[1:]) for name in archive.getnames()]

    assert PurePosixPath("tests/fuzz/run.py") in paths
    assert not [path for path in paths if path.is_relative_to("tests/fuzz/corpus")]
    assert not [path for path in paths if path.suffix in {".html", ".pyc"}]


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
        "ray",
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


def test_the_description_has_no_relative_links(metadata: Message) -> None:
    """The description on the index has no relative link or picture, which would be broken there."""
    targets = re.findall(r"\]\(([^)]+)\)", str(metadata.get_payload()))
    assert all(target.startswith("https://") for target in targets)
    assert metadata.get_all("Project-URL") == ["Homepage, https://www.autonomous.ai/"]


def test_a_release_links_to_its_repository(hooks: ModuleType) -> None:
    """With `REPOSITORY_URL`, links and pictures lead to the files of that version."""
    repository = "https://git.example/owner/sdk"
    page = "[docs](docs/index.md#top) ![seen](docs/a.svg) [site](https://other.example/)"

    assert hooks.absolute_links(page, repository, "1.0") == (
        f"[docs]({repository}/blob/v1.0/docs/index.md#top) "
        f"![seen]({repository}/raw/v1.0/docs/a.svg) [site](https://other.example/)"
    )
    assert hooks.absolute_links(page, "", "1.0") == "docs  [site](https://other.example/)"
    assert hooks.project_urls(repository, "1.0") == {
        "Homepage": "https://www.autonomous.ai/",
        "Source": repository,
        "Documentation": f"{repository}/blob/v1.0/docs/index.md",
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/v1.0/CHANGELOG.md",
    }


def test_the_sbom_lists_the_dependencies(bill: dict[str, Any], metadata: Message) -> None:
    """The wheel's SBOM names the package, its version, and each required dependency as external."""
    required = [r for r in metadata.get_all("Requires-Dist", []) if "extra ==" not in r]
    component = bill["metadata"]["component"]

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.7")
    assert component["purl"] == f"pkg:pypi/autonomousai-sdk@{metadata['Version']}"
    assert all(part["isExternal"] for part in bill["components"])
    assert [part["name"] for part in bill["components"]] == sorted(
        re.split(r"[<>=!~ ]", requirement)[0] for requirement in required
    )
    (httpx,) = (part for part in bill["components"] if part["name"] == "httpx")
    assert httpx["versionRange"] == "vers:pypi/>=0.28.1|<1"
    # Imports jsonschema, which takes a second that every worker would spend at collection.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_7)
    assert validator.validate_str(json.dumps(bill)) is None
