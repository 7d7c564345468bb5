"""Every kept input on every target, and that each target can fail."""

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

FILES = [path for name in TARGETS for path in kept(name)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_kept_input_breaks_no_promise(path: Path) -> None:
    """Whatever reached new code once, or broke something once, is tried with every change."""
    TARGETS[path.parent.name](path.read_bytes())


def test_the_corpus_is_small_and_all_of_it_is_used() -> None:
    """Each folder belongs to a target and has something in it; all of them fit in a mebibyte."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert all(kept(name) for name in TARGETS)
    assert sum(path.stat().st_size for path in FILES) < 2**20


def decode_fast(data: bytes, cls: type[object]) -> object:
    """Decode without the standard path behind the fast one."""
    return codec.decoder(cls)(data)


feed = EventParser.feed


def feed_without_pairs(self: EventParser, data: bytes) -> list[RawEvent]:
    """Take CR LF for two line ends."""
    return feed(self, data.replace(b"\r", b"\n"))


def end_well(self: StreamState[object, object], error: Exception) -> None:
    """End a stream as if it was complete."""
    self.ended = True


def redact_nothing(self: Context, text: str) -> str:
    """Show the key."""
    return text


def inflate_all(self: Inflater, data: bytes) -> list[bytes]:
    """Take what came for all of it, and let zlib speak for itself."""
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
"""For each target a part of the core, and what is wrong in its place."""


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_notices_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a part of the core exchanged for one that is nearly right, a kept input breaks it."""
    owner, attribute, wrong = WRONG[name]
    monkeypatch.setattr(owner, attribute, wrong)
    assert any(fault(TARGETS[name], path.read_bytes()) for path in kept(name))


def test_an_input_is_made_as_small_as_it_can_be() -> None:
    """Nothing can be left out any more, in the middle neither."""
    assert shrunk(b"xxaxxxxxbxx" * 9, lambda less: b"a" in less and b"b" in less[1:]) == b"ab"
    assert shrunk(b"", lambda _: True) == b""
    assert shrunk(b"abc", lambda _: True) == b""
