"""What httpx's errors mean: a table by class name, the same for httpx and httpx2."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from .._core.exchange import ErrorKind, TransportError

_KINDS: dict[str, tuple[ErrorKind, str, str]] = {
    "ConnectTimeout": ("timeout", "connect", "connecting took too long"),
    "ReadTimeout": ("timeout", "read", "nothing came in time"),
    "WriteTimeout": ("timeout", "write", "sending took too long"),
    "PoolTimeout": ("timeout", "pool", "every connection of the pool is in use"),
    "ConnectError": ("connect", "connect", "the connection was refused"),
    "ProxyError": ("connect", "connect", "the proxy refused"),
    "UnsupportedProtocol": ("request", "connect", "the URL's scheme is not supported"),
    "LocalProtocolError": ("request", "write", "it is no valid HTTP"),
    "InvalidURL": ("request", "connect", "the URL is not valid"),
    "ReadError": ("broken", "read", "the connection was reset while reading"),
    "WriteError": ("broken", "write", "the connection was reset while sending"),
    "CloseError": ("broken", "read", "the connection broke while closing"),
    # Of a caller's client: it was closed, or belongs to another event loop.
    "RuntimeError": ("request", "connect", "the HTTP client cannot send it"),
    "RemoteProtocolError": ("broken", "read", "the server spoke no valid HTTP"),
}
_UNKNOWN: tuple[ErrorKind, str, str] = ("broken", "read", "the HTTP library failed")


def transport_error(error: Exception) -> TransportError:
    """The `TransportError` for an error of httpx or httpx2; raise it `from` that error."""
    names = (cls.__name__ for cls in type(error).__mro__)
    kind, phase, default = next((_KINDS[name] for name in names if name in _KINDS), _UNKNOWN)
    refusal = next((each for each in _causes(error) if isinstance(each, ssl.SSLError)), None)
    if refusal is not None:  # on trio, only it says what was wrong
        kind, error = "tls", refusal
    return TransportError(kind, str(error).rstrip(".") or default, phase=phase)


def restore_cause(error: TransportError) -> None:
    """Give an error of a network stream its cause again.

    httpcore's pool takes it away as the error goes through (`raise exc from None`), and leaves
    the context, which is the same.
    """
    error.__cause__ = error.__context__


def strip_tracebacks(error: BaseException) -> None:
    """Take the traces off an error that nobody will see.

    The libraries' errors hold on to frames that hold on to them, and by those, since Python
    3.12, to whoever called: a caller's stream would then be dropped only when the garbage
    collector comes by.
    """
    for each in _causes(error):
        each.__traceback__ = None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
