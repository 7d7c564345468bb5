"""The awaiting driver: runs flows and reads streams for `AsyncClient`, on asyncio or trio.

The twin of `blocking`: they differ in `await`, `async` and names.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from threading import Lock
from time import monotonic, time
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast
from uuid import uuid4

from anyio import CancelScope, fail_after, sleep
from attrs import define, field

from .._core.accumulator import text_of
from .._core.exchange import Failure, Outcome, Reply, TransportError
from .._core.failure import closed_error
from .._core.flow import Attempt, RetryPolicy, attempts
from .._core.headers import Headers
from .._core.operation import ChunkT, Operation, ResultT, StreamingOperation
from .._core.prepared_call import PreparedCall, prepare_call
from .._core.raw_response import RawResponse
from .._core.response import ResponseReader
from .._core.settings import CallOptions, Settings
from .._core.stream import StreamState
from .._core.timeout import Deadline
from ..errors import ConfigurationError, StreamError
from ..transports import AsyncTransport, AsyncTransportResponse
from ..transports._per_loop import PerLoop
from ..transports._shield import shielded
from .open_streams import CLOSED, OpenStreams

T = TypeVar("T")
StreamT = TypeVar("StreamT", bound="AsyncStream[Any, Any]")

DRAIN_TIMEOUT = 0.1
"""Seconds to wait for the end of a complete stream's body, to reuse its connection."""


@define(eq=False)
class AsyncConnections:
    """A client's transport, which the first call makes, and its open streams.

    `_new` makes the transport; `own` tells whether closing the client closes it.
    """

    _new: Callable[[], AsyncTransport]
    own: bool
    _transport: AsyncTransport | None = field(init=False, default=None)
    _making: Lock = field(init=False, factory=Lock)
    closed: bool = field(init=False, default=False)
    _streams: PerLoop[OpenStreams[AsyncTransportResponse]] = field(
        init=False, factory=lambda: PerLoop(OpenStreams[AsyncTransportResponse])
    )

    async def transport(self) -> AsyncTransport:
        """Return the transport, after closing the responses of dropped streams.

        Raises:
            ConfigurationError: the client was closed.
        """
        if self.closed:
            raise ConfigurationError(CLOSED)
        if self.streams.dropped:
            for response in self.streams.collect():
                await close(response)
        return self._transport or self._make()

    @property
    def streams(self) -> OpenStreams[AsyncTransportResponse]:
        """The streams open on the running loop."""
        return self._streams.get()

    async def close(self) -> None:
        """End every call and stream of the running loop, and close the client's own connections.

        The connections of a loop that has ended are closed already.
        """
        self.closed = True
        streams = self.streams
        for scope in list(streams.calls.values()):
            scope.cancel()
        for stream in streams.open_streams():
            await stream.close()
        for response in streams.collect():
            await close(response)
        with self._making:  # another thread may be making it
            transport = self._transport
        if transport is not None and self.own:
            await shielded(transport.aclose())

    def __del__(self) -> None:
        if self.own and self._transport is not None and not self.closed:
            warnings.warn(
                "an AsyncClient was dropped without being closed; use an async with block, or "
                "close()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )

    def _make(self) -> AsyncTransport:
        """Make the transport, once for the event loops of all threads."""
        with self._making:
            if self.closed:
                raise ConfigurationError(CLOSED)
            if self._transport is None:
                self._transport = self._new()
            return self._transport


@define(eq=False)
class AsyncCallRunner:
    """Makes the calls of one client, with its settings, connections and retry policy."""

    settings: Settings
    connections: AsyncConnections
    policy: RetryPolicy
    _returns_raw: bool = field(default=False, alias="returns_raw")

    def raw(self) -> AsyncCallRunner:
        """The runner of the same client whose calls return raw responses."""
        return AsyncCallRunner(self.settings, self.connections, self.policy, returns_raw=True)

    def __deepcopy__(self, memo: object) -> Self:
        return self  # a deep copy of `client.chat` uses the same connections

    async def call(
        self, operation: Operation[T], arguments: Mapping[str, object], options: CallOptions
    ) -> T:
        """Make a call whose response is one document."""
        call = prepare_call(self.settings, operation, arguments, options, shape=None, new_key=uuid4)
        reader, response, deadline = await self.run(call)
        try:
            if self._returns_raw:
                elapsed = monotonic() - deadline.started
                return cast(
                    "T", RawResponse(elapsed, reader, lambda: reader.result(operation.result))
                )
            result: T = reader.result(operation.result)
            return result
        finally:
            await close(response)

    def stream(
        self,
        cls: type[StreamT],
        operation: StreamingOperation[Any, Any],
        arguments: Mapping[str, object],
        options: CallOptions,
    ) -> StreamT:
        """Prepare a call whose response is a stream; entering the stream makes the call."""
        call = prepare_call(
            self.settings,
            operation,
            arguments,
            options,
            shape=operation.stream,
            new_key=uuid4,
        )
        return cls(self, call)

    async def run(
        self, call: PreparedCall[Any]
    ) -> tuple[ResponseReader, AsyncTransportResponse, Deadline]:
        """Run the flow of a call to its end.

        Returns:
            The flow's result, the response, which is still open, and the call's deadline.
        """
        deadline = Deadline(call.timeout, monotonic())
        flow = attempts(call, self.policy)
        response: AsyncTransportResponse | None = None
        try:
            attempt = next(flow)
            while True:
                response, outcome = await self._make_cancellable(attempt, deadline)
                attempt = flow.send(outcome)
                if response is not None:
                    await close(response)
        except StopIteration as stop:
            # A flow returns only after a response, so `response` is set.
            return stop.value, cast("AsyncTransportResponse", response), deadline
        except BaseException:
            if response is not None:
                await close(response)
            raise

    def failure(self, error: TransportError, deadline: Deadline, began: float) -> Failure:
        """Return the outcome of an attempt that failed."""
        now = monotonic()
        limit = deadline.expired(now, error.phase)
        if limit.name == "pool":
            error.message = str(self.connections.streams)
        return Failure(
            error=error,
            limit=limit.name,
            seconds=limit.seconds,
            elapsed=now - deadline.started,
            duration=now - began,
        )

    async def _make(
        self, attempt: Attempt, deadline: Deadline
    ) -> tuple[AsyncTransportResponse | None, Outcome]:
        """Make one attempt; if it has a response, that is still open."""
        reader = attempt.reader
        if attempt.delay:
            await sleep(attempt.delay)
            if self.connections.closed:
                raise closed_error(reader.context, streaming=reader.shape is not None)
        began = monotonic()
        response: AsyncTransportResponse | None = None
        try:
            response = await self._send(attempt, deadline, began)
            reader.start(response.status, Headers(response.headers))
            deadline.answered(monotonic(), streaming=reader.stream is not None)
            while not reader.satisfied:
                reader.feed(await response.read(deadline.wait(monotonic())))
        except TransportError as error:
            if response is not None:
                await close(response)
            if self.connections.closed:
                raise closed_error(reader.context, streaming=reader.shape is not None) from None
            return None, self.failure(error, deadline, began)
        except BaseException:
            if response is not None:
                await close(response)
            raise
        finally:
            self.connections.streams.calls.pop(id(attempt), None)
        now = monotonic()
        return response, Reply(elapsed=now - deadline.started, duration=now - began, date=time())

    async def _make_cancellable(
        self, attempt: Attempt, deadline: Deadline
    ) -> tuple[AsyncTransportResponse | None, Outcome]:
        """Make one attempt in a scope that closing the client cancels."""
        with CancelScope() as scope:
            self.connections.streams.calls[id(attempt)] = scope
            return await self._make(attempt, deadline)
        reader = attempt.reader
        raise closed_error(reader.context, streaming=reader.shape is not None)

    async def _send(
        self, attempt: Attempt, deadline: Deadline, began: float
    ) -> AsyncTransportResponse:
        """Send within the rest of the whole call, even if the transport ignores its limits."""
        transport = await self.connections.transport()
        limits = deadline.limits(began)
        if limits.total is None:
            return await transport.send(attempt.request, limits)
        try:
            with fail_after(limits.total):
                return await transport.send(attempt.request, limits)
        except TimeoutError as error:
            raise TransportError("timeout", "timed out") from error


@define(eq=False)
class _OpenStream:
    """The result of a stream's call."""

    reader: ResponseReader
    state: StreamState[Any, Any]
    response: AsyncTransportResponse | None
    deadline: Deadline
    elapsed: float
    reading: bool = False


class AsyncStream(Generic[ChunkT, ResultT]):
    """A completion in chunks: a context manager and an iterator of the chunks.

    The request is sent on entering the `with` block, or by the first step of a loop without one.
    Leaving the block early closes the connection at once.

    Examples:
        >>> async with client.chat.stream("Tell me a story.") as stream:
        ...     async for text in stream.text:
        ...         print(text, end="", flush=True)
        >>> stream.completion.finish_reason
        'stop'
    """

    def __init__(self, runner: AsyncCallRunner, call: PreparedCall[ResultT]) -> None:
        self._runner = runner
        self._call = call
        self._live: _OpenStream | None = None
        self._closed = False
        self._exhausted = False

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        self._refuse_if_over()
        return self

    async def __anext__(self) -> ChunkT:
        live = self._live or await self._open()
        ready = live.state.ready
        if not ready:
            await self._fill(live)
        chunk: ChunkT = ready.popleft()
        return chunk

    @property
    def text(self) -> AsyncIterator[str]:
        """Iterate over the text of the first choice, in pieces that are never empty.

        Raises:
            AutonomousAIError: the same errors as iterating over the stream.
        """
        self._refuse_if_over()
        return self._texts()

    async def until_done(self) -> ResultT:
        """Read the rest of the stream.

        Returns:
            The completion from all chunks, including the ones already read.

        Raises:
            AutonomousAIError: the same errors as iterating over the stream.
        """
        if not self._is_over:
            async for _ in self:
                pass
        return self.completion

    @property
    def response(self) -> RawResponse[ResultT]:
        """The raw response, available once the stream is open; its `parse` is `completion`.

        Raises:
            StreamError: the request was not sent yet.
        """
        live = self._live
        if live is None:
            raise StreamError(
                "The stream has no response yet, because it was not opened: enter it, or iterate "
                "over it.",
                endpoint=self._call.context.endpoint,
            )
        return RawResponse(live.elapsed, live.reader, live.state.completion)

    @property
    def completion(self) -> ResultT:
        """The completion from all chunks, available after the stream has ended.

        Raises:
            StreamError: the stream has not ended, or was closed before its end.
            AutonomousAIError: the stream ended with this error.
        """
        if self._live is None:
            raise StreamError(
                "The stream has no completion yet, because it was not read: iterate over it, or "
                "call until_done().",
                endpoint=self._call.context.endpoint,
            )
        result: ResultT = self._live.state.completion()
        return result

    async def close(self) -> None:
        """Close the stream, and its connection if the stream was not read to its end."""
        self._closed = True
        live = self._live
        if live is None or live.response is None:
            return
        live.state.abandon()
        if live.reading:  # in another task, which wakes up and closes the response
            live.response.abort()
            return
        response, live.response = live.response, None
        self._runner.connections.streams.remove(self)
        await close(response)

    async def aclose(self) -> None:
        """Close the stream: the name of `close` that `contextlib.aclosing` calls."""
        await self.close()

    def __repr__(self) -> str:
        status = "not started" if self._live is None else "open"
        if self._closed:
            status = "closed"
        if self._is_over:
            status = "ended"
        return f"<{type(self).__name__} {self._call.context.endpoint} {status}>"

    def __del__(self) -> None:
        live = getattr(self, "_live", None)  # absent if __init__ did not run
        if live is not None and live.response is not None:
            warnings.warn(
                f"{self!r} was dropped before it was read to its end or closed; use a with block",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )

    async def _texts(self) -> AsyncIterator[str]:
        async for chunk in self:
            if text := text_of(chunk):
                yield text

    async def _open(self) -> _OpenStream:
        if self._live is not None:
            return self._live
        self._refuse_if_closed()
        call = self._call
        runner = self._runner
        reader, response, deadline = await runner.run(call)
        state = cast("StreamState[Any, Any]", reader.stream)  # the flow returns nothing else
        self._live = live = _OpenStream(
            reader, state, response, deadline, monotonic() - deadline.started
        )
        runner.connections.streams.add(self, response, call.context.endpoint)
        if runner.connections.closed:
            await self.close()
            raise closed_error(reader.context, streaming=True)
        return live

    async def _fill(self, live: _OpenStream) -> None:
        """Read until a chunk is ready.

        Raises:
            StopAsyncIteration: the stream is complete.
            AutonomousAIError: the stream ended with this error.
        """
        reader, state, deadline = live.reader, live.state, live.deadline
        began = now = monotonic()
        deadline.waits(began, ending=state.ending)
        while True:
            if state.ended:
                await self._finish(live)
                if state.error is not None:
                    raise state.error
                self._exhausted = True
                raise StopAsyncIteration
            live.reading = True
            # In this order, since close() sets `_closed` before it checks `reading`.
            response = None if self._closed else live.response
            if response is None:
                live.reading = False
                await self.close()
                raise self._closed_error()
            try:
                reader.feed(await response.read(deadline.wait(now)))
            except TransportError as error:
                state.fail(self._runner.failure(error, deadline, began))
            except BaseException:
                live.reading = False
                await self.close()
                raise
            live.reading = False
            if self._closed:  # by another task, while this one was reading
                await self.close()
                raise self._closed_error()
            if state.ready:
                return
            now = monotonic()

    async def _finish(self, live: _OpenStream) -> None:
        """Return the connection to the pool if the body ends in time, else close it."""
        try:
            if live.response is not None and live.state.error is None and not live.reader.ended:
                await live.response.read(DRAIN_TIMEOUT)
        except TransportError:
            pass  # the stream is complete, so an error of its connection does not matter
        finally:
            await self.close()

    @property
    def _is_over(self) -> bool:
        return self._live is not None and self._live.state.is_over

    def _refuse_if_over(self) -> None:
        if self._exhausted:
            raise StreamError(
                "The stream was already read to its end: .completion has all of it.",
                endpoint=self._call.context.endpoint,
            )
        self._refuse_if_closed()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise self._closed_error()

    def _closed_error(self) -> StreamError:
        return StreamError(
            "The stream was closed before its end: start another one.",
            endpoint=self._call.context.endpoint,
        )


async def close(response: AsyncTransportResponse) -> None:
    """Close a response, also in a task that is cancelled."""
    await shielded(response.aclose())
