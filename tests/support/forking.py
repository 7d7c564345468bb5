"""A process that forks: run as `python -m tests.support.forking URL`.

Parent and child use the same clients, and each writes a line of JSON with its results.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from autonomousai_sdk import AutonomousAIError, Client, HTTPXTransport


def main(url: str) -> None:
    """Fork between two uses and while a stream is open."""
    own, unused = Client(base_url=url), Client(base_url=url)
    given = Client(base_url=url, transport=HTTPXTransport())
    late = Client(base_url=url, transport=HTTPXTransport())

    def called(client: Client, name: str) -> str:
        return told(lambda: client.chat.create(name).text)

    stream = own.chat.stream("parent")
    next(stream)
    said = {"own": called(own, "parent"), "given": called(given, "parent")}
    child = os.fork()
    if child == 0:
        clients = {"own": own, "unused": unused, "given": given, "late": late}
        said = {name: called(client, "child") for name, client in clients.items()}
    else:
        os.waitpid(child, 0)
        said["again"] = called(own, "parent")
        said["stream"] = told(lambda: stream.until_done().text)
    sys.stdout.write(json.dumps(said) + "\n")


def told(call: Callable[[], str]) -> str:
    """Return the outcome of a call."""
    try:
        return call()
    except AutonomousAIError as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main(sys.argv[1])
