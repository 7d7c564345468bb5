"""The handshakes that open a connection through a proxy: HTTP CONNECT and SOCKS5.

A handshake is a generator without I/O, like the flows of the core: it yields bytes to send, is
sent the bytes received, as few or many as there are, and returns when the connection is open. So
one implementation serves threads, asyncio and trio, and its time limit is whoever runs it: that of
connecting, for all its steps together.

RFC 9110, section 9.3.6, for CONNECT; RFC 1928 and RFC 1929 for SOCKS5.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Protocol

from .._core.exchange import TransportError
from ._proxy import Proxy, bracketed

Handshake = Generator[bytes, bytes, None]

MAX_HEAD = 64 * 1024
"""Bytes that the head of a proxy's response may have."""

_READ_SIZE = 4096
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: ([\x20-\x7e]*))?", re.ASCII)

REPLIES = {
    1: "general failure",
    2: "connection not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}
"""The codes of a SOCKS5 reply (RFC 1928, section 6)."""


class BlockingStream(Protocol):
    """What a blocking handshake needs of a connection to a proxy."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    def write(self, buffer: bytes, timeout: float | None = None) -> None: ...


class AwaitingStream(Protocol):
    """What an awaiting handshake needs of a connection to a proxy."""

    async def read(self, max_bytes: int) -> bytes: ...
    async def write(self, buffer: bytes) -> None: ...


def handshake(proxy: Proxy, host: str, port: int) -> Handshake:
    """The handshake that has a proxy connect to a host and port.

    Raises:
        TransportError: while it runs: the proxy refused, or does not speak its protocol.
    """
    return _socks5(proxy, host, port) if proxy.is_socks else _connect(proxy, host, port)


def shake_hands(stream: BlockingStream, steps: Handshake, timeout: float | None) -> None:
    """Run a handshake; the timeout applies to each read and write."""
    try:
        data = next(steps)
        while True:
            if data:
                stream.write(data, timeout)
            data = steps.send(stream.read(_READ_SIZE, timeout))
    except StopIteration:
        pass


async def shake_hands_async(stream: AwaitingStream, steps: Handshake) -> None:
    """Run a handshake; the caller limits its time."""
    try:
        data = next(steps)
        while True:
            if data:
                await stream.write(data)
            data = steps.send(await stream.read(_READ_SIZE))
    except StopIteration:
        pass


def _connect(proxy: Proxy, host: str, port: int) -> Handshake:
    target = f"{bracketed(host)}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", "Accept: */*"]
    if (authorization := proxy.authorization) is not None:
        lines.append(f"Proxy-Authorization: {authorization}")
    received = _some((yield ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")), b"")
    while (end := _HEAD_END.search(received)) is None:
        if len(received) > MAX_HEAD:
            raise _broken("the proxy's response has a head of more than 64 KiB")
        received += _some((yield b""), received)
    found = _STATUS_LINE.match(received)
    if found is None:
        raise _broken("the proxy's response is not valid HTTP")
    status = int(found[1])
    if not 200 <= status < 300:
        reason = (found[2] or b"").decode("ascii")[:100].strip()
        raise _broken(f"the proxy answered {f'{status} {reason}'.strip()}")
    if end.end() != len(received):
        raise _broken("the proxy sent data before the connection was used")


def _socks5(proxy: Proxy, host: str, port: int) -> Handshake:
    # Only an extra brings it, and a SOCKS proxy is refused without.
    from socksio import socks5

    received = bytearray()
    methods = [socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED]
    if proxy.credentials is not None:
        methods.append(socks5.SOCKS5AuthMethod.USERNAME_PASSWORD)
    yield from _send(socks5.SOCKS5AuthMethodsRequest(methods).dumps(), received)
    version, method = yield from _exactly(2, received)
    if version != 5:
        raise _broken("the proxy does not speak SOCKS5")
    if method == 2 and proxy.credentials is not None:
        request = socks5.SOCKS5UsernamePasswordRequest(*proxy.credentials)
        yield from _send(request.dumps(), received)
        _, failed = yield from _exactly(2, received)
        if failed:
            raise _broken("the SOCKS proxy refused the user name and password")
    elif method != 0:
        offered = "no" if proxy.credentials is None else "the"
        raise _broken(f"the SOCKS proxy does not accept {offered} user name and password")
    command = socks5.SOCKS5CommandRequest.from_address(socks5.SOCKS5Command.CONNECT, (host, port))
    yield from _send(command.dumps(), received)
    _, code, _, kind, size = yield from _exactly(5, received)
    if code != 0:
        raise _broken(f"the SOCKS proxy could not connect: {REPLIES.get(code, f'code {code}')}")
    # The address that the proxy connected from, of which one byte has been read, and its port.
    yield from _exactly({1: 4, 3: size + 1, 4: 16}.get(kind, 1) - 1 + 2, received)
    if received:
        raise _broken("the proxy sent data before the connection was used")


def _send(data: bytes, received: bytearray) -> Handshake:
    """Send bytes, and keep the first of the response."""
    received += _some((yield data), received)


def _exactly(size: int, received: bytearray) -> Generator[bytes, bytes, bytes]:
    """Take so many bytes of what was received, and read on until they are there."""
    while len(received) < size:
        received += _some((yield b""), received)
    data = bytes(received[:size])
    del received[:size]
    return data


def _some(data: bytes, received: bytes | bytearray) -> bytes:
    """The data, unless the proxy closed the connection."""
    if not data:
        after = f"after {len(received)} bytes" if received else "without a response"
        raise _broken(f"the proxy closed the connection {after}")
    return data


def _broken(message: str) -> TransportError:
    return TransportError("connect", message, phase="connect")
