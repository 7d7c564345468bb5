"""Hatchling's hooks for the README and links on the index's page, and for the wheel's SBOM.

`REPOSITORY_URL` is the web address of the source repository. The release workflow sets it. Without
it, the metadata names no repository, and relative links of the README become plain text.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface
from packaging.requirements import Requirement

HOMEPAGE = "https://www.autonomous.ai/"
SBOM = "autonomousai-sdk.cdx.json"

_PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?://)([^)]+)\)")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://)([^)]+)\)")


class MetadataHook(MetadataHookInterface):
    """Sets the links and the description of the index's page."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `urls` and `readme`, which `pyproject.toml` declares as dynamic."""
        version = _version(Path(self.root))
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        repository = os.environ.get("REPOSITORY_URL", "").rstrip("/")
        metadata["urls"] = project_urls(repository, version)
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute_links(readme, repository, version),
        }


class BuildHook(BuildHookInterface[Any]):
    """Adds a software bill of materials to the wheel (PEP 770)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the SBOM to a temporary folder and name it to the wheel builder."""
        del version  # "standard" or "editable", not the version of the package.
        root = Path(self.root)
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        document = sbom(project["name"], _version(root), project["dependencies"])
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / SBOM
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        build_data["sbom_files"].append(str(path))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        del version, build_data, artifact_path
        self._folder.cleanup()


def project_urls(repository: str, version: str) -> dict[str, str]:
    """Return the links of the metadata; those of the repository only if its address is known."""
    if not repository:
        return {"Homepage": HOMEPAGE}
    return {
        "Homepage": HOMEPAGE,
        "Source": repository,
        "Documentation": f"{repository}/blob/v{version}/docs/index.md",
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/v{version}/CHANGELOG.md",
    }


def absolute_links(text: str, repository: str, version: str) -> str:
    """Make the relative links of a page absolute, or plain text if the address is unknown."""
    if repository:
        text = _PICTURE.sub(rf"![\1]({repository}/raw/v{version}/\2)", text)
        return _LINK.sub(rf"[\1]({repository}/blob/v{version}/\2)", text)
    return _LINK.sub(r"\1", _PICTURE.sub("", text))


def sbom(name: str, version: str, dependencies: list[str]) -> dict[str, Any]:
    """Return a CycloneDX document. The wheel bundles nothing, so all its components are external.

    It has no time and no serial number: a rebuild gives the same wheel.
    """
    this = f"pkg:pypi/{name}@{version}"
    components = [_component(Requirement(dependency)) for dependency in sorted(dependencies)]
    references = [component["bom-ref"] for component in components]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": this,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "MIT"}}],
                "purl": this,
            }
        },
        "components": components,
        "dependencies": [
            {"ref": this, "dependsOn": references},
            *({"ref": reference} for reference in references),
        ],
    }


def _component(requirement: Requirement) -> dict[str, Any]:
    bounds = sorted(str(bound) for bound in requirement.specifier) or ["*"]
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{requirement.name}",
        "name": requirement.name,
        "purl": f"pkg:pypi/{requirement.name}",
        "isExternal": True,
        "versionRange": "vers:pypi/" + "|".join(sorted(bounds, key=lambda bound: bound[0] != ">")),
    }


def _version(root: Path) -> str:
    text = (root / "autonomousai_sdk" / "_version.py").read_text(encoding="utf-8")
    return text.split('__version__ = "')[1].split('"')[0]
