"""A second, simple implementation of the event-stream rules, as the reference for `sse`.

It shares only the event class with `sse`, and favours clarity over speed.
Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re

from autonomousai_sdk._core.sse import ServerSentEvent


def read_by_the_rules(data: bytes) -> list[ServerSentEvent]:
    """Return the events of a stream by the letter of the rules."""
    lines = re.split("\r\n|\n|\r", data.decode("utf-8", "replace").removeprefix("\ufeff"))
    events: list[ServerSentEvent] = []
    kind = data_buffer = last_id = ""
    identity, retry = last_id, None
    for line in lines[:-1]:
        if not line:
            last_id = identity
            if data_buffer:
                events.append(ServerSentEvent(kind or "message", data_buffer[:-1], last_id, retry))
            kind, data_buffer, retry = "", "", None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data_buffer += value + "\n"
        elif name == "id" and "\0" not in value:
            identity = value
        elif name == "retry" and re.fullmatch("0*[0-9]{1,10}", value, re.ASCII):
            retry = int(value)
    return events


def is_over(bound: int, data: bytes) -> bool:
    """Return whether a line, or the data of an event, exceeds a number of bytes."""
    lines = re.split(b"\r\n|\n|\r", data.removeprefix(b"\xef\xbb\xbf"))
    if any(len(line) > bound for line in lines):
        return True
    event: list[bytes] = []
    for line in lines[:-1]:
        name, _, value = line.partition(b":")
        if not line:
            event.clear()
        elif name == b"data":
            event.append(value.removeprefix(b" "))
            if len(b"\n".join(event)) > bound:
                return True
    return False
