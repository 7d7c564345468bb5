"""The limits of a request on a caller's client, until its response begins.

The library applies `connect` to each step of connecting by itself, and no limit at all to a SOCKS
proxy's replies; nor does it know `total`. But it reports its steps to the extension `trace`, by
which the limits here hold with HTTP/1.1.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self

import anyio
from attrs import define, field

from .._core.exchange import TransportError
from .._core.timeout import Timeout
from ._socket import shut_down
from ._watchdog import BlockingWatchdog

_TIMED_OUT = "no response received in time"

Step = Literal["connecting", "connected", "sending"]


def step_of(event: str, info: Any) -> Step | None:
    """What an event of httpcore's `trace` says of a connection, if it says anything here."""
    _, _, event = event.partition(".")
    if event == "connect_tcp.started":
        return "connecting"
    if event == "connect_tcp.complete":
        return "connected"
    if event == "send_request_headers.started" and info["request"].method != b"CONNECT":
        return "sending"
    return None


class PlainTimeouts(dict[str, float | None]):
    """The `timeout` extension of a request on a caller's client: plain seconds by step.

    Attributes:
        ended: whether another thread has ended the request.
    """

    ended = False

    @classmethod
    def of(cls, timeout: Timeout) -> Self:
        """Make it from a `Timeout`; no step may take longer than the whole request."""
        made = cls()
        for step in ("connect", "read", "write", "pool"):
            limits = [each for each in (getattr(timeout, step), timeout.total) if each is not None]
            made[step] = min(limits, default=None)
        return made

    def get(self, key: str, default: Any = None) -> Any:
        """Return the limit of a step; httpcore calls this before each one.

        Raises:
            TransportError: the request was ended.
        """
        if self.ended:
            raise TransportError("broken", "the request was interrupted")
        return super().get(key, default)


@define(eq=False)
class BlockingSendLimit:
    """Ends a blocking request that has timed out, by shutting its connection down.

    A lookup, and connecting to one address, cannot be ended: the library limits each address.
    """

    _watchdog: BlockingWatchdog
    _timeout: Timeout
    _interrupt: Callable[[], None]
    _phase: str | None = field(init=False, default=None)
    _socket: socket.socket | None = field(init=False, default=None)
    _unused: Any = field(init=False, default=None)

    def trace(self, event: str, info: Any) -> None:
        """Take in an event of the library's."""
        step = step_of(event, info)
        if step == "connecting" and self._timeout.connect is not None:
            self._watchdog.expect_within(self._timeout.connect, self._expire_connect)
        elif step == "connected":
            self._unused = info["return_value"]
            # TLS takes the descriptor away from the library's socket.
            self._socket = self._unused.get_extra_info("socket").dup()
            if self._phase is not None:
                shut_down(self._socket)
        elif step == "sending":
            self._unused = None
            self._watchdog.rest(self._expire_connect)

    def __enter__(self) -> Self:
        if self._timeout.total is not None:
            self._watchdog.expect_within(self._timeout.total, self._expire_total)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for each in (self._expire_connect, self._expire_total):
            self._watchdog.rest(each)
        if self._socket is not None:
            self._socket.close()
        if self._unused is not None:  # httpcore does not close it when a SOCKS handshake fails
            self._unused.close()
        # Whatever the library makes of a connection that ends in the middle of a handshake.
        if self._phase is not None and isinstance(exc_value, Exception):
            raise TransportError("timeout", _TIMED_OUT, phase=self._phase) from exc_value

    def _expire_connect(self) -> None:
        self._expire("connect")

    def _expire_total(self) -> None:
        self._expire("read")

    def _expire(self, phase: str) -> None:
        self._phase = phase
        if self._socket is not None:
            shut_down(self._socket)
        self._interrupt()


@define(eq=False)
class AsyncSendLimit:
    """Ends an awaiting request that has timed out, by cancelling it."""

    _timeout: Timeout
    _scope: anyio.CancelScope = field(init=False, factory=anyio.CancelScope)
    _is_connecting: bool = field(init=False, default=False)
    _total_until: float = field(init=False, default=math.inf)
    _unused: Any = field(init=False, default=None)

    async def trace(self, event: str, info: Any) -> None:
        """Take in an event of the library's."""
        step = step_of(event, info)
        if step == "connecting" and self._timeout.connect is not None:
            self._is_connecting = True
            until = anyio.current_time() + self._timeout.connect
            self._scope.deadline = min(self._total_until, until)
        elif step == "connected":
            self._unused = info["return_value"]
        elif step == "sending":
            self._unused = None
            self._is_connecting = False
            self._scope.deadline = self._total_until

    async def __aenter__(self) -> Self:
        if self._timeout.total is not None:
            self._total_until = anyio.current_time() + self._timeout.total
        self._scope.deadline = self._total_until
        self._scope.__enter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._unused is not None:  # httpcore does not close it when a SOCKS handshake fails
            with anyio.CancelScope(shield=True):
                await self._unused.aclose()
        # Else the scope, which the response outlives, would end it later.
        self._scope.deadline = math.inf if exc_value is None else self._scope.deadline
        self._scope.__exit__(exc_type, exc_value, traceback)
        if self._scope.cancelled_caught:
            phase = "connect" if self._is_connecting else "read"
            raise TransportError("timeout", _TIMED_OUT, phase=phase) from TimeoutError(_TIMED_OUT)
