"""Keys that do not show themselves."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable

import pytest

from autonomousai_sdk._core.secret import HIDDEN, Secret

VALUE = "sk-open-sesame"


def test_reveal_gives_the_value_back() -> None:
    """The header needs the very value."""
    assert Secret(VALUE).reveal() == VALUE


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, ascii])
def test_no_text_of_it_holds_the_value(show: Callable[[object], str]) -> None:
    """Whatever turns a secret into text gives asterisks."""
    assert show(Secret(VALUE)) == f"Secret('{HIDDEN}')"


def test_its_attributes_do_not_hold_the_value() -> None:
    """A debugger that lists what an object has shows a function, and there are no vars."""
    secret = Secret(VALUE)
    assert VALUE not in repr([getattr(secret, name) for name in Secret.__slots__])
    with pytest.raises(TypeError, match="__dict__"):
        vars(secret)


def test_a_secret_refuses_to_be_pickled() -> None:
    """A pickle is readable, so pickling a secret, or what holds one, is a TypeError."""
    with pytest.raises(TypeError, match="cannot be pickled") as caught:
        pickle.dumps([Secret(VALUE)])
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_a_copied_secret_is_the_same_object() -> None:
    """Copies of what holds a secret, deep ones too, share it: a secret never changes."""
    secret = Secret(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_secrets_of_one_value_are_equal_and_hash_alike() -> None:
    """Settings that hold secrets can be compared and used as keys."""
    assert Secret(VALUE) == Secret(VALUE)
    assert hash(Secret(VALUE)) == hash(Secret(VALUE))
    assert Secret(VALUE) != Secret("sk-other")
    assert Secret(VALUE) != VALUE


def test_redact_takes_every_occurrence_out() -> None:
    """Text and bytes about to be shown lose the value wherever it stands."""
    secret = Secret(VALUE)
    assert secret.redact(f"{VALUE} and Bearer {VALUE}!") == f"{HIDDEN} and Bearer {HIDDEN}!"
    assert secret.redact_bytes(f"<{VALUE}>".encode()) == f"<{HIDDEN}>".encode()
    assert secret.redact("nothing here") == "nothing here"
