"""Which pieces of a stream's tool calls belong to the same call."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.tool_calls import calls
from tests.support.sample_operation import CallDelta, FunctionDelta


def piece(
    arguments: str | None = None,
    name: str | None = None,
    *,
    index: int | None = None,
    id: str | None = None,  # noqa: A002  # the field's name
) -> CallDelta:
    """A piece of a call."""
    function = FunctionDelta(name=name, arguments=arguments)
    return CallDelta(index=index, id=id, function=function)


HEAD, TAIL = '{"cit', 'y": "Paris"}'
PARIS, OSLO = '{"city": "Paris"}', '{"city": "Oslo"}'
ONE = [("get", PARIS)]
TWO = [("get", PARIS), ("get", OSLO)]
OTHERS = [("get", PARIS), ("set", OSLO)]


@pytest.mark.parametrize(
    ("deltas", "made"),
    [
        # One call.
        ([[piece(PARIS, "get", index=0, id="a")]], ONE),
        ([[piece(PARIS, "get")]], ONE),
        (
            [
                [piece("", "get", index=0, id="a")],
                [piece(HEAD, index=0)],
                [piece(TAIL, index=0)],
            ],
            ONE,
        ),
        ([[piece(None, "get")], [piece(HEAD)], [piece(TAIL)]], ONE),
        ([[piece(HEAD, "get", id="a")], [piece(TAIL, "get", id="a")]], ONE),
        (
            [
                [piece(HEAD, "get", index=0, id="a")],
                [piece(TAIL, "get", index=0, id="a")],
            ],
            ONE,
        ),
        ([[piece(HEAD, "get")], [piece(TAIL, "get")]], ONE),
        ([[piece(HEAD, "get", index=0)], [piece(TAIL, "", index=0, id="")]], ONE),
        ([[piece(HEAD, "get", id="a")], [piece(TAIL)]], ONE),
        ([[CallDelta(index=0, id="a")], [piece(PARIS, "get", index=0)]], ONE),
        ([[piece(PARIS, "get", index=0)], [piece(None, index=0, id="a")]], ONE),
        # A name in pieces, which only an index tells from the name of another call.
        (
            [
                [piece("", "get", index=0, id="a")],
                [piece("", "_it", index=0)],
                [piece(PARIS, index=0)],
            ],
            ONE,
        ),
        ([[piece("", "get")], [piece("", "set")]], [("get", ""), ("set", "")]),
        # Several in parallel.
        ([[piece(PARIS, "get", index=0, id="a"), piece(OSLO, "get", index=1, id="b")]], TWO),
        ([[piece(PARIS, "get"), piece(OSLO, "get")]], TWO),
        ([[piece(PARIS, "get")], [piece(OSLO, "get")]], TWO),
        ([[piece(PARIS, "get")], [piece(OSLO, "set")]], OTHERS),
        ([[piece(PARIS, "get", id="a")], [piece(OSLO, "get", id="b")]], TWO),
        ([[piece(PARIS, "get", index=0, id="a")], [piece(OSLO, "get", index=0, id="b")]], TWO),
        ([[piece(PARIS, "get", index=0)], [piece(OSLO, "get", index=0)]], TWO),
        ([[piece(PARIS, "get", index=0)], [piece(OSLO, "set", index=0)]], OTHERS),
        (
            [
                [piece("", "get", index=0, id="a"), piece("", "get", index=1, id="b")],
                [piece(PARIS[:4], index=0), piece(OSLO[:6], index=1)],
                [piece(OSLO[6:], index=1)],
                [piece(PARIS[4:], index=0)],
            ],
            TWO,
        ),
        (
            [
                [piece("", "get", id="a")],
                [piece(PARIS)],
                [piece("", "get", id="b")],
                [piece(OSLO)],
            ],
            TWO,
        ),
        (
            [
                [piece(PARIS[:4], "get", id="a"), piece(OSLO[:6], "get", id="b")],
                [piece(OSLO[6:], id="b"), piece(PARIS[4:], id="a")],
            ],
            TWO,
        ),
        # By the engine's numbers, not by arrival.
        ([[piece(OSLO, "get", index=1)], [piece(PARIS, "get", index=0)]], TWO),
        # Two calls without arguments in one delta are two calls.
        ([[piece("", "get"), piece("", "get")]], [("get", ""), ("get", "")]),
        # Arguments that only look complete.
        ([[piece("{}}", "get")], [piece("x", "get")]], [("get", "{}}x")]),
        ([], []),
    ],
)
def test_pieces_are_grouped_by_call(deltas: Any, made: list[tuple[str, str]]) -> None:
    """Each way that engines were seen to send calls gives the same calls."""
    found = [
        (
            next(each.function.name for each in group if each.function and each.function.name),
            "".join(each.function.arguments or "" for each in group if each.function),
        )
        for group in calls(deltas)
    ]
    assert found == made
