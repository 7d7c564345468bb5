"""The server's application: routes, guards, and answers passed on as they come.

Written on ASGI directly where bytes stream, so that a client that leaves stops its
generation at once, and on Starlette for routing. Guards come before routing: who may ask
(host, origin, key), how much, and how many at a time.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import anyio
from attrs import define, evolve, field
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._core.catalog import Catalog
from .._generated.catalog import MODELS
from .._version import __version__
from .engines import Engine, EngineAnswer
from .wire import ParsedRequest, RequestError, error_body, event, question

BASE_PATH = "/api/v1/ai"
"""Where the protocol's paths are, as at the hosted service."""

MAX_BODY = 64 * 2**20
"""The longest request taken, in bytes: conversations with images in them."""

MAX_ANSWERS = 64
"""Answers given at a time; more are refused, with the advice to come back."""

WRITE_LIMIT = 60.0
"""Seconds a client may take to read a piece of its answer before it is let go."""


def application(engine: Engine, *, host: str, api_key: str | None) -> ASGIApp:
    """The application in front of an engine.

    Args:
        engine: what answers; started already.
        host: the address the server listens on, which requests may name as their host.
        api_key: what requests must carry as `authorization: Bearer`, or None.
    """
    answers = Answers(engine)
    routes = [
        Route(BASE_PATH + path, answers.endpoint(path), methods=["POST"])
        for path in dict.fromkeys(model.path for model in MODELS)
    ]
    routes.append(Route("/health", answers.health, methods=["GET"]))
    handlers: dict[Any, Callable[[Request, Exception], Response]] = {
        404: lambda request, _: _error(
            404, f"There is nothing at {request.url.path}.", "not_found"
        ),
        405: lambda request, _: _error(
            405, f"{request.url.path} takes another method than {request.method}.", "not_allowed"
        ),
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers), host, api_key)


@define(eq=False)
class Guard:
    """Refuses what must not reach the application.

    A page in somebody's browser can send requests to loopback too: one whose name was made
    to resolve there (DNS rebinding) says another host, and any other says its origin.
    """

    _app: ASGIApp
    _host: str
    _api_key: str | None = field(repr=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(Request(scope))
        except RequestError as error:
            await _refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, request: Request) -> None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            raise RequestError(421, "This server answers to its own address only.", "wrong_host")
        origin = request.headers.get("origin")
        if origin is not None and not self._may_come_from(origin):
            raise RequestError(403, f"Pages of {origin[:100]} may not use this server.", "origin")
        if self._api_key is not None:
            given = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, f"Bearer {self._api_key}".encode()):
                raise RequestError(
                    401,
                    "A key is needed here: send it as 'authorization: Bearer …'.",
                    "invalid_api_key",
                    {"www-authenticate": "Bearer"},
                )
        if request.method == "POST":
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            # A page may send text/plain anywhere without asking; not application/json.
            if kind != "application/json":
                raise RequestError(415, "The body is JSON: say 'content-type: application/json'.")
            length = request.headers.get("content-length", "0")
            if length.isdecimal() and int(length[:20]) > MAX_BODY:
                raise _too_large()

    def _is_own(self, host: str) -> bool:
        """Whether a `host` header names this machine by a name that nobody else can take."""
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        name = name.strip("[]").lower()
        if name in ("localhost", self._host.lower()):
            return True
        if self._host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not listened on
            # Known by any name then; such a server wants a key, which no page has.
            return self._api_key is not None
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return False

    def _may_come_from(self, origin: str) -> bool:
        """The origin that the protocol's own clients send passes, with those of this machine."""
        if origin == "https://www.autonomous.ai":
            return True
        scheme, _, host = origin.partition("://")
        return scheme in ("http", "https") and bool(host) and self._is_own(host)


@define(eq=False)
class Answers:
    """Asks the engine and passes its answers on."""

    engine: Engine
    given: int = field(init=False, default=0)

    async def health(self, _: Request) -> Response:
        """What the server is, for people and probes."""
        return JSONResponse(
            {
                "status": "ok",
                "server": f"autonomousai-sdk/{__version__}",
                "engine": self.engine.name,
            }
        )

    def endpoint(self, path: str) -> Callable[[Request], Awaitable[Response]]:
        """What handles one of the protocol's paths."""
        served = Catalog(tuple(model for model in MODELS if model.path == path))
        known = {name: model.id for model in served.models for name in (model.id, *model.aliases)}

        async def handle(request: Request) -> Response:
            try:
                asked = question(await _body(request))
                self._check(asked, known, path)
                asked = evolve(asked, model=known[asked.model])
            except RequestError as error:
                return _refusal(error)
            return _Answer(self, asked)

        return handle

    def _check(self, asked: ParsedRequest, known: dict[str, str], path: str) -> None:
        if asked.model not in known:
            raise RequestError(
                404,
                f"{path} serves {', '.join(known)}; {asked.model!r} is not among them.",
                "model_not_found",
            )
        if self.given >= MAX_ANSWERS:
            raise RequestError(
                429,
                f"{MAX_ANSWERS} answers are being given already.",
                "too_many_requests",
                {"retry-after": "1"},
            )


class _Answer(Response):
    """An engine's answer as a response: nothing is asked before it is sent."""

    def __init__(self, answers: Answers, asked: ParsedRequest) -> None:
        super().__init__()
        self._answers = answers
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's form
        """Ask, and pass on what comes."""
        answers = self._answers
        answers.given += 1
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_until_gone, receive, group.cancel_scope)
                await self._pass_on(send)
                group.cancel_scope.cancel()
        finally:
            answers.given -= 1

    async def _pass_on(self, send: Send) -> None:
        started = False
        try:
            async with self._answers.engine.answer(self._asked) as answer:
                await send(_head(answer))
                started = True
                async for piece in answer.body:
                    with anyio.fail_after(WRITE_LIMIT):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
        except RequestError as error:
            await self._fail(send, started, error)
        except Exception:  # noqa: BLE001  # whatever an engine does, the client hears of it
            message = "The engine failed in the middle of its answer."
            await self._fail(send, started, RequestError(500, message, "server_error"))
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _fail(self, send: Send, started: bool, error: RequestError) -> None:  # noqa: FBT001
        """Tell of an error: as the answer, or, inside a stream, as an event and no end marker."""
        if not started:
            await send(
                {
                    "type": "http.response.start",
                    "status": error.status,
                    "headers": [(b"content-type", b"application/json")],
                }
            )
            last = error.body
        else:
            last = event(error.body) if self._asked.stream else b""
        await send({"type": "http.response.body", "body": last, "more_body": False})


def _head(answer: EngineAnswer) -> Message:
    headers = [(b"content-type", answer.content_type.encode("latin-1"))]
    if answer.content_type.startswith("text/event-stream"):
        # Proxies that gather a stream before passing it on take the hint.
        headers += [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    """Wait until the client leaves, then stop what is done for it."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _body(request: Request) -> bytes:
    """A request's body, within the bound."""
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > MAX_BODY:
                raise _too_large()
            pieces.append(piece)
    except ClientDisconnect as error:
        raise RequestError(400, "The request was cut.") from error
    return b"".join(pieces)


def _too_large() -> RequestError:
    return RequestError(413, f"The request is longer than {MAX_BODY} bytes.", "request_too_large")


def _refusal(error: RequestError) -> Response:
    return Response(error.body, error.status, error.headers, "application/json")


def _error(status: int, message: str, code: str) -> Response:
    return Response(error_body(message, code), status, media_type="application/json")
