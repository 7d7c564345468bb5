"""A transport of the caller's own that plays a script, and does nothing that it is not told to.

The transports on HTTP libraries put much right by themselves, as a connection that is closed
when reading from it fails. This one shows what the drivers do.
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
"""What a read does: give these bytes, fail, or (None) never end."""


@define(eq=False)
class Script:
    """An answer with status 200, as it is read.

    Attributes:
        kind: its content type.
        steps: what each read does.
        limits: the seconds each read was given.
        is_closed: whether the answer was closed.
    """

    kind: str
    steps: list[Step]
    limits: list[float | None] = field(init=False, factory=list[float | None])
    is_closed: bool = field(init=False, default=False)

    def next_step(self, timeout: float | None) -> bytes | None:
        """What the next read gives, if it ends."""
        self.limits.append(timeout)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


@frozen
class Response:
    """The answer, blocking or awaiting."""

    script: Script

    status = 200

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Nothing but the content type."""
        return [("content-type", self.script.kind)]

    def abort(self) -> None:
        """Break no connection."""


class BlockingResponse(Response):
    """The answer, blocking."""

    def read(self, timeout: float | None) -> bytes:
        """Do the next step."""
        step = self.script.next_step(timeout)
        if step is None:
            sleep(60)
        return step or b""

    def close(self) -> None:
        """Note that it was closed."""
        self.script.is_closed = True


class AwaitingResponse(Response):
    """The answer, awaiting; closing it takes a moment, in which it can be cancelled."""

    async def read(self, timeout: float | None) -> bytes:
        """Do the next step."""
        step = self.script.next_step(timeout)
        if step is None:
            await anyio.sleep_forever()
        return step or b""

    async def aclose(self) -> None:
        """Note that it was closed."""
        await checkpoint()
        self.script.is_closed = True


@frozen
class BlockingTransport:
    """Answers each request by the script."""

    script: Script

    def send(self, request: Any, timeout: Any) -> BlockingResponse:
        """Answer."""
        return BlockingResponse(self.script)

    def close(self) -> None:
        """Close nothing."""


@frozen
class AwaitingTransport:
    """Answers each request by the script."""

    script: Script

    async def send(self, request: Any, timeout: Any) -> AwaitingResponse:
        """Answer."""
        return AwaitingResponse(self.script)

    async def aclose(self) -> None:
        """Close nothing."""


def playing(client_under_test: SDK, script: Script, **options: Any) -> Any:
    """A client in the subject's colour, on a transport that plays the script."""
    if client_under_test.backend == "sync":
        made: Any = sdk.Client(transport=BlockingTransport(script), **options)
    else:
        made = sdk.AsyncClient(transport=AwaitingTransport(script), **options)
    return client_under_test.calls(made)
