"""Each fault in each variant, for each client on each transport, on a real socket."""

from __future__ import annotations

import pytest

from tests.support.case import Case
from tests.support.client_under_test import (
    PROTOCOLS,
    SDK,
    ClientUnderTest,
    clients_of_both_protocols,
)

from .catalogue import CASES, FAULTS

OF_RESPONSES = ("S", "T", "R", "D")
"""Groups of faults in responses, whose form depends on the protocol."""

COSTLY = frozenset({"M1-bombs", "P8-1000-tasks", "P9-flat", "P9-flat-when-dropped"})
"""Cases that compute for seconds. The default suite runs them on asyncio alone."""


def _is_default(case: Case, client_under_test: ClientUnderTest) -> bool:
    """Return whether a fault runs in the default suite, not in the thorough one alone."""
    if client_under_test.protocol == "openai":
        return client_under_test.backend == "asyncio" and case.fault.startswith(OF_RESPONSES)
    if str(case) in COSTLY and client_under_test.backend != "asyncio":
        return False
    return client_under_test.transport == "httpx"


@pytest.mark.parametrize(
    ("case", "client_under_test"),
    [
        pytest.param(
            case,
            client_under_test,
            id=f"{case}-{client_under_test}",
            marks=() if _is_default(case, client_under_test) else pytest.mark.thorough,
        )
        for case in CASES
        for client_under_test in clients_of_both_protocols()
        if case.suits(client_under_test)
    ],
)
def test_fault(case: Case, client_under_test: ClientUnderTest) -> None:
    """The client passes the case's check."""
    case.run(client_under_test)


@pytest.mark.parametrize("fault", [fault.id for fault in FAULTS])
def test_every_fault_has_a_case(fault: str) -> None:
    """Every fault in the table has a case."""
    assert any(case.fault == fault for case in CASES)


def test_case_names_are_unique() -> None:
    """Case names are unique, and include those of the costly cases."""
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)
    assert set(names) >= COSTLY


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_default_transport_is_always_there(protocol: str) -> None:
    """The default transport is tested on every backend with both protocols."""
    assert {
        client_under_test.backend
        for client_under_test in clients_of_both_protocols()
        if (client_under_test.transport, client_under_test.protocol) == ("httpx", protocol)
    } == {
        "sync",
        "asyncio",
        "trio",
    }
    assert all(
        isinstance(client_under_test, SDK) for client_under_test in clients_of_both_protocols()
    )
