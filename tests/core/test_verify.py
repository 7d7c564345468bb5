"""The type of `verify=`."""

from __future__ import annotations

from typing import Any, get_type_hints

from autonomousai_sdk._core.settings import Options


def test_annotation_can_be_evaluated() -> None:
    """The annotation of `verify=` can be evaluated, without importing `ssl`."""
    hint: object = get_type_hints(Options)["verify"]
    assert hint is Any
