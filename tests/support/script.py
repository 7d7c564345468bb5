"""The actions of a fault server on a connection: small values, run in order.

A script is a tuple of actions. It starts after the request has been read; if it does not close the
connection, the next request may use it.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Send:
    """Send these bytes in one write."""

    data: bytes


@frozen
class Drip:
    """Send bytes a few at a time, with a pause of `every` seconds after each."""

    data: bytes
    every: float
    size: int = 1


@frozen
class Repeat:
    """Send the same bytes several times, with a pause of `every` seconds after each."""

    data: bytes
    times: int
    every: float = 0.0


@frozen
class Wait:
    """Wait for some seconds."""

    seconds: float


@frozen
class Gate:
    """Wait until the test opens the server's gate."""


@frozen
class Fin:
    """Close the connection by FIN: the client reads everything sent, then the end."""


@frozen
class Reset:
    """Break the connection by RST."""


@frozen
class Hold:
    """Keep the connection open, silently, until the client leaves."""


Action = Send | Drip | Repeat | Wait | Gate | Fin | Reset | Hold
Answer = tuple[Action, ...]


@frozen
class Pace:
    """The pace of a slow reader: some bytes, then some seconds without reading."""

    size: int
    every: float
