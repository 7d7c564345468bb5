"""A line of the input as a call: OpenAI's batch lines, bare prompts and chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from .._core.codec import DecodeError, encode, is_array, is_object, parse
from .._core.display import display
from .._generated.operations import CHAT_CREATE
from ..errors import ConfigurationError
from .lines import Line

_ARGUMENTS = frozenset(
    argument.name for route in CHAT_CREATE.routes.values() for argument in route.arguments
)
"""The fields of a body that are arguments of `chat.create`."""

_BATCH_FIELDS = frozenset({"custom_id", "method", "url", "body"})
_CHAT_ENDPOINT = "/chat/completions"
_FORMS = (
    'a JSON string, {"prompt": …}, {"messages": […]}, or {"custom_id": …, "body": {"messages": …}}'
)


@define(kw_only=True)
class Job:
    """A call to make, or the problem of a line that cannot become one.

    Attributes:
        line: the number of the line, from 1.
        size: the length of the line in bytes.
        custom_id: the caller's id of the line, or None.
        arguments: the arguments of `chat.create`.
        problem: why no call can be made, or None.
        reserved: the tokens that were reserved for the call.
    """

    line: int
    size: int
    custom_id: str | None = None
    arguments: dict[str, Any] = field(factory=dict[str, Any], repr=False)
    problem: ConfigurationError | None = None
    reserved: int = 0

    @property
    def key(self) -> bytes:
        """Identifies the line in input and output: its custom_id, else its number."""
        return key_of(self.custom_id, self.line)

    def reject(self, problem: str) -> ConfigurationError:
        """Make the line a result with this error, and return it."""
        self.problem = ConfigurationError(f"Line {self.line}: {problem}")
        return self.problem


def key_of(custom_id: str | None, line: int) -> bytes:
    """Return the key of a line; the two kinds of keys differ in their first byte."""
    if custom_id is None:
        return b"#%d" % line
    return b"=" + custom_id.encode("utf-8", "surrogatepass")


def read_job(line: Line) -> Job | None:
    """Return the job of a line, or None for an empty line."""
    job = Job(line=line.number, size=line.size)
    if line.data is None:
        job.reject(f"it is {line.size} bytes long, and too long to read: split the prompt.")
        return job
    if not line.data.strip(b"\r\t \xef\xbb\xbf"):
        return None
    try:
        _fill(job, parse(line.data))
    except DecodeError as error:
        job.reject(f"it is not valid JSON: {error}. Expected {_FORMS}.")
    except ConfigurationError as error:
        job.reject(error.message)
    return job


def _fill(job: Job, document: object) -> None:
    """Take the id and the arguments from a line's document.

    Raises:
        ConfigurationError: the document is none of the known forms.
    """
    if isinstance(document, str) or is_array(document):
        job.arguments["messages"] = document
        return
    if not is_object(document):
        raise ConfigurationError(f"it is {encode(document).decode()}. Expected {_FORMS}.")
    fields = dict(document)
    _take_custom_id(job, fields.pop("custom_id", None))
    body = _body(fields) if "body" in fields else fields
    if "prompt" in body and "messages" not in body:
        body["messages"] = body.pop("prompt")
        if not isinstance(body["messages"], str):
            raise ConfigurationError(
                f'"prompt" must be a string, not {display(body["messages"])}; '
                'a conversation goes into "messages".'
            )
    elif "prompt" in body:
        raise ConfigurationError('it has both "prompt" and "messages": keep one of them.')
    if body.get("messages") is None:
        raise ConfigurationError(f'it has no "messages" and no "prompt". Expected {_FORMS}.')
    _take_arguments(job, body)


def _take_custom_id(job: Job, custom_id: object) -> None:
    if custom_id is None:
        return
    if not isinstance(custom_id, str) or not custom_id:
        raise ConfigurationError(
            f'"custom_id" must be a string that is not empty, not {display(custom_id)}.'
        )
    job.custom_id = custom_id


def _body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of one of OpenAI's batch lines."""
    unknown = [name for name in fields if name not in _BATCH_FIELDS]
    if unknown:
        raise ConfigurationError(
            f'unknown field {display(unknown[0])} beside "body": a batch line has custom_id, '
            "method, url and body; options belong into the body."
        )
    method, url, body = fields.get("method"), fields.get("url"), fields["body"]
    if method is not None and method != "POST":
        raise ConfigurationError(f'"method" must be "POST", not {display(method)}.')
    if url is not None and not (isinstance(url, str) and url.endswith(_CHAT_ENDPOINT)):
        raise ConfigurationError(
            f'"url" must be "/v1{_CHAT_ENDPOINT}", not {display(url)}: a batch makes chat '
            "completions only."
        )
    if not is_object(body):
        raise ConfigurationError(f'"body" must be an object, not {display(body)}.')
    return dict(body)


def _take_arguments(job: Job, body: Mapping[str, Any]) -> None:
    extra: dict[str, Any] = {}
    for name, value in body.items():
        if name in _ARGUMENTS:
            job.arguments[name] = value
        elif name not in ("stream", "stream_options"):
            extra[name] = value
    if body.get("stream"):
        raise ConfigurationError('"stream" must be false or absent: a batch writes whole results.')
    if extra:
        job.arguments["extra_body"] = extra
