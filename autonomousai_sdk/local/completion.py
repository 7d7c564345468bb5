"""One completion on its way from the engine to the client, as an ASGI response."""

from __future__ import annotations

from uuid import uuid4

import anyio
from anyio import CancelScope
from attrs import define, field
from starlette.types import Receive, Scope, Send

from .._core.timeout import END_MARKER_TIMEOUT
from .connection import EXCHANGE, Exchange
from .engine import Engine, EngineReply, EventSource, HeaderList
from .guard import refusal
from .relay import EventRelay
from .request import ParsedRequest
from .slots import Slots
from .wire import ConnectionAbort, RequestError, event


@define(eq=False)
class Completion:
    """Asks the engine and passes its reply on, as long as the client is there.

    Attributes:
        engine: what completes.
        request: what the client asks.
        slots: the places that completions run in.
        open: the completions under way, this one included while it runs.
    """

    engine: Engine
    request: ParsedRequest
    slots: Slots
    open: set[Completion]
    _exchange: Exchange = field(init=False)
    _scope: CancelScope = field(init=False, factory=CancelScope)
    _stopping: bool = field(init=False, default=False)
    _started: bool = field(init=False, default=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Complete; leaving stops it."""
        self._exchange = scope[EXCHANGE]
        self.open.add(self)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_on_disconnect, receive, self._scope)
                with self._scope:
                    await self._run(send)
                if self._stopping:
                    await self._fail(send, _shutting_down())
                group.cancel_scope.cancel()
        finally:
            self.open.discard(self)

    def stop(self) -> None:
        """End the completion with an error event, because the server ends."""
        self._stopping = True
        self._scope.cancel()

    async def _run(self, send: Send) -> None:
        try:
            async with self.slots.hold(), self.engine.complete(self.request) as reply:
                if reply.events is not None:
                    await self._stream(send, reply, reply.events)
                else:
                    await self._document(send, reply)
        except RequestError as error:
            await self._fail(send, error)
        except ConnectionAbort:
            self._exchange.abort()
        except Exception:  # noqa: BLE001  # whatever an engine does, the client is told
            await self._fail(send, RequestError(500, "The engine failed.", "server_error"))

    async def _document(self, send: Send, reply: EngineReply) -> None:
        body = reply.document or b""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *_with_request_id(reply.headers),
        ]
        self._started = True
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _stream(self, send: Send, reply: EngineReply, events: EventSource) -> None:
        relay = EventRelay(self.request.original)
        # The first event decides whether there is a stream: an engine may fail before it.
        payloads = await events.next()
        ready = b"" if payloads is None else relay.feed(payloads)
        if not ready:
            _check(relay, payloads, events)
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            # Proxies that gather a response before passing it on heed this.
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            *_with_request_id(reply.headers),
        ]
        self._started = True
        exchange = self._exchange
        exchange.begin_stream()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        events.divert(relay, exchange)
        while payloads is not None:
            if ready:
                await send({"type": "http.response.body", "body": ready, "more_body": True})
            if relay.error is not None:
                raise relay.error
            if events.done:
                break
            try:
                payloads = await events.next(END_MARKER_TIMEOUT if relay.ending else None)
            except TimeoutError:
                break  # the completion is whole, and its end marker does not come
            ready = b"" if payloads is None else relay.feed(payloads)
        await self._end_stream(send, relay.end(done=events.done))

    async def _end_stream(self, send: Send, last: bytes) -> None:
        """Send the last bytes of a stream."""
        self._exchange.end_stream(len(last))
        await send({"type": "http.response.body", "body": last, "more_body": False})

    async def _fail(self, send: Send, error: RequestError) -> None:
        """Send an error: as the response, or inside a stream as an event without end marker."""
        error.message = self.engine.redact(error.message)
        if not self._started:
            self._started = True
            response = refusal(error)
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status_code,
                    "headers": _with_request_id(response.raw_headers),
                }
            )
            await send({"type": "http.response.body", "body": error.body, "more_body": False})
        else:
            await self._end_stream(send, event(error.body))


def _check(relay: EventRelay, payloads: list[bytes] | None, events: EventSource) -> None:
    """Find out, before the head is sent, whether an engine failed at once.

    Raises:
        RequestError: it did.
    """
    if relay.error is not None:
        raise relay.error
    if payloads is None:
        relay.end(done=events.done)


def _shutting_down() -> RequestError:
    return RequestError(
        503, "The server is shutting down.", "shutting_down", headers={"retry-after": "1"}
    )


def _with_request_id(headers: HeaderList) -> HeaderList:
    """Headers with an id for the request, which an engine may have given."""
    if any(name == b"x-request-id" for name, _ in headers):
        return headers
    return [*headers, (b"x-request-id", f"req_{uuid4().hex}".encode())]


async def _cancel_on_disconnect(receive: Receive, scope: CancelScope) -> None:
    """Wait until the client leaves, then stop the work that is done for it."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
