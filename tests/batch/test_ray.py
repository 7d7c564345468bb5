"""Batches on two nodes of a Ray cluster on this machine; `nox -s ray` runs them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest

from autonomousai_sdk import Client
from autonomousai_sdk.batch import RayBatch
from tests.support.fault_server import FaultServer, Received
from tests.support.script import Answer, Wait

from .runs import answered, texts, write_lines

ray: Any = pytest.importorskip("ray", reason="needs the extra [ray], which is large")

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of two nodes, to which this process is connected."""
    utils: Any = import_module("ray.cluster_utils")
    made = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    made.add_node(num_cpus=2, resources={"second": 1})
    made.wait_for_nodes()
    ray.init(address=made.address)
    yield made
    ray.shutdown()
    made.shutdown()


def slowly(request: Received) -> Answer:
    """Answer with the prompt, after a moment."""
    return (Wait(0.2), *answered(request))


def test_a_lost_node_loses_and_repeats_no_result(cluster: Any, tmp_path: Path) -> None:
    """One of two nodes is killed during a batch, and each line has one result in the end."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    prompts = [str(number) for number in range(1000)]
    write_lines(source, [*prompts, b"{\n"])
    second = next(iter(cluster.worker_nodes))

    with FaultServer(slowly, lifetime=600) as server, Client(base_url=server.url) as client:

        def kill() -> None:
            # The first node has room for two actors of two calls each.
            while server.open_connections <= 4:
                sleep(0.05)
            cluster.remove_node(second, allow_graceful=False)
            killed_at.append(len(server.requests))

        killed_at: list[int] = []
        killer = Thread(target=kill, daemon=True)
        killer.start()
        batch = RayBatch(client, source, target, actors=3, concurrency=2)
        progress = batch.run()
        again = RayBatch(client, source, target, resume=True).run()

    expected: dict[str, str | None] = {f"line-{n + 1}": text for n, text in enumerate(prompts)}
    assert killed_at
    assert killed_at[0] < 1000
    assert texts(target) == expected | {"line-1001": None}
    assert (progress.succeeded, progress.failed, progress.is_complete) == (1000, 1, True)
    assert (again.done, again.skipped) == (0, 1001)
