"""What a fault server does with a connection: small values, performed one after the other.

An answer is a tuple of actions. It starts once the request has been read; if it ends
without closing the connection, the next request may come on it.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Send:
    """Send these bytes in one write."""

    data: bytes


@frozen
class Drip:
    """Send these bytes a few at a time, with `every` seconds after each few."""

    data: bytes
    every: float
    size: int = 1


@frozen
class Repeat:
    """Send the same bytes so many times, with `every` seconds after each time."""

    data: bytes
    times: int
    every: float = 0.0


@frozen
class Wait:
    """Do nothing for so many seconds."""

    seconds: float


@frozen
class Gate:
    """Do nothing until the test opens the server's gate."""


@frozen
class Fin:
    """Close the connection properly: the client reads what was sent, then the end."""


@frozen
class Reset:
    """Break the connection: the client gets a RST."""


@frozen
class Hold:
    """Keep the connection open, silently, until the client leaves."""


Action = Send | Drip | Repeat | Wait | Gate | Fin | Reset | Hold
Answer = tuple[Action, ...]


@frozen
class Pace:
    """How slowly a server reads: so many bytes, then so many seconds of not reading."""

    size: int
    every: float
