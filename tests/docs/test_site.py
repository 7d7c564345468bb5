"""The documentation site: its navigation has every page, its reference every public name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import autonomousai_sdk

from . import llms

DOCS = llms.DOCS
PAGES = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}


def _pages(nav: list[Any]) -> list[str]:
    """Return the pages of a navigation, in order."""
    pages: list[str] = []
    for item in nav:
        if isinstance(item, str):
            pages.append(item)
            continue
        (section,) = item.values()
        pages += [section] if isinstance(section, str) else _pages(section)
    return pages


def test_the_navigation_has_every_page_once() -> None:
    """Every page of docs/ is in the site's navigation, once."""
    config = tomllib.loads((llms.ROOT / ".zensical.toml").read_text(encoding="utf-8"))
    listed = sorted(_pages(config["project"]["nav"]))
    assert listed == sorted(PAGES), "Add the page to `nav` in .zensical.toml."


def test_the_index_links_to_every_page() -> None:
    """Every guide is in a table of docs/index.md, of which llms.txt is made."""
    rows = re.findall(r"^\| \[.+?\]\((.+?)\) \|", (DOCS / "index.md").read_text(), re.MULTILINE)
    guides = {page for page in PAGES if not page.startswith("reference/")} - {"index.md"}
    assert sorted(rows) == sorted(guides), "Add the page to a table of docs/index.md."


def test_the_reference_has_every_public_name() -> None:
    """Every public name is in the reference, once."""
    pages = (DOCS / "reference").glob("*.md")
    names = [
        name
        for page in pages
        for name in re.findall(r"^::: autonomousai_sdk\.(\w+)$", page.read_text(), re.MULTILINE)
    ]
    public = sorted(set(autonomousai_sdk.__all__) - {"__version__"})
    assert sorted(names) == public, "Add the name to a page of docs/reference/."


def test_llms_txt_lists_the_pages_and_has_their_text(tmp_path: Path) -> None:
    """llms.txt follows the form of llmstxt.org, and each of its links leads to a file."""
    llms.main(tmp_path)

    index = (tmp_path / "llms.txt").read_text(encoding="utf-8")
    assert index.startswith("# autonomousai-sdk\n\n> A typed Python client")
    assert "\n## Guide\n\n- [Tutorial](tutorial.md): How do I start" in index
    assert "- [Clients](reference/clients.html)" in index
    for target in re.findall(r"\]\((.+?)\)", index):
        assert target.startswith("reference/") or (tmp_path / target).is_file(), target
    full = (tmp_path / "llms-full.txt").read_text(encoding="utf-8")
    assert "# Tutorial" in full
    assert "name: autonomousai-sdk" not in full
