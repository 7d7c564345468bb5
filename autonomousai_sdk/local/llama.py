"""llama.cpp's own server, in a process of its own: `python -m autonomousai_sdk.local.llama`.

Reads a key from its input, loads the model, writes its address to its output, and runs
until its input ends, which it does when the process that started this one is gone.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

CONTEXT = 8192
"""Tokens of context, shared by the parallel answers: SmolLM2 was trained on as many."""

PARALLEL = 4
"""Answers at a time; more wait for their turn."""


def main() -> None:
    """Serve one model until the input ends."""
    library: Any = import_module("xllamacpp")  # which has no type hints
    path = sys.argv[1]
    key = sys.stdin.readline().strip()
    parameters = library.CommonParams()
    parameters.model.path = path
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = PARALLEL
    if Path(path).name.startswith("SmolLM2"):
        # What its makers advise on its model card; llama.cpp's 0.8 suits larger models.
        parameters.sampling.temp = 0.2
        parameters.sampling.top_p = 0.9
    # Everyone on this machine can reach a loopback port; the key keeps them out.
    parameters.api_keys = [key]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = -1
    # Generation uses every core that it is given; the server and the client need some.
    parameters.cpuparams.n_threads = max(1, os.cpu_count() or 1)
    server = library.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    # The destructor waits for answers that nobody reads any more.
    os._exit(0)


if __name__ == "__main__":
    main()
