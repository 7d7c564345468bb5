"""A custom transport that plays a script.

The transports on HTTP libraries correct much by themselves: they close a connection when a read
fails, for example. This one shows what the drivers do.
"""

from __future__ import annotations

from time import sleep
from typing import Any

import anyio
from anyio.lowlevel import checkpoint
from attrs import define, field, frozen

import autonomousai_sdk as sdk

from .client_under_test import SDK

Step = bytes | Exception | None
"""The effect of a read: return bytes, raise, or (None) never return."""


@define(eq=False)
class Script:
    """A response with status 200.

    Attributes:
        kind: its content type.
        steps: the effect of each read.
        limits: the timeout of each read, in seconds.
        is_closed: whether the response was closed.
    """

    kind: str
    steps: list[Step]
    limits: list[float | None] = field(init=False, factory=list[float | None])
    is_closed: bool = field(init=False, default=False)

    def next_step(self, timeout: float | None) -> bytes | None:
        """Return the result of the next read."""
        self.limits.append(timeout)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


@frozen
class Response:
    """The response, blocking or awaiting."""

    script: Script

    status = 200

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The content type alone."""
        return [("content-type", self.script.kind)]

    def abort(self) -> None:
        """Do nothing: there is no connection."""


class BlockingResponse(Response):
    """The blocking response."""

    def read(self, timeout: float | None) -> bytes:
        """Run the next step."""
        step = self.script.next_step(timeout)
        if step is None:
            sleep(60)
        return step or b""

    def close(self) -> None:
        """Record that it was closed."""
        self.script.is_closed = True


class AwaitingResponse(Response):
    """The awaiting response; closing it takes a moment, in which it can be cancelled."""

    async def read(self, timeout: float | None) -> bytes:
        """Run the next step."""
        step = self.script.next_step(timeout)
        if step is None:
            await anyio.sleep_forever()
        return step or b""

    async def aclose(self) -> None:
        """Record that it was closed."""
        await checkpoint()
        self.script.is_closed = True


@frozen
class BlockingTransport:
    """Responds to each request by the script."""

    script: Script

    def send(self, request: Any, timeout: Any) -> BlockingResponse:
        """Return the response."""
        return BlockingResponse(self.script)

    def close(self) -> None:
        """Do nothing: there is no connection."""


@frozen
class AwaitingTransport:
    """Responds to each request by the script."""

    script: Script

    async def send(self, request: Any, timeout: Any) -> AwaitingResponse:
        """Return the response."""
        return AwaitingResponse(self.script)

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


def playing(client_under_test: SDK, script: Script, **options: Any) -> Any:
    """A client on a transport that plays the script."""
    if client_under_test.backend == "sync":
        made: Any = sdk.Client(transport=BlockingTransport(script), **options)
    else:
        made = sdk.AsyncClient(transport=AwaitingTransport(script), **options)
    return client_under_test.calls(made)
