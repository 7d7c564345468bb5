"""`LocalServer`: the application on a port, in a thread of its own."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import anyio

from .._core.url import is_loopback
from ..errors import ConfigurationError

try:
    import uvicorn

    from .app import BASE_PATH, application
except ImportError as _error:
    raise ConfigurationError(
        'The local server needs Starlette and uvicorn: pip install "autonomousai-sdk[server]"'
    ) from _error

from .engines import SMOLLM2, engine_for

END_MARKER_TIMEOUT = 5
"""Seconds that answers under way get when the server closes."""


class LocalServer:
    """A server that speaks AutonomousAI's protocol on this machine.

    Args:
        engine: `smollm2`, a small real model on the CPU; the path of another GGUF model;
            the URL of an OpenAI-compatible API; or `echo`, no model, for tests.
        host: the address to listen on.
        port: the port, or 0 for any that is free.
        api_key: what requests must carry as a bearer token. Needed to listen on anything
            but loopback.
        engine_api_key: the key for an engine that is a URL.
        model_map: for such an engine, which of its models stands behind each of ours:
            `{"llama": "llama3.3:70b"}`. For the others it is the first it lists.
        progress: told what is being done while the server starts, in a few words.

    Attributes:
        base_url: what a client takes as its `base_url`, once the server runs.

    Raises:
        ConfigurationError: it cannot work like this; the message says what to do.

    Example:
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
        progress: Callable[[str], None] | None = None,
    ) -> None:
        shown = f"[{host}]" if ":" in host else host
        if api_key is None and not is_loopback(f"http://{shown}"):
            raise ConfigurationError(
                f"Listening on {host} lets other machines in: pass api_key=, which they then need."
            )
        self._engine = engine_for(engine, api_key=engine_api_key, model_map=model_map)
        self._host = host
        self._shown = shown
        self._port = port
        self._api_key = api_key
        self._progress: Callable[[str], None] = progress or _say_nothing
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._closing = False
        self._failure: BaseException | None = None

    @property
    def base_url(self) -> str:
        """The server's address, as a client's `base_url`.

        Raises:
            ConfigurationError: the server does not run.
        """
        if self._server is None:
            raise ConfigurationError(
                "The server does not run: use it in a with block, or start() it."
            )
        return f"http://{self._shown}:{self._port}{BASE_PATH}"

    def start(self) -> None:
        """Load the model and listen; returns once the server answers.

        Raises:
            ConfigurationError: the port is taken, or the engine cannot work.
        """
        if self._thread is not None:
            raise ConfigurationError("The server runs already.")
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
        """Stop listening, give answers under way a little time, and let go of the model."""
        self._closing = True
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
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

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
        except OSError as error:
            listener.close()
            raise ConfigurationError(
                f"Cannot listen on {self._host}, port {self._port}: {error.strerror}."
            ) from error
        self._port = listener.getsockname()[1]
        return listener

    def _run(self, listener: socket.socket) -> None:
        """The thread: an event loop of its own, for the engine and the server."""
        try:
            anyio.run(self._serve, listener)
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits
            self._failure = error
        finally:
            listener.close()
            self._ready.set()

    async def _serve(self, listener: socket.socket) -> None:
        try:
            await self._engine.start(self._progress)
            app = application(self._engine, host=self._host, api_key=self._api_key)
            config = uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=END_MARKER_TIMEOUT,
                h11_max_incomplete_event_size=64 * 1024,
            )
            server = _Server(config, self._ready)
            # Whoever closes the server while the model loads finds no server to stop yet.
            server.should_exit = self._closing
            self._server = server
            await server.serve(sockets=[listener])
        finally:
            await self._engine.stop()


def _say_nothing(_: str) -> None:
    """What is told to nobody."""


class _Server(uvicorn.Server):
    """Says when it is ready, and leaves signals to the program it is part of."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()
