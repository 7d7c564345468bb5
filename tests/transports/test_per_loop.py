"""A value for each event loop."""

from __future__ import annotations

import gc
import weakref

import anyio
import pytest

from autonomousai_sdk.transports._per_loop import PerLoop


class Value:
    """Something made for a loop, that may hold on to the loop."""

    loop: object = None


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_each_loop_has_its_own(backend: str) -> None:
    """The same one whenever it is asked for, and another one in another loop."""
    values = PerLoop(Value)

    async def both() -> tuple[Value, Value]:
        return values.get(), values.get()

    first, again = anyio.run(both, backend=backend)
    other, _ = anyio.run(both, backend=backend)
    assert first is again
    assert first is not other


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_was_taken_is_made_anew(backend: str) -> None:
    """Taking it from a loop that has none gives none."""
    values = PerLoop(Value)

    async def use() -> None:
        assert values.pop() is None
        first = values.get()
        assert values.pop() is first
        assert values.get() is not first

    anyio.run(use, backend=backend)


def test_what_belongs_to_a_closed_loop_is_let_go() -> None:
    """Although it holds its loop, as connections do."""
    values = PerLoop(Value)

    async def use() -> weakref.ref[Value]:
        import asyncio

        value = values.get()
        value.loop = asyncio.get_running_loop()
        return weakref.ref(value)

    first = anyio.run(use)
    anyio.run(use)
    gc.collect()
    assert first() is None


def test_values_go_with_whoever_has_them() -> None:
    """The loop holds on to none of them."""

    async def use() -> None:
        values = PerLoop(Value)
        value = weakref.ref(values.get())
        del values
        gc.collect()
        assert value() is None

    anyio.run(use)
