"""The keys of lines that were read and answered."""

from __future__ import annotations

import pytest

from autonomousai_sdk.batch.ledger import Ledger
from autonomousai_sdk.errors import BatchError


def test_a_key_is_new_once() -> None:
    """The second line of a key gets the number of the first one."""
    with Ledger() as ledger:
        assert ledger.read(b"=a", 3, has_id=True) == "new"
        assert ledger.read(b"=b", 4, has_id=True) == "new"
        assert ledger.read(b"=a", 5, has_id=True) == 3
        assert ledger.read(b"#6", 6, has_id=False) == "new"


def test_a_recorded_key_is_answered_once() -> None:
    """The first line of a recorded key is answered; a second one has the same key as the first."""
    with Ledger() as ledger:
        assert ledger.answered(b"=a")
        assert ledger.answered(b"#2")
        assert not ledger.answered(b"=a")
        assert ledger.read(b"=a", 1, has_id=True) == "answered"
        assert ledger.read(b"#2", 2, has_id=False) == "answered"
        assert ledger.read(b"=a", 3, has_id=True) == 1
        assert ledger.read(b"#4", 4, has_id=False) == "new"


def test_a_failure_of_the_database_is_told() -> None:
    """An error of the temporary database says that the results are whole."""
    with Ledger() as ledger:
        ledger._database.execute("DROP TABLE lines")  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(BatchError, match="The results so far are whole"):
            ledger.read(b"=a", 3, has_id=True)
