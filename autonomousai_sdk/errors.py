"""Every error this SDK raises.

    AutonomousAIError
    ├ ConfigurationError            a bad argument or environment (also a ValueError)
    ├ APIConnectionError            no response: refused, reset, TLS, proxy
    │ └ APITimeoutError             a time limit expired: .limit, .seconds
    ├ APIStatusError                the service returned an error: .status, .code, .body …
    │ ├ BadRequestError             400
    │ ├ AuthenticationError         401
    │ ├ PermissionDeniedError       403
    │ ├ NotFoundError               404
    │ ├ RequestTimeoutError         408
    │ ├ ConflictError               409
    │ ├ RequestTooLargeError        413
    │ ├ UnprocessableEntityError    422
    │ ├ RateLimitError              429
    │ └ InternalServerError         5xx
    ├ APIResponseError              the response does not match the spec: .body has the bytes
    ├ AnswerParseError              the completion does not match `into=`: .problems, .attempts
    ├ ToolLoopError                 `chat.run` stopped early: .messages, .rounds
    ├ BatchError                    a batch cannot read its input or write its output
    └ StreamError
      ├ StreamInterrupted           the stream ended before the completion was whole
      └ StreamDecodeError           an event is not a valid chunk: .data has the bytes

This module is the lowest layer: it imports no other module of the package. Every error can be
pickled, names its endpoint and attempt, and holds no secret: the code that raises it redacts its
arguments.
"""

from __future__ import annotations

from collections.abc import Mapping

# Annotations name the classes of higher layers by the package, which loads them when asked: so
# they can be evaluated at run time, and importing this module loads nothing.
import autonomousai_sdk

__all__ = [
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "AnswerParseError",
    "AuthenticationError",
    "AutonomousAIError",
    "BadRequestError",
    "BatchError",
    "ConfigurationError",
    "ConflictError",
    "InternalServerError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "StreamDecodeError",
    "StreamError",
    "StreamInterrupted",
    "ToolLoopError",
    "UnprocessableEntityError",
]


_MESSAGE_BYTES = 1536
_ENDPOINT_BYTES = 448
# Together with the number of the attempt, an error as text stays below 2 KiB.


def _shortened(text: str, limit: int) -> str:
    """A text of at most so many bytes, with its length at the end if it was cut."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= limit:
        return text
    note = f"… ({len(text)} characters)"
    end = limit - len(note.encode())
    while data[end] & 0xC0 == 0x80:  # inside a character
        end -= 1
    return data[:end].decode("utf-8", "surrogatepass") + note


class AutonomousAIError(Exception):
    """The base of every error of this SDK.

    Attributes:
        message: what failed, in one sentence.
        endpoint: the method and URL of the call, or None if the error is not about a call.
        attempt: the number of the attempt that failed, from 1, or None if nothing was sent.
        partial: the chunks that a stream had delivered before the error, as a completion; None
            outside of streams, and if no chunk had arrived.

    Examples:
        >>> try:
        ...     client.chat.create("Hello")
        ... except AutonomousAIError as error:
        ...     print(error.message, error.endpoint, error.attempt)
    """

    def __init__(
        self,
        message: str,
        *,
        endpoint: str | None = None,
        attempt: int | None = None,
        partial: autonomousai_sdk.ChatCompletion | None = None,
    ) -> None:
        # Everything but the message has a default, so that the inherited
        # __reduce__ (class, args, __dict__) can rebuild any of these by pickle.
        message = _shortened(message, _MESSAGE_BYTES)
        super().__init__(message)
        self.message = message
        self.endpoint = endpoint
        self.attempt = attempt
        self.partial = partial

    def __str__(self) -> str:
        if self.endpoint is None:
            return self.message
        attempt = "" if self.attempt is None else f", attempt {self.attempt}"
        return f"{self.message} [{_shortened(self.endpoint, _ENDPOINT_BYTES)}{attempt}]"


class ConfigurationError(AutonomousAIError, ValueError):
    """An argument or environment variable is invalid; nothing was sent."""


class APIConnectionError(AutonomousAIError):
    """No response: the connection could not be made, or broke before the response."""


class APITimeoutError(APIConnectionError):
    """A time limit expired.

    Attributes:
        limit: the name of the limit in `Timeout`: connect, read, write, pool, total or idle.
        seconds: the limit, in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        limit: str = "total",
        seconds: float | None = None,
        endpoint: str | None = None,
        attempt: int | None = None,
        partial: autonomousai_sdk.ChatCompletion | None = None,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempt=attempt, partial=partial)
        self.limit = limit
        self.seconds = seconds


class APIStatusError(AutonomousAIError):
    """The service returned an error.

    Attributes:
        status: the HTTP status; for an error event inside a stream, the status that its code
            corresponds to.
        headers: the response's headers, names in lower case.
        body: the error body: parsed JSON, or text. Bodies over 1 MiB are truncated.
        code: the service's own code or type of the error, or None.
        request_id: the service's id of the request, or None.
        retry_after: the seconds that the service asked to wait before a retry, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        endpoint: str | None = None,
        attempt: int | None = None,
        partial: autonomousai_sdk.ChatCompletion | None = None,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempt=attempt, partial=partial)
        self.status = status
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.body = body
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after


class BadRequestError(APIStatusError):
    """400: the service could not understand the request."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or invalid."""


class PermissionDeniedError(APIStatusError):
    """403: the key does not permit this."""


class NotFoundError(APIStatusError):
    """404: the endpoint or model does not exist."""


class RequestTimeoutError(APIStatusError):
    """408: the service timed out waiting for the request."""


class ConflictError(APIStatusError):
    """409: the request conflicts with another one."""


class RequestTooLargeError(APIStatusError):
    """413: the request is larger than the service accepts."""


class UnprocessableEntityError(APIStatusError):
    """422: the request is well-formed, but the service rejected its content."""


class RateLimitError(APIStatusError):
    """429: too many requests."""


class InternalServerError(APIStatusError):
    """5xx: the service failed."""


class APIResponseError(AutonomousAIError):
    """The response does not match the spec.

    Attributes:
        status: the HTTP status.
        headers: the response's headers, names in lower case.
        body: the response's bytes, at most 1 MiB of them.
        request_id: the service's id of the request, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        request_id: str | None = None,
        endpoint: str | None = None,
        attempt: int | None = None,
        partial: autonomousai_sdk.ChatCompletion | None = None,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempt=attempt, partial=partial)
        self.status = status
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.body = body
        self.request_id = request_id


class AnswerParseError(AutonomousAIError):
    """The completion of `chat.parse` does not match the type, was cut short, or is a refusal.

    Attributes:
        problems: one line for each invalid field of the last completion: its path and the reason.
        attempts: every completion with its problems.
    """

    def __init__(
        self,
        message: str,
        *,
        problems: tuple[str, ...] = (),
        attempts: tuple[autonomousai_sdk.ParseAttempt, ...] = (),
        endpoint: str | None = None,
        attempt: int | None = None,
        partial: autonomousai_sdk.ChatCompletion | None = None,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempt=attempt, partial=partial)
        self.problems = problems
        self.attempts = attempts


class ToolLoopError(AutonomousAIError):
    """`chat.run` stopped before the model gave a final completion.

    Attributes:
        messages: the conversation so far, with the tool calls and their results.
        rounds: the number of completions.
    """

    def __init__(
        self,
        message: str,
        *,
        messages: tuple[object, ...] = (),
        rounds: int = 0,
        endpoint: str | None = None,
        attempt: int | None = None,
        partial: autonomousai_sdk.ChatCompletion | None = None,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempt=attempt, partial=partial)
        self.messages = messages
        self.rounds = rounds


class BatchError(AutonomousAIError):
    """A batch cannot read its input or write its output; it can be resumed."""


class StreamError(AutonomousAIError):
    """The stream could not be read to its end.

    Attributes:
        request_id: the service's id of the request, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        request_id: str | None = None,
        endpoint: str | None = None,
        attempt: int | None = None,
        partial: autonomousai_sdk.ChatCompletion | None = None,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempt=attempt, partial=partial)
        self.request_id = request_id


class StreamInterrupted(StreamError):
    """The stream stopped without a finish reason and without its end marker."""


class StreamDecodeError(StreamError):
    """An event does not match the spec: it is not JSON, not UTF-8, not a chunk, or too long.

    Attributes:
        data: the event's bytes, at most 1 MiB of them.
    """

    def __init__(
        self,
        message: str,
        *,
        data: bytes = b"",
        request_id: str | None = None,
        endpoint: str | None = None,
        attempt: int | None = None,
        partial: autonomousai_sdk.ChatCompletion | None = None,
    ) -> None:
        super().__init__(
            message,
            request_id=request_id,
            endpoint=endpoint,
            attempt=attempt,
            partial=partial,
        )
        self.data = data
