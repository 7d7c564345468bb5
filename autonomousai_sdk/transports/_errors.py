"""Map httpx's errors to a `TransportError`: one table by class name, for httpx and httpx2."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from .._core.exchange import ErrorKind, TransportError

_KINDS: dict[str, tuple[ErrorKind, str, str]] = {
    "ConnectTimeout": ("timeout", "connect", "could not connect in time"),
    "ReadTimeout": ("timeout", "read", "no data received in time"),
    "WriteTimeout": ("timeout", "write", "could not send in time"),
    "PoolTimeout": ("timeout", "pool", "every connection of the pool is in use"),
    "ConnectError": ("connect", "connect", "the connection was refused"),
    "ProxyError": ("connect", "connect", "the proxy refused"),
    "UnsupportedProtocol": ("request", "connect", "the URL's scheme is not supported"),
    "LocalProtocolError": ("request", "write", "the request is not valid HTTP"),
    "InvalidURL": ("request", "connect", "the URL is not valid"),
    "ReadError": ("broken", "read", "the connection was reset while reading"),
    "WriteError": ("broken", "write", "the connection was reset while sending"),
    "CloseError": ("broken", "read", "the connection broke while closing"),
    "UnicodeError": ("request", "connect", "the host name is not valid"),
    # From a caller's client that is closed or belongs to another event loop.
    "RuntimeError": ("request", "connect", "the HTTP client cannot send the request"),
    "RemoteProtocolError": ("broken", "read", "the response is not valid HTTP"),
}
_UNKNOWN: tuple[ErrorKind, str, str] = ("broken", "read", "the HTTP library failed")


def transport_error(error: Exception) -> TransportError:
    """Return the `TransportError` for an error of httpx or httpx2; raise it `from` that error."""
    names = (cls.__name__ for cls in type(error).__mro__)
    kind, phase, default = next((_KINDS[name] for name in names if name in _KINDS), _UNKNOWN)
    refusal = next((each for each in _causes(error) if isinstance(each, ssl.SSLError)), None)
    if refusal is not None:  # on trio, the other errors have no message
        kind, error = "tls", refusal
    return TransportError(kind, str(error).rstrip(".") or default, phase=phase)


def restore_cause(error: TransportError) -> None:
    """Set an error's `__cause__` to its `__context__`.

    httpcore's pool clears the cause (`raise exc from None`); the context is the same error.
    """
    error.__cause__ = error.__context__


def strip_tracebacks(error: BaseException) -> None:
    """Remove the tracebacks of an error that is discarded.

    The libraries' errors are in reference cycles with their frames, which since Python 3.12
    reach the caller's frames too: the caller's stream would live until the next garbage
    collection.
    """
    for each in _causes(error):
        each.__traceback__ = None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
