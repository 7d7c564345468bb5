"""Structured answers: a schema for the model, and the value in what it answers.

Owns what `chat.parse` decides: how the schema travels, where in an answer the JSON is, whether it
matches, and what the model is told if it does not. It sends nothing: a driver sends `messages`
and hands each completion to `answered`, until there is a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

from ..errors import AnswerParseError, APIStatusError, ConfigurationError
from .codec import is_array, is_object
from .display import display
from .message import normalised
from .parse_attempt import ParseAttempt
from .schema import Schema, SchemaError, requires_all

_WHOLE_REASONS = frozenset(
    {
        *("", "stop", "tool_calls", "function_call"),  # OpenAI
        *("tool_use", "end_turn", "stop_sequence"),  # Anthropic, Hugging Face
        *("complete", "tool_call"),  # Cohere
        *("eos", "eos_token", "end", "completed"),
    }
)
"""Finish reasons of an answer that the model ended itself, in lower case."""

_REFUSALS = frozenset({400, 422, 501})
_NAMES_FORMAT = re.compile(r"response[_ -]?format|json[_ -]?schema", re.IGNORECASE)
"""How servers name the field when they refuse it: OpenAI, DeepSeek, Groq, vLLM."""

_IS_ABOUT_TYPE = re.compile(r"schema for|invalid\W+(?:json[_ -]?)?schema", re.IGNORECASE)
"""How servers say that this schema is wrong: OpenAI, vLLM, llama.cpp."""

_WRAPPED = "value"
"""The property that holds a value that is not an object, since engines require an object."""

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_STRING = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_TOKEN = re.compile(
    rf"(?P<string>{_STRING}|'(?:[^'\\]|\\.)*+(?:'|\\?\Z)|“[^”]*+(?:”|\Z))"
    r"|(?P<blank>//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)|[^\S \n\r\t]+)"
    r"|(?P<word>[\w$+-][\w$+.-]*)|[{}\[\]()]",
    re.DOTALL,
)
"""A part of JSON, or of Python's or JavaScript's notation; what is open ends with the text."""

_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*+[}}\]])", re.DOTALL)
_ESCAPE = re.compile(r'\\x(?P<hex>[0-9a-fA-F]{2})|\\(?P<escaped>.)|"', re.DOTALL)
_ESCAPED = frozenset('"\\/bfnrtu')
"""The characters that JSON allows after a backslash."""

_COLON = re.compile(r"\s*:")
_BRACKET = re.compile(r"[{\[]")
_MARKS = "*_`'\" .!\n\r\t"
"""The marks around a bare word that are not part of it: Markdown's, quotes and stops."""

_JSON = json.JSONDecoder(strict=False)
"""Takes line breaks within strings, which models do not always escape."""

_MAX_MISSES = 100
"""Brackets in prose at which no value may begin, so that the search takes linear time."""

_MAX_DEPTH = 200
"""Brackets within brackets, in Python's notation."""

_CONSTANTS = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_ROUND = {"(": "[", ")": "]"}
_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@frozen
class AnswerSchema:
    """The schema of a structured answer, always that of an object."""

    schema: Schema
    wrapped: bool
    json: Mapping[str, Any]

    @classmethod
    def of(cls, type_: Any) -> AnswerSchema:
        """Make the schema of a type; a `Schema` is used unchanged.

        Raises:
            ConfigurationError: the type has no JSON schema.
        """
        if type_ is None:
            raise ConfigurationError("into= is a type, such as a dataclass; got None.")
        schema = type_ if isinstance(type_, Schema) else Schema.of(type_, "into=")
        if schema.json.get("type") == "object":
            return cls(schema, wrapped=False, json=schema.json)
        inner = {key: value for key, value in schema.json.items() if key != "$defs"}
        wrapping: dict[str, Any] = {
            "type": "object",
            "properties": {_WRAPPED: inner},
            "required": [_WRAPPED],
            "additionalProperties": False,
        }
        if "$defs" in schema.json:
            wrapping["$defs"] = schema.json["$defs"]
        return cls(schema, wrapped=True, json=wrapping)

    @property
    def response_format(self) -> dict[str, Any]:
        """The schema as the request's `response_format`."""
        type_ = self.schema.type
        name = type_ if isinstance(type_, str) else getattr(type_, "__name__", "answer")
        return {
            "type": "json_schema",
            "json_schema": {
                "name": _NAME.sub("_", name)[:64],
                "schema": self.json,
                "strict": requires_all(self.json),
            },
        }

    @property
    def instructions(self) -> str:
        """The schema in words, for a service that may not read `response_format`."""
        return (
            "Answer with a JSON object only, without any other text. It must match this JSON "
            f"schema:\n{json.dumps(self.json, ensure_ascii=False)}"
        )

    def read(self, text: str) -> Any:
        """Find the value in an answer. Where several match, the last is the answer.

        Raises:
            SchemaError: no JSON, or none that matches.
        """
        found: list[Any] = []
        failed: SchemaError | None = None
        is_bare = self.wrapped
        for document in documents(text):
            is_bare = is_bare and not is_object(document) and not is_array(document)
            try:
                found.append(self._structured(document))
            except SchemaError as error:
                failed = error
        if found:
            return found[-1]
        if is_bare:
            try:
                return self._bare(text.strip())
            except SchemaError as error:
                raise failed or error from None
        raise failed or SchemaError(("$: the answer contains no JSON",))

    def _bare(self, text: str) -> Any:
        """A word without quotes, which is how a model without a grammar makes a choice."""
        try:
            return self.schema.structure(text)
        except SchemaError:
            blocks = _FENCE.findall(text)
            word = (blocks[-1] if blocks else text).strip(_MARKS)
            word = _CONSTANTS.get(word, word)
            if word == text:
                raise
            document = _document(word)
            return self.schema.structure(word if document is None else document[0])

    def _structured(self, document: object) -> Any:
        if self.wrapped and is_object(document) and set(document) == {_WRAPPED}:
            return self.schema.structure(document[_WRAPPED])
        return self.schema.structure(document)


@define
class ParseLoop:
    """The turns of one `chat.parse`.

    Attributes:
        schema: the schema of the answer.
        repair: how many more turns show the model its errors.
        messages: what to send next.
        response_format: what to send as `response_format`; None for a server that refuses it.
        takes_no_schema: whether the server refuses every schema, not only that of this type.
        attempts: the answers so far.
        value: the value, once `answered` has returned True.
    """

    schema: AnswerSchema
    repair: int
    messages: list[Any]
    response_format: Mapping[str, Any] | None
    is_instructed: bool
    takes_no_schema: bool = field(init=False, default=False)
    attempts: list[ParseAttempt] = field(init=False, factory=list[ParseAttempt])
    value: Any = field(init=False, default=None)

    @classmethod
    def of(
        cls,
        messages: object,
        type_: Any,
        repair: object,
        *,
        instruct: bool,
        without_schema: bool = False,
    ) -> ParseLoop:
        """Begin.

        Args:
            messages: the conversation, as a caller gives it.
            type_: the type of the value.
            repair: how many more turns show the model its errors.
            instruct: whether a system message carries the schema too.
            without_schema: whether the server is known to refuse `response_format`, so that
                only a system message carries the schema.

        Raises:
            ConfigurationError: an argument that cannot work.
        """
        if isinstance(repair, bool) or not isinstance(repair, int) or repair < 0:
            raise ConfigurationError(
                f"repair= is a number of turns, 0 or more; got {display(repair)}."
            )
        schema = AnswerSchema.of(type_)
        plain = normalised(messages)
        instruct = instruct or without_schema
        return cls(
            schema,
            repair,
            _instructed(plain, schema) if instruct else list(plain),
            response_format=None if without_schema else schema.response_format,
            is_instructed=instruct,
        )

    def refused(self, error: APIStatusError) -> bool:
        """Take the server's refusal of the request.

        Returns:
            Whether it refused `response_format`; `messages` then carry the schema.
        """
        said = str(error.body)
        if (
            self.response_format is None
            or error.status not in _REFUSALS
            or not _NAMES_FORMAT.search(said)
        ):
            return False
        self.response_format = None
        self.takes_no_schema = not _IS_ABOUT_TYPE.search(said)
        if not self.is_instructed:
            self.messages = _instructed(self.messages, self.schema)
            self.is_instructed = True
        return True

    def answered(self, completion: Any) -> bool:
        """Take the model's answer.

        Returns:
            Whether it has the value; otherwise `messages` asks the model again.

        Raises:
            AnswerParseError: the answer was cut or refused, or the last one does not match.
        """
        text: str = completion.text
        problem = _unusable(completion)
        if problem is not None:
            self.attempts.append(ParseAttempt(text, (problem,)))
            raise self._error(completion, problem)
        try:
            self.value = self.schema.read(text)
        except SchemaError as error:
            self.attempts.append(ParseAttempt(text, error.problems))
            if len(self.attempts) > self.repair:
                raise self._error(completion, error.problems[0]) from error
            self.messages = [*self.messages, *_correction(text, error.problems)]
            return False
        self.attempts.append(ParseAttempt(text))
        return True

    def _error(self, completion: Any, problem: str) -> AnswerParseError:
        count = len(self.attempts)
        problems = self.attempts[-1].problems
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return AnswerParseError(
            f"The answer does not match the type after {count} "
            f"{'attempt' if count == 1 else 'attempts'}: {problem}{more}. See .attempts.",
            problems=problems,
            attempts=tuple(self.attempts),
            partial=completion,
        )


def documents(text: str) -> Iterator[Any]:
    """The JSON values in an answer: alone, in fences, or with prose around them.

    Python's and JavaScript's notations are read as well: single quotes, `True`, comments, a comma
    before a bracket, keys without quotes.
    """
    whole = _document(text.strip())
    if whole is not None:
        yield whole[0]
        return
    fenced = [each for block in _FENCE.findall(text) if (each := _document(block.strip()))]
    if fenced:
        for each in fenced:
            yield each[0]
        return
    position = misses = 0
    while misses < _MAX_MISSES and (bracket := _BRACKET.search(text, position)):
        found = _embedded(text, bracket.start())
        if found is None:
            misses += 1
            position = bracket.end()
        else:
            yield found[0]
            position = found[1]


def _document(text: str) -> tuple[Any] | None:
    """The value that a text is, in JSON or a similar notation."""
    try:
        return (_JSON.decode(text),)
    except (ValueError, RecursionError):
        pass
    if not text.startswith(("{", "[")):
        return None
    similar = _TRAILING_COMMA.sub(_without_comma, _TOKEN.sub(_in_json, text))
    try:
        return (_JSON.decode(similar),)
    except (ValueError, RecursionError):
        return None


def _in_json(token: re.Match[str]) -> str:
    """A token of another notation in that of JSON."""
    found = token.group()
    if token["string"]:
        return f'"{_ESCAPE.sub(_escape, found[1:-1])}"'
    if token["blank"]:
        return " "
    if token["word"]:
        # A word before a colon is a key without quotes.
        if _COLON.match(token.string, token.end()):
            return json.dumps(found)
        return _CONSTANTS.get(found, found.removeprefix("+"))
    return _ROUND.get(found, found)


def _escape(found: re.Match[str]) -> str:
    """An escape of another notation, or a double quote in other quotes, as JSON writes it."""
    if found["hex"]:
        return f"\\u00{found['hex']}"
    character: str | None = found["escaped"]
    if character is None:
        return '\\"'
    if character in _ESCAPED:
        return found.group()
    return character if character == "'" else f"\\\\{character}"


def _without_comma(found: re.Match[str]) -> str:
    return "" if found.group() == "," else found.group()


def _embedded(text: str, start: int) -> tuple[Any, int] | None:
    """The value that begins at a bracket, and where it ends."""
    try:
        return _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    end = _closing(text, start)
    if end is None:
        return None
    found = _document(text[start:end])
    return None if found is None else (found[0], end)


def _closing(text: str, start: int) -> int | None:
    """Where the bracket that begins at `start` is closed, strings left aside."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token.group() in ("{", "["):
            depth += 1
            if depth > _MAX_DEPTH:
                return None
        elif token.group() in ("}", "]"):
            depth -= 1
            if depth == 0:
                return token.end()
    return None


def is_whole(finish_reason: str | None) -> bool:
    """Whether the model ended its answer itself. Any reason that is not known may have cut it."""
    return finish_reason is None or finish_reason.lower() in _WHOLE_REASONS


def _unusable(completion: Any) -> str | None:
    """Why an answer is not to be parsed at all."""
    reason = completion.finish_reason
    if reason == "length":
        return "the answer was cut at the length limit; raise max_tokens"
    if not is_whole(reason):
        return f"the answer was cut (finish reason {reason!r})"
    refusal = completion.refusal
    return f"the model refused: {refusal}" if refusal else None


def _instructed(messages: list[dict[str, Any]], schema: AnswerSchema) -> list[Any]:
    """Messages with the schema in the system message, of which many templates take only one."""
    first = messages[0]
    if first["role"] == "system" and isinstance(first["content"], str):
        content = f"{first['content']}\n\n{schema.instructions}"
        return [{**first, "content": content}, *messages[1:]]
    return [{"role": "system", "content": schema.instructions}, *messages]


def _correction(text: str, problems: tuple[str, ...]) -> list[dict[str, Any]]:
    """The turn that shows the model its errors."""
    listed = "\n".join(f"- {problem}" for problem in problems)
    return [
        {"role": "assistant", "content": text},
        {
            "role": "user",
            "content": (
                f"That answer does not match the JSON schema:\n{listed}\n"
                "Answer again, with the corrected JSON only."
            ),
        },
    ]
