"""Every kept input passes its target, and every target can fail."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from autonomousai_sdk._core import codec, response, retry
from autonomousai_sdk._core.coding import Inflater
from autonomousai_sdk._core.failure import Context
from autonomousai_sdk._core.sse import EventParser, RawEvent
from autonomousai_sdk._core.stream import StreamState

from .corpus import CORPUS, fault, kept, shrunk
from .targets import TARGETS

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="The sdist omits the corpus.")

FILES = [path for name in TARGETS for path in kept(name)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_kept_input_breaks_no_promise(path: Path) -> None:
    """A kept input breaks no promise."""
    TARGETS[path.parent.name](path.read_bytes())


def test_the_corpus_is_small_and_all_of_it_is_used() -> None:
    """Every target has a non-empty folder, and the corpus stays below 1 MiB."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert all(kept(name) for name in TARGETS)
    assert sum(path.stat().st_size for path in FILES) < 2**20


def decode_fast(data: bytes, cls: type[object]) -> object:
    """Decode on the fast path only."""
    return codec.decoder(cls)(data)


feed = EventParser.feed


def feed_without_pairs(self: EventParser, data: bytes) -> list[RawEvent]:
    """Treat CR LF as two line ends."""
    return feed(self, data.replace(b"\r", b"\n"))


def end_well(self: StreamState[object, object], error: Exception) -> None:
    """End a stream as complete."""
    self.ended = True


def redact_nothing(self: Context, text: str) -> str:
    """Return text with the key in it."""
    return text


def inflate_all(self: Inflater, data: bytes) -> list[bytes]:
    """Accept cut input, and let zlib's errors through."""
    return [zlib.decompress(data, zlib.MAX_WBITS | 16)]


WRONG: dict[str, tuple[object, str, object]] = {
    "sse": (EventParser, "feed", feed_without_pairs),
    "codec": (codec, "decode", decode_fast),
    "stream": (StreamState, "end", end_well),
    "answer": (Context, "redact", redact_nothing),
    "document": (response, "decode", decode_fast),
    "coding": (Inflater, "feed", inflate_all),
    "retry": (retry, "_number", float),
}
"""For each target, a function of the core and a broken replacement."""


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_notices_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept input breaks the target if a function of the core is subtly wrong."""
    owner, attribute, wrong = WRONG[name]
    monkeypatch.setattr(owner, attribute, wrong)
    assert any(fault(TARGETS[name], path.read_bytes()) for path in kept(name))


def test_an_input_is_made_as_small_as_it_can_be() -> None:
    """A minimised input has no part that can be removed."""
    assert shrunk(b"xxaxxxxxbxx" * 9, lambda less: b"a" in less and b"b" in less[1:]) == b"ab"
    assert shrunk(b"", lambda _: True) == b""
    assert shrunk(b"abc", lambda _: True) == b""
