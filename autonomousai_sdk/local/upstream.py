"""An engine that is an OpenAI-compatible API: vLLM, Ollama, SGLang, llama.cpp, or a cloud's.

Requests go out by the client's own transports, and events come in by its own parser; what
is passed on is not decoded into the client's types, which would lose fields of the engine's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from random import random
from time import monotonic
from typing import Any, Protocol, runtime_checkable
from uuid import uuid4

from anyio import CancelScope, sleep
from attrs import define, field

from .._core.codec import DecodeError, encode, is_array, is_object, parse
from .._core.coding import ACCEPTED, CodingError, Inflater, inflater
from .._core.exchange import Request, TransportError
from .._core.failure import KEPT_BYTES, Context, status_error
from .._core.headers import Headers
from .._core.prepared_call import USER_AGENT
from .._core.response import EVENT_STREAM, content_type
from .._core.retry import Backoff
from .._core.secret import Secret
from .._core.sse import MAX_EVENT_BYTES, EventParser
from .._core.timeout import Timeout
from ..errors import ConfigurationError
from ..transports import AsyncTransport, AsyncTransportResponse
from .engine import EngineReply, HeaderList, Progress, StreamWriter
from .models import catalog_name, is_listed
from .relay import EventRelay, raise_reported, reported_error
from .request import ParsedRequest
from .wire import ConnectionAbort, RequestError

LIMITS = Timeout(connect=10, read=1800, write=60, pool=60, idle=None)
"""How long an engine may take; a model on a CPU reads a long prompt for minutes."""

MODELS_LIMITS = Timeout(connect=10, read=10, write=10, pool=10, idle=None)

MODELS_KEPT = 30.0
"""Seconds that an engine's list of models is used before it is fetched again."""

ATTEMPTS = 3
"""How often a request is sent, as long as the engine has not answered."""

LEAST_HIDDEN = 8
"""The length from which a key is hidden in completions: a shorter one, such as `EMPTY`, is a
placeholder, and a completion may have that word."""

DRAIN_TIMEOUT = 0.1
"""Seconds that a finished stream's body gets to end, so that its connection is used again."""

_BACKOFF = Backoff(initial=0.05, longest=0.5)
_PASSED_ON = frozenset(
    {"retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "request-id", "location"}
)
_PREFIXES = ("openai-", "x-ratelimit-")


@define(eq=False)
class Upstream:
    """An OpenAI-compatible API.

    Attributes:
        base_url: where it is, up to and including `/v1`.
        model_map: its names for the original protocol's models.
    """

    base_url: str
    api_key: Secret | None = field(repr=False, default=None)
    model_map: Mapping[str, str] = field(factory=dict[str, str])
    _transport: AsyncTransport | None = field(init=False, default=None)
    _models: list[dict[str, Any]] | None = field(init=False, default=None)
    _models_until: float = field(init=False, default=0.0)

    @property
    def name(self) -> str:
        """The URL."""
        return self.base_url

    async def start(self, progress: Progress) -> None:
        """Prepare to connect; the engine itself may come up later."""
        progress(f"completions come from {self.base_url}")
        self._transport = _new_transport()

    async def stop(self) -> None:
        """Close the connections."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    @property
    def _content_secret(self) -> Secret | None:
        """The key, if completions are searched for it."""
        key = self.api_key
        return None if key is None or len(key.reveal()) < LEAST_HIDDEN else key

    def redact(self, text: str) -> str:
        """A text without the engine's key."""
        return text if self.api_key is None else self.api_key.redact(text)

    @asynccontextmanager
    async def complete(self, request: ParsedRequest) -> AsyncGenerator[EngineReply, None]:
        """Pass a request on, and the reply back as it arrives."""
        model = await self._engine_model(request)
        body = {"model": model, **request.body, "stream": request.stream}
        response = await self._send("POST", "/chat/completions", body, LIMITS)
        try:
            headers = Headers(response.headers)
            if not 200 <= response.status < 300:
                raise await self._refusal(response, headers)
            kind = content_type(headers)
            if not request.stream:
                document = await self._document(response, headers, "choices")
                yield EngineReply(self._passed_on(headers), document=document)
                return
            if kind not in (EVENT_STREAM, ""):
                raise await self._unexpected(response, headers, kind)
            events = _Events(response, self._content_secret, _inflater(headers))
            yield EngineReply(self._passed_on(headers), events=events)
            await events.drain()
        finally:
            with CancelScope(shield=True):
                await response.aclose()

    async def embed(self, body: dict[str, Any]) -> EngineReply:
        """Pass a request for embeddings on."""
        response = await self._send("POST", "/embeddings", body, LIMITS)
        try:
            headers = Headers(response.headers)
            if not 200 <= response.status < 300:
                raise await self._refusal(response, headers)
            document = await self._document(response, headers, "data")
            return EngineReply(self._passed_on(headers), document=document)
        finally:
            with CancelScope(shield=True):
                await response.aclose()

    async def check(self) -> None:
        """Fetch the engine's list, which every engine answers one way or another."""
        await self._fetch_models()

    async def models(self) -> list[dict[str, Any]]:
        """The engine's own list; empty if it has none to give."""
        if self._models is not None and monotonic() < self._models_until:
            return self._models
        listed = await self._fetch_models()
        if listed:
            self._models, self._models_until = listed, monotonic() + MODELS_KEPT
        return listed

    async def _fetch_models(self) -> list[dict[str, Any]]:
        response = await self._send("GET", "/models", None, MODELS_LIMITS)
        try:
            headers = Headers(response.headers)
            if response.status in (404, 405, 501):
                return []
            if not 200 <= response.status < 300:
                raise await self._refusal(response, headers)
            return _listed(await self._body(response, headers, MAX_EVENT_BYTES, MODELS_LIMITS.read))
        except (TransportError, CodingError) as error:
            raise self._unreachable(error) from error
        finally:
            with CancelScope(shield=True):
                await response.aclose()

    async def _engine_model(self, request: ParsedRequest) -> str:
        """The engine's name for the model that a request asks for."""
        asked = request.model
        if asked is not None:
            known = catalog_name(asked)
            if known is None:
                return asked  # an engine may serve more than it lists
            if known in self.model_map:
                return self.model_map[known]
        listed = await self.models()
        if asked is not None and (not listed or is_listed(asked, listed)):
            return asked
        if not listed:
            raise RequestError(
                400, "The engine lists no models: name one under model.", param="model"
            )
        return str(listed[0]["id"])

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, limits: Timeout
    ) -> AsyncTransportResponse:
        """Send a request, again if no connection could be made or kept before an answer."""
        transport = self._transport
        if transport is None:
            raise RequestError(503, "The server is shutting down.", "shutting_down")
        try:
            content = b"" if body is None else encode(body)
        except (TypeError, ValueError, RecursionError) as error:
            raise RequestError(400, f"The request cannot be sent on: {error}.") from error
        headers = [("user-agent", USER_AGENT), ("accept-encoding", ACCEPTED), ("accept", "*/*")]
        if body is not None:
            headers += [("content-type", "application/json"), ("idempotency-key", str(uuid4()))]
        if self.api_key is not None:
            headers.append(("authorization", f"Bearer {self.api_key.reveal()}"))
        request = Request(
            method=method,
            url=f"{self.base_url}{path}",
            headers=tuple(headers),
            content=content,
        )
        attempt = 1
        while True:
            try:
                return await transport.send(request, limits)
            except TransportError as error:
                if error.kind == "request":
                    raise RequestError(
                        400, f"The request cannot be sent on: {self.redact(error.message)}."
                    ) from error
                if attempt == ATTEMPTS or error.kind not in ("connect", "broken"):
                    raise self._unreachable(error) from error
            await sleep(_BACKOFF.wait(attempt, random()))  # noqa: S311  # jitter
            attempt += 1

    async def _document(
        self, response: AsyncTransportResponse, headers: Headers, results: str
    ) -> bytes:
        """The whole JSON document of a successful response.

        Args:
            response: the response.
            headers: its headers.
            results: the name of the list that the document must have.

        Raises:
            RequestError: it is something else than JSON, has no results, or is an error.
            ConnectionAbort: it was cut, or its coding is broken.
        """
        kind = content_type(headers)
        if kind in (EVENT_STREAM, "text/html") or response.status in (204, 205):
            raise await self._unexpected(response, headers, kind)
        try:
            data = await self._body(response, headers, MAX_EVENT_BYTES)
            document = parse(data)
        except (TransportError, CodingError, DecodeError) as error:
            raise ConnectionAbort(f"The engine's answer is not whole: {error}") from error
        if not is_object(document):
            raise await self._unexpected(response, headers, "JSON that is not an object")
        try:
            raise_reported(document)
        except RequestError as error:
            raise self._redacted(error) from None
        if not is_array(found := document.get(results)) or not found:
            raise await self._unexpected(response, headers, f"JSON that has no {results}")
        return data if self._content_secret is None else self._content_secret.redact_bytes(data)

    async def _body(
        self,
        response: AsyncTransportResponse,
        headers: Headers,
        limit: int,
        seconds: float | None = LIMITS.read,
    ) -> bytes:
        """A response's body, decompressed.

        Raises:
            TransportError: the connection broke.
            CodingError: the bytes do not fit their content coding, or are too many.
        """
        coding = inflater(headers.get("content-encoding", ""))
        pieces: list[bytes] = []
        size = 0
        while data := await response.read(seconds):
            for piece in (data,) if coding is None else coding.feed(data):
                pieces.append(piece)
                size += len(piece)
                if size > limit:
                    raise CodingError(f"the body is longer than {limit} bytes")
        if coding is not None and not coding.complete:
            raise CodingError("the compressed body was cut")
        return b"".join(pieces)

    async def _refusal(self, response: AsyncTransportResponse, headers: Headers) -> RequestError:
        """An engine's error response as the server's own."""
        try:
            body = await self._body(response, headers, KEPT_BYTES)
        except (TransportError, CodingError):
            body = b""  # the status says enough
        status = response.status
        context = Context(f"POST {self.base_url}", 1, self.api_key)
        error = status_error(context, status, headers, body)
        passed_on = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in self._passed_on(headers)
        }
        if status in (401, 403):
            return RequestError(
                502,
                f"The engine refuses the server's key: {error.message}",
                "engine_key_refused",
                headers={**passed_on, "x-should-retry": "false"},
            )
        inner = error.body.get("error") if is_object(error.body) else None
        if is_object(inner) and inner.get("message"):
            refusal = reported_error(inner)
            code, details = refusal.code, refusal.details
            message = refusal.message
        else:
            code, details = error.code or "engine_error", {}
            message = f"The engine answered {error.message}"
        if status == 503 and "retry-after" not in passed_on:
            passed_on["retry-after"] = "1"
        if status == 304 or not 300 <= status < 600:
            status = 502  # the server's own response could not have the body that says why
        return RequestError(status, message, code, headers=passed_on, details=details)

    async def _unexpected(
        self, response: AsyncTransportResponse, headers: Headers, kind: str
    ) -> RequestError:
        """The error for a document where a stream was asked for, or the reverse."""
        message = f"The engine answered with {kind or 'no content type'}, which is not expected."
        if kind != EVENT_STREAM:
            try:
                document = parse(await self._body(response, headers, KEPT_BYTES))
            except (TransportError, CodingError, DecodeError):
                document = None
            if is_object(document) and document.get("error"):
                return self._redacted(reported_error(document["error"]))
        return RequestError(502, message, "engine_error")

    def _redacted(self, error: RequestError) -> RequestError:
        if self._content_secret is None:
            error.message = self.redact(error.message)
            return error
        text = self._content_secret.redact_bytes(error.body)
        found: Any = parse(text)["error"]
        return RequestError(
            error.status,
            str(found["message"]),
            str(found["code"]),
            headers=error.headers,
            details=found,
        )

    def _passed_on(self, headers: Headers) -> HeaderList:
        return [
            (name.encode("latin-1"), self.redact(headers[name]).encode("latin-1", "replace"))
            for name in headers
            if name in _PASSED_ON or name.startswith(_PREFIXES)
        ]

    def _unreachable(self, error: Exception) -> RequestError:
        said = self.redact(str(error)) or type(error).__name__
        return RequestError(
            502, f"The engine at {self.base_url} cannot be reached: {said}.", "engine_unreachable"
        )


@runtime_checkable
class Divertible(Protocol):
    """A response that offers its bytes as they arrive; see `AIOHTTPResponse.divert`."""

    def divert(self, take: Callable[[bytes], bool], take_chunks: Callable[[bytes], bool]) -> None:
        """Offer bytes to functions while a read waits."""
        ...


@define(eq=False)
class _Events:
    """The events of an engine's stream; see `EventSource`."""

    _response: AsyncTransportResponse
    _secret: Secret | None = field(repr=False)
    _coding: Inflater | None
    done: bool = field(init=False, default=False)
    _parser: EventParser = field(init=False, factory=lambda: EventParser(report_bare_json=True))
    _ended: bool = field(init=False, default=False)
    _is_between_events: bool = field(init=False, default=False)

    async def next(self, seconds: float | None = None) -> list[bytes] | None:
        """The next batch; see `EventSource.next`."""
        if self.done or self._ended:
            return None
        try:
            data = await self._response.read(LIMITS.read if seconds is None else seconds)
        except TransportError as error:
            if error.kind == "timeout" and seconds is not None:
                raise TimeoutError from error
            raise _interrupted() from error
        if self._coding is not None:
            plain = _inflated(self._coding, data)
            if data and not plain:
                return []
            data = plain
        if not data:
            return self._last()
        values = self._parser.split_simple_events(data)
        if values is None:
            values = self._parsed(data)
            if not values and self._parser.mid_event:
                return await self.next(seconds)
        return self._without_end(values)

    def divert(self, relay: EventRelay, writer: StreamWriter) -> None:
        """See `EventSource.divert`; possible with aiohttp, for events without a coding."""
        if self._coding is not None or not isinstance(self._response, Divertible):
            return
        split = self._parser.split_simple_events
        key = None if self._secret is None else self._secret.reveal().encode()

        def take(data: bytes) -> bool:
            if key is not None and key in data:
                return False
            values = split(data)
            self._is_between_events = values is not None
            return values is not None and relay.passes(values) and writer.write(data)

        def take_chunks(data: bytes) -> bool:
            return (
                self._is_between_events
                and relay.resemble_last(data)
                and (key is None or key not in data)
                and writer.write_chunks(data)
            )

        self._response.divert(take, take_chunks)

    async def drain(self) -> None:
        """Read the end of the body, so that its connection can be used again."""
        if self.done and not self._ended:
            with suppress(TransportError):  # the connection is closed instead
                self._ended = not await self._response.read(DRAIN_TIMEOUT)

    def _parsed(self, data: bytes) -> list[bytes]:
        self._is_between_events = False
        values = [_payload(kind, value) for kind, value, *_ in self._parser.feed(data)]
        if self._parser.overflow is not None:
            raise _interrupted()
        return values

    def _last(self) -> list[bytes] | None:
        """What the end of the body leaves: an event whose blank line is missing, or nothing."""
        self._ended = True
        rest = self._parser.unfinished.strip()
        if rest.startswith(b"{") or rest == b"[DONE]":
            return self._without_end([rest])
        return None

    def _without_end(self, values: list[bytes]) -> list[bytes] | None:
        if self._secret is not None:
            values = list(map(self._secret.redact_bytes, values))
        for position, value in enumerate(values):
            if value[:1] != b"{" and value.strip() in (b"[DONE]", b""):
                if value.strip():
                    self.done = True
                    return values[:position]
                return [each for each in values[:position] + values[position + 1 :] if each.strip()]
        return values


def _inflated(coding: Inflater, data: bytes) -> bytes:
    """Bytes without their content coding; an end inside of it is a cut."""
    try:
        plain = b"".join(coding.feed(data))
    except CodingError as error:
        raise _interrupted() from error
    if not data and not coding.complete:
        raise _interrupted()
    return plain


def _payload(kind: bytes, value: bytes) -> bytes:
    """An event's data; an event named `error` is one whatever its data looks like."""
    if kind == b"error":
        try:
            document = parse(value)
        except DecodeError:
            document = value.decode("utf-8", "replace")
        if not (is_object(document) and document.get("error")):
            return encode({"error": document})
    return value


def _interrupted() -> RequestError:
    return RequestError(500, "The engine failed in the middle of its answer.", "engine_interrupted")


def _inflater(headers: Headers) -> Inflater | None:
    try:
        return inflater(headers.get("content-encoding", ""))
    except CodingError as error:
        raise RequestError(
            502, f"The engine's answer cannot be read: {error}.", "engine_error"
        ) from error


def _listed(data: bytes) -> list[dict[str, Any]]:
    """The models of a list in OpenAI's form or the vendor's; empty if it is neither."""
    try:
        document = parse(data)
    except DecodeError:
        return []
    if not is_object(document):
        return []
    models: list[dict[str, Any]] = []
    for key, names in (("data", ("id",)), ("models", ("id", "key", "name", "model"))):
        found = document.get(key)
        for model in found if is_array(found) else ():
            if is_object(model):
                named = [model[name] for name in names if isinstance(model.get(name), str)]
                if named and named[0]:
                    models.append({"object": "model", **model, "id": named[0]})
        if models:
            break
    return models


def _new_transport() -> AsyncTransport:
    """Aiohttp where it is installed, because its parser is compiled; else the default."""
    try:
        from ..transports.aiohttp import AIOHTTPTransport
    except ConfigurationError:
        from ..transports.httpx import AsyncHTTPXTransport

        return AsyncHTTPXTransport(max_connections=100_000)
    return AIOHTTPTransport(max_connections=0)
