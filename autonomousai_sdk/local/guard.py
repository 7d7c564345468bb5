"""Who may ask: checks on every request before the application sees it.

A page in a browser on this machine can send requests to loopback too. One whose host name
was made to resolve there (DNS rebinding) names another host, and any other names its origin.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import cast

from attrs import define, field
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._core.secret import Secret
from ..errors import ConfigurationError
from .wire import RequestError

ORIGINAL_PAGE = "https://www.autonomous.ai"
"""The origin that the original protocol's clients send."""

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?")
_ORIGIN = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(:[0-9]{1,5})?")
_TOKENS = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+(?:\s*,\s*[-!#$%&'*+.^_`|~0-9A-Za-z]+)*")
_EXPOSED = "x-request-id, retry-after, retry-after-ms"


@define(eq=False)
class Guard:
    """Refuses requests that must not reach the application.

    Attributes:
        host: the address that the server listens on, or None for any of this machine's.
        api_key: the key that requests must carry, or None.
        max_body: the longest body, in bytes.
        origins: the origins whose pages may use the server.
    """

    _app: ASGIApp
    host: str | None
    api_key: Secret | None = field(repr=False)
    max_body: int
    origins: tuple[str, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        if origin in self.origins:
            send = _with_cors(send, origin)
        try:
            self._check_page(headers)
            if scope["method"] == "OPTIONS" and origin in self.origins:
                await _preflight(headers)(scope, receive, send)
                return
            self._check_key(headers)
            if scope["method"] == "POST":
                self._check_body(headers)
        except RequestError as error:
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check_page(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            raise RequestError(
                421, "This server answers requests for its own address only.", "wrong_host"
            )
        for origin in headers.getlist("origin"):
            if not self._may_come_from(origin):
                raise RequestError(
                    403,
                    f"Pages of {origin[:100]} may not use this server, unless it is started with "
                    "that origin in cors_origins (--cors-origin).",
                    "origin",
                )

    def _check_key(self, headers: Headers) -> None:
        if self.api_key is None:
            return
        given = headers.getlist("authorization")
        scheme, _, token = (given[0] if len(given) == 1 else "").strip().partition(" ")
        challenge = {"www-authenticate": "Bearer"}
        if scheme.lower() != "bearer" or not token.strip():
            raise RequestError(
                401,
                "This server needs a key, and the request has none: send it as "
                "'authorization: Bearer KEY'.",
                "missing_api_key",
                headers=challenge,
            )
        expected = self.api_key.reveal().encode()
        # Starlette reads headers as Latin-1, so this gives the bytes as they came.
        if not hmac.compare_digest(token.strip().encode("latin-1"), expected):
            raise RequestError(
                401, "The key is not this server's.", "invalid_api_key", headers=challenge
            )

    def _check_body(self, headers: Headers) -> None:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        # A page may send text/plain anywhere without asking; not application/json.
        if kind != "application/json":
            raise RequestError(
                415,
                "The body must be JSON: send it with 'content-type: application/json'.",
                "unsupported_media_type",
            )
        coding = headers.get("content-encoding", "identity")
        if coding.strip().lower() not in ("identity", ""):
            raise RequestError(
                415,
                f"The body's coding {coding[:100]!r} is not supported: send it uncompressed.",
                "unsupported_content_encoding",
                headers={"accept-encoding": "identity"},
            )
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self.max_body:
            raise too_large(self.max_body)

    def _is_own(self, host: str) -> bool:
        """Whether a `host` header names this machine by a name that nobody else can take."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1].strip("[]").lower()
        if name == "localhost":
            return True
        if self.host is None:
            # Such a server has any name; it needs a key, which no page has.
            return self.api_key is not None
        if name == self.host.lower():
            return True
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return False

    def _may_come_from(self, origin: str) -> bool:
        if origin == ORIGINAL_PAGE or origin in self.origins:
            return True
        found = _ORIGIN.fullmatch(origin)
        return found is not None and self._is_own(found[1] + (found[2] or ""))


def checked_origins(origins: object) -> tuple[str, ...]:
    """The origins as browsers send them.

    Raises:
        ConfigurationError: one is not `scheme://host` with an optional port.
    """
    if isinstance(origins, str) or not isinstance(origins, Sequence):
        raise ConfigurationError(
            "cors_origins must be a list of origins, such as ['http://localhost:3000']."
        )
    given = cast("Sequence[object]", origins)
    for origin in given:
        if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"cors_origins: {origin!r} is not an origin. Name each page's scheme, host and "
                "port without a path, such as 'http://localhost:3000'."
            )
    return tuple(str(origin).lower() for origin in given)


def too_large(limit: int) -> RequestError:
    """The error for a body over the bound."""
    return RequestError(
        413, f"The request's body is longer than {limit} bytes.", "request_too_large"
    )


def refusal(error: RequestError) -> Response:
    """An error as a response."""
    headers = {
        name: value.encode("latin-1", "replace").decode("latin-1")
        for name, value in error.headers.items()
    }
    return Response(error.body, error.status, headers, "application/json")


def _preflight(headers: Headers) -> Response:
    asked = headers.get("access-control-request-headers", "").strip()
    answer = {"access-control-allow-methods": "GET, POST", "access-control-max-age": "600"}
    if _TOKENS.fullmatch(asked):
        answer["access-control-allow-headers"] = asked
    if headers.get("access-control-request-private-network") == "true":
        answer["access-control-allow-private-network"] = "true"
    return Response(status_code=204, headers=answer)


def _with_cors(send: Send, origin: str) -> Send:
    """Let the pages of an origin read the response."""
    allowed = [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED.encode()),
        (b"vary", b"origin"),
    ]

    async def send_with_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *allowed]}
        await send(message)

    return send_with_cors
