"""Real proxies on loopback, HTTP and SOCKS5, each connection in a thread.

Wherever a client asks to go, a proxy connects to `target`, so that a test can use the name of
any host. What the client asked for is recorded.
"""

from __future__ import annotations

import socket
import ssl
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager, suppress
from select import select
from threading import Thread
from time import sleep
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import define, field, frozen


@frozen
class Asked:
    """A request to a proxy.

    Attributes:
        line: the request line of an HTTP proxy, or `host:port` for SOCKS.
        headers: the headers of an HTTP request, names in lower case.
        credentials: user name and password sent to a SOCKS proxy, or None.
    """

    line: str
    headers: dict[str, str] = field(factory=dict[str, str])
    credentials: tuple[bytes, bytes] | None = None


@define(eq=False)
class Proxy:
    """A proxy that serves until the end of its `with` block.

    Args:
        target: the URL of the server that every connection goes to; None answers nothing.
        scheme: http, https or socks5.
        credentials: the user name and password it asks for.
        tls: the TLS context of an https proxy.

    Attributes:
        asked: the requests so far.
    """

    target: str | None
    scheme: str = "http"
    credentials: tuple[bytes, bytes] | None = None
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    asked: list[Asked] = field(init=False, factory=list[Asked])
    _listener: socket.socket = field(init=False)
    _open: list[socket.socket] = field(init=False, factory=list[socket.socket])

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    def url(self, user_info: str = "") -> str:
        """Its URL, with this user name and password, percent-encoded."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{user_info and f'{user_info}@'}{host}:{self.port}"

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family)
        Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(accepted)
            Thread(target=self._serve, args=[accepted], name="proxy", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError, ValueError):
            if self.tls is not None:
                client = self.tls.wrap_socket(client, server_side=True)
                self._open.append(client)
            (self._serve_socks if self.scheme == "socks5" else self._serve_http)(client)
        client.close()

    def _serve_http(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += _some(client)
        lines, _, body = head.partition(b"\r\n\r\n")
        line, *fields = lines.decode("latin-1").split("\r\n")
        pairs = (each.partition(":") for each in fields)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.asked.append(Asked(line, headers))
        method, url, _ = line.split(" ")
        if self.credentials is not None and headers.get("proxy-authorization") != self._basic():
            client.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
            )
            return
        with self._target() as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = urlsplit(url).path or "/"
                rest = lines.split(b"\r\n", 1)[1]
                server.sendall(f"{method} {path} HTTP/1.1\r\n".encode() + rest + b"\r\n\r\n" + body)
            _pass_on(client, server)

    def _serve_socks(self, client: socket.socket) -> None:
        _, count = _exactly(client, 2)
        methods = _exactly(client, count)
        credentials = None
        if self.credentials is None:
            client.sendall(b"\x05\x00" if 0 in methods else b"\x05\xff")
        else:
            client.sendall(b"\x05\x02" if 2 in methods else b"\x05\xff")
            user = _exactly(client, _exactly(client, 2)[1])
            credentials = user, _exactly(client, _exactly(client, 1)[0])
            client.sendall(b"\x01\x00" if credentials == self.credentials else b"\x01\x01")
            if credentials != self.credentials:
                return
        kind = _exactly(client, 4)[3]
        if kind == 3:
            host = _exactly(client, _exactly(client, 1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, _exactly(client, size))
        port = int.from_bytes(_exactly(client, 2), "big")
        self.asked.append(Asked(f"{host}:{port}", credentials=credentials))
        if self.target is None:
            client.sendall(b"\x05\x04\x00\x01" + bytes(6))  # host unreachable
            return
        with self._target() as server:
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            _pass_on(client, server)

    def _basic(self) -> str:
        return f"Basic {b64encode(b':'.join(self.credentials or ())).decode()}"

    @contextmanager
    def _target(self) -> Generator[socket.socket]:
        parts = urlsplit(self.target or "")
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as server:
            self._open.append(server)
            yield server


def _some(source: socket.socket) -> bytes:
    data = source.recv(65536)
    if not data:
        raise ConnectionAbortedError
    return data


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += source.recv(size - len(data)) or _some(source)
    return data


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    """Pass bytes both ways until one side ends."""
    ways: dict[Any, Any] = {client: server, server: client}
    while True:
        # What TLS has decrypted already is not in the kernel's buffer.
        pending = isinstance(client, ssl.SSLSocket) and client.pending()
        ready = [client] if pending else select([client, server], [], [])[0]
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            ways[source].sendall(data)


@contextmanager
def dripping(data: bytes, every: float = 0.05) -> Generator[int]:
    """A port whose connections get some bytes, one at a time, whatever they send."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = listener.accept()
                    Thread(target=_drip, args=(accepted, data, every), daemon=True).start()

        Thread(target=serve, name="dripping", daemon=True).start()
        port: int = listener.getsockname()[1]
        yield port
        listener.shutdown(socket.SHUT_RDWR)


def _drip(client: socket.socket, data: bytes, every: float) -> None:
    with client, suppress(OSError):
        for number in range(len(data)):
            client.sendall(data[number : number + 1])
            sleep(every)
