"""The bytes of fault servers: heads, chunked coding, events and documents.

Both protocols have the same chunks and documents, so one script serves this SDK and the peers that
speak them. The environment variable `TESTS_WIRE` chooses the wire of a peer that does not, for the
whole process: `anthropic` or `ollama`.
"""

from __future__ import annotations

import json
import os

from .script import Answer, Fin, Send

TEXTS = ("Hello", " wor", "ld")
"""The pieces of the scripts' text; most scripts are cut after the second."""


def head(status: int, *headers: str) -> bytes:
    """Return a status line and header lines."""
    lines = (f"HTTP/1.1 {status} Scripted", *headers, "", "")
    return "\r\n".join(lines).encode("utf-8")


WIRE = os.environ.get("TESTS_WIRE", "openai")
"""The wire of this process: `openai`, `anthropic` or `ollama`."""

_KIND = "application/x-ndjson" if WIRE == "ollama" else "text/event-stream"

STREAM = head(200, f"content-type: {_KIND}", "connection: close")
"""The head of a stream that ends with its connection."""

CHUNKED = head(200, f"content-type: {_KIND}", "transfer-encoding: chunked")
"""The head of a stream in chunked coding."""

LAST_CHUNK = b"0\r\n\r\n"


def coded(data: bytes) -> bytes:
    """Return bytes as one HTTP chunk (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(data: bytes | str, kind: str | None = None) -> bytes:
    """Return a server-sent event with one data line; for ollama, a line of JSON."""
    payload = data.encode("utf-8") if isinstance(data, str) else data
    if WIRE == "ollama":
        return payload + b"\n"
    if WIRE == "anthropic" and kind is None:
        kind = _anthropic_kind(payload)
    named = b"" if kind is None else f"event: {kind}\n".encode()
    return named + b"data: " + payload + b"\n\n"


def _anthropic_kind(payload: bytes) -> str:
    """Return the name of an event: its type, or that of most events if it has none."""
    try:
        return str(json.loads(payload)["type"])
    except (ValueError, TypeError, LookupError):
        return "content_block_delta"


def delta(
    text: str | None = None, *, index: int = 0, finish: str | None = None, role: str | None = None
) -> str:
    """Return a `chat.completion.chunk` with one choice, or what the wire has instead."""
    if WIRE == "anthropic":
        return json.dumps(_anthropic_event(text, finish, role))
    if WIRE == "ollama":
        return json.dumps(_ollama_document(text or "", finish))
    content: dict[str, object] = {"content": text} if text is not None else {}
    if role is not None:
        content["role"] = role
    choice: dict[str, object] = {"index": index, "delta": content, "finish_reason": finish}
    return _chunk([choice])


def _anthropic_event(text: str | None, finish: str | None, role: str | None) -> dict[str, object]:
    if finish is not None:
        stopped = {"stop_reason": "end_turn", "stop_sequence": None}
        return {"type": "message_delta", "delta": stopped, "usage": {"output_tokens": 1}}
    if role is not None:
        return {"type": "message_start", "message": _anthropic_message([])}
    content = {"type": "text_delta", "text": text or ""}
    return {"type": "content_block_delta", "index": 0, "delta": content}


def _anthropic_message(content: list[dict[str, str]]) -> dict[str, object]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "llama",
        "content": content,
        "stop_reason": "end_turn" if content else None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _ollama_document(text: str, finish: str | None) -> dict[str, object]:
    answer: dict[str, object] = {
        "model": "llama",
        "created_at": "2026-11-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
        "done": finish is not None,
    }
    return answer if finish is None else answer | {"done_reason": finish}


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

_ENDS = {"openai": event("[DONE]"), "anthropic": event('{"type": "message_stop"}'), "ollama": b""}

DONE = _ENDS[WIRE]
"""The end marker; ollama's is in the event with the finish reason."""


def completion(text: str = "".join(TEXTS)) -> bytes:
    """Return a `chat.completion` document, or what the wire has instead."""
    if WIRE == "anthropic":
        return json.dumps(_anthropic_message([{"type": "text", "text": text}])).encode()
    if WIRE == "ollama":
        return json.dumps(_ollama_document(text, "stop")).encode()
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
    """Return an error object as OpenAI-compatible engines write it, or as the wire has it."""
    if WIRE == "anthropic":
        return json.dumps({"type": "error", "error": {"type": code, "message": message}})
    if WIRE == "ollama":
        return json.dumps({"error": message})
    return json.dumps({"error": {"message": message, "type": code, "code": code}})


def failed(status: int, *headers: str, message: str = "scripted failure") -> Answer:
    """Return an error response with a status."""
    return body(status, problem(message, "scripted").encode(), *headers)


WHOLE = stream(deltas(*TEXTS), FINISH, DONE)
"""A valid stream."""
