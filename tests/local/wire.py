"""Requests to a local server as any HTTP client sends them, well formed or not."""

from __future__ import annotations

import base64
import json
import socket
from contextlib import suppress
from typing import Any

import httpx

from autonomousai_sdk.local import LocalServer

PATIENCE = 300.0
"""Seconds for an answer: a model on a busy machine takes its time."""


def original(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    """A request of the original protocol."""
    messages = base64.b64encode(json.dumps([{"role": "user", "content": text}]).encode()).decode()
    return {
        "messages": messages,
        "threadId": "llama",
        "stream": False,
        "aiAgent": "llama",
        **fields,
    }


def openai(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    """A request of the OpenAI-compatible protocol."""
    return {"messages": [{"role": "user", "content": text}], **fields}


def post(server: LocalServer, path: str = "/chat", **arguments: Any) -> httpx.Response:
    """Send a request to a path below the original protocol's base."""
    return httpx.post(f"{server.base_url}{path}", timeout=PATIENCE, **arguments)


def chat(server: LocalServer, text: str = "Hello", **fields: Any) -> httpx.Response:
    """Send a request for a completion to `/v1`."""
    url = f"{server.openai_base_url}/chat/completions"
    return httpx.post(url, json=openai(text, **fields), timeout=PATIENCE)


def address(server: LocalServer) -> tuple[str, int]:
    """Where the server listens."""
    name, _, port = server.base_url.split("/")[2].partition(":")
    return name, int(port)


def head(server: LocalServer, *lines: str, path: str = "/api/v1/ai/chat") -> bytes:
    """The head of a POST, without its last empty line."""
    name, port = address(server)
    fixed = (f"POST {path} HTTP/1.1", f"host: {name}:{port}", "content-type: application/json")
    return "\r\n".join((*fixed, *lines, "")).encode("latin-1")


def connect(server: LocalServer, seconds: float = 20, *, buffer: int = 0) -> socket.socket:
    """A connection to the server, perhaps with a small receive buffer."""
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(seconds)
    connection.connect(address(server))
    return connection


def exchange(server: LocalServer, data: bytes, seconds: float = 20) -> bytes:
    """What the server sends for some bytes, until it closes the connection."""
    received = b""
    with connect(server, seconds) as connection, suppress(ConnectionResetError):
        connection.sendall(data)
        while part := connection.recv(65536):
            received += part
    return received


def request(server: LocalServer, body: dict[str, Any], *lines: str) -> bytes:
    """A whole POST of the original protocol, in bytes."""
    content = json.dumps(body).encode()
    return head(server, f"content-length: {len(content)}", *lines) + b"\r\n" + content
