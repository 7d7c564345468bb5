"""Check the spec itself: that it is valid OpenAPI, and that recorded data matches it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from autonomousai_sdk._core.codec import decode_standard, decoder
from autonomousai_sdk._generated.models import ChatCompletion, ChatCompletionChunk
from spec.generator.__main__ import ROOT

DATA = ROOT / "tests" / "data"
DOCUMENT: dict[str, Any] = yaml.safe_load(
    (ROOT / "spec" / "autonomousai.yaml").read_text(encoding="utf-8")
)
REQUESTS = sorted((DATA / "wire").glob("*.http"))
STREAMS = sorted((DATA / "recordings").glob("*.sse"))


def validator(name: str) -> Any:
    """Return a validator of one of the spec's schemas."""
    # Importing jsonschema takes a second, which every worker would spend at collection.
    from jsonschema import Draft202012Validator

    return Draft202012Validator({**DOCUMENT, "$ref": f"#/components/schemas/{name}"})


def chunks(path: Path) -> list[bytes]:
    """Return the data of a recorded stream's events, without the sentinel."""
    blocks = path.read_bytes().split(b"\n\n")
    return [block.removeprefix(b"data: ") for block in blocks if block.startswith(b"data: {")]


def test_the_document_is_valid_openapi() -> None:
    """openapi-spec-validator accepts the spec."""
    from openapi_spec_validator import validate

    validate(DOCUMENT)


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_recorded_requests_are_what_it_says(path: Path) -> None:
    """Recorded requests match the request schema, and their messages the schema inside it."""
    head, _, body = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    request = json.loads(body)
    validator("ChatRequest").validate(request)
    for message in json.loads(base64.b64decode(request["messages"], validate=True)):
        validator("Message").validate(message)
    endpoint = head.split(b" ")[1].decode().removeprefix("/api/v1/ai")
    served = DOCUMENT["paths"][endpoint]["post"]["x-models"]
    assert request["aiAgent"] in {model["id"] for model in served}


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_recorded_streams_are_what_it_says(path: Path) -> None:
    """Recorded chunks match their schema, and both decoders return the same value for each."""
    for chunk in chunks(path):
        validator("ChatCompletionChunk").validate(json.loads(chunk))
        fast = decoder(ChatCompletionChunk)(chunk)
        assert fast == decode_standard(chunk, ChatCompletionChunk)


def test_recorded_answers_are_what_it_says() -> None:
    """The recorded document and error match their schemas, and both decoders agree on them."""
    answer = (DATA / "recordings" / "unary.json").read_bytes()
    validator("ChatCompletion").validate(json.loads(answer))
    assert decoder(ChatCompletion)(answer) == decode_standard(answer, ChatCompletion)
    error = (DATA / "recordings" / "error_bad_request.json").read_bytes()
    validator("ErrorResponse").validate(json.loads(error))
