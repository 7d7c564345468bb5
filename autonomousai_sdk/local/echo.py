"""An engine without a model: it answers with the last user message. For tests."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import shake_128
from struct import pack
from time import time
from typing import Any
from uuid import uuid4

from anyio.lowlevel import checkpoint
from attrs import define, field

from .._core.codec import encode, is_array, is_object
from .engine import EngineReply, Progress, StreamWriter
from .models import model_entry, served_name
from .relay import EventRelay
from .request import ParsedRequest
from .wire import RequestError

ECHO = "echo"
_WORD = re.compile(r"\s*\S+\s*$|\s*\S+|\s+")
_DIMENSIONS = 8
_MAX_DIMENSIONS = 4096


@define(eq=False)
class Echo:
    """Answers with the last user message, one word with its spaces at a time."""

    @property
    def name(self) -> str:
        """Its name."""
        return ECHO

    async def start(self, progress: Progress) -> None:
        """Nothing to prepare."""
        progress("answering with an echo")

    async def stop(self) -> None:
        """Nothing to release."""

    def redact(self, text: str) -> str:
        """The text: an echo has no key."""
        return text

    async def models(self) -> list[dict[str, Any]]:
        """The one model."""
        return [model_entry(ECHO)]

    async def check(self) -> None:
        """An echo always answers."""

    @asynccontextmanager
    async def complete(self, request: ParsedRequest) -> AsyncGenerator[EngineReply, None]:
        """Repeat the last user message, within `max_tokens` words and up to `stop`."""
        served_name(request.model, ECHO)
        body = request.body
        _refuse_unsupported(body)
        text = _last_text(body["messages"])
        words, reason = _limited(text, body)
        prompt_tokens = sum(len(_words(_text(message))) for message in body["messages"])
        n: int = body.get("n", 1)
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": n * len(words)}
        usage["total_tokens"] = sum(usage.values())
        common: dict[str, Any] = {
            "id": f"echo-{uuid4()}",
            "created": int(time()),
            "model": request.model or ECHO,
        }
        if request.stream:
            options = body.get("stream_options")
            with_usage = is_object(options) and options.get("include_usage") is True
            events = _Events(common, words, reason, n, usage if with_usage else None)
            yield EngineReply(events=events)
        else:
            message = {"role": "assistant", "content": "".join(words)}
            choices = [
                {"index": index, "message": message, "finish_reason": reason} for index in range(n)
            ]
            document = {**common, "object": "chat.completion", "choices": choices, "usage": usage}
            yield EngineReply(document=encode(document))

    async def embed(self, body: dict[str, Any]) -> EngineReply:
        """Vectors that depend on the text alone, and mean nothing."""
        served_name(body.get("model"), ECHO)
        if body.get("encoding_format") not in (None, "float", "base64"):
            raise RequestError(
                400, "encoding_format must be float or base64.", param="encoding_format"
            )
        size = body.get("dimensions")
        if size is None:
            size = _DIMENSIONS
        if not _is_whole(size) or not 1 <= size <= _MAX_DIMENSIONS:
            raise RequestError(
                400,
                f"dimensions must be a whole number from 1 to {_MAX_DIMENSIONS}; "
                f"got {repr(size)[:100]}.",
                param="dimensions",
            )
        inputs = _inputs(body.get("input"))
        as_base64 = body.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": _vector(each, size, as_base64=as_base64),
            }
            for index, each in enumerate(inputs)
        ]
        tokens = sum(len(_words(each) if isinstance(each, str) else each) for each in inputs)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return EngineReply(
            document=encode({"object": "list", "data": data, "model": ECHO, "usage": usage})
        )


@define(eq=False)
class _Events:
    """The events that an engine sends: the role, the words, the finish reason, usage."""

    _common: dict[str, Any]
    _words: list[str]
    _reason: str
    _n: int
    _usage: dict[str, int] | None
    done: bool = field(init=False, default=False)
    _position: int = field(init=False, default=-1)

    async def next(self, seconds: float | None = None) -> list[bytes] | None:  # noqa: ARG002  # EventSource's form
        """The next event of each choice; a turn of the loop apart, so that leaving is noticed."""
        await checkpoint()
        position, self._position = self._position, self._position + 1
        if position > len(self._words):
            return None
        if position < 0:
            return self._chunks({"role": "assistant", "content": None}, None)
        if position < len(self._words):
            return self._chunks({"content": self._words[position]}, None)
        self.done = True
        last = self._chunks({}, self._reason)
        if self._usage is not None:
            last.append(self._chunk([], usage=self._usage))
        return last

    def divert(self, relay: EventRelay, writer: StreamWriter) -> None:
        """Nothing to divert: `next` does not wait."""

    def _chunks(self, delta: dict[str, Any], reason: str | None) -> list[bytes]:
        return [
            self._chunk([{"index": index, "delta": delta, "finish_reason": reason}])
            for index in range(self._n)
        ]

    def _chunk(self, choices: list[dict[str, Any]], **more: object) -> bytes:
        return encode(
            {**self._common, "object": "chat.completion.chunk", "choices": choices, **more}
        )


def _refuse_unsupported(body: dict[str, Any]) -> None:
    """Refuse what cannot be honoured; sampling options have nothing to change here."""
    if body.get("tool_choice", "auto") not in ("auto", "none"):
        raise RequestError(
            400, "The echo engine cannot call tools: leave tool_choice out.", param="tool_choice"
        )
    kind = body.get("response_format", {"type": "text"}).get("type")
    if kind != "text":
        raise RequestError(
            400,
            f"The echo engine cannot answer in the format {kind!r}: leave response_format out.",
            param="response_format",
        )
    if body.get("logprobs") or body.get("top_logprobs"):
        raise RequestError(
            400, "The echo engine has no probabilities: leave logprobs out.", param="logprobs"
        )


def _limited(text: str, body: dict[str, Any]) -> tuple[list[str], str]:
    """The words of the answer, and why they end."""
    stop = body.get("stop", [])
    for mark in [stop] if isinstance(stop, str) else stop:
        if mark:
            text = text.partition(mark)[0]
    words = _words(text)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit is not None and len(words) > limit:
        return words[:limit], "length"
    return words, "stop"


def _words(text: str) -> list[str]:
    """A text in words that keep their spaces: joined, they are the text."""
    return _WORD.findall(text)


def _last_text(messages: list[dict[str, Any]]) -> str:
    for message in reversed(messages):
        if message["role"] == "user":
            return _text(message)
    return ""


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if is_array(content):
        return " ".join(
            str(part.get("text"))
            for part in content
            if is_object(part) and part.get("type") == "text"
        )
    return content if isinstance(content, str) else ""


def _inputs(given: Any) -> list[str | list[int]]:
    """What to embed: texts, or texts that a client has split into tokens itself.

    Raises:
        RequestError: it is neither.
    """
    inputs = [given] if isinstance(given, str) or _is_tokens(given) else given
    if not (
        is_array(inputs)
        and inputs
        and (all(isinstance(each, str) for each in inputs) or all(map(_is_tokens, inputs)))
    ):
        raise RequestError(
            400,
            "input must be a text, a list of texts, a list of tokens, or a list of such lists.",
            param="input",
        )
    return inputs


def _is_tokens(value: object) -> bool:
    return is_array(value) and bool(value) and all(map(_is_whole, value))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _vector(given: str | list[int], size: int, *, as_base64: bool) -> list[float] | str:
    values = [byte / 127.5 - 1 for byte in shake_128(encode(given)).digest(size)]
    if not as_base64:
        return values
    return b64encode(pack(f"<{size}f", *values)).decode()
