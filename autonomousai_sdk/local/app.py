"""The server's application: its routes on both protocols, and what they take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from attrs import define, evolve, field, frozen
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .._core.catalog import Catalog
from .._core.secret import Secret
from .._generated.catalog import MODELS
from .._version import __version__
from .completion import Completion
from .engine import Engine, HeaderList
from .guard import Guard, refusal, too_large
from .models import catalog_name, is_listed
from .request import ParsedRequest, parse_object, parse_openai, parse_original
from .slots import Slots
from .wire import ConnectionAbort, RequestError

BASE_PATH = "/api/v1/ai"
"""Where the original protocol's paths are, as at the hosted service."""

OPENAI_PATH = "/v1"
"""Where the OpenAI-compatible protocol's paths are; below `BASE_PATH` too, as at the service."""

Endpoint = Callable[[Request], Awaitable[Response]]


@frozen
class ServerLimits:
    """What bounds the server.

    Attributes:
        max_concurrent: completions at a time.
        queue: completions that wait for their turn.
        max_body_bytes: the longest body of a request.
        cors_origins: the origins whose pages may use the server.
    """

    max_concurrent: int
    queue: int
    max_body_bytes: int
    cors_origins: tuple[str, ...]


@define(eq=False)
class Application:
    """The application in front of an engine.

    Attributes:
        engine: what completes; started already.
        limits: what bounds it.
    """

    engine: Engine
    limits: ServerLimits
    _slots: Slots = field(init=False)
    _open: set[Completion] = field(init=False, factory=set[Completion])

    def __attrs_post_init__(self) -> None:
        self._slots = Slots(self.limits.max_concurrent, self.limits.queue)

    def guarded(self, host: str | None, api_key: Secret | None) -> ASGIApp:
        """The application behind its guard.

        Args:
            host: the address that the server listens on, or None for any of this machine's.
            api_key: the key that requests must carry, or None.
        """
        original = dict.fromkeys(model.path for model in MODELS)
        routes = [
            Route(BASE_PATH + path, _refusing(self._original_endpoint(path)), methods=["POST"])
            for path in original
        ]
        for path in (OPENAI_PATH, BASE_PATH + OPENAI_PATH):
            routes += [
                Route(f"{path}/chat/completions", _refusing(self._chat), methods=["POST"]),
                Route(f"{path}/embeddings", _refusing(self._embeddings), methods=["POST"]),
                Route(f"{path}/models", _refusing(self._models), methods=["GET"]),
                Route(f"{path}/models/{{name:path}}", _refusing(self._model), methods=["GET"]),
            ]
        routes += [
            Route("/health", _refusing(self._health), methods=["GET"]),
            Route("/health/live", _refusing(self._live), methods=["GET"]),
        ]
        known = [route.path for route in routes]
        handlers: dict[Any, Callable[[Request, Exception], Response]] = {
            404: lambda request, _: refusal(_not_found(request.url.path, known)),
            405: lambda request, error: refusal(_wrong_method(request, error)),
            500: lambda _, __: refusal(RequestError(500, "The server failed.", "server_error")),
        }
        app = Starlette(routes=routes, exception_handlers=handlers)
        app.router.redirect_slashes = False
        limits = self.limits
        return Guard(app, host, api_key, limits.max_body_bytes, limits.cors_origins)

    def stop_completions(self) -> None:
        """End every completion that is under way."""
        for completion in list(self._open):
            completion.stop()

    def _original_endpoint(self, path: str) -> Endpoint:
        """What handles one of the original protocol's paths."""
        here = Catalog(tuple(model for model in MODELS if model.path == path))

        async def endpoint(request: Request) -> Response:
            asked = parse_original(await self._body(request))
            return self._completion(await self._named(asked, path, here))

        return endpoint

    async def _named(self, asked: ParsedRequest, path: str, here: Catalog) -> ParsedRequest:
        """A request with the model's own name, if its path serves that model.

        Raises:
            RequestError: the path does not, and the engine does not list the name.
        """
        name = catalog_name(asked.model or "")
        if name is not None and any(model.id == name for model in here.models):
            return evolve(asked, model=name)
        listed = await self.engine.models()
        if is_listed(asked.model or "", listed) or (name is None and not listed):
            return asked
        served = f"{path} serves {', '.join(here.names())}"
        if name is not None:
            other = next(model.path for model in MODELS if model.id == name)
            advice = f"{asked.model!r} has the path {other}"
        else:
            ids = ", ".join(str(model["id"]) for model in listed[:20])
            advice = f"the engine lists {ids}; {asked.model!r} is not among them"
        raise RequestError(404, f"{served}; {advice}.", "model_not_found", param="aiAgent")

    def _completion(self, asked: ParsedRequest) -> Response:
        return _Deferred(Completion(self.engine, asked, self._slots, self._open))

    async def _chat(self, request: Request) -> Response:
        return self._completion(parse_openai(await self._body(request)))

    async def _embeddings(self, request: Request) -> Response:
        body = parse_object(await self._body(request))
        try:
            async with self._slots.hold():
                reply = await self.engine.embed(body)
        except ConnectionAbort as error:
            raise RequestError(502, str(error), "engine_error") from error
        return Response(reply.document, headers=_text(reply.headers), media_type="application/json")

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": await self.engine.models()})

    async def _model(self, request: Request) -> Response:
        name: str = request.path_params["name"]
        if not name:
            raise _not_found(request.url.path, [f"{OPENAI_PATH}/models"])
        for model in await self.engine.models():
            if is_listed(name, [model]):
                return JSONResponse(model)
        raise RequestError(404, f"The engine does not list {name!r}.", "model_not_found")

    async def _live(self, _: Request) -> Response:
        """Whether the server runs, whatever its engine does."""
        return JSONResponse({"status": "ok", "server": f"autonomousai-sdk/{__version__}"})

    async def _health(self, _: Request) -> Response:
        """Whether the engine answers."""
        status: dict[str, Any] = {
            "status": "ok",
            "server": f"autonomousai-sdk/{__version__}",
            "engine": self.engine.name,
        }
        try:
            await self.engine.check()
        except RequestError as error:
            status["status"] = "unavailable"
            status["error"] = self.engine.redact(error.message)
            return JSONResponse(status, 503, headers={"retry-after": "1"})
        return JSONResponse(status)

    async def _body(self, request: Request) -> bytes:
        """A request's body, within the bound."""
        limit = self.limits.max_body_bytes
        pieces: list[bytes] = []
        size = 0
        try:
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise too_large(limit)
                pieces.append(piece)
        except ClientDisconnect as error:
            raise RequestError(400, "The request was cut.") from error
        return b"".join(pieces)


class _Deferred(Response):
    """A completion as a Starlette response, which sends its own head and body."""

    def __init__(self, completion: Completion) -> None:
        super().__init__()
        self._completion = completion

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._completion(scope, receive, send)


def _refusing(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose `RequestError` becomes its response."""

    async def refusing(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RequestError as error:
            return refusal(error)

    return refusing


def _text(headers: HeaderList) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _not_found(path: str, known: Sequence[str]) -> RequestError:
    """The error for a path that does not exist, with the one that was probably meant."""
    end = path.rstrip("/").rsplit("/", 1)[-1]
    meant = [each for each in known if each.rsplit("/", 1)[-1] == end and "{" not in each]
    message = f"There is nothing at {path[:200]}."
    if meant:
        message += f" Did you mean {meant[0]}?"
    message += (
        f" An OpenAI client's base URL ends in {OPENAI_PATH}, this protocol's in {BASE_PATH}."
    )
    return RequestError(404, message, "not_found")


def _wrong_method(request: Request, error: Exception) -> RequestError:
    headers: dict[str, str] = getattr(error, "headers", None) or {}
    # Starlette joins a set, whose order changes from run to run.
    allowed = ", ".join(sorted(headers.get("Allow", "POST").split(", ")))
    return RequestError(
        405,
        f"{request.url.path} does not take {request.method}, but {allowed}.",
        "method_not_allowed",
        headers={"allow": allowed},
    )
