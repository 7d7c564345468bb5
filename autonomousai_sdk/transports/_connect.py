"""Opening a blocking TCP connection: one time limit for the lookup and all addresses."""

from __future__ import annotations

import math
import os
import selectors
import socket
from collections.abc import Generator
from contextlib import contextmanager
from ssl import SSLError
from time import monotonic
from typing import Any, cast

from .._core.exchange import TransportError
from ._lookup import Address, in_order, lookup

HAPPY_EYEBALLS_DELAY = 0.25
"""Seconds after which the next address is tried too (RFC 8305, section 5)."""


@contextmanager
def connecting() -> Generator[None]:
    """Turn what can go wrong with connecting into a `TransportError`."""
    try:
        yield
    except TimeoutError as error:
        raise TransportError("timeout", "connecting took too long", phase="connect") from error
    except SSLError as error:
        raise TransportError("tls", str(error), phase="connect") from error
    except (OSError, UnicodeError) as error:  # UnicodeError: of a name that cannot be looked up
        message = str(error) or "the connection was closed"
        raise TransportError("connect", message, phase="connect") from error


def connect(host: str, port: int, until: float, local_address: str | None) -> socket.socket:
    """Connect to the first address of a host that answers.

    Args:
        host: a name or an address.
        port: the port.
        until: when to give up, by the monotonic clock; infinite for never.
        local_address: the address to connect from, or None.

    Raises:
        TimeoutError: the connection was not open in time.
        OSError: the name or every address failed.
    """
    left = None if until == math.inf else max(0.0, until - monotonic())
    found = lookup(host, port).result(left)
    return _Attempts(in_order(found), until, local_address).first()


class _Attempts:
    """Connection attempts to several addresses, each started a little after the one before."""

    def __init__(self, rest: list[Address], until: float, local_address: str | None) -> None:
        self._rest = rest
        self._until = until
        self._local_address = local_address
        self._selector = selectors.DefaultSelector()
        self._pending: set[socket.socket] = set()
        self._errors: list[str] = []

    def first(self) -> socket.socket:
        """The first connection that opens; the other attempts are given up."""
        next_at = -math.inf
        try:
            while True:
                now = monotonic()
                if now >= self._until:
                    raise TimeoutError
                if self._rest and (now >= next_at or not self._pending):
                    self._start(*self._rest.pop(0))
                    next_at = now + HAPPY_EYEBALLS_DELAY
                elif not self._pending:
                    raise OSError("; ".join(self._errors))
                elif opened := self._wait(min(self._until, next_at if self._rest else math.inf)):
                    return opened
        finally:
            self._selector.close()
            for each in self._pending:
                each.close()

    def _start(self, family: int, address: Any) -> None:
        attempted = socket.socket(family, socket.SOCK_STREAM)
        self._pending.add(attempted)
        attempted.settimeout(0)
        try:
            if self._local_address is not None:
                attempted.bind((self._local_address, 0))
            attempted.connect(address)
        except BlockingIOError:
            pass  # it is under way
        except OSError as error:
            self._fail(attempted, error)
            return
        self._selector.register(attempted, selectors.EVENT_WRITE)

    def _wait(self, until: float) -> socket.socket | None:
        """Wait for an attempt to end; the connection, if one opened."""
        ended = self._selector.select(None if until == math.inf else max(0, until - monotonic()))
        for key, _ in ended:
            attempted = cast("socket.socket", key.fileobj)
            self._selector.unregister(attempted)
            code = attempted.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                self._pending.remove(attempted)
                attempted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return attempted
            self._fail(attempted, OSError(code, os.strerror(code)))
        return None

    def _fail(self, attempted: socket.socket, error: OSError) -> None:
        self._errors.append(str(error))
        self._pending.remove(attempted)
        attempted.close()
