"""Calls of a tool that a request demands, made sure by a grammar.

A small model does not follow `tool_choice` by itself, but llama.cpp can hold it to a JSON
schema. So a required or named tool becomes a schema over the tools' parameters, and the
JSON that the model writes becomes `tool_calls`.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from attrs import define, evolve, field, frozen

from .._core.codec import DecodeError, encode, is_object, parse
from .engine import EngineReply, HeaderList, StreamWriter
from .relay import EventRelay
from .request import ParsedRequest
from .wire import RequestError

_INSTRUCTION = (
    "Answer by calling one function, as JSON with its name and arguments. The functions: "
)


@frozen
class ToolGrammar:
    """A request that demands a tool call, as one that demands JSON.

    Attributes:
        request: what the engine is asked.
        asked: what the client asked.
    """

    request: ParsedRequest
    asked: ParsedRequest

    @classmethod
    def of(cls, request: ParsedRequest) -> ToolGrammar | None:
        """The grammar for a request, or None if it leaves the choice to the model.

        Raises:
            RequestError: it names a tool that it does not have.
        """
        body = dict(request.body)
        choice = body.get("tool_choice", "auto")
        if choice in ("auto", "none"):
            return None
        tools = [tool["function"] for tool in body.pop("tools", [])]
        for name in ("tool_choice", "parallel_tool_calls", "stream_options"):
            body.pop(name, None)
        if "response_format" in body:
            raise RequestError(
                400,
                "response_format and a demanded tool call exclude each other: leave one out.",
                param="response_format",
            )
        if is_object(choice):
            function = choice.get("function")
            wanted = function.get("name") if is_object(function) else choice.get("name")
            tools = [tool for tool in tools if tool["name"] == wanted]
            if not tools:
                raise RequestError(
                    400, f"tool_choice names {wanted!r}, which tools does not have.",
                    param="tool_choice",
                )  # fmt: skip
        calls = [_call_schema(tool) for tool in tools]
        schema = calls[0] if len(calls) == 1 else {"anyOf": calls}
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "call", "schema": schema, "strict": True},
        }
        instruction = _INSTRUCTION + encode(tools).decode()
        body["messages"] = [{"role": "system", "content": instruction}, *body["messages"]]
        return cls(evolve(request, stream=False, body=body), request)

    def reply(self, headers: HeaderList, data: bytes) -> EngineReply:
        """The engine's document with its JSON turned into tool calls, in the form asked for."""
        document: dict[str, Any] = parse(data)
        for choice in document.get("choices", []):
            _turn_into_call(choice)
        if not self.asked.stream:
            return EngineReply(headers, document=encode(document))
        options = self.asked.body.get("stream_options")
        with_usage = is_object(options) and options.get("include_usage") is True
        return EngineReply(headers, events=_Replay(_chunks(document, with_usage=with_usage)))


def _call_schema(tool: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = tool.get("parameters") or {"type": "object", "properties": {}}
    return {
        "type": "object",
        "properties": {"name": {"const": tool["name"]}, "arguments": parameters},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _turn_into_call(choice: dict[str, Any]) -> None:
    """A choice whose text is a call's JSON as one with that call; a cut one keeps its text."""
    message = choice["message"]
    if choice.get("finish_reason") != "stop":
        return
    try:
        call = parse(str(message.get("content")).encode())
    except DecodeError:
        return
    if not (is_object(call) and isinstance(call.get("name"), str)):
        return
    arguments = encode(call.get("arguments", {})).decode()
    message["content"] = None
    message["tool_calls"] = [
        {
            "id": f"call_{uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": call["name"], "arguments": arguments},
        }
    ]
    choice["finish_reason"] = "tool_calls"


def _chunks(document: dict[str, Any], *, with_usage: bool) -> list[bytes]:
    """A whole completion as the chunks of a stream."""
    common = {name: value for name, value in document.items() if name not in ("choices", "usage")}
    common["object"] = "chat.completion.chunk"
    chunks: list[bytes] = []
    for choice in document.get("choices", []):
        message = choice["message"]
        delta = {"role": "assistant", "content": message.get("content")}
        if message.get("tool_calls"):
            delta["tool_calls"] = [
                {"index": number, **call} for number, call in enumerate(message["tool_calls"])
            ]
        for piece, reason in ((delta, None), ({}, choice.get("finish_reason"))):
            entry = {"index": choice.get("index", 0), "delta": piece, "finish_reason": reason}
            chunks.append(encode({**common, "choices": [entry]}))
    if with_usage:
        chunks.append(encode({**common, "choices": [], "usage": document.get("usage")}))
    return chunks


@define(eq=False)
class _Replay:
    """Events that are all there; see `EventSource`."""

    _payloads: list[bytes] | None
    done: bool = field(init=False, default=False)

    async def next(self, seconds: float | None = None) -> list[bytes] | None:  # noqa: ARG002  # EventSource's form
        """All of them, once."""
        self.done = True
        payloads, self._payloads = self._payloads, None
        return payloads

    def divert(self, relay: EventRelay, writer: StreamWriter) -> None:
        """Nothing to divert: `next` does not wait."""
