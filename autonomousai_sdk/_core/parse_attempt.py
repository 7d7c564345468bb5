"""The record of one answer to `chat.parse`.

A module of its own, since every program imports the results, and few the parser.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class ParseAttempt:
    """One answer of the model to `chat.parse`.

    Attributes:
        text: what the model answered.
        problems: one line for each wrong field, or what else is wrong; empty if the answer
            matches.
    """

    text: str
    problems: tuple[str, ...] = ()
