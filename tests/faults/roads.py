"""Group N: the way to a server: proxies, names and certificates."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from tests.support.case import Group, created, expect, fine, owed, streamed, within
from tests.support.certificate import CERTIFICATE, server_context
from tests.support.client_under_test import ClientUnderTest
from tests.support.fault_server import FaultServer, black_hole
from tests.support.proxies import Proxy, dripping
from tests.support.wire import document

from .keys import environment

GROUP = Group([])
case = GROUP.case

NO_VARIABLES = dict.fromkeys(
    ("SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy"), ""
)

SLOWNESS = 1.5
"""Seconds a limit of 0.3 s may take on a busy machine."""

Place = Generator[tuple[str, dict[str, Any]]]
"""Yields the URL to call, and how to reach it."""


@contextmanager
def _silent_proxy(scheme: str, url: str) -> Place:
    with FaultServer(accepts=False) as proxy:
        yield url, {"proxy": f"{scheme}://127.0.0.1:{proxy.port}"}


@contextmanager
def _silent_server() -> Place:
    with FaultServer(accepts=False) as server:
        yield f"https://127.0.0.1:{server.port}", {}


@contextmanager
def _silent_behind_proxy(scheme: str) -> Place:
    """The proxy opens the tunnel, and TLS stalls behind it."""
    with (
        FaultServer(accepts=False) as server,
        Proxy(f"http://127.0.0.1:{server.port}", scheme) as proxy,
    ):
        yield f"https://localhost:{server.port}", {"proxy": proxy.url()}


@contextmanager
def _drip(data: bytes, proxy: str | None, url: str) -> Place:
    """The proxy or server sends a byte now and then."""
    with dripping(data) as port:
        if proxy is None:
            yield f"{url}:{port}", {}
        else:
            yield url, {"proxy": f"{proxy}://127.0.0.1:{port}"}


@contextmanager
def _lookup(find: Callable[..., Any]) -> Generator[None]:
    """Look names that end in `.test` up by a function of the test's own."""
    real = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        # Numbers are still asked for first, and those who ask want an error for a name.
        flags = arguments[4] if len(arguments) > 4 else options.get("flags", 0)
        if str(name).endswith(".test") and not flags & socket.AI_NUMERICHOST:
            return find()
        return real(host, *arguments, **options)

    socket.getaddrinfo = look_up
    try:
        yield
    finally:
        socket.getaddrinfo = real


_numbers = count()


@contextmanager
def _slow_name() -> Place:
    over = Event()

    def wait() -> Any:
        over.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with _lookup(wait):
        try:
            # A name of its own: those who wait for the same name share a lookup.
            yield f"http://slow{next(_numbers)}.test", {}
        finally:
            over.set()


def _found(port: int) -> tuple[Any, ...]:
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port)


@contextmanager
def _silent_addresses() -> Place:
    with black_hole() as url:
        port = urlsplit(url).port or 0
        with _lookup(lambda: [_found(port)] * 4):
            yield f"http://many.test:{port}", {}


SOCKS_DRIP = b"\x05\x00\x05\x00\x00\x03\xff" + bytes(300)
CONNECT_DRIP = b"HTTP/1.1 200 OK\r\nx: " + b"x" * 1000
TLS_DRIP = b"\x16\x03\x03\x40\x00" + bytes(1000)

PLACES: dict[str, Callable[[], Any]] = {
    "socks": lambda: _silent_proxy("socks5", "http://service.test"),
    "socks-https": lambda: _silent_proxy("socks5h", "https://service.test"),
    "connect": lambda: _silent_proxy("http", "https://service.test"),
    "https-proxy": lambda: _silent_proxy("https", "http://service.test"),
    "tls": _silent_server,
    "tls-behind-connect": lambda: _silent_behind_proxy("http"),
    "tls-behind-socks": lambda: _silent_behind_proxy("socks5"),
    "socks-drip": lambda: _drip(SOCKS_DRIP, "socks5", "http://service.test"),
    "connect-drip": lambda: _drip(CONNECT_DRIP, "http", "https://service.test"),
    "tls-drip": lambda: _drip(TLS_DRIP, None, "https://127.0.0.1"),
    "lookup": _slow_name,
    "addresses": _silent_addresses,
}


@case("N1", over=PLACES)
async def connect_limit(client_under_test: ClientUnderTest, place: Callable[[], Any]) -> None:
    """However the way to a server stalls, the connect limit ends the call."""
    with environment(**NO_VARIABLES), place() as (url, route):
        limits = {"connect": 0.3, "total": 8.0}
        async with client_under_test.client(url, limits=limits, retries=0, route=route) as client:
            outcome = await created(client_under_test, client)
    error = owed(outcome, client_under_test.errors.timeout)
    limit = getattr(error, "limit", "")
    expect(client_under_test.is_peer or limit == "connect", f"the limit named is {limit!r}")
    within(outcome.seconds, SLOWNESS, "a limit of 0.3 s")


@case("N1", over={f"{name}-total": place for name, place in PLACES.items()})
async def total_limit(client_under_test: ClientUnderTest, place: Callable[[], Any]) -> None:
    """However the way to a server stalls, the total limit ends the call, for a stream too."""
    with environment(**NO_VARIABLES), place() as (url, route):
        limits = {"connect": 8.0, "total": 0.3}
        async with client_under_test.client(url, limits=limits, route=route) as client:
            outcome = await streamed(client_under_test, client)
    error = owed(outcome, client_under_test.errors.timeout)
    limit = getattr(error, "limit", "")
    expect(client_under_test.is_peer or limit == "total", f"the limit named is {limit!r}")
    within(outcome.seconds, SLOWNESS, "a limit of 0.3 s")


@case("N1", "second-address")
async def second_address(client_under_test: ClientUnderTest) -> None:
    """A silent first address does not keep a call from the second."""
    with black_hole() as silent, FaultServer(document()) as server:
        found = [_found(urlsplit(silent).port or 0), _found(server.port)]
        with environment(**NO_VARIABLES), _lookup(lambda: found):
            limits = {"connect": 3.0, "total": 8.0}
            url = f"http://many.test:{server.port}"
            async with client_under_test.client(url, limits=limits, retries=0) as client:
                outcome = await created(client_under_test, client)
    fine(outcome, "Hello world")


@case("N1", "slow-but-in-time")
async def slow_in_time(client_under_test: ClientUnderTest) -> None:
    """A lookup that takes half of the connect limit does no harm."""
    with FaultServer(document()) as server:

        def find() -> Any:
            time.sleep(0.5)
            return [_found(server.port)]

        with environment(**NO_VARIABLES), _lookup(find):
            limits = {"connect": 5.0, "total": 8.0}
            url = f"http://slow.test:{server.port}"
            async with client_under_test.client(url, limits=limits, retries=0) as client:
                fine(await created(client_under_test, client), "Hello world")


SECRET = "sesame"
BAD_PROXIES = {
    "port": f"http://me:{SECRET}@127.0.0.1:99999",
    "no-number": f"http://me:{SECRET}@127.0.0.1:x",
    "hash": f"http://me:a#{SECRET}@127.0.0.1:1",
    "question-mark": f"http://me:a?{SECRET}@127.0.0.1:1",
    "slash": f"http://me:a/{SECRET}@127.0.0.1:1",
    "at": f"http://me:a@{SECRET}@127.0.0.1:1",
    "percent": f"http://me:a%{SECRET}@127.0.0.1:1",
    "bracket": f"http://me:{SECRET}@[::1:1",
    "scheme": f"gopher://me:{SECRET}@127.0.0.1:1",
    "white-space": f"http://me:{SECRET}@127.0.0.1:1 ",
    "no-host": f"http://me:{SECRET}@",
}


@case("N2", over=BAD_PROXIES)
async def bad_proxy(client_under_test: ClientUnderTest, proxy: str) -> None:
    """A proxy's URL that is wrong is refused before anything is sent, without its password."""
    with environment(**NO_VARIABLES):
        await _refused(client_under_test, "proxy=", {"proxy": proxy}, SECRET)


@case("N2", over={f"{name}-in-environment": url for name, url in BAD_PROXIES.items()})
async def bad_variable(client_under_test: ClientUnderTest, proxy: str) -> None:
    """So is one of the environment, by the name of its variable."""
    with environment(**{**NO_VARIABLES, "HTTP_PROXY": proxy}):
        await _refused(client_under_test, "HTTP_PROXY", {}, SECRET)


async def _refused(
    client_under_test: ClientUnderTest,
    source: str,
    route: dict[str, Any],
    secret: str = "\x00",
    url: str = "http://service.test",
) -> None:
    """Making a client and a call raises a `ConfigurationError` that names the source."""
    try:
        async with client_under_test.client(url, route=route) as client:
            outcome = await created(client_under_test, client)
            raise outcome.error or AssertionError("no error")
    except client_under_test.errors.configuration as error:
        expect(source in str(error), f"the error does not name {source}: {error}")
        expect(secret not in f"{error}{error!r}", "the error repeats the password")


EXCLUDED = {
    "name": ("service.test", "http://service.test:{port}"),
    "subdomain": ("test", "http://service.test:{port}"),
    "suffix": (".test", "http://service.test:{port}"),
    "star": ("*", "http://service.test:{port}"),
    "port": ("service.test:{port}", "http://service.test:{port}"),
    "white-space": (" a.example , SERVICE.test ", "http://service.test:{port}"),
}


@case("N3", over=EXCLUDED)
async def excluded(client_under_test: ClientUnderTest, entry: tuple[str, str]) -> None:
    """A request to a host that NO_PROXY excludes goes there, and nothing reaches the proxy."""
    with FaultServer(document()) as server, FaultServer(document()) as proxy:
        no_proxy, url = (each.format(port=server.port) for each in entry)
        variables = {"HTTP_PROXY": proxy.url, "NO_PROXY": no_proxy}
        with environment(**{**NO_VARIABLES, **variables}), _lookup(lambda: [_found(server.port)]):
            async with client_under_test.client(url, retries=0) as client:
                fine(await created(client_under_test, client), "Hello world")
        expect(not proxy.connections, "the proxy was connected to")


UNREACHABLE = {
    "ipv4": ("192.0.2.1", "http://192.0.2.1"),
    "network": ("192.0.2.0/24", "http://192.0.2.1"),
    "ipv6": ("2001:db8::1", "http://[2001:db8::1]"),
    "ipv6-brackets": ("[2001:db8::1]", "http://[2001:db8::1]"),
    "ipv6-network": ("2001:db8::/32", "http://[2001:db8::1]"),
}


@case("N3", over=UNREACHABLE)
async def excluded_address(client_under_test: ClientUnderTest, entry: tuple[str, str]) -> None:
    """Nothing reaches the proxy for an address that NO_PROXY excludes, however it is written."""
    no_proxy, url = entry
    with FaultServer(document()) as proxy:
        with environment(**{**NO_VARIABLES, "HTTP_PROXY": proxy.url, "NO_PROXY": no_proxy}):
            limits = {"connect": 0.2, "total": 0.4}
            async with client_under_test.client(url, limits=limits, retries=0) as client:
                owed(await created(client_under_test, client), client_under_test.errors.connection)
        expect(not proxy.connections, "the proxy was connected to")


SOURCES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "verify=")


@case("N4", over={f"{source.strip('=')}-missing": source for source in SOURCES})
async def missing_certificates(client_under_test: ClientUnderTest, source: str) -> None:
    """Certificates at a path that does not exist are an error with its source and the path."""
    await _without_certificates(client_under_test, source, "/missing/ca.pem")


@case("N4", over={f"{source.strip('=')}-rubbish": source for source in SOURCES})
async def rubbish_certificates(client_under_test: ClientUnderTest, source: str) -> None:
    """So is what holds no certificates: a key, or a folder without any."""
    path = CERTIFICATE.parent if source == "SSL_CERT_DIR" else CERTIFICATE.with_suffix(".key")
    await _without_certificates(client_under_test, source, str(path))


@case("N4", over={f"{source.strip('=')}-other-kind": source for source in SOURCES[:2]})
async def other_kind(client_under_test: ClientUnderTest, source: str) -> None:
    """So is a directory where a file is due, or the reverse."""
    path: Path = CERTIFICATE if source == "SSL_CERT_DIR" else CERTIFICATE.parent
    await _without_certificates(client_under_test, source, str(path))


async def _without_certificates(client_under_test: ClientUnderTest, source: str, path: str) -> None:
    with FaultServer(document(), tls=server_context()) as server:
        route: dict[str, Any] = {"verify": path} if source == "verify=" else {}
        variables = {} if route else {source: path}
        with environment(**{**NO_VARIABLES, **variables}):
            await _refused(client_under_test, source, route, url=server.url)
            if not client_under_test.is_peer:
                await _refused(client_under_test, path, route, url=server.url)
        expect(not server.connections, "something was sent")


@case("N4", "trusted")
async def trusted(client_under_test: ClientUnderTest) -> None:
    """A certificate is trusted that SSL_CERT_FILE names."""
    variables = {**NO_VARIABLES, "SSL_CERT_FILE": str(CERTIFICATE)}
    with FaultServer(document(), tls=server_context()) as server, environment(**variables):
        async with client_under_test.client(server.url, retries=0) as client:
            fine(await created(client_under_test, client), "Hello world")
