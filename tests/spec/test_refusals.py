"""Every part of a spec that the generator does not support is an error with its pointer."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from spec.generator.document import build_spec
from spec.generator.load import Node, SpecError, load

LIBRARY: dict[str, Any] = load(Path(__file__).parent / "library.yaml").value

REFUSED: list[dict[str, Any]] = load(Path(__file__).parent / "refusals.yaml").value


def is_list(value: object) -> bool:
    """Return whether a value of the spec is a list."""
    return isinstance(value, list)


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the library's spec with one value set, or removed by None."""
    document = copy.deepcopy(LIBRARY)
    *keys, last = path.split("|")
    target: Any = document
    for key in keys:
        if not is_list(target) and key not in target:
            target[key] = {}
        target = target[int(key) if is_list(target) else key]
    if is_list(target):
        target[int(last) : int(last) + 1] = [value]
    elif value is None:
        del target[last]
    else:
        target[last] = value
    return document


@pytest.mark.parametrize("sample", REFUSED, ids=[sample["path"] for sample in REFUSED])
def test_a_spec_that_is_not_supported_is_refused(sample: dict[str, Any]) -> None:
    """An unsupported value is a SpecError with its JSON pointer and the way out."""
    document = changed(sample["path"], sample["value"])
    with pytest.raises(SpecError) as caught:
        build_spec(Node(document, document))
    assert str(caught.value).startswith("#")
    assert re.search(sample["error"], str(caught.value)), caught.value


def test_the_library_itself_is_supported() -> None:
    """The library's spec is valid, so each refusal above has the reason that it names."""
    spec = build_spec(Node(LIBRARY, LIBRARY))
    assert len(spec.operations) == 18
