"""`LocalServer`: the application on a port, in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from ipaddress import IPv4Address, ip_address
from types import TracebackType
from typing import Self

import anyio
from anyio import CancelScope

from .._core.secret import Secret
from .._core.settings import checked_key
from .._core.url import is_loopback
from ..errors import ConfigurationError

try:
    import uvicorn

    from .app import BASE_PATH, OPENAI_PATH, Application, ServerLimits
    from .connection import Connection
    from .guard import checked_origins
except ImportError as _error:
    raise ConfigurationError(
        'The local server needs Starlette and uvicorn: pip install "autonomousai-sdk[server]"'
    ) from _error

from .embedded import CONTEXT, MAX_TOKENS, ModelLimits
from .engines import SMOLLM2, engine_for

MAX_BODY_BYTES = 64 * 2**20
"""The longest body of a request by default: conversations with images in them."""

MAX_CONCURRENT = 64
"""Completions at a time by default."""

MOST_TOKENS = 2**31 - 1
"""The highest count that llama.cpp can hold."""

GRACE = 5.0
"""Seconds that completions under way get when the server closes."""

LAST_WORDS = 0.5
"""Seconds that the error events of ended streams get to go out."""

_REASONS = {
    errno.EADDRINUSE: "the address is in use; choose another port, or 0 for any free one",
    errno.EACCES: "this user may not listen on that port; choose one above 1023",
    errno.EADDRNOTAVAIL: "it is not an address of this machine",
    errno.EINVAL: "it is not an address that a server can listen on",
}
_BROADCAST = IPv4Address("255.255.255.255")


class LocalServer:
    """A server on this machine that speaks AutonomousAI's protocol, and OpenAI's.

    Args:
        engine: `smollm2`, a small real model on the CPU; the path of another GGUF model;
            the URL of an OpenAI-compatible API; or `echo`, no model, for tests.
        host: the address to listen on.
        port: the port, or 0 for any that is free.
        api_key: the key that requests must carry as a bearer token. Required to listen on
            anything but loopback.
        engine_api_key: the key for an engine that is a URL.
        model_map: for such an engine, its names for the original protocol's models, such
            as `{"llama": "llama3.3:70b"}`. The others stand for the first model it lists.
        max_concurrent: how many completions run at once; more get status 429.
        queue: how many completions may wait for their turn instead.
        max_body_bytes: the longest body of a request.
        max_tokens: the most tokens of a completion whose request sets no limit, for a
            model that runs here.
        context: the tokens of a conversation, for a model that runs here.
        cors_origins: the origins of web pages that may use the server, such as
            `["http://localhost:3000"]`.
        progress: called with a few words about each step while the server starts.

    Attributes:
        base_url: the `base_url` for this SDK's clients, while the server runs.
        openai_base_url: the base URL for OpenAI clients, while the server runs.

    Raises:
        ConfigurationError: an argument that cannot work; the message says what to do.

    Examples:
        >>> with LocalServer() as server, Client(base_url=server.base_url) as client:
        ...     print(client.chat.create("Why is the sky blue?").text)
    """

    def __init__(
        self,
        *,
        engine: str | os.PathLike[str] = SMOLLM2,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        engine_api_key: str | None = None,
        model_map: Mapping[str, str] | None = None,
        max_concurrent: int = MAX_CONCURRENT,
        queue: int = 0,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_tokens: int = MAX_TOKENS,
        context: int = CONTEXT,
        cors_origins: Sequence[str] = (),
        progress: Callable[[str], None] | None = None,
    ) -> None:
        key = None if api_key is None else checked_key(api_key, "api_key")
        del api_key  # a traceback that shows local variables would show it
        self._host = _checked_host(host)
        self._asked_port = self._port = _checked_count(port, "port", 0, 65535)
        if key is None and not is_loopback(f"http://{_in_url(host)}"):
            raise ConfigurationError(
                f"Listening on {host} lets other machines in: pass api_key=, which they then need."
            )
        self._key: Secret | None = key
        self._limits = ServerLimits(
            max_concurrent=_checked_count(max_concurrent, "max_concurrent", 1),
            queue=_checked_count(queue, "queue", 0),
            max_body_bytes=_checked_count(max_body_bytes, "max_body_bytes", 1),
            cors_origins=checked_origins(cors_origins),
        )
        self._engine = engine_for(
            engine,
            api_key=engine_api_key,
            model_map=model_map,
            limits=ModelLimits(
                context=_checked_count(context, "context", 1, MOST_TOKENS),
                max_tokens=_checked_count(max_tokens, "max_tokens", 1, MOST_TOKENS),
            ),
        )
        self._progress: Callable[[str], None] = progress or _ignore
        self._address = host
        self._is_any_address = False
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._closing = False
        self._start_scope: CancelScope | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None

    @property
    def base_url(self) -> str:
        """The server's address, as a client's `base_url`.

        Raises:
            ConfigurationError: the server is not running.
        """
        return self._origin() + BASE_PATH

    @property
    def openai_base_url(self) -> str:
        """The server's address for OpenAI clients.

        Raises:
            ConfigurationError: the server is not running.
        """
        return self._origin() + OPENAI_PATH

    def start(self) -> None:
        """Load the model and listen; returns once the server answers.

        Raises:
            ConfigurationError: the address cannot be used, or the engine cannot work.
        """
        if self._thread is not None:
            raise ConfigurationError("The server is running already.")
        listener = self._listen()
        self._ready.clear()
        self._closing = False
        self._failure = None
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="autonomousai-local-server", daemon=True
        )
        self._thread.start()
        try:
            self._ready.wait()
        except BaseException:
            self.close()
            raise
        if self._failure is not None:
            failure = self._failure
            self.close()
            raise failure

    def close(self) -> None:
        """Stop listening, let completions under way end for a few seconds, and stop the engine."""
        self._closing = True
        thread, loop = self._thread, self._loop
        if thread is None:
            return
        if self._server is not None:
            self._server.should_exit = True
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(self._cancel_start)
        try:
            thread.join()
        except BaseException:
            # Whoever interrupts the wait does not want one.
            if self._server is not None:
                self._server.force_exit = True
            raise
        self._thread = None
        self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "not running" if self._server is None else self.base_url
        return f"<LocalServer {self._engine.name} {where}>"

    def _origin(self) -> str:
        if self._server is None:
            raise ConfigurationError(
                "The server is not running: use it in a with block, or call start()."
            )
        return f"http://{_in_url(self._address)}:{self._port}"

    def _listen(self) -> socket.socket:
        where = f"Cannot listen on {self._host}, port {self._asked_port}"
        try:
            found = socket.getaddrinfo(
                self._host, self._asked_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(f"{where}: the host name does not resolve.") from error
        family, kind, protocol, _, address = found[0]
        numeric = ip_address(str(address[0]).partition("%")[0])
        # The kernel lets a server listen where nobody can connect.
        if numeric.is_multicast or numeric == _BROADCAST:
            raise ConfigurationError(f"{where}: {_REASONS[errno.EADDRNOTAVAIL]}.")
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            # Listening here, not in the loop, finds what makes it impossible at once.
            listener.listen(2048)
        except OSError as error:
            listener.close()
            reason = _REASONS.get(error.errno or 0, error.strerror)
            raise ConfigurationError(f"{where}: {reason}.") from error
        name = listener.getsockname()
        self._port = name[1]
        self._address = name[0]
        self._is_any_address = ip_address(name[0].partition("%")[0]).is_unspecified
        if self._is_any_address:
            # Nobody can connect to "any address", but to this machine's own.
            self._address = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        return listener

    def _run(self, listener: socket.socket) -> None:
        """The thread: an event loop of its own, for the engine and the server."""
        try:
            anyio.run(self._serve, listener, backend_options={"use_uvloop": _has_uvloop()})
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits
            self._failure = error
        finally:
            self._loop = None
            listener.close()
            self._ready.set()

    async def _serve(self, listener: socket.socket) -> None:
        self._start_scope = CancelScope()
        self._loop = asyncio.get_running_loop()
        try:
            with self._start_scope:
                if not self._closing:
                    await self._engine.start(self._progress)
            if self._closing:
                return
            app = Application(self._engine, self._limits)
            config = uvicorn.Config(
                app.guarded(None if self._is_any_address else self._host, self._key),
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=30,
            )
            server = _Server(config, app, self._ready)
            server.should_exit = self._closing
            self._server = server
            await server.serve(sockets=[listener])
        finally:
            await self._engine.stop()

    def _cancel_start(self) -> None:
        if self._start_scope is not None and self._server is None:
            self._start_scope.cancel()


class _Server(uvicorn.Server):
    """Reports when it is ready, leaves signals to the program, and ends its streams properly."""

    def __init__(self, config: uvicorn.Config, app: Application, ready: threading.Event) -> None:
        super().__init__(config)
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, wait for what is under way, end the rest with an error, and close."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        await self._wait_for_tasks(GRACE)
        if state.tasks:
            self._app.stop_completions()
            await self._wait_for_tasks(LAST_WORDS)
        for task in list(state.tasks):
            task.cancel()
        await asyncio.sleep(0)
        for connection in list(state.connections):
            transport: asyncio.Transport | None = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)

    async def _wait_for_tasks(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        while self.server_state.tasks and not self.force_exit:
            if asyncio.get_running_loop().time() >= until:
                return
            await asyncio.sleep(0.02)


def _has_uvloop() -> bool:
    return find_spec("uvloop") is not None


def _ignore(_: str) -> None:
    """Progress without a listener."""


def _in_url(host: str) -> str:
    """A host as a URL has it."""
    return f"[{host}]" if ":" in host else host


def _checked_host(host: object) -> str:
    if not isinstance(host, str) or not host.strip() or host != host.strip():
        raise ConfigurationError(
            f"host must be an address or a name, such as '127.0.0.1'; got {host!r}."
        )
    if host.startswith("[") or "/" in host:
        raise ConfigurationError(
            f"host must be a bare address or name, such as '::1'; got {host!r}."
        )
    return host


def _checked_count(value: object, name: str, low: int, high: int = sys.maxsize) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        bound = f"from {low} to {high}" if high < sys.maxsize else f"of at least {low}"
        raise ConfigurationError(f"{name} must be a whole number {bound}; got {value!r}.")
    return value
