"""Group K: keys and prompts must not leak; addresses are joined or refused."""

from __future__ import annotations

import logging
import os
import pickle
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import autonomousai_sdk as sdk
from autonomousai_sdk._core.check import String
from autonomousai_sdk._core.operation import Argument, Operation, Route
from autonomousai_sdk._core.settings import CallOptions
from tests.support import programs
from tests.support.case import WAYS, Group, Outcome, created, expect, fine, owed, streamed
from tests.support.certificate import CERTIFICATE, server_context
from tests.support.client_under_test import (
    PROTOCOLS,
    ClientUnderTest,
    FaultNotHandled,
    Options,
    settled,
)
from tests.support.fault_server import FaultServer, refused
from tests.support.script import Answer, Fin, Gate, Reset, Send
from tests.support.wire import (
    BEGUN,
    CHUNKED,
    STREAM,
    body,
    coded,
    document,
    event,
    failed,
    problem,
    stream,
)

GROUP = Group([])
case = GROUP.case

# Functions below read these globals instead of arguments, so that no frame of the suite holds them
# when tracebacks are searched.
KEY = "sk-7fd1c0ffee4242deadbeef"
PROMPT = "the prompt is nobody's business either"


@case(
    "K1",
    over={f"{way}-{status}": (way, status) for way in WAYS for status in (301, 302, 303, 307, 308)},
)
async def redirect(client_under_test: ClientUnderTest, told: tuple[str, int]) -> None:
    """A redirect raises an error that names its target; nothing is sent there."""
    way, status = told
    with FaultServer(document()) as target:
        answer = body(status, b"", f"location: {target.url}/elsewhere")
        with FaultServer(answer) as server:
            async with client_under_test.client(server.url, api_key=KEY) as client:
                outcome = await WAYS[way](client_under_test, client)
        expect(not target.connections, "the target was connected to")
        owed(
            outcome,
            client_under_test.errors.base,
            "" if client_under_test.is_peer else f"{target.url}/elsewhere",
        )
        expect(len(server.requests) == 1, f"{len(server.requests)} requests")


@case("K2", "https-to-http")
async def unsafe_redirect(client_under_test: ClientUnderTest) -> None:
    """A redirect from https to http is not followed."""
    with FaultServer(document()) as target:
        answer = body(307, b"", f"location: {target.url}/elsewhere")
        with FaultServer(answer, tls=server_context()) as server:
            url = server.url.replace("127.0.0.1", "localhost")
            child = programs.call(client_under_test, "secured", url, environ=TRUSTING)
        expect(not target.connections, "the target was connected to")
        expect(child.value["error"] is not None, "no error")
        expect(len(server.requests) == 1, f"{len(server.requests)} requests: {child.value}")
        expect(
            client_under_test.is_peer or "/elsewhere" in child.value["said"], child.value["said"]
        )


@case("K2", "certificate-unknown")
async def unknown_certificate(client_under_test: ClientUnderTest) -> None:
    """TLS is verified, and the error says that verification failed."""
    with FaultServer(document(), tls=server_context()) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        child = programs.call(client_under_test, "secured", url)
    expect(not server.requests, "a request went out")
    expect(child.value["error"] == "APIConnectionError", f"{child.value}")
    expect("certificate" in child.value["said"].lower(), child.value["said"])


@case("K2", "key-over-http")
async def key_over_http(client_under_test: ClientUnderTest) -> None:
    """A key over plain http to a host other than loopback is refused before sending."""
    # The kernel routes this address to this host, but it is not a loopback address.
    with FaultServer(document(), host="0.0.0.0") as server:  # noqa: S104
        caught: Exception | None = None
        try:
            async with client_under_test.client(server.url, api_key=KEY) as client:
                await client.chat.create("Hello")
        except client_under_test.errors.base as error:
            caught = error
        expect(not server.requests, "the key went out in clear")
        expect(caught is not None and KEY not in str(caught), f"the error is {caught}")


TRUSTING = {"SSL_CERT_FILE": str(CERTIFICATE)}


def searched(where: str, text: str) -> None:
    """Check that the key does not occur in a text."""
    if KEY in text:
        at = text.index(KEY)
        start = text[max(0, at - 120) : at].replace("\n", " ")
        raise FaultNotHandled(f"the key shows in {where}: …{start}KEY")


def search_error(where: str, error: BaseException, *, with_locals: bool = True) -> None:
    """Check that no representation of an error shows the key."""
    searched(f"{where}: str", str(error))
    searched(f"{where}: repr", repr(error))
    searched(f"{where}: vars", repr(vars(error)))
    searched(f"{where}: pickle", pickle.dumps(error).decode("latin-1"))
    shown = traceback.TracebackException.from_exception(error, capture_locals=with_locals)
    searched(f"{where}: traceback", "".join(shown.format()))


LIBRARIES = ("autonomousai_sdk", "openai", "anthropic", "ollama", "litellm", "any_llm")


def inside(value: Any, depth: int = 6) -> Iterator[str]:
    """Return what `vars` shows of an object, recursively."""
    yield repr(value)
    if depth == 0:
        return
    found: Mapping[str, Any] = getattr(value, "__dict__", None) or {}
    for each in found.values():
        yield repr(each)
        if type(each).__module__.partition(".")[0] in LIBRARIES:
            yield from inside(each, depth - 1)


@case("K3", "client")
async def key_in_client(client_under_test: ClientUnderTest) -> None:
    """A client's repr, str, vars (recursively) and pickle do not show its key."""
    with FaultServer((Send(STREAM + BEGUN), Gate(), Fin())) as server:
        made = client_under_test.make(server.url, Options(api_key=KEY, headers={"x-mine": "1"}))
        opened = client_under_test.calls(made).chat.stream("Hello")
        try:
            await opened.__anext__()
            for name, value in (
                ("client", made),
                ("chat", getattr(made, "chat", None)),
                ("stream", opened),
            ):
                searched(f"{name}: str", str(value))
                for text in inside(value):
                    searched(f"{name}: vars", text)
            try:
                pickled = pickle.dumps(made)
            except Exception as error:  # noqa: BLE001  # refusing to pickle is allowed
                search_error("pickling", error)
            else:
                searched("client: pickle", pickled.decode("latin-1"))
        finally:
            await opened.aclose()
            await client_under_test.close(made)


async def fails_in_every_way(client_under_test: ClientUnderTest) -> list[tuple[str, Exception]]:
    """Return an error of each kind, from calls made with the key."""
    found: list[tuple[str, Exception]] = []

    async def keep(name: str, outcome: Outcome) -> None:
        if outcome.error is None:
            raise FaultNotHandled(f"{name}: no error")
        found.append((name, outcome.error))

    scripts: dict[str, Answer] = {
        "refusal": failed(401),
        "hang-up": (Fin(),),
        "no document": body(200, b"<html>"),
        "redirect": body(307, b"", "location: http://127.0.0.1:9/"),
        "interrupted": (Send(CHUNKED + coded(BEGUN)), Fin()),
        "reset": (Send(CHUNKED + coded(BEGUN)), Reset()),
        "undecodable": stream(event("{")),
        "reported": stream(event(problem("no", "server_error"))),
    }
    options: dict[str, Any] = {"api_key": KEY, "retries": 0}
    for name, answer in scripts.items():
        for way, call in WAYS.items():
            with FaultServer(answer) as server:
                async with client_under_test.client(server.url, **options) as client:
                    await keep(f"{name}, {way}", await call(client_under_test, client))
    with FaultServer(accepts=False) as server:
        options["limits"] = {"read": 0.1}
        async with client_under_test.client(server.url, **options) as client:
            await keep("time", await created(client_under_test, client))
    with refused() as url:
        async with client_under_test.client(url, **options) as client:
            await keep("refused connection", await created(client_under_test, client))
            for bad in ({"x-a": "a\nb"}, {"content-length": "5"}):
                outcome = await created(client_under_test, client, headers=bad)
                if not client_under_test.is_peer:
                    await keep(f"bad header {next(iter(bad))}", outcome)
    return found


@case("K3", "errors")
async def key_in_errors(client_under_test: ClientUnderTest) -> None:
    """No error shows the key in str, repr, vars, pickle or a traceback with locals."""
    for name, error in await fails_in_every_way(client_under_test):
        search_error(name, error)


@case("K3", "bad-argument", peers=False)
async def key_in_bad_argument(client_under_test: ClientUnderTest) -> None:
    """The error for a bad key, or for a bad argument beside a key, does not show the key."""
    bad: dict[str, dict[str, Any]] = {
        "timeout": {"api_key": KEY, "timeout": -1},
        "url": {"api_key": KEY, "base_url": "no-scheme"},
        "headers": {"api_key": KEY, "headers": {"x y": "1"}},
        "key": {"api_key": f"{KEY}\n"},
        "proxy": {"proxy": f"ftp://me:{KEY}@127.0.0.1"},
        "user in url": {"base_url": f"http://me:{KEY}@127.0.0.1"},
    }
    make = sdk.Client if client_under_test.backend == "sync" else sdk.AsyncClient
    for name in bad:
        caught = _refusal(make, bad, name)
        searched(f"{name}: str", str(caught))
        shown = traceback.TracebackException.from_exception(caught, capture_locals=True)
        # The first frame belongs to this suite and holds the arguments; the others are the SDK's.
        del shown.stack[0]
        searched(f"{name}: traceback", "".join(shown.format()))


@case("K3", "key-of-the-environment", peers=False)
async def key_in_environment(client_under_test: ClientUnderTest) -> None:
    """The error for a bad argument does not show a key from the environment."""
    make = sdk.Client if client_under_test.backend == "sync" else sdk.AsyncClient
    with environment(AUTONOMOUSAI_API_KEY=KEY):
        search_error("bad argument", _refusal(make, {"timeout": {"timeout": -1}}, "timeout"))
    with environment(AUTONOMOUSAI_API_KEY=f"{KEY}\n"):
        search_error("bad key", _refusal(make, {"key": {}}, "key"))


def _refusal(make: Any, bad: dict[str, dict[str, Any]], name: str) -> Exception:
    try:
        make(**bad[name])
    except sdk.ConfigurationError as error:
        return error
    raise FaultNotHandled(f"{name}: no error")


ECHOES: dict[str, tuple[str, Answer]] = {
    "refusal": ("create", body(401, problem(f"wrong key {KEY}", f"code {KEY}").encode())),
    "refusal-of-a-stream": ("stream", body(401, problem(f"wrong key {KEY}").encode())),
    "plain-text": ("create", body(401, f"wrong key {KEY}".encode(), kind="text/plain")),
    "escaped": (
        "create",
        body(401, problem("wrong key ").encode().replace(b"key ", b"key " + KEY.encode("utf-16be")
             .hex(" ", 2).replace(" ", "\\u").join(("\\u", "")).encode())),
    ),
    "headers": ("create", failed(401, f"x-echo: {KEY}", f"x-request-id: {KEY}")),
    "html": ("create", body(502, f"<html><title>{KEY}</title>".encode(), kind="text/html")),
    "no-document": ("create", body(200, f"<{KEY}>".encode())),
    "wrong-kind": ("stream", body(200, f"<{KEY}>".encode(), kind="text/html")),
    "error-event": ("stream", stream(event(problem(f"wrong key {KEY}", "server_error")))),
    "unknown-error-event": ("stream", stream(event(problem(f"wrong {KEY}", f"c{KEY}"), "error"))),
    "undecodable": ("stream", stream(event("{" + KEY))),
    "stray-line": ("stream", stream(problem(f"wrong key {KEY}").encode() + b"\n\n")),
    "redirect": ("create", body(307, b"", f"location: http://127.0.0.1:9/?key={KEY}")),
    "no-http": ("create", (Send(f"{KEY}\r\n\r\n".encode()), Fin())),
}  # fmt: skip


@case("K4", over=ECHOES)
async def echoed(client_under_test: ClientUnderTest, told: tuple[str, Answer]) -> None:
    """A key that the server repeats appears in neither the error nor the logs."""
    way, answer = told
    with FaultServer(answer) as server, logged() as lines:
        async with client_under_test.client(server.url, api_key=KEY, retries=0) as client:
            outcome = await WAYS[way](client_under_test, client)
        if not client_under_test.is_peer:
            sent = server.requests[0].headers["authorization"]
            expect(sent == f"Bearer {KEY}", "the key was not sent")
    error = owed(outcome, client_under_test.errors.base)
    for name in ("body", "code", "request_id", "data", "message"):
        value: object = getattr(error, name, None)
        searched(f".{name}", value.decode() if isinstance(value, bytes) else str(value))
    headers: Any = getattr(error, "headers", None)
    searched(".headers", str(dict(headers or {})))
    # Locals hold the raw response, but a plain traceback does not show them.
    search_error("error", error, with_locals=False)
    for line in lines:
        if line.partition(":")[0] in LIBRARIES:
            searched("a log", line)


@contextmanager
def logged() -> Generator[list[str]]:
    """Return the output of all loggers at DEBUG, each line with the logger's name."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.name.partition('.')[0]}: {self.format(record)}")

    root = logging.getLogger()
    handler = Keep()
    loggers = [root, *(logging.getLogger(name) for name in root.manager.loggerDict)]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@case("K5", over={"whole": document(), "stream": stream(BEGUN), "error": failed(500)})
async def debug_logs(client_under_test: ClientUnderTest, answer: Answer) -> None:
    """With every logger at DEBUG, each attempt is logged, and neither key nor prompt."""
    with FaultServer(answer) as server, logged() as lines:
        async with client_under_test.client(server.url, api_key=KEY, retries=0) as client:
            for call in (_whole, _streamed):
                with suppress(client_under_test.errors.base):
                    await call(client)
    for line in lines:
        searched("a log", line)
        expect(PROMPT not in line, f"the prompt shows in a log: {line[:200]}")
        expect(PROMPT.split()[-2] not in line, f"the prompt shows in a log: {line[:200]}")
    if not client_under_test.is_peer:
        own = [line for line in lines if line.startswith("autonomousai_sdk: ")]
        tries = [line for line in own if "POST" in line and "/chat" in line]
        expect(len(tries) == 2, f"the SDK's log has {own}")


async def _whole(client: Any) -> None:
    await client.chat.create(PROMPT)


async def _streamed(client: Any) -> None:
    async with client.chat.stream(PROMPT) as opened:
        async for _ in opened:
            pass


UNFIT = {
    "cr": "a\rb",
    "lf": "a\nb",
    "crlf": "a\r\nx-other: 1",
    "nul": "a\0b",
    "space": "a b",
    "trailing-line-feed": "ab\n",
    "non-ascii": "schlüssel",
    "empty": "",
}


@case("K6", over={f"key-{name}": value for name, value in UNFIT.items()})
async def unfit_key(client_under_test: ClientUnderTest, key: str) -> None:
    """A key that is not a valid header value is refused when the client is created."""
    with FaultServer(document()) as server:
        try:
            made = client_under_test.make(server.url, Options(api_key=key))
        except client_under_test.errors.configuration as error:
            expect(not key or key not in str(error), "the error repeats the key")
            return
        outcome = await created(client_under_test, client_under_test.calls(made))
        await client_under_test.close(made)
        sent = [request.headers.get("authorization") for request in server.requests]
    raise FaultNotHandled(f"refused late, or never: {outcome.error!r}, sent {sent}")


@case(
    "K6", over={f"header-{name}": UNFIT[name] for name in ("cr", "lf", "crlf", "nul", "non-ascii")}
)
async def unfit_header(client_under_test: ClientUnderTest, value: str) -> None:
    """An invalid header is refused when the client is created."""
    with FaultServer(document()) as server:
        try:
            made = client_under_test.make(server.url, Options(headers={"x-mine": value}))
        except client_under_test.errors.configuration as error:
            expect("x-mine" in str(error), f"the error does not name the header: {error}")
            return
        outcome = await created(client_under_test, client_under_test.calls(made))
        await client_under_test.close(made)
        sent = [request.headers.get("x-mine") for request in server.requests]
    raise FaultNotHandled(f"refused late, or never: {outcome.error!r}, sent {sent}")


@contextmanager
def environment(**variables: str) -> Generator[None]:
    """Set environment variables for the duration of the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@case("K7", over={"HTTP_PROXY": "HTTP_PROXY", "http_proxy": "http_proxy", "ALL_PROXY": "ALL_PROXY"})
async def ambient_proxy(client_under_test: ClientUnderTest, variable: str) -> None:
    """A proxy from the environment never applies to loopback."""
    with FaultServer(document()) as proxy, FaultServer(document()) as server:
        with environment(**{variable: proxy.url}):
            async with client_under_test.client(server.url, api_key=KEY) as client:
                fine(await created(client_under_test, client), "Hello world")
        expect(not proxy.connections, "the key went to the proxy")
        expect(len(server.requests) == 1, "the server got no request")


@case("K7", "given-proxy", peers=False)
async def given_proxy(client_under_test: ClientUnderTest) -> None:
    """A proxy given as an argument applies, and no error shows its password."""
    if client_under_test.transport != "httpx":
        return  # the other transports use the proxy of the caller's client
    with FaultServer((Fin(),)) as proxy:
        url = proxy.url.replace("//", f"//me:{KEY}@")
        make = sdk.Client if client_under_test.backend == "sync" else sdk.AsyncClient
        made = make(base_url="http://127.0.0.1:9/v9", proxy=url, max_retries=0)
        outcome = await created(client_under_test, client_under_test.calls(made))
        await client_under_test.close(made)
        method, target = proxy.requests[0].line
        expect((method, target) == ("POST", "http://127.0.0.1:9/v9/chat"), f"{method} {target}")
        authorization = proxy.requests[0].headers.get("proxy-authorization", "")
        expect(authorization.startswith("Basic "), "the proxy got no password")
    search_error("error", owed(outcome, client_under_test.errors.connection))


@contextmanager
def netrc_file() -> Generator[dict[str, str]]:
    """Write a .netrc with credentials for loopback and return the variables that select it."""
    with TemporaryDirectory() as home:
        path = Path(home, ".netrc")
        path.write_text("machine 127.0.0.1 login me password not-asked-for\n", encoding="ascii")
        path.chmod(0o600)
        yield {"HOME": home, "NETRC": str(path)}


@case("K7", "netrc")
async def netrc(client_under_test: ClientUnderTest) -> None:
    """Credentials in .netrc are not used."""
    with FaultServer(document()) as server, netrc_file() as variables, environment(**variables):
        async with client_under_test.client(server.url) as client:
            fine(await created(client_under_test, client), "Hello world")
    sent = server.requests[0].headers.get("authorization", "")
    expect("Basic" not in sent, "credentials of .netrc were sent")


@case("K7", "ssl-cert-file")
async def missing_certificates(client_under_test: ClientUnderTest) -> None:
    """A missing certificate file does not prevent a call without TLS."""
    with FaultServer(document()) as server, environment(SSL_CERT_FILE="/nonexistent.pem"):
        async with client_under_test.client(server.url) as client:
            fine(await created(client_under_test, client), "Hello world")


JOINS: dict[str, tuple[str, str | None]] = {
    "bare": ("", ""),
    "slash": ("/", ""),
    "path": ("/v9", "/v9"),
    "slashes": ("/v9//", "/v9"),
    "encoded": ("/a%2Fb", "/a%2Fb"),
    "query": ("?k=1", None),
    "empty-query": ("/v9?", None),
    "fragment": ("#f", None),
}


@case("K8", over=JOINS)
async def base_url_join(client_under_test: ClientUnderTest, told: tuple[str, str | None]) -> None:
    """A base URL is joined to the right path or refused."""
    given, path = told
    with FaultServer(document()) as server:
        try:
            async with client_under_test.client(server.url + given) as client:
                outcome = await created(client_under_test, client)
        except client_under_test.errors.configuration as error:
            expect(path is None, f"refused: {error}")
            expect(not server.requests, "a request went out")
            return
        fine(outcome, "Hello world")
        _, target = server.requests[0].line
    expected = (
        None if path is None else client_under_test.base_url(path) + client_under_test.endpoint
    )
    expect(target == expected, f"{given!r} leads to {target!r}")


@case("K8", "user-in-url")
async def user_in_url(client_under_test: ClientUnderTest) -> None:
    """A user name in the URL is refused or ignored; it never replaces the key."""
    with FaultServer(document()) as server:
        url = server.url.replace("//", "//me:word@")
        try:
            async with client_under_test.client(url, api_key=KEY) as client:
                await created(client_under_test, client)
        except client_under_test.errors.configuration:
            return
        sent = server.requests[0].headers.get("authorization") if server.requests else None
    expect(sent == f"Bearer {KEY}", f"sent {str(sent).replace(KEY, 'the key')}")


@case("K8", "ipv6")
async def ipv6(client_under_test: ClientUnderTest) -> None:
    """An IPv6 address in brackets works as the host."""
    with FaultServer(document(), host="::1") as server:
        async with client_under_test.client(f"{server.url}/v9", api_key=KEY) as client:
            fine(await created(client_under_test, client), "Hello world")
        host = server.requests[0].headers["host"]
    expect(host == f"[::1]:{server.port}", f"host: {host}")


SEGMENTS: dict[str, str] = {
    "../x": "/files/..%2Fx",
    "a/b": "/files/a%2Fb",
    "%2e%2e": "/files/%252e%252e",
    "a?b#c": "/files/a%3Fb%23c",
    "é\r\n": "/files/%C3%A9%0D%0A",
}


FILES = Operation(
    name="files.get",
    routes={
        protocol: Route(
            method="GET",
            path="/files/{id}",
            arguments=(
                Argument(name="file_id", wire="id", check=String(), location="path", required=True),
            ),
            has_body=False,
        )
        for protocol in PROTOCOLS
    },
    result=bytes,
    media="bytes",
)
"""An operation with a path parameter, as the generator writes it."""


async def _file(made: Any, name: str) -> bytes:
    """Call the operation as a generated method does."""
    call: Callable[..., Any] = attrgetter("_runner.call")(made)
    content: bytes = await settled(call(FILES, {"file_id": name}, CallOptions()))
    return content


@case("K9", "on-the-wire", peers=False)
async def path_parameters(client_under_test: ClientUnderTest) -> None:
    """A path parameter is one encoded segment on the wire."""
    with FaultServer(document()) as server:
        made = client_under_test.make(server.url, Options())
        try:
            for value, path in SEGMENTS.items():
                await _file(made, value)
                _, target = server.requests[-1].line
                expected = client_under_test.base_url("") + path
                expect(target == expected, f"{value!r} becomes {target!r}")
        finally:
            await client_under_test.close(made)


@case("K9", "refused", peers=False)
async def refused_parameters(client_under_test: ClientUnderTest) -> None:
    """A path parameter that is empty or a dot segment is refused."""
    made = client_under_test.make("http://127.0.0.1:9", Options())
    try:
        for value in ("", ".", ".."):
            try:
                await _file(made, value)
            except client_under_test.errors.configuration as error:
                expect("file_id" in str(error), str(error))
            else:
                raise FaultNotHandled(f"{value!r} passes")
    finally:
        await client_under_test.close(made)
    if client_under_test.protocol == "openai":
        return  # a model's name is not part of its paths
    async with client_under_test.client("http://127.0.0.1:9") as client:
        for name in ("../admin", "a/b", "%2e%2e"):
            outcome = await streamed(client_under_test, client, model=name)
            owed(outcome, client_under_test.errors.configuration)
