"""Descriptions of operations: defaults, frozen values and equality."""

from __future__ import annotations

import pytest

from autonomousai_sdk._core.check import String
from autonomousai_sdk._core.operation import (
    Accumulator,
    Argument,
    HeaderParameter,
    Operation,
    StreamingOperation,
    StreamShape,
)
from tests.support.sample_operation import (
    ACCUMULATOR,
    CHAT,
    CHAT_ROUTE,
    EMBED,
    SHAPE,
    Chunk,
    Completion,
)


def test_defaults_of_optional_attributes() -> None:
    """Attributes that the generator leaves out have neutral defaults."""
    argument = Argument(name="a", wire="a", check=String())
    assert not argument.required
    assert argument.default_from is None
    parameter = HeaderParameter(wire="x")
    assert (parameter.default, parameter.option) == (None, None)
    assert ACCUMULATOR.fixed == ("object",)
    shape = StreamShape(chunk=Chunk, accumulator=ACCUMULATOR)
    assert (shape.switch, shape.sentinel) == (None, None)


def test_only_a_streaming_operation_has_a_stream() -> None:
    """Only a `StreamingOperation` has the attribute `stream`."""
    assert CHAT.stream is SHAPE
    assert isinstance(CHAT, StreamingOperation)
    assert not hasattr(EMBED, "stream")
    assert isinstance(CHAT, Operation)
    assert CHAT.stream.accumulator is ACCUMULATOR
    assert CHAT.result is ACCUMULATOR.result is Completion


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (CHAT, "name"),
        (EMBED, "routes"),
        (CHAT_ROUTE, "path"),
        (SHAPE, "sentinel"),
        (ACCUMULATOR, "message"),
        (CHAT_ROUTE.arguments[0], "wire"),
        (CHAT_ROUTE.headers[0], "default"),
    ],
)
def test_values_are_frozen_and_compare(value: object, name: str) -> None:
    """Descriptions are frozen, hashable and compare by value, since all clients share them."""
    with pytest.raises(AttributeError):
        setattr(value, name, "changed")
    assert value == value  # noqa: PLR0124  # by its parts, so that this calls __eq__
    assert len({value, value}) == 1


def test_accumulators_with_different_fields_differ() -> None:
    """Accumulators that fix different fields are not equal."""
    assert (
        Accumulator(
            result=Completion,
            choice=ACCUMULATOR.choice,
            message=ACCUMULATOR.message,
            fixed=(),
        )
        != ACCUMULATOR
    )
