"""The kept inputs: small files, in a folder for each target.

Those with a name in words were chosen by hand. A name of forty digits is one that fuzzing found to
reach new code, and `broken-…` broke a promise once.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from .targets import Target

CORPUS = Path(__file__).parent / "corpus"


def kept(name: str) -> list[Path]:
    """A target's files."""
    return sorted((CORPUS / name).iterdir())


def shown(path: Path) -> str:
    """A path as one would type it in the repository's folder."""
    return path.relative_to(CORPUS.parent.parent.parent).as_posix()


def fault(target: Target, data: bytes) -> Exception | None:
    """How an input breaks a target; None if it does not."""
    try:
        target(data)
    except Exception as error:  # noqa: BLE001  # Whatever it is, it was promised not to be.
        return error
    return None


def put_aside(name: str, data: bytes, target: Target) -> Path:
    """Keep an input that broke a target, as small as it can be made."""
    error = fault(target, data)
    if error is not None:
        data = shrunk(data, lambda less: type(fault(target, less)) is type(error))
    path = CORPUS / name / f"broken-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


def shrunk(data: bytes, breaks: Callable[[bytes], bool]) -> bytes:
    """The bytes without any part that can be left out while they still break."""
    size = len(data)
    while size:
        start = 0
        while start < len(data):
            less = data[:start] + data[start + size :]
            if breaks(less):
                data = less
            else:
                start += size
        size //= 2
    return data
