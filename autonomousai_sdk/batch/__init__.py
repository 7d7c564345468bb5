"""Batches: calls for every line of a file, whose results go to another file.

`Batch` and `AsyncBatch` make them on this machine, `RayBatch` on a cluster. The input is read and
the output written line by line, so the memory does not depend on their length.

Example:
    >>> from autonomousai_sdk import Client
    >>> from autonomousai_sdk.batch import Batch
    >>> with Client() as client:
    ...     progress = Batch(client, "prompts.jsonl", "results.jsonl").run()
"""

from __future__ import annotations

from .awaiting import AsyncBatch
from .blocking import Batch
from .cluster import RayBatch
from .progress import BatchProgress

__all__ = ["AsyncBatch", "Batch", "BatchProgress", "RayBatch"]
