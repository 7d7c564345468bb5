"""Every error this SDK raises.

    AutonomousAIError
    ├ ConfigurationError            a bad argument or environment (also a ValueError)
    ├ APIConnectionError            no answer: refused, reset, TLS, proxy
    │ └ APITimeoutError             a time limit expired: .limit and .seconds say which
    ├ APIStatusError                the service answered with an error: .status, .code, .body …
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
    ├ APIResponseError              an answer that is not what the spec says: .body has the bytes
    ├ AnswerParseError              an answer that does not match `into=`: .problems, .attempts
    ├ ToolLoopError                 `chat.run` stopped without an answer: .messages, .rounds
    └ StreamError
      ├ StreamInterrupted           the stream ended before the answer did
      └ StreamDecodeError           an event that is not a chunk: .data has the bytes

This module is the lowest layer: it knows nothing of requests, transports or models.
Every error pickles, names the endpoint and the try it belongs to, and shows no secret:
whoever raises one redacts what goes in.
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


class AutonomousAIError(Exception):
    """The base of every error of this SDK.

    Attributes:
        message: what went wrong, in one sentence.
        endpoint: method and URL of the call, or None when nothing was to be sent.
        attempt: the try that failed, counted from 1, or None when nothing was sent.
        partial: what a stream had delivered before the error, put together as a
            completion; None outside of streams and when nothing had come.

    Example:
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
        super().__init__(message)
        self.message = message
        self.endpoint = endpoint
        self.attempt = attempt
        self.partial = partial

    def __str__(self) -> str:
        if self.endpoint is None:
            return self.message
        attempt = "" if self.attempt is None else f", try {self.attempt}"
        return f"{self.message} [{self.endpoint}{attempt}]"


class ConfigurationError(AutonomousAIError, ValueError):
    """A bad argument or environment variable, found before anything was sent."""


class APIConnectionError(AutonomousAIError):
    """No answer came: the connection could not be made, or broke before the answer."""


class APITimeoutError(APIConnectionError):
    """A time limit expired.

    Attributes:
        limit: the limit's name in `Timeout`: connect, read, write, pool, total or idle.
        seconds: that limit, in seconds.
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
    """The service answered with an error.

    Attributes:
        status: the HTTP status; for an error event inside a stream, the status that
            its code stands for.
        headers: the answer's headers, names in lower case.
        body: the error body: parsed JSON, or text. Bodies over 1 MiB are cut.
        code: the service's own code or type for the error, if it gave one.
        request_id: the service's id for the request, if it gave one.
        retry_after: seconds the service asked to wait before another try, if it did.
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
    """400: the service could not make sense of the request."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or wrong."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: no such endpoint or model."""


class RequestTimeoutError(APIStatusError):
    """408: the service gave up waiting for the request."""


class ConflictError(APIStatusError):
    """409: the request conflicts with another one."""


class RequestTooLargeError(APIStatusError):
    """413: the request is larger than the service takes."""


class UnprocessableEntityError(APIStatusError):
    """422: well-formed, but refused."""


class RateLimitError(APIStatusError):
    """429: too many requests."""


class InternalServerError(APIStatusError):
    """5xx: the service failed."""


class APIResponseError(AutonomousAIError):
    """An answer that is not what the spec says.

    Attributes:
        status: the HTTP status.
        headers: the answer's headers, names in lower case.
        body: the answer's bytes, at most 1 MiB of them.
        request_id: the service's id for the request, if it gave one.
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
    """The model's answer to `chat.parse` does not match the type, was cut or was refused.

    Attributes:
        problems: one line for each wrong field of the last answer: its path, and what is wrong.
        attempts: every answer of the model with its problems.
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
    """`chat.run` stopped before the model gave a final answer.

    Attributes:
        messages: the conversation so far, with the calls and their results.
        rounds: how many answers the model gave.
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


class StreamError(AutonomousAIError):
    """A stream that could not be read to its end.

    Attributes:
        request_id: the service's id for the request, if it gave one.
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
    """The stream stopped with neither a finish reason nor its end marker."""


class StreamDecodeError(StreamError):
    """An event that is not what the spec says: not JSON, not UTF-8, not a chunk, too long.

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
