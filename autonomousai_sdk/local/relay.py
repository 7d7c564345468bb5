"""An engine's events as the client's protocol has them.

Most events pass as the bytes they are. An event is parsed only if it may carry a finish
reason, usage or an error, which a search for a few bytes tells: inside a JSON text, quotes
are escaped, so the key of a field cannot occur there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import define, field

from .._core.codec import DecodeError, encode, is_array, is_object, parse
from .wire import DONE, KEEP_ALIVE, RequestError, event

_CONTENT = re.compile(rb'"content": ?"((?:[^"\\]|\\.)*)"')
_TEXT = re.compile(rb'(?:[^"\\\x00-\x1f]++|\\.)*+')
"""The inside of a string of JSON."""


def _resembles_nothing(_: bytes) -> bool:
    return False


def _resemblance(payload: bytes) -> Callable[[bytes], bool]:
    """The function that recognises chunks of HTTP with events like this one but for their text.

    Of each chunk it compares all but the text, which it checks to be the inside of a string.
    """
    found = _CONTENT.search(payload)
    if found is None:
        return _resembles_nothing
    before, after = b"\r\ndata: " + payload[: found.start(1)], payload[found.end(1) :] + b"\n\n\r\n"
    # What a chunk has beside its content: its size, in as many digits as here, and two line ends.
    extra = len(b"%x" % (len(payload) + 8)) + 4
    tail = len(after)
    is_text = _TEXT.fullmatch

    def resemble(data: bytes) -> bool:
        start = 0
        while start < len(data):
            end = data.find(b"\n\n\r\n", start) + 4
            head = b"%x%b" % (max(0, end - start - extra), before)
            if not (
                data.startswith(head, start)
                and data.endswith(after, start + len(head), end)
                and is_text(data, start + len(head), end - tail)
            ):
                return False
            start = end
        return True

    return resemble


@define(eq=False)
class EventRelay:
    """Turns the data of an engine's events into the events that the client gets.

    The original protocol's clients expect usage beside the finish reason and choices in
    every chunk, so for them the finish reason waits until usage or the end is there.

    Attributes:
        original: whether the client speaks the original protocol.
        ending: whether only usage and the end marker are due.
        error: what ends the stream once the events before it have been sent, or None.
        resemble_last: tells whether bytes are whole chunks of HTTP, each of one event that
            differs from the last one that passed in its text alone, so that it passes as well.
            Nearly every event does, and this costs less than `passes`.
    """

    original: bool
    ending: bool = field(init=False, default=False)
    error: RequestError | None = field(init=False, default=None)
    resemble_last: Callable[[bytes], bool] = field(init=False, default=_resembles_nothing)
    _finished: bool = field(init=False, default=False)
    _held: dict[str, Any] | None = field(init=False, default=None)
    _reasons_with_text: int = field(init=False, default=0)

    def feed(self, payloads: list[bytes]) -> bytes:
        """The bytes to send for some events; see `error` for how they end."""
        if not payloads:
            return KEEP_ALIVE
        ready: list[bytes] = []
        try:
            # What an error leaves in the list was before it.
            ready.extend(map(self._relayed, payloads))
        except RequestError as error:
            self.error = error
        return b"".join(ready)

    def passes(self, payloads: list[bytes]) -> bool:
        """Whether these events go to the client as the bytes they are, and change nothing."""
        if self.ending or not all(map(_is_plain, payloads)):
            return False
        self.resemble_last = partial(self._learn, payloads[-1])
        return True

    def _learn(self, payload: bytes, data: bytes) -> bool:
        """`resemble_last`, when it is called for the first time since an event passed."""
        self.resemble_last = _resemblance(payload)
        return self.resemble_last(data)

    def end(self, *, done: bool) -> bytes:
        """The last bytes of the stream.

        Args:
            done: whether the engine sent its end marker.

        Raises:
            RequestError: the stream ended before the completion did.
        """
        trusted = self._finished and self._reasons_with_text < 2
        if not (done or trusted):
            raise RequestError(
                500, "The engine failed in the middle of its answer.", "engine_interrupted"
            )
        return self._release() + DONE

    def _release(self) -> bytes:
        held, self._held = self._held, None
        return b"" if held is None else event(encode(held))

    def _relayed(self, payload: bytes) -> bytes:
        if _is_plain(payload):
            self.ending = False
            return event(payload)
        return self._look_into(payload)

    def _look_into(self, payload: bytes) -> bytes:
        chunk = _parsed(payload)
        found = chunk.get("choices")
        choices = [each for each in found if is_object(each)] if is_array(found) else []
        raise_reported(chunk)
        has_reason = any(choice.get("finish_reason") for choice in choices)
        if has_reason or chunk.get("finish_reason"):
            has_text = any(map(_has_delta, choices))
            self._finished = True
            # Some engines put a reason in every chunk: there it does not mark the end.
            self._reasons_with_text += has_text
            self.ending = not has_text
            self.resemble_last = _resembles_nothing
        elif choices:
            self.ending = False
        if not self.original:
            return event(payload)
        if has_reason:
            return self._hold({**chunk, "choices": choices}, choices)
        if choices:
            return self._release() + event(payload)
        if self._held is not None and chunk.get("usage"):
            self._held["usage"] = chunk["usage"]
        return b""

    def _hold(self, chunk: dict[str, Any], choices: list[Mapping[str, Any]]) -> bytes:
        """Keep a chunk that has a finish reason until usage is there, but not its text."""
        held, self._held = self._held, chunk
        ready = b""
        if held is not None and _indexes(held) != _indexes(chunk):
            ready = event(encode(held))  # another choice's reason
        if any(map(_has_delta, choices)):
            chunk["choices"] = [{**choice, "delta": {}} for choice in choices]
            text = {**chunk, "choices": [{**each, "finish_reason": None} for each in choices]}
            text.pop("usage", None)
            ready += event(encode(text))
        return ready


def _parsed(payload: bytes) -> Mapping[str, Any]:
    """An event that has to be looked into.

    Raises:
        RequestError: it is not a JSON object.
    """
    try:
        chunk = parse(payload)
    except DecodeError as error:
        raise RequestError(
            502, f"The engine sent an event that is not JSON: {error}.", "engine_error"
        ) from error
    if not is_object(chunk):
        raise RequestError(
            502, "The engine sent an event that is not a JSON object.", "engine_error"
        )
    return chunk


def _indexes(chunk: Mapping[str, Any]) -> list[object]:
    return [choice.get("index") for choice in chunk["choices"]]


def _is_plain(payload: bytes) -> bool:
    """Whether an event needs no look inside: one choice that goes on, no usage, no error."""
    return (
        (b'"finish_reason":null' in payload or b'"finish_reason": null' in payload)
        and b'"usage":{' not in payload
        and b'"usage": {' not in payload
        and b'"error"' not in payload
        and payload.count(b'"finish_reason"') == 1
    )


def _has_delta(choice: Mapping[str, Any]) -> bool:
    """Whether a choice brings anything but its finish reason."""
    delta = choice.get("delta")
    return is_object(delta) and any(value for name, value in delta.items() if name != "role")


def raise_reported(document: Mapping[str, Any]) -> None:
    """Raise the error that an engine reports in a chunk or a completion, if there is one.

    Raises:
        RequestError: there is one, for all of it or for one choice.
    """
    found = document.get("choices")
    choices = [each for each in found if is_object(each)] if is_array(found) else []
    for each in (document, *choices):
        if each.get("error"):
            raise reported_error(each["error"])
    if document.get("object") == "error":  # older versions of vLLM
        raise reported_error(document)


def reported_error(error: object) -> RequestError:
    """An engine's error object as the server's own."""
    status, message, code = 500, str(error), "engine_error"
    details: Mapping[str, object] = {}
    if is_object(error):
        details = error
        message = str(error.get("message") or error)
        for name in ("status", "code"):
            value = error.get(name)
            if isinstance(value, str) and value.isdecimal():
                value = int(value)
            if isinstance(value, int) and 400 <= value < 600:
                status = value
                break
        named = error.get("code")
        kind = error.get("type")
        if isinstance(named, str) and not named.isdecimal():
            code = named
        elif isinstance(kind, str) and kind:
            code = kind
    return RequestError(status, message, code, details=details)
