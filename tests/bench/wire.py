"""The bytes that the benchmark's server sends: one text in the wire format of each client.

They are prepared before the measurement and equal in every run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache

_WORDS = ("The", " sky", " is", " blue", " because", " air", " scatters", " café", ",", "\n")
_ID = "chatcmpl-RXRpY8tgN1xwZPNyDAGpVGViuWVvZqqu"
_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
_WHOLE_WORDS = 100


def words(count: int) -> list[str]:
    """Return `count` pieces of text."""
    return [_WORDS[index % len(_WORDS)] for index in range(count)]


@cache
def openai_events(count: int) -> list[bytes]:
    """Return a stream of `count` pieces as OpenAI-compatible engines write it."""
    return [
        _event(_chunk({"role": "assistant", "content": ""}, None)),
        *(_event(_chunk({"content": word}, None)) for word in words(count)),
        _event(_chunk({}, "stop")),
        b"data: [DONE]\n\n",
    ]


@cache
def anthropic_events(count: int) -> list[bytes]:
    """Return the same stream as Anthropic's events."""
    message: dict[str, object] = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": _MODEL,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": 1},
    }
    start = {"type": "content_block_start", "index": 0}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": message},
        {**start, "content_block": {"type": "text", "text": ""}},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": word},
            }
            for word in words(count)
        ),
        {"type": "content_block_stop", "index": 0},
        {**end, "usage": {"output_tokens": count}},
        {"type": "message_stop"},
    ]
    return [b"event: %s\n" % str(event["type"]).encode() + _event(event) for event in events]


@cache
def ollama_lines(count: int) -> list[bytes]:
    """Return the same stream as Ollama's lines of JSON."""
    head = {"model": _MODEL, "created_at": "2026-11-23T04:10:05.123456789Z"}
    numbers = ("total_duration", "load_duration", "prompt_eval_count", "eval_count")
    return [
        *(
            _json({**head, "message": {"role": "assistant", "content": word}, "done": False})
            + b"\n"
            for word in words(count)
        ),
        _json(
            {
                **head,
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": "stop",
                **dict.fromkeys(numbers, 1000),
            }
        )
        + b"\n",
    ]


@cache
def openai_whole() -> bytes:
    """Return a whole completion as OpenAI-compatible engines write it."""
    return _json(
        {
            "id": _ID,
            "object": "chat.completion",
            "created": 1795402490,
            "model": _MODEL,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": _whole_text()},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 25, "completion_tokens": 100, "total_tokens": 125},
        }
    )


@cache
def anthropic_whole() -> bytes:
    """Return the same completion as Anthropic's message."""
    return _json(
        {
            "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": _whole_text()}],
            "model": _MODEL,
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 25, "output_tokens": 100},
        }
    )


@cache
def ollama_whole() -> bytes:
    """Return the same completion as Ollama's line of JSON."""
    return _json(
        {
            "model": _MODEL,
            "created_at": "2026-11-23T04:10:05.123456789Z",
            "message": {"role": "assistant", "content": _whole_text()},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 25,
            "eval_count": 100,
        }
    )


def joined(pieces: Sequence[bytes], number: int) -> Iterable[bytes]:
    """Yield the pieces in groups of `size`."""
    for start in range(0, len(pieces), number):
        yield b"".join(pieces[start : start + number])


def _chunk(delta: dict[str, str], reason: str | None) -> dict[str, object]:
    return {
        "id": _ID,
        "object": "chat.completion.chunk",
        "created": 1795402490,
        "model": _MODEL,
        "system_fingerprint": "b0-unknown",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}],
    }


def _whole_text() -> str:
    return "".join(words(_WHOLE_WORDS))


def _event(document: dict[str, object]) -> bytes:
    return b"data: " + _json(document) + b"\n\n"


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
