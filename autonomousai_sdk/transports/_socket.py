"""Sockets, below the event loops' and libraries' wrappers."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any


def shut_down(connection: Any) -> None:
    """End a connection at once, from any thread; who reads from it wakes up.

    Args:
        connection: a socket, or an event loop's wrapper of one. uvloop's wrapper refuses
            `shutdown()`, so a duplicate of the descriptor is shut down, which is the same.
    """
    with suppress(OSError):  # it may be closed already
        duplicate = socket.fromfd(connection.fileno(), connection.family, connection.type)
        with duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
