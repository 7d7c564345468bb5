"""Errors and events as the server writes them, on both protocols."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.codec import encode

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class RequestError(Exception):
    """A request that the server answers with an error.

    Args:
        status: the HTTP status.
        message: what is wrong and what to do, for the person who sent the request.
        code: the error's code, for programs.
        param: the field of the request that is wrong.
        headers: sent along.
        details: more fields of the error object, such as an engine's own.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "invalid_request_error",
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers: dict[str, str] = dict(headers or {})
        self.details: dict[str, object] = dict(details or {})

    @property
    def body(self) -> bytes:
        """The error as a JSON body, in the shape that OpenAI's clients read."""
        return encode(
            {
                "error": {
                    **self.details,
                    "message": self.message,
                    "type": error_type(self.status),
                    "param": self.param,
                    "code": self.code,
                }
            }
        )


class ConnectionAbort(Exception):  # noqa: N818  # an order to the server, not an error of the client
    """The response cannot be completed: close the client's connection without ending it."""


def error_type(status: int) -> str:
    """OpenAI's name for a kind of error."""
    return _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def event(data: bytes) -> bytes:
    """A server-sent event, with a data line for each line of the data."""
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"


DONE = event(b"[DONE]")
"""The event that ends a stream."""

KEEP_ALIVE = b": keep-alive\n\n"
"""A comment, which clients ignore and proxies count as activity."""
