"""The lines that were read and answered, by their keys.

The keys are in a temporary database of SQLite, which spills to disk, so that the memory does not
grow with the number of lines.
"""

from __future__ import annotations

import sqlite3
from types import TracebackType
from typing import Literal, Self

from ..errors import BatchError

Status = Literal["new", "answered"] | int
"""`new`, `answered` in the output already, or the number of the earlier line of the same key."""

_CACHE_KIB = 8192


class Ledger:
    """The keys of the lines that were answered by an earlier run, or read by this one."""

    def __init__(self) -> None:
        # The event loop and the threads it waits for use it one after the other.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(
            f"""
            PRAGMA journal_mode = OFF;
            PRAGMA synchronous = OFF;
            PRAGMA cache_size = -{_CACHE_KIB};
            CREATE TABLE lines (key BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID;
            BEGIN;
            """
        )
        self._has_answers = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def answered(self, key: bytes) -> bool:
        """Record that the output has a result of this key; return False if it has two."""
        self._has_answers = True
        return self._insert(key, 0)

    def read(self, key: bytes, line: int, *, has_id: bool) -> Status:
        """Record that the input has a line of this key; return whether that is a new one."""
        if not has_id and not self._has_answers:
            return "new"  # a line number is never read twice
        if self._insert(key, line):
            return "new"
        found: int = self._run("SELECT line FROM lines WHERE key = ?", key).fetchone()[0]
        if found:
            return found
        self._run("UPDATE lines SET line = ? WHERE key = ?", line, key)
        return "answered"

    def _insert(self, key: bytes, line: int) -> bool:
        return self._run("INSERT OR IGNORE INTO lines VALUES (?, ?)", key, line).rowcount == 1

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise BatchError(
                f"The temporary database of the batch failed: {error}. The results so far are "
                "whole: free space in the folder for temporary files and resume the batch."
            ) from error
