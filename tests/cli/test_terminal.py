"""Lines that break at words, as a terminal shows them."""

from __future__ import annotations

import pyte
import pytest

from autonomousai_sdk.cli.terminal import WordWrap
from tests.support.fault_server import FaultServer
from tests.support.program import on_terminal
from tests.support.wire import failed

STORY = "The quick brown fox jumps over the lazy dog, again and again.\n\nThen it sleeps."
WRAPPED = [
    "The quick brown fox",
    "jumps over the lazy",
    "dog, again and",
    "again.",
    "",
    "Then it sleeps.",
]


def shown(pieces: list[str], width: int = 20) -> list[str]:
    """Feed pieces of text to a terminal and return its lines."""
    screen = pyte.Screen(width, 30)
    terminal = pyte.Stream(screen)
    wrap = WordWrap()
    for piece in pieces:
        terminal.feed(wrap.feed(piece, width).replace("\n", "\r\n"))
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_break_at_words(size: int) -> None:
    """However the text is cut into pieces, no word is split and each line fits."""
    pieces = [STORY[start : start + size] for start in range(0, len(STORY), size)]

    assert shown(pieces) == WRAPPED


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("See https://example.com/a/very/long/path now", [
            "See", "https://example.com/", "a/very/long/path", "now",
        ]),
        ("日本語 のテキスト です。", ["日本語 のテキスト", "です。"]),
        ("a  b\n    indented", ["a  b", "    indented"]),
        ("aaaaaaaaaaaaaaaaaaa b", ["aaaaaaaaaaaaaaaaaaa", "b"]),
    ],
    ids=["a long word", "wide characters", "white space", "a full line"],
)  # fmt: skip
def test_what_does_not_fit_is_left_to_the_terminal(text: str, lines: list[str], size: int) -> None:
    """A word longer than a line is not broken, wide characters take two columns."""
    assert shown([text[start : start + size] for start in range(0, len(text), size)]) == lines


def test_a_long_error_breaks_at_words_on_a_terminal() -> None:
    """The program asks the terminal for its width, and no word of an error is split."""
    with (
        FaultServer(failed(400, message=STORY)) as server,
        on_terminal("chat", "--base-url", server.url, "Hi", COLUMNS="20") as program,
    ):
        assert program.end() == 1

    screen = pyte.Screen(20, 30)
    pyte.ByteStream(screen).feed(program.written)
    assert " ".join(STORY.split()) in " ".join(line.strip() for line in screen.display)
