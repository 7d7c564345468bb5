"""The record of one answer to `chat.parse`."""

from __future__ import annotations

import pickle

from autonomousai_sdk._core.parse_attempt import ParseAttempt


def test_an_attempt_is_a_value() -> None:
    """An attempt without problems is equal to another of the same text, and survives pickling."""
    attempt = ParseAttempt("5")
    assert attempt.problems == ()
    assert pickle.loads(pickle.dumps(attempt)) == attempt
    assert attempt != ParseAttempt("5", ("$: wrong",))
