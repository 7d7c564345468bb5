"""Programs that need their own process, to test memory, stderr, forks and signals.

`call` runs one in a child process and returns its result and stderr. Run as a module, this is that
child.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import anyio
from attrs import frozen

from .case import WAYS
from .client_under_test import ClientUnderTest, FaultNotHandled, Options

ROOT = Path(__file__).parent.parent.parent
STEADY = {"MALLOC_MMAP_THRESHOLD_": "131072"}
"""Make glibc's malloc return large freed blocks, so that growth is measurable."""

LONGEST = 60.0
"""The limit of a child process, in seconds."""


@frozen
class Result:
    """A program's JSON result and its stderr."""

    value: Any
    stderr: str


def call(
    client_under_test: ClientUnderTest,
    program: str,
    url: str,
    *,
    development: bool = False,
    environ: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Result:
    """Run a program of this module in a child process.

    Args:
        client_under_test: the client to run it with.
        program: the function's name.
        url: the fault server's.
        development: whether to use Python's development mode, which enables all warnings.
        environ: variables added to the environment.
        arguments: further arguments of the function, in JSON types.
    """
    library = type(client_under_test)
    who = (
        library.__module__,
        library.__name__,
        client_under_test.backend,
        client_under_test.transport,
        client_under_test.protocol,
    )
    told = json.dumps([*who, program, url, arguments])
    child = subprocess.run(
        [
            sys.executable,
            *(["-X", "dev", "-W", "always"] if development else []),
            "-m",
            __name__,
            told,
        ],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        cwd=ROOT,
        env={**os.environ, **STEADY, **(environ or {})},
        check=False,
    )
    if child.returncode != 0:
        last = next((line for line in reversed(child.stderr.splitlines()) if line.strip()), "")
        raise FaultNotHandled(f"the program ended with {child.returncode}: {last}\n{child.stderr}")
    return Result(json.loads(child.stdout.splitlines()[-1]), child.stderr)


def main(told: str) -> None:
    """Run the program that `call` names."""
    module, library, backend, transport, protocol, program, url, arguments = json.loads(told)
    made: Callable[..., ClientUnderTest] = getattr(import_module(module), library)
    client_under_test = made(backend, transport, protocol=protocol)
    function = PROGRAMS[program]
    sys.stdout.write(json.dumps(function(client_under_test, url, **arguments)) + "\n")


def measured(
    client_under_test: ClientUnderTest, url: str, *, ways: list[str], bound: int | None
) -> list[dict[str, Any]]:
    """Warm up with a call, then measure the memory of a call of each kind."""
    found: list[dict[str, Any]] = []

    async def calls() -> None:
        async with client_under_test.client(url, bound=bound, retries=0) as client:
            await WAYS["stream"](client_under_test, client)
            for way in ways:
                gc.collect()
                before = _memory_before()
                error = (await WAYS[way](client_under_test, client)).error
                found.append(
                    {
                        "error": None if error is None else type(error).__name__,
                        "said": str(error)[:5000],
                        "length": len(str(error)),
                        "grown": _memory("VmHWM") - before,
                    }
                )

    client_under_test.run(calls)
    return found


def _memory_before() -> int:
    """Return this process's memory in bytes, and reset its peak (see proc(5))."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    """Return this process's memory (VmRSS) or its peak (VmHWM) in bytes, by proc(5)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name} in /proc/self/status")


def abandoned(client_under_test: ClientUnderTest, url: str, *, ways: list[str]) -> None:
    """Abandon streams midway in each of these ways, and drop them."""

    async def leave() -> None:
        async with client_under_test.client(url) as client:
            for way in ways:
                sys.stderr.write(f"{way}:\n")
                for _ in range(5):
                    await ABANDON[way](client_under_test, client)
                    gc.collect()
                    await client_under_test.sleep(0.005)
            await WAYS["create"](client_under_test, client)

    client_under_test.run(leave)
    gc.collect()


async def _break_bare(client_under_test: ClientUnderTest, client: Any) -> None:
    async for _ in client.chat.stream("Hello"):
        break


async def _break_text(client_under_test: ClientUnderTest, client: Any) -> None:
    stream = client.chat.stream("Hello")
    async for _ in stream.text:
        break


async def _break_block(client_under_test: ClientUnderTest, client: Any) -> None:
    async with client.chat.stream("Hello") as stream:
        async for _ in stream:
            break


async def _raise_in_block(client_under_test: ClientUnderTest, client: Any) -> None:
    try:
        async with client.chat.stream("Hello") as stream:
            async for _ in stream:
                raise ValueError("the caller's own")
    except ValueError:
        pass


async def _cancel(client_under_test: ClientUnderTest, client: Any) -> None:
    with anyio.move_on_after(0.05):
        async for _ in client.chat.stream("Hello"):
            pass


ABANDON = {
    "break-bare": _break_bare,
    "break-text": _break_text,
    "break-block": _break_block,
    "raise-in-block": _raise_in_block,
    "cancel": _cancel,
}


def dropped(client_under_test: ClientUnderTest, url: str) -> None:
    """Drop one loop's open client while another loop runs, idle and then mid-stream."""
    for way in WAYS:
        sys.stderr.write(f"{way}:\n")
        _drop_one(client_under_test, url, way)
        gc.collect()


def _drop_one(client_under_test: ClientUnderTest, url: str, way: str) -> None:
    held: list[Any] = []

    async def use() -> None:
        made = client_under_test.make(url, Options())
        held.append(made)
        client = client_under_test.calls(made)
        if way == "stream":
            opened = client.chat.stream("Hello")
            await opened.__anext__()
            held.append(opened)
        else:
            await client.chat.create("Hello")

    async def drop() -> None:
        held.clear()
        gc.collect()
        await client_under_test.sleep(0.05)

    client_under_test.run(use)
    client_under_test.run(drop)


def loops(client_under_test: ClientUnderTest, url: str) -> list[str]:
    """Use one client in three event loops in turn."""
    made = client_under_test.make(url, Options())
    texts: list[str] = []

    async def use() -> None:
        client = client_under_test.calls(made)
        for way in WAYS.values():
            outcome = await way(client_under_test, client)
            texts.append(outcome.text if outcome.error is None else repr(outcome.error))

    for _ in range(3):
        client_under_test.run(use)
    return texts


def forked(client_under_test: ClientUnderTest, url: str) -> list[str]:
    """Use a client in four forks and their parent; return the errors of each."""
    made = client_under_test.make(url, Options(limits={"total": 5.0}))

    async def use() -> str:
        """Send this process's number and receive it back."""
        client = client_under_test.calls(made)
        said = str(os.getpid())
        for _ in range(20):
            try:
                heard = client_under_test.answer(await client.chat.create(said))
            except Exception as error:  # noqa: BLE001  # the case checks the exception
                return repr(error)
            if heard != said:
                return f"heard {heard!r}, which another process said"
        return ""

    found = [client_under_test.run(use)]
    children: list[tuple[int, int]] = []
    for _ in range(4):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, client_under_test.run(use).encode())
            os._exit(0)
        os.close(writing)
        children.append((child, reading))
    found.append(client_under_test.run(use))
    for child, reading in children:
        with open(reading, "rb") as pipe:  # noqa: PTH123  # it is a descriptor, without a path
            found.append(pipe.read().decode())
        _, status = os.waitpid(child, 0)
        if status:
            found[-1] = f"ended with {status}"
    return found


def interrupted(client_under_test: ClientUnderTest, url: str) -> dict[str, Any]:
    """Interrupt a waiting stream by Ctrl-C."""

    def press() -> None:
        sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    async def read() -> None:
        async with client_under_test.client(url) as client, client.chat.stream("Hello") as stream:
            async for _ in stream:
                Thread(target=press).start()

    # A shell makes background processes ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        client_under_test.run(read)
    except KeyboardInterrupt:
        at = monotonic()
        sleep(0.3)
        return {"at": at, "left": monotonic()}
    return {"at": None}


def secured(client_under_test: ClientUnderTest, url: str) -> dict[str, Any]:
    """Make a call over TLS with certificates from the environment; return its outcome."""

    async def both() -> dict[str, Any]:
        async with client_under_test.client(url, retries=0, api_key="sk-secret") as client:
            outcome = await WAYS["create"](client_under_test, client)
            error = outcome.error
            return {
                "error": None if error is None else type(error).__name__,
                "said": str(error),
                "text": outcome.text,
            }

    return client_under_test.run(both)


PROGRAMS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (measured, abandoned, dropped, loops, forked, interrupted, secured)
}

if __name__ == "__main__":
    main(sys.argv[1])
