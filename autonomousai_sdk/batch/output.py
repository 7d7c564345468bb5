"""The output of a batch: results are appended whole, and found again on resume."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ..errors import BatchError, ConfigurationError
from .lines import LineSplitter
from .result import Recorded, recorded

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows: two runs on one file are not noticed there
    fcntl = None  # type: ignore[assignment]

_READ_SIZE = 2**18


class Output:
    """The file that results are appended to.

    A result that cannot be written whole is removed again, so that the file has whole lines
    only; after a kill, only its last line can be torn.
    """

    def __init__(self, target: str | os.PathLike[str] | BinaryIO, *, resume: bool) -> None:
        """Open the output.

        Raises:
            ConfigurationError: it exists already, or cannot be resumed.
            BatchError: it cannot be opened.
        """
        self._borrowed: BinaryIO | None = None
        if isinstance(target, (str, os.PathLike)):
            self.name: str = os.fspath(target)
            self._descriptor = _open(self.name, resume=resume)
        else:
            self.name = str(getattr(target, "name", "the output"))
            if resume:
                raise ConfigurationError(f"resume= needs the path of a file, not {self.name}.")
            self._borrowed = target
            self._descriptor = _descriptor(target)
        self.is_file: bool = self._borrowed is None and stat.S_ISREG(
            os.fstat(self._descriptor).st_mode
        )
        self._size = os.fstat(self._descriptor).st_size if self.is_file else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._borrowed is not None:
            return
        try:
            if self.is_file:
                os.fsync(self._descriptor)
        except OSError as error:
            raise self._failure(error) from error
        finally:
            os.close(self._descriptor)

    def recorded(self) -> Iterator[Recorded]:
        """Read the results of an earlier run, and cut off a torn last line.

        Raises:
            ConfigurationError: a line is not a result.
        """
        splitter = LineSplitter()
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while data := os.read(self._descriptor, _READ_SIZE):
            for line in splitter.feed(data):
                yield self._recorded(line.number, line.data)
        for line in splitter.close():
            found = None if line.data is None else recorded(line.data)
            if found is None:
                self._size -= line.size
                os.ftruncate(self._descriptor, self._size)
            else:
                # An object that is valid is whole; only its line feed is missing.
                self.write(b"\n")
                yield found

    def write(self, record: bytes) -> None:
        """Append a record.

        Raises:
            BatchError: it cannot be written; nothing of it remains in a file.
        """
        rest = memoryview(record)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            if self.is_file:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, self._size)
            raise self._failure(error) from error
        self._size += len(record)

    def _recorded(self, number: int, data: bytes | None) -> Recorded:
        found = None if data is None else recorded(data)
        if found is None:
            raise ConfigurationError(
                f"{self.name}, line {number}, is not the result of a batch: remove the line, or "
                "write to another file."
            )
        return found

    def _failure(self, error: OSError) -> BatchError:
        what = f"Could not write to {self.name}: {error.strerror or error}."
        if not self.is_file:
            return BatchError(what)
        return BatchError(
            f"{what} The results in it are whole: solve the problem and resume the batch."
        )


def _descriptor(file: BinaryIO) -> int:
    try:
        file.flush()
        return file.fileno()
    except (AttributeError, OSError) as error:
        raise ConfigurationError(
            "The output must be a path, or a binary file that the system has opened."
        ) from error


def _open(name: str, *, resume: bool) -> int:
    """Open a file for appending, so that no other run writes to it.

    Raises:
        ConfigurationError: the file exists already, or another run writes to it.
        BatchError: the file cannot be opened.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    try:
        path = Path(name)
        if path.is_dir():
            raise ConfigurationError(f"{name} is a directory: name a file.")
        if path.exists() and not path.is_file():
            if resume:
                raise ConfigurationError(f"{name} is not a file, so it cannot be resumed.")
            return os.open(name, os.O_WRONLY)  # a device or a pipe
        descriptor = os.open(name, flags | (0 if resume else os.O_EXCL), 0o666)
    except FileExistsError as error:
        raise ConfigurationError(
            f"{name} exists already: resume the batch that wrote it, or name another file."
        ) from error
    except OSError as error:
        raise BatchError(f"Could not open {name}: {error.strerror or error}.") from error
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise ConfigurationError(f"Another batch is writing to {name}.") from error
        except OSError:
            pass  # a file system without locks
    return descriptor
