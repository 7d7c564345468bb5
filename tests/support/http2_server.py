"""An HTTP/2 server on loopback (cleartext, prior knowledge) whose streams share connections."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Any, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from attrs import define, field

from .wire import delta, event

TICK = 0.02
"""Seconds between two chunks of an open stream."""


@define(eq=False)
class HTTP2Server:
    """Answers each request with a stream of chunks that ends only when the client leaves it.

    By the prompt: "talk" sends a chunk every tick, "silent" only the first one, and "mute" not
    even a response.

    Attributes:
        connections: how many connections were accepted.
        prompts: the prompts by connection and stream.
        resets: the connections and streams that the client reset, in order.
    """

    connections: int = field(init=False, default=0)
    prompts: dict[tuple[int, int], str] = field(init=False, factory=dict[tuple[int, int], str])
    resets: list[tuple[int, int]] = field(init=False, factory=list[tuple[int, int]])
    _bodies: dict[tuple[int, int], bytes] = field(init=False, factory=dict[tuple[int, int], bytes])
    _listener: socket.socket = field(init=False, factory=socket.socket)
    _stopped: bool = field(init=False, default=False)
    _threads: list[Thread] = field(init=False, factory=list[Thread])

    @property
    def url(self) -> str:
        """The server's base URL."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def reset_prompts(self) -> list[str]:
        """The prompts of the streams that the client reset."""
        return [self.prompts[key] for key in self.resets]

    def __enter__(self) -> Self:
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._start(self._accept)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Any, *args: Any) -> None:
        thread = Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # the server stops
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._start(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        talking: set[int] = set()
        state.initiate_connection()
        connection.settimeout(TICK)
        with connection, suppress(OSError, h2.exceptions.ProtocolError):
            while not self._stopped:
                connection.sendall(state.data_to_send())
                try:
                    data = connection.recv(65536)
                except TimeoutError:
                    for stream in talking:
                        state.send_data(stream, event(delta("word ")))
                    continue
                if not data:
                    return
                for received in state.receive_data(data):
                    self._handle(received, state, number, talking)

    def _handle(
        self, received: Any, state: h2.connection.H2Connection, number: int, talking: set[int]
    ) -> None:
        stream = getattr(received, "stream_id", None) or 0
        if isinstance(received, h2.events.DataReceived):
            body = self._bodies.get((number, stream), b"") + (received.data or b"")
            self._bodies[number, stream] = body
            state.acknowledge_received_data(received.flow_controlled_length or 0, stream)
        elif isinstance(received, h2.events.StreamEnded):
            prompt = self.prompts[number, stream] = _prompt(self._bodies[number, stream])
            if prompt != "mute":
                headers = [(":status", "200"), ("content-type", "text/event-stream")]
                state.send_headers(stream, headers)
                state.send_data(stream, event(delta("word ")))
            if prompt == "talk":
                talking.add(stream)
        elif isinstance(received, h2.events.StreamReset):
            talking.discard(stream)
            self.resets.append((number, stream))


def _prompt(body: bytes) -> str:
    messages: Any = json.loads(body)["messages"]
    text: str = messages[-1]["content"]
    return text
