"""Long texts are split at sentences, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomousai_sdk.cli.sentences import size, split


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("One. Two.", 100, ["One. Two."]),
        ("One. Two two. Three.", 14, ["One. Two two. ", "Three."]),
        ("First.\n\nSecond one. Third.", 12, ["First.\n\n", "Second one. ", "Third."]),
        ("A b.\n\nC d. E f.\n\nG.", 12, ["A b.\n\n", "C d. E f.\n\n", "G."]),
        ('He said "No." Then he left.', 15, ['He said "No." ', "Then he left."]),
        ("今日は。明日は。", 12, ["今日は。", "明日は。"]),
        ("one two three", 8, ["one two ", "three"]),
        ("Pi is 3.14 today. Yes.", 18, ["Pi is 3.14 today. ", "Yes."]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("", 5, []),
    ],
)
def test_parts_end_at_sentences(text: str, limit: int, parts: list[str]) -> None:
    """A part ends at a paragraph or a sentence, and at a word or a character if it must."""
    assert split(text, limit) == parts


@given(st.text(alphabet=st.sampled_from("ab. \n!?。日\u00e9\U0001f600")), st.integers(4, 30))
def test_the_parts_are_the_text(text: str, limit: int) -> None:
    """The parts together are the text, and each has at most the given number of bytes."""
    parts = split(text, limit)

    assert "".join(parts) == text
    assert all(0 < size(part) <= limit for part in parts)
