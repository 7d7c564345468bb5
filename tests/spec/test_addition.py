"""Add an endpoint and a field to the spec: the clients and the command line gain them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import yaml

from spec.generator.__main__ import ROOT

ENDPOINT = """
post:
  operationId: makeVectors
  x-protocol: autonomousai
  summary: Turn a text into numbers.
  x-python:
    resource: vectors
    method: {name: create, summary: Turn a text into numbers.}
  requestBody:
    content: {application/json: {schema: {$ref: "#/components/schemas/TextRequest"}}}
  responses:
    "200":
      description: The numbers.
      content: {application/json: {schema: {$ref: "#/components/schemas/Numbers"}}}
"""
SCHEMAS = """
TextRequest:
  type: object
  description: A text to turn into numbers.
  required: [input]
  properties:
    input: {type: string, description: The text.}
    maxSize: {type: integer, description: How many numbers., x-python: {name: max_size}}
Numbers:
  type: object
  description: A text as numbers.
  required: [values]
  properties:
    values: {type: array, description: The numbers., items: {type: number}}
    modelName: {type: string, default: "", description: Who did it., x-python: {name: model_name}}
"""
PROGRAM = """
    import anyio, json, sys, threading
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from autonomousai_sdk import AsyncClient, Client
    from autonomousai_sdk.cli.commands import cli

    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen.append([self.path, body])
            if self.path == "/api/embed":
                answer = {"values": [1, 2.5], "modelName": "numbers"}
            else:
                answer = {"choices": [{"message": {"content": "x"}}], "mood": "glad"}
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base_url = f"http://127.0.0.1:{server.server_port}/api"

    with Client(base_url=base_url) as client:
        first = client.vectors.create("Hello", max_size=2)
        mood = client.chat.create("Hi", humour=0.5).mood

    async def ask():
        async with AsyncClient(base_url=base_url) as client:
            return await client.vectors.create("Hello")

    second = anyio.run(ask)
    print(json.dumps({
        "values": [first.values, second.values],
        "name": first.model_name,
        "mood": mood,
        "seen": seen,
        "option": any("--humour" in each.opts for each in cli.commands["chat"].params),
        "help": "how many numbers." in type(client.vectors).create.__doc__,
    }))
"""


def test_the_spec_is_all_that_is_edited(tmp_path: Path) -> None:
    """A package generated from the longer spec has the new method and fields on both clients."""
    document: dict[str, Any] = yaml.safe_load(
        (ROOT / "spec" / "autonomousai.yaml").read_text(encoding="utf-8")
    )
    document["paths"]["/embed"] = yaml.safe_load(ENDPOINT)
    document["tags"].append({"name": "vectors", "description": "Texts as numbers."})
    schemas = document["components"]["schemas"]
    schemas |= yaml.safe_load(SCHEMAS)
    schemas["ChatCompletion"]["properties"]["mood"] = {"type": "string", "description": "How."}
    schemas["ChatRequest"]["properties"]["humour"] = {
        "type": "number",
        "description": "How freely to answer.",
    }
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    package = tmp_path / "autonomousai_sdk"
    ignored = shutil.ignore_patterns("_generated", "__pycache__")
    shutil.copytree(ROOT / "autonomousai_sdk", package, ignore=ignored)
    subprocess.run(
        [
            *(sys.executable, "-m", "spec.generator"),
            *("--spec", str(spec), "--output", str(package / "_generated")),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said["values"] == [[1.0, 2.5], [1.0, 2.5]]
    assert (said["name"], said["mood"], said["help"]) == ("numbers", "glad", True)
    assert said["option"] is True
    (path, first), (chat_path, chat), (_, second) = said["seen"]
    assert (path, first) == ("/api/embed", {"input": "Hello", "maxSize": 2})
    assert (chat_path, chat["humour"]) == ("/api/chat", 0.5)
    assert second == {"input": "Hello"}
