"""The bytes of fault servers: heads, chunked coding, events and documents.

Both protocols have the same chunks and documents, so one script serves this SDK and its peers.
"""

from __future__ import annotations

import json

from .script import Answer, Fin, Send

TEXTS = ("Hello", " wor", "ld")
"""The pieces of the scripts' text; most scripts are cut after the second."""


def head(status: int, *headers: str) -> bytes:
    """Return a status line and header lines."""
    lines = (f"HTTP/1.1 {status} Scripted", *headers, "", "")
    return "\r\n".join(lines).encode("utf-8")


STREAM = head(200, "content-type: text/event-stream", "connection: close")
"""The head of a stream that ends with its connection."""

CHUNKED = head(200, "content-type: text/event-stream", "transfer-encoding: chunked")
"""The head of a stream in chunked coding."""

LAST_CHUNK = b"0\r\n\r\n"


def coded(data: bytes) -> bytes:
    """Return bytes as one HTTP chunk (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(data: bytes | str, kind: str | None = None) -> bytes:
    """Return a server-sent event with one data line."""
    payload = data.encode("utf-8") if isinstance(data, str) else data
    named = b"" if kind is None else f"event: {kind}\n".encode()
    return named + b"data: " + payload + b"\n\n"


def delta(
    text: str | None = None, *, index: int = 0, finish: str | None = None, role: str | None = None
) -> str:
    """Return a `chat.completion.chunk` with one choice."""
    content: dict[str, object] = {"content": text} if text is not None else {}
    if role is not None:
        content["role"] = role
    choice: dict[str, object] = {"index": index, "delta": content, "finish_reason": finish}
    return _chunk([choice])


def _chunk(choices: list[dict[str, object]]) -> str:
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "llama",
            "choices": choices,
        }
    )


def deltas(*texts: str) -> bytes:
    """Return events with one piece of text each."""
    return b"".join(event(delta(text)) for text in texts)


BEGUN = deltas(*TEXTS[:2])
"""Two events of an incomplete completion."""

FINISH = event(delta(finish="stop"))
"""The event with the finish reason."""

DONE = event("[DONE]")


def completion(text: str = "".join(TEXTS)) -> bytes:
    """Return a `chat.completion` document."""
    message = {"role": "assistant", "content": text}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "llama",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
    ).encode()


def stream(*parts: bytes) -> Answer:
    """Return a complete stream in chunked coding on a connection that stays open."""
    return (Send(CHUNKED + b"".join(map(coded, parts)) + LAST_CHUNK),)


def closing(*parts: bytes) -> Answer:
    """Return a stream that ends with its connection."""
    return (Send(STREAM + b"".join(parts)), Fin())


def said(text: str) -> Answer:
    """Return a complete stream with a text."""
    return stream(deltas(text), FINISH, DONE)


def body(status: int, content: bytes, *headers: str, kind: str = "application/json") -> Answer:
    """Return a response with a content length."""
    lines = (f"content-type: {kind}", f"content-length: {len(content)}", *headers)
    return (Send(head(status, *lines) + content),)


def document(text: str = "".join(TEXTS)) -> Answer:
    """Return a completion with a text."""
    return body(200, completion(text))


def problem(message: str, code: str = "server_error") -> str:
    """Return an error object as OpenAI-compatible engines write it."""
    return json.dumps({"error": {"message": message, "type": code, "code": code}})


def failed(status: int, *headers: str, message: str = "scripted failure") -> Answer:
    """Return an error response with a status."""
    return body(status, problem(message, "scripted").encode(), *headers)


WHOLE = stream(deltas(*TEXTS), FINISH, DONE)
"""A valid stream."""
