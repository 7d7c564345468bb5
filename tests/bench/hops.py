"""How far a call goes through the SDK's own code: Python calls, files, switches between files.

python -m tests.bench.hops            the counts of `chat.create` and `chat.stream`
python -m tests.bench.hops --trace    also each call in order, for "Follow a call"

Counts alone, so a busy machine measures the same as an idle one: the blocking client on the default
transport, warmed up, against a loopback server in another thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType

from attrs import field, frozen

import autonomousai_sdk
from autonomousai_sdk import Client
from tests.support.fault_server import FaultServer
from tests.support.wire import BEGUN, DONE, FINISH, document, stream

PACKAGE = str(Path(autonomousai_sdk.__file__).parent)

CALLS: dict[str, Callable[[Client], object]] = {
    "create": lambda client: client.chat.create("Hello"),
    "stream": lambda client: client.chat.stream("Hello").until_done(),
}


@frozen
class Hops:
    """The calls of the SDK's own functions, in order; a generator that goes on counts as a call.

    Attributes:
        trace: file and function of each.
    """

    trace: list[tuple[str, str]] = field(repr=False)

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return len(self.trace)

    @property
    def files(self) -> int:
        """How many files they are in."""
        return len({name for name, _ in self.trace})

    @property
    def switches(self) -> int:
        """How often a call is in another file than the call before it."""
        names = [name for name, _ in self.trace]
        return sum(before != after for before, after in pairwise(names))


def followed(act: Callable[[], object]) -> Hops:
    """The calls that an action makes in this thread."""
    seen: list[CodeType] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            seen.append(frame.f_code)

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return Hops(
        [(str(Path(code.co_filename).relative_to(PACKAGE)), code.co_qualname) for code in seen]
    )


def measured(name: str) -> Hops:
    """The hops of one call, by a client that has made the same call before."""
    answer = document() if name == "create" else stream(BEGUN, FINISH, DONE)
    with FaultServer(answer) as server, Client(base_url=server.url) as client:
        for _ in range(2):
            CALLS[name](client)
        return followed(lambda: CALLS[name](client))


def main(arguments: list[str]) -> None:
    """Print the counts."""
    for name in CALLS:
        hops = measured(name)
        print(f"{name}: {hops.calls} calls, {hops.files} files, {hops.switches} switches")
        if "--trace" in arguments:
            for file, function in hops.trace:
                print(f"    {file:32} {function}")


if __name__ == "__main__":
    main(sys.argv[1:])
