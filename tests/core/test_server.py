"""Servers: the URL with its variables, which are checked."""

from __future__ import annotations

from typing import Any

import pytest

from autonomousai_sdk._core.server import Server
from autonomousai_sdk.errors import ConfigurationError

SERVER = Server(
    url="https://{region}.example/v{version}",
    variables={"region": ("eu", ("eu", "us")), "version": ("1", ())},
)


def test_a_variable_has_its_default_or_the_value_given() -> None:
    """A server without variables has one URL."""
    assert SERVER.at() == "https://eu.example/v1"
    assert SERVER.at(region="us", version="2.1") == "https://us.example/v2.1"
    assert Server(url="http://h").at() == "http://h"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"zone": "a"}, "has no variable 'zone'; it has region, version"),
        ({"region": "cn"}, "region must be one of 'eu', 'us'; got 'cn'"),
        ({"version": "1/../2"}, "version must be letters, digits"),
        ({"version": ""}, "version must be letters, digits"),
        ({"version": 1}, "version must be letters, digits"),
    ],
)
def test_a_value_that_cannot_be_in_the_url_is_refused(values: dict[str, Any], said: str) -> None:
    """The error says what the variable can be."""
    with pytest.raises(ConfigurationError, match=said):
        SERVER.at(**values)


def test_an_unknown_variable_of_a_server_without_any_is_refused() -> None:
    """The error says that there are none."""
    with pytest.raises(ConfigurationError, match="it has none"):
        Server(url="http://h").at(region="eu")
