"""Each fault, in each variant, put to each client on each transport, on a real socket."""

from __future__ import annotations

import pytest

from .case import Case
from .catalogue import CASES, FAULTS
from .subject import SDK, Subject, subjects


@pytest.mark.parametrize(
    ("case", "subject"),
    [
        pytest.param(case, subject, id=f"{case}-{subject}")
        for case in CASES
        for subject in subjects()
        if case.suits(subject)
    ],
)
def test_fault(case: Case, subject: Subject) -> None:
    """The client behaves as the case's check owes it."""
    case.run(subject)


@pytest.mark.parametrize("fault", [fault.id for fault in FAULTS])
def test_every_fault_has_a_case(fault: str) -> None:
    """No fault is in the table without something that shows it."""
    assert any(case.fault == fault for case in CASES)


def test_case_names_are_unique() -> None:
    """A name in a report means one case."""
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)


def test_default_transport_is_always_there() -> None:
    """The suite never runs empty for want of a library."""
    assert {subject.colour for subject in subjects() if subject.transport == "httpx"} == {
        "sync",
        "asyncio",
        "trio",
    }
    assert all(isinstance(subject, SDK) for subject in subjects())
