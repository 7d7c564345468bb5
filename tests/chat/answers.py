"""What scripted servers answer with in these tests, and what they were asked."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.support.fault_server import FaultServer
from tests.support.script import Answer
from tests.support.wire import body


def answered(
    content: str | None = None,
    *,
    calls: tuple[tuple[str, str], ...] = (),
    reason: str | None = None,
) -> Answer:
    """A document with a text, or with tool calls: each a name and its arguments."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            for number, (name, arguments) in enumerate(calls)
        ]
    finish = reason or ("tool_calls" if calls else "stop")
    document = {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    return body(200, json.dumps(document).encode())


def called(name: str, arguments: str = "{}") -> Answer:
    """A document with one tool call."""
    return answered(calls=((name, arguments),))


def asked(server: FaultServer, number: int = -1) -> Any:
    """The JSON body of a request."""
    return json.loads(server.requests[number].body)


def messages_of(server: FaultServer, number: int = -1) -> list[dict[str, Any]]:
    """The messages of a request."""
    decoded: list[dict[str, Any]] = json.loads(base64.b64decode(asked(server, number)["messages"]))
    return decoded
