"""Long texts in parts that end at sentences.

The parts together are the text, character for character. Sizes are in bytes of UTF-8, which
follow the number of tokens better than characters do: a Chinese character has three bytes and
often a token of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PARAGRAPH = re.compile(r".+?(?:\n\s*\n|\Z)", re.DOTALL)
_SENTENCE = re.compile(
    # The second form is Chinese and Japanese, whose sentences have no space between them.
    r".+?(?:[.!?…]+[\"'”’)\]]*\s+|[\u3002\uff01\uff1f]+[」』”]*\s*|\Z)",
    re.DOTALL,
)
_WORD = re.compile(r"\s*\S+\s*|\s+")


def split(text: str, limit: int) -> list[str]:
    """Return the text in parts of at most `limit` bytes.

    A part ends at a paragraph, else at a sentence, else at a word, else at a character.
    """
    return list(_packed(text, limit, (_PARAGRAPH, _SENTENCE, _WORD)))


def size(text: str) -> int:
    """Return the bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def _packed(text: str, limit: int, patterns: tuple[re.Pattern[str], ...]) -> Iterator[str]:
    """Join the pieces of the first pattern as far as they fit; a longer one is split further."""
    if not patterns:
        yield from _by_character(text, limit)
        return
    part, length = "", 0
    for piece in patterns[0].findall(text):
        more = size(piece)
        if length + more > limit and part:
            yield part
            part, length = "", 0
        if more > limit:
            yield from _packed(piece, limit, patterns[1:])
        else:
            part, length = part + piece, length + more
    if part:
        yield part


def _by_character(text: str, limit: int) -> Iterator[str]:
    part, length = "", 0
    for character in text:
        more = size(character)
        if part and length + more > limit:
            yield part
            part, length = "", 0
        part, length = part + character, length + more
    if part:
        yield part
