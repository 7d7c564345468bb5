"""Test reading the client options from the class that declares them."""

from __future__ import annotations

import inspect
from typing import Any

import attrs
import pytest

from autonomousai_sdk import AsyncClient, Client
from autonomousai_sdk._core.settings import Options
from autonomousai_sdk._generated.options import ClientOptions
from spec.generator.load import SpecError
from spec.generator.options import ClientOption, client_options, option_imports

SOURCE = '''
from typing import Literal
from ..errors import Unused
from .secret import Secret
from .timeout import Timeout, LONGEST

class Mood: ...

class Options:
    """Options."""

    timeout: Timeout | None = None
    """Seconds of
    patience."""
    key: Secret | str = field(default="k", repr=False)
    """A key."""
    mood: Mood | Literal["glad"] = field(default=LONGEST, metadata=CONNECTION)
    """A mood."""

    def changed(self): ...
'''


def test_an_option_is_declared_by_a_field_and_its_docstring() -> None:
    """Name, type, default and description are read from the source of the class."""
    assert client_options(SOURCE) == [
        ClientOption("timeout", "Timeout | None", "None", "Seconds of patience.", False, False),
        ClientOption("key", "str", "'k'", "A key.", True, False),
        ClientOption("mood", "Mood | Literal['glad']", "LONGEST", "A mood.", False, True),
    ]


def test_the_imports_of_options_are_read_too() -> None:
    """Generated code imports what the options' types and defaults name, and nothing else."""
    assert option_imports(SOURCE) == [
        "from typing import Literal",
        "from .._core.timeout import Timeout",
        "from .._core.timeout import LONGEST",
        "from .._core.settings import Mood",
    ]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("a: int = 1\n    b: int = 2\n    'B.'", "Options.a has no docstring"),
        ("a: int\n    'A.'", "Options.a has no default"),
        ("a: int = field(repr=False)\n    'A.'", "Options.a has no default"),
    ],
)
def test_an_incomplete_option_is_refused(field: str, said: str) -> None:
    """An option without a docstring or a default is a SpecError that names it."""
    with pytest.raises(SpecError, match=said):
        client_options(f"class Options:\n    {field}")


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_both_constructors_take_every_option(cls: Any) -> None:
    """A field of `Options` is an argument of both clients, with its default and description."""
    parameters = inspect.signature(cls).parameters
    for each in attrs.fields(Options):
        assert parameters[each.name].default == each.default
        assert parameters[each.name].kind is inspect.Parameter.KEYWORD_ONLY
        assert f"\n    {each.name}: " in (inspect.getdoc(cls.__init__) or "")
    assert [*parameters][-2:] == ["http_client", "transport"]
    assert len(parameters) == len(attrs.fields(Options)) + 2


def test_a_copy_can_change_every_option_but_the_connections() -> None:
    """The type of `with_options(**changes)` has all options except those of connections."""
    changeable = [each.name for each in attrs.fields(Options) if not each.metadata]
    assert [*ClientOptions.__annotations__] == changeable
    assert "proxy" not in changeable
