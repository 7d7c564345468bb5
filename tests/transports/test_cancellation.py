"""The cancel sweep: a call cancelled at any checkpoint costs neither a pool slot nor a socket.

Each sweep runs on a pool of one connection, so that one lost slot fails the next call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

import anyio
import pytest
from attrs import define, field

from autonomousai_sdk import Timeout
from tests.support.backends import put_to
from tests.support.case import Outcome, created, fine, streamed
from tests.support.client_under_test import Client
from tests.support.contestants import CONTESTANTS, Contestant
from tests.support.fault_server import FaultServer, Received
from tests.support.script import Answer
from tests.support.wire import WHOLE, document, said

CHECKPOINTS = 40
"""The sweep ends here at the latest, or when a call completes before its cancellation."""

LIMITS = Timeout(pool=1, total=5)
"""A lost slot shows as a pool timeout, soon."""

AWAITING = [each for each in CONTESTANTS if each.backend != "sync"]
ON_ASYNCIO = [each for each in AWAITING if each.backend == "asyncio"]


def answer(request: Received) -> Answer:
    """Respond with a stream or a document, whichever is requested."""
    return WHOLE if b'"stream":true' in request.body.replace(b" ", b"") else document()


@define(eq=False)
class CancelledAt:
    """Awaits a coroutine and cancels it at its nth checkpoint.

    Attributes:
        coroutine: the call.
        checkpoint: the checkpoint to cancel at, from 0.
        way: how: "scope" by an anyio cancel scope, "task" by asyncio's `Task.cancel`, and
            "late" by the same just after the awaited future is done, but before the task
            continues.
    """

    coroutine: Coroutine[Any, Any, Any]
    checkpoint: int
    way: str
    scope: anyio.CancelScope = field(factory=anyio.CancelScope)
    completed: bool = False

    def __await__(self) -> Generator[Any, Any, None]:
        steps: Any = self.coroutine.__await__()
        passed = 0
        advance, value = steps.send, None
        while True:
            try:
                waits_for = advance(value)
            except StopIteration:
                self.completed = True
                return
            if passed == self.checkpoint:
                self._cancel(waits_for)
            passed += 1
            try:
                advance, value = steps.send, (yield waits_for)
            except BaseException as error:  # noqa: BLE001  # the coroutine receives it
                advance, value = steps.throw, error

    def _cancel(self, waits_for: Any) -> None:
        if self.way == "scope":
            self.scope.cancel()
            return
        task = asyncio.current_task()
        assert task is not None
        if self.way == "late" and asyncio.isfuture(waits_for):
            waits_for.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()


async def call(client: Client, kind: str) -> None:
    """Make a call that is cancelled; its result does not matter."""
    if kind == "create":
        await client.chat.create("Hello", timeout=LIMITS)
        return
    async with client.chat.stream("Hello", timeout=LIMITS) as stream:
        async for _ in stream:
            pass


async def cancelled(client: Client, kind: str, checkpoint: int, way: str) -> bool:
    """Make a call and cancel it; whether it completed before."""
    cancelling = CancelledAt(call(client, kind), checkpoint, way)
    try:
        with cancelling.scope:
            await cancelling
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
    return cancelling.completed


SWEEPS = pytest.mark.parametrize("kind", ["create", "stream"])


async def sweep(client_under_test: Contestant, kind: str, way: str) -> None:
    """Cancel a call at each checkpoint, on a new connection and on one that was used before."""
    with FaultServer(answer) as server:
        for checkpoint in range(CHECKPOINTS):
            completed = False
            async with (
                client_under_test.http_client(1) as http_client,
                client_under_test.chatting(server.url, http_client, 1) as client,
            ):
                for _ in range(2):
                    completed = await cancelled(client, kind, checkpoint, way)
                    outcome = await created(client_under_test, client, timeout=LIMITS)
                    assert outcome.error is None, f"after checkpoint {checkpoint}: {outcome.error}"
            assert await client_under_test.until(lambda: server.open_connections == 0)
            if completed:
                return


@SWEEPS
@put_to(AWAITING)
async def test_a_call_cancelled_by_a_scope_frees_its_slot(
    client_under_test: Contestant, kind: str
) -> None:
    """After a call is cancelled at any checkpoint, the next one works and no socket is left."""
    await sweep(client_under_test, kind, "scope")


@pytest.mark.parametrize("way", ["task", "late"])
@SWEEPS
@put_to(ON_ASYNCIO)
async def test_a_call_cancelled_by_its_task_frees_its_slot(
    client_under_test: Contestant, kind: str, way: str
) -> None:
    """The same with `Task.cancel`, also between a future's result and the task's next step."""
    await sweep(client_under_test, kind, way)


@pytest.mark.parametrize("way", ["scope", "task", "late"])
@put_to(ON_ASYNCIO)
async def test_a_call_cancelled_as_it_gets_its_slot_leaves_it_to_the_next(
    client_under_test: Contestant, way: str
) -> None:
    """A call that waits for a slot and is cancelled at any checkpoint passes the slot on."""
    with FaultServer(answer) as server:
        for checkpoint in range(CHECKPOINTS):
            async with (
                client_under_test.http_client(1) as http_client,
                client_under_test.chatting(server.url, http_client, 1) as client,
            ):
                completed = await cancelled_while_waiting(client, checkpoint, way)
            assert await client_under_test.until(lambda: server.open_connections == 0)
            if completed:
                return


async def cancelled_while_waiting(client: Client, checkpoint: int, way: str) -> bool:
    """Cancel a call that waits for a stream's slot, before another; whether it completed."""
    stream = client.chat.stream("Hello", timeout=LIMITS)
    await stream.__anext__()
    completed: list[bool] = []
    outcomes: list[Outcome] = []

    async def cancel() -> None:
        completed.append(await cancelled(client, "create", checkpoint, way))

    async def wait() -> None:
        outcomes.append(await created(ON_ASYNCIO[0], client, timeout=LIMITS))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel)
        await anyio.sleep(0.001)
        tasks.start_soon(wait)
        await anyio.sleep(0.001)
        await stream.aclose()
    assert outcomes[0].error is None, f"after checkpoint {checkpoint}: {outcomes[0].error}"
    return completed[0]


@put_to(AWAITING)
async def test_an_uncancelled_sweep_completes(client_under_test: Contestant) -> None:
    """The sweep itself does not disturb a call: without a cancellation it completes."""
    with FaultServer(said("Hello world"), document()) as server:
        async with (
            client_under_test.http_client(1) as http_client,
            client_under_test.chatting(server.url, http_client, 1) as client,
        ):
            assert await cancelled(client, "stream", 10_000, "scope")
            fine(await created(client_under_test, client), "Hello world")
            outcome = await streamed(client_under_test, client)
            assert outcome.error is not None or outcome.text
