"""The stream that everybody passes on."""

from __future__ import annotations

CHUNK = (
    b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" word"}}],'
    b'"created":1763000000,"id":"chatcmpl-0123456789abcdef0123456789abcdef",'
    b'"model":"SmolLM2-135M-Instruct.Q4_1","system_fingerprint":"b1-0000000",'
    b'"object":"chat.completion.chunk"}\n\n'
)
"""A chunk as llama.cpp sends it."""

LAST = CHUNK.replace(b'"finish_reason":null', b'"finish_reason":"stop"').replace(
    b'{"content":" word"}', b"{}"
)
DONE = b"data: [DONE]\n\n"
END = b"\r\n0\r\n\r\n"
"""The end of a chunked body."""

MODELS = b'{"object":"list","data":[{"id":"scripted","object":"model"}]}'


KEY = "sk-load"
"""The key that litellm's proxy asks for; it does not start without one."""


def coded(data: bytes) -> bytes:
    """Data as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
