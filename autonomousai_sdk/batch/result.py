"""The results of lines, in the form of OpenAI's batch output."""

from __future__ import annotations

from attrs import frozen

from .._core.codec import DecodeError, compact, encode, is_object, parse, unstructure
from .._core.raw_response import RawResponse
from .._generated.models import ChatCompletion
from ..errors import APIResponseError, APIStatusError, AutonomousAIError, ConfigurationError
from .job import Job, key_of

_ID = "line-"


@frozen(kw_only=True)
class Outcome:
    """A line's result, ready to be written.

    Attributes:
        line: the number of the input's line.
        record: the line of the output, with its line feed.
        size: the length of the input's line in bytes.
        error: the error, or None.
        prompt_tokens: as the server counted them, or None.
        completion_tokens: as the server counted them, or None.
        unused_tokens: the reserved tokens that were not used; negative if more were used.
    """

    line: int
    record: bytes
    size: int
    error: AutonomousAIError | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    unused_tokens: int = 0


@frozen
class Recorded:
    """A result that an earlier run wrote: the key of its line, and whether it is an error."""

    key: bytes
    failed: bool


def completed(job: Job, response: RawResponse[ChatCompletion]) -> Outcome:
    """Return the result of a line that was answered.

    Raises:
        AutonomousAIError: the response is not a completion.
    """
    completion = response.parse()
    try:
        # The document as it is, with the fields that the spec does not know.
        body = compact(response.content)
    except DecodeError:  # a stream
        body = encode(unstructure(completion))
    answer = b'{"status_code":%d,"request_id":%b,"body":%b}' % (
        response.status,
        encode(response.request_id),
        body,
    )
    usage = completion.usage
    prompt = None if usage is None else usage.prompt_tokens
    generated = None if usage is None else usage.completion_tokens
    return Outcome(
        line=job.line,
        record=_record(job, answer, b"null"),
        size=job.size,
        prompt_tokens=prompt,
        completion_tokens=generated,
        unused_tokens=(
            0 if prompt is None or generated is None else job.reserved - prompt - generated
        ),
    )


def failed(job: Job, error: AutonomousAIError) -> Outcome:
    """Return the result of a line whose call failed, or that could not become a call."""
    if isinstance(error, ConfigurationError) and error is not job.problem:
        error = job.reject(error.message)
    refused = isinstance(error, (APIStatusError, ConfigurationError))
    return Outcome(
        line=job.line,
        record=_record(job, _response_of(error), _error(error)),
        size=job.size,
        error=error,
        unused_tokens=job.reserved if refused else 0,
    )


def recorded(record: bytes) -> Recorded | None:
    """Return what a line of the output says, or None if it is not a result."""
    try:
        document = parse(record)
    except DecodeError:
        return None
    if not is_object(document) or not {"response", "error"} & document.keys():
        return None
    has_failed = document.get("error") is not None
    custom_id, name = document.get("custom_id"), document.get("id")
    if isinstance(custom_id, str):
        return Recorded(key_of(custom_id, 0), has_failed)
    number = name.removeprefix(_ID) if isinstance(name, str) else ""
    if not (number.isascii() and number.isdigit()):
        return None
    return Recorded(key_of(None, int(number)), has_failed)


def _response_of(error: AutonomousAIError) -> bytes:
    """Return the response that an error is about, or null if there was none."""
    if isinstance(error, APIStatusError):
        body = error.body
    elif isinstance(error, APIResponseError):
        body = error.body.decode("utf-8", "replace")
    else:
        return b"null"
    response = {"status_code": error.status, "request_id": error.request_id, "body": body}
    try:
        return encode(response)
    except RecursionError:  # parsed at the limit of the stack's depth
        return encode(response | {"body": error.message})


def _error(error: AutonomousAIError) -> bytes:
    return encode(
        {
            "type": type(error).__name__,
            "code": getattr(error, "code", None),
            "message": str(error),
        }
    )


def _record(job: Job, response: bytes, error: bytes) -> bytes:
    return b'{"id":"%b%d","custom_id":%b,"response":%b,"error":%b}\n' % (
        _ID.encode(),
        job.line,
        encode(job.custom_id),
        response,
        error,
    )
