"""Test the local server with valid and invalid requests that schemathesis derives from the spec."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomousai_sdk.local import LocalServer

schemathesis: Any = pytest.importorskip("schemathesis", reason="`nox -s contract` installs it")

SPEC = Path(__file__).parents[2] / "spec" / "autonomousai.yaml"
EXAMPLES = 20
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text()}
    ),
    min_size=1,
    max_size=5,
)
ENCODED = MESSAGES.map(lambda messages: base64.b64encode(json.dumps(messages).encode()).decode())
"""Messages as the original protocol encodes them, which schemathesis cannot generate itself."""


@pytest.fixture(scope="module")
def echo() -> Iterator[LocalServer]:
    """A server that repeats the last user message."""
    with LocalServer(engine="echo") as server:
        yield server


def operations() -> list[Any]:
    """The spec's operations, with a strategy for encoded messages."""
    document: Any = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    schemathesis.openapi.format("encoded-messages", ENCODED)
    document["components"]["schemas"]["ChatRequest"]["properties"]["messages"] = {
        "type": "string",
        "format": "encoded-messages",
    }
    schema = schemathesis.openapi.from_dict(document)
    return [result.ok() for result in schema.get_all_operations()]


def runs() -> Iterator[Any]:
    """Return each operation with valid requests, and with invalid ones if it has a body."""
    for operation in operations():
        for mode in ("POSITIVE", "NEGATIVE") if operation.body else ("POSITIVE",):
            yield pytest.param(operation, mode, id=f"{operation.path}-{mode.lower()}")


@pytest.mark.parametrize(("operation", "mode"), list(runs()))
def test_the_server_follows_the_spec(echo: LocalServer, operation: Any, mode: str) -> None:
    """Each response has a status, a content type and a body that the spec declares."""
    protocol = operation.definition.raw["x-protocol"]
    base_url = echo.openai_base_url if protocol == "openai" else echo.base_url
    cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode])

    @given(case=cases)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def follows(case: Any) -> None:
        checks = [getattr(schemathesis.checks, name) for name in CHECKS]
        case.validate_response(case.call(base_url=base_url), checks=checks)

    follows()
