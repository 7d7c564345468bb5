"""Calls of a tool that a request demands, made sure by a grammar.

A small model does not follow `tool_choice` by itself, but llama.cpp can hold it to a JSON
schema. So a required or named tool becomes a schema over the tools' parameters, and the
JSON that the model writes becomes `tool_calls`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from attrs import define, evolve, field, frozen

from .._core.codec import DecodeError, encode, is_array, is_object, parse
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
        mode, wanted = _choice(body.get("tool_choice", "auto"))
        if mode != "required":
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
        if wanted is not None:
            missing = [name for name in wanted if name not in [tool["name"] for tool in tools]]
            if missing or not wanted:
                raise RequestError(
                    400,
                    f"tool_choice names {', '.join(map(repr, missing)) or 'no tool'}, which tools "
                    "does not have.",
                    param="tool_choice",
                )
            tools = [tool for tool in tools if tool["name"] in wanted]
        places = [f"#/$defs/tool{number}" for number in range(len(tools))]
        calls = [_call_schema(*each) for each in zip(tools, places, strict=True)]
        schema: dict[str, Any] = calls[0] if len(calls) == 1 else {"anyOf": calls}
        schema["$defs"] = {
            place.rpartition("/")[2]: _moved(_parameters(tool), place)
            for tool, place in zip(tools, places, strict=True)
        }
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


def _choice(choice: object) -> tuple[str, list[str] | None]:
    """The mode of a `tool_choice`, and the names of the tools it is limited to, or None for all.

    Raises:
        RequestError: it is of a type that a grammar cannot hold the model to.
    """
    if not is_object(choice):
        return str(choice), None
    kind = choice.get("type")
    if kind == "allowed_tools":
        allowed = choice.get("allowed_tools")
        given = allowed if is_object(allowed) else choice
        listed = given.get("tools")
        names = [_name(tool) for tool in listed if is_object(tool)] if is_array(listed) else []
        return str(given.get("mode", "auto")), names
    if kind != "function":
        raise RequestError(
            400,
            f"tool_choice of the type {repr(kind)[:100]} is not supported: use 'function'.",
            param="tool_choice",
        )
    return "required", [_name(choice)]


def _name(choice: Mapping[str, Any]) -> str:
    """The name of a function that `tool_choice` has, inside of `function` or beside the type."""
    function = choice.get("function")
    return str(function.get("name") if is_object(function) else choice.get("name"))


def _parameters(tool: dict[str, Any]) -> dict[str, Any]:
    return tool.get("parameters") or {"type": "object", "properties": {}}


def _moved(schema: Any, place: str) -> Any:
    """A schema whose references to its own parts still hold at another place."""
    if is_array(schema):
        return [_moved(each, place) for each in schema]
    if not is_object(schema):
        return schema
    return {
        key: place + value[1:]
        if key == "$ref" and isinstance(value, str) and value.startswith("#")
        else _moved(value, place)
        for key, value in schema.items()
    }


def _call_schema(tool: dict[str, Any], place: str) -> dict[str, Any]:
    """The schema of a call; `place` refers to that of its arguments."""
    return {
        "type": "object",
        "properties": {"name": {"const": tool["name"]}, "arguments": {"$ref": place}},
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
