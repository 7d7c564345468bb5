"""The kept inputs: small files, one folder per target.

Files named in words were written by hand. Files named by forty hex digits were found by fuzzing to
reach new code, and `broken-…` once broke a promise.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from .targets import Target

CORPUS = Path(__file__).parent / "corpus"


def kept(name: str) -> list[Path]:
    """Return a target's files; none where the corpus is missing, as in the sdist."""
    return sorted((CORPUS / name).glob("*"))


def shown(path: Path) -> str:
    """Return a path relative to the repository."""
    return path.relative_to(CORPUS.parent.parent.parent).as_posix()


def fault(target: Target, data: bytes) -> Exception | None:
    """Return the error by which an input breaks a target, or None."""
    try:
        target(data)
    except Exception as error:  # noqa: BLE001  # any exception breaks the promise
        return error
    return None


def put_aside(name: str, data: bytes, target: Target) -> Path:
    """Minimise and keep an input that broke a target."""
    error = fault(target, data)
    if error is not None:
        data = shrunk(data, lambda less: type(fault(target, less)) is type(error))
    path = CORPUS / name / f"broken-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


def shrunk(data: bytes, breaks: Callable[[bytes], bool]) -> bytes:
    """Remove every part of the bytes that is not needed to break the target."""
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
