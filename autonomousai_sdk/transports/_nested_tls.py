"""TLS on a blocking connection, also inside another TLS connection (through an https proxy)."""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

Buffer = bytes | bytearray | memoryview

_RECORD_SIZE = 16384
"""Bytes of a TLS record (RFC 8446, section 5.1)."""

_SHORTEST = 0.001
"""Seconds. A socket timeout of 0 would mean non-blocking, not "expire at once"."""


class TLSInTLS:
    """A TLS connection inside another, with the methods of a socket that a stream needs.

    `SSLContext.wrap_socket` works on the file descriptor, below the outer TLS.

    Args:
        outer: the outer connection.
        context: the TLS context of the inner one.
        server_hostname: the inner server's name.
    """

    def __init__(
        self, outer: ssl.SSLSocket, context: ssl.SSLContext, server_hostname: str | None
    ) -> None:
        self.outer = outer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )

    def do_handshake(self, until: float) -> None:
        """Shake hands.

        Raises:
            TimeoutError: timed out.
        """
        self._run(self._tls.do_handshake, until)

    def recv(self, size: int) -> bytes:
        """Receive at least one byte, none at the end."""
        return self._run(lambda: self._tls.read(size))

    def send(self, data: Buffer) -> int:
        """Send some of the data; return how much."""
        return self._run(lambda: self._tls.write(data[:_RECORD_SIZE]))

    def settimeout(self, seconds: float | None) -> None:
        """Set the seconds that each wait may take."""
        self.outer.settimeout(seconds)

    def selected_alpn_protocol(self) -> str | None:
        """The protocol that was agreed on."""
        return self._tls.selected_alpn_protocol()

    def close(self) -> None:
        """Close both connections."""
        self.outer.close()

    def _run(self, act: Callable[[], T], until: float = math.inf) -> T:
        """Do an operation, with the sending and receiving it needs below."""
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                self._flush()
            else:
                self._flush()
                return result
            set_timeout(self, until)
            if data := self.outer.recv(_RECORD_SIZE):
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _flush(self) -> None:
        self.outer.sendall(self._outgoing.read())


Connection = socket.socket | TLSInTLS
"""A socket, with TLS or without, or TLS inside TLS."""


def secure(
    connection: Connection, context: ssl.SSLContext, server_hostname: str | None, until: float
) -> Connection:
    """Start TLS on a connection.

    Args:
        connection: the connection; this function does not close it if TLS fails.
        context: the TLS context.
        server_hostname: the server's name.
        until: when to give up, by the monotonic clock; infinite for never.

    Raises:
        TimeoutError: timed out.
        OSError: TLS or the connection failed.
    """
    if isinstance(connection, ssl.SSLSocket):
        nested = TLSInTLS(connection, context, server_hostname)
        nested.do_handshake(until)
        return nested
    if isinstance(connection, TLSInTLS):
        raise OSError("TLS inside TLS inside TLS is not supported")
    connection.settimeout(None if until == math.inf else max(_SHORTEST, until - monotonic()))
    # The timeout is for the whole handshake: `ssl` counts it down over its reads and writes.
    return context.wrap_socket(connection, server_hostname=server_hostname)


def set_timeout(connection: Connection, until: float) -> None:
    """Let the next wait end at a point in time; leave the timeout as it is for infinity.

    Raises:
        TimeoutError: timed out.
    """
    if until != math.inf:
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
