"""The handshakes of proxies: what they send, and how they take any response."""

from __future__ import annotations

import pytest

from autonomousai_sdk.transports import TransportError
from autonomousai_sdk.transports._proxy import Proxy
from autonomousai_sdk.transports._tunnel import MAX_HEAD, handshake

PLAIN = Proxy("http", "proxy", 80)
LOGIN = Proxy("http", "proxy", 80, (b"me", b"sesame"))
SOCKS = Proxy("socks5", "proxy", 1080)
SOCKS_LOGIN = Proxy("socks5", "proxy", 1080, (b"me", b"sesame"))

CONNECT = b"CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\nAccept: */*\r\n"
COMMAND = b"\x05\x01\x00\x03\x04host\x01\xbb"
IPV4_REPLY = b"\x05\x00\x00\x01" + bytes(6)
IPV6_REPLY = b"\x05\x00\x00\x04" + bytes(18)
NAME_REPLY = b"\x05\x00\x00\x03\x05proxy\x00\x50"


def run(proxy: Proxy, replies: tuple[bytes, ...], size: int, host: str = "host") -> bytes:
    """Run a handshake on replies that come in pieces of a size; what was sent.

    After the last reply the proxy closes the connection.
    """
    pieces = [
        reply[start : start + size] for reply in replies for start in range(0, len(reply), size)
    ]
    sent = b""
    steps = handshake(proxy, host, 443)
    try:
        sent += next(steps)
        while True:
            sent += steps.send(pieces.pop(0) if pieces else b"")
    except StopIteration:
        assert not pieces
        return sent


SIZES = [1, 2, 3, 5, 7, 1000]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.0 200\r\n\r\n",
        b"HTTP/1.1 200 OK\nvia: proxy\n\n",
        b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n",
    ],
)
def test_connect(response: bytes, size: int) -> None:
    """CONNECT names the host, and every 2xx status opens the tunnel, in pieces of any size."""
    assert run(PLAIN, (response,), size) == CONNECT + b"\r\n"


def test_connect_with_credentials() -> None:
    """Credentials go to the proxy with CONNECT, and IPv6 is in brackets."""
    sent = run(LOGIN, (b"HTTP/1.1 200 OK\r\n\r\n",), 1000, "2001:db8::1")
    assert sent == (
        b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\nAccept: */*\r\n"
        b"Proxy-Authorization: Basic bWU6c2VzYW1l\r\n\r\n"
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("reply", [IPV4_REPLY, IPV6_REPLY, NAME_REPLY])
def test_socks(reply: bytes, size: int) -> None:
    """SOCKS5 sends its greeting and the name, in pieces of any size, whatever address it gets."""
    assert run(SOCKS, (b"\x05\x00", reply), size) == b"\x05\x01\x00" + COMMAND


@pytest.mark.parametrize("size", SIZES)
def test_socks_with_credentials(size: int) -> None:
    """Credentials are sent to a SOCKS proxy that asks for them, and only to one that does."""
    greeting, login = b"\x05\x02\x00\x02", b"\x01\x02me\x06sesame"
    asked = run(SOCKS_LOGIN, (b"\x05\x02", b"\x01\x00", IPV4_REPLY), size)
    assert asked == greeting + login + COMMAND
    assert run(SOCKS_LOGIN, (b"\x05\x00", IPV4_REPLY), size) == greeting + COMMAND


@pytest.mark.parametrize(
    ("proxy", "response", "said"),
    [
        (PLAIN, b"", "the proxy closed the connection without a response"),
        (PLAIN, b"HTTP/1.1 200 OK\r\n", "the proxy closed the connection after 17 bytes"),
        (PLAIN, b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answered 407 Pr"),
        (PLAIN, b"HTTP/1.1 502\r\n\r\n", "the proxy answered 502$"),
        (PLAIN, b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not valid HTTP"),
        (PLAIN, b"HTTP/1.1 200 OK\r\n\r\nx", "sent data before the connection was used"),
        (PLAIN, b"x" * (MAX_HEAD + 2000), "head of more than 64 KiB"),
        (SOCKS, b"", "the proxy closed the connection without a response"),
        (SOCKS, b"\x05", "the proxy closed the connection after 1 bytes"),
        (SOCKS, b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SOCKS5"),
        (SOCKS, b"\x05\xff", "does not accept no user name and password"),
        (SOCKS, b"\x05\x02", "does not accept no user name and password"),
        (SOCKS_LOGIN, b"\x05\xff", "does not accept the user name and password"),
        (SOCKS_LOGIN, (b"\x05\x02", b"\x01\x01"), "refused the user name and password"),
        (
            SOCKS,
            (b"\x05\x00", b"\x05\x05\x00\x01" + bytes(6)),
            "could not connect: connection refused",
        ),
        (SOCKS, (b"\x05\x00", b"\x05c\x00\x01" + bytes(6)), "could not connect: code 99"),
        (SOCKS, (b"\x05\x00", IPV4_REPLY + b"x"), "sent data before the connection was used"),
        (SOCKS, (b"\x05\x00", IPV4_REPLY[:-1]), "the proxy closed the connection after"),
    ],
)
def test_refusal(proxy: Proxy, response: bytes | tuple[bytes, ...], said: str) -> None:
    """A proxy that refuses, or does not speak its protocol, is an error that says so."""
    with pytest.raises(TransportError, match=said) as caught:
        run(proxy, response if isinstance(response, tuple) else (response,), 1000)
    assert (caught.value.kind, caught.value.phase) == ("connect", "connect")
    assert "sesame" not in str(caught.value)
