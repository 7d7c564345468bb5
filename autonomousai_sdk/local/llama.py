"""llama.cpp's own server, in a process of its own.

`embedded` runs this file by its path, so it imports the standard library and `xllamacpp`
alone. It reads its configuration, one line of JSON, from its input, loads the model, writes
its address to its output, and runs until its input ends, which it does when the process
that started this one is gone.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

PARALLEL = 4
"""Completions at a time; more wait for their turn."""


def main() -> None:
    """Serve one model until the input ends."""
    config: dict[str, Any] = json.loads(sys.stdin.readline())
    # At the end of the path, so that nothing in this folder can replace a standard module.
    sys.path.append(config["library"])
    library: Any = import_module("xllamacpp")  # which has no type hints
    parameters = library.CommonParams()
    parameters.model.path = config["model"]
    parameters.model_alias = {config["name"]}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = config["context"]
    parameters.n_parallel = PARALLEL
    # One cache for all of them: each completion may use all of the context.
    parameters.kv_unified = True
    # A full context ends the completion instead of forgetting its beginning.
    parameters.ctx_shift = False
    parameters.n_predict = config["max_tokens"]
    if config["embeds"]:
        # llama.cpp computes embeddings in a server that does nothing else, each in one batch.
        parameters.embedding = True
        parameters.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        parameters.n_batch = parameters.n_ubatch = config["embedding_tokens"]
    for name, value in config["sampling"].items():
        setattr(parameters.sampling, name, value)
    # Everyone on this machine can reach a loopback port; the key keeps them out.
    parameters.api_keys = [config["key"]]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = -1
    # llama.cpp's threads wait for each other in a loop: one whose core is taken by the server or
    # by another program holds up all of them. On two busy cores, two threads were measured at
    # 2 to 6 tokens a second, and one at 48.
    parameters.cpuparams.n_threads = max(1, _cores() - 1)
    server = library.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    # The destructor waits for completions that nobody reads any more.
    os._exit(0)


def _cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


if __name__ == "__main__":
    main()
