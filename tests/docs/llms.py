"""Write llms.txt, the site's index for language models: `python -m tests.docs.llms site`.

The index is made of the tables of `docs/index.md`. The Markdown of each page is put beside its
HTML, and all pages together are `llms-full.txt` (https://llmstxt.org).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from autonomousai_sdk import __version__

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SKILL = ROOT / "autonomousai_sdk" / "SKILL.md"

_HEAD = re.compile(r"\| (\w+) \| \w+ \|")
_ROW = re.compile(r"\| \[(.+?)\]\((.+?)\) \| (.+) \|")


def main(site: Path) -> None:
    """Write `llms.txt`, `llms-full.txt` and the pages' Markdown into the folder of the site."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    lines = [
        "# autonomousai-sdk",
        "",
        f"> {_summary(index)}",
        "",
        f"Version {__version__}. [SKILL.md](SKILL.md) is the shortest way to correct code.",
        "[llms-full.txt](llms-full.txt) has all pages.",
    ]
    texts = [SKILL.read_text(encoding="utf-8").split("---\n", 2)[2]]
    (site / SKILL.name).write_bytes(SKILL.read_bytes())
    for line in index.splitlines():
        if head := _HEAD.match(line):
            lines += ["", f"## {head[1].capitalize()}", ""]
        elif row := _ROW.match(line):
            title, name, questions = row.groups()
            text = (DOCS / name).read_text(encoding="utf-8")
            (site / name).write_text(text, encoding="utf-8")
            lines.append(f"- [{title}]({name}): {questions}")
            texts.append(text)
    lines += ["", "## Reference", ""]
    for page in sorted((DOCS / "reference").glob("*.md")):
        title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        lines.append(f"- [{title}](reference/{page.stem}.html)")
    (site / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (site / "llms-full.txt").write_text("\n\n".join(texts), encoding="utf-8")


def _summary(index: str) -> str:
    """Return the first paragraph on one line."""
    return index.split("\n\n")[1].replace("\n", " ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
