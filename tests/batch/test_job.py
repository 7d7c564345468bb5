"""Lines as calls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autonomousai_sdk.batch.job import Job, read_job
from autonomousai_sdk.batch.lines import Line

CHAT = [{"role": "user", "content": "Hello"}]


def job_of(line: object) -> Job:
    """The job of a line: a value as JSON, or bytes as they are."""
    data = line if isinstance(line, bytes) else json.dumps(line).encode()
    job = read_job(Line(7, data, len(data)))
    assert job is not None
    return job


@pytest.mark.parametrize(
    ("line", "custom_id", "arguments"),
    [
        ("Hello", None, {"messages": "Hello"}),
        (CHAT, None, {"messages": CHAT}),
        ({"prompt": "Hello", "seed": 1}, None, {"messages": "Hello", "seed": 1}),
        (
            {"custom_id": "a", "messages": CHAT, "model": "hermes"},
            "a",
            {"messages": CHAT, "model": "hermes"},
        ),
        (
            {
                "custom_id": "a",
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {"model": "m", "messages": CHAT, "top_k": 5, "stream": False},
            },
            "a",
            {"messages": CHAT, "model": "m", "extra_body": {"top_k": 5}},
        ),
        ({"custom_id": None, "body": {"prompt": "Hello"}}, None, {"messages": "Hello"}),
        (b'\xef\xbb\xbf"Hello"\r', None, {"messages": "Hello"}),
        (b'"\\ud83d"', None, {"messages": "\ud83d"}),
        # Options of calls are fields like any other: a file cannot set headers or time limits.
        (
            {"prompt": "Hello", "headers": {"x": "y"}, "timeout": 1, "max_retries": 9},
            None,
            {
                "messages": "Hello",
                "extra_body": {"headers": {"x": "y"}, "timeout": 1, "max_retries": 9},
            },
        ),
    ],
)
def test_each_form_becomes_a_call(
    line: object, custom_id: str | None, arguments: dict[str, Any]
) -> None:
    """Prompts, chats and OpenAI's batch lines become the arguments of `chat.create`."""
    job = job_of(line)
    assert job.problem is None
    assert (job.custom_id, job.arguments) == (custom_id, arguments)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not valid JSON"),
        (b'"\xff"', "not valid JSON: 'utf-8' codec"),
        (b"NaN", "not valid JSON: NaN"),
        (b"[" * 100_000, "nested too deeply"),
        (b"5", "it is 5"),
        (b"null", "it is null"),
        (b"1.50", "it is 1.5"),
        ({}, 'no "messages" and no "prompt"'),
        ({"promt": "Hello"}, 'no "messages" and no "prompt"'),
        ({"messages": None}, 'no "messages" and no "prompt"'),
        ({"prompt": 5}, '"prompt" must be a string'),
        ({"prompt": CHAT}, 'a conversation goes into "messages"'),
        ({"prompt": "Hello", "messages": CHAT}, "keep one of them"),
        ({"prompt": "Hello", "stream": True}, '"stream" must be false'),
        ({"custom_id": 5, "prompt": "Hello"}, '"custom_id" must be a string'),
        ({"custom_id": "", "prompt": "Hello"}, "not empty"),
        ({"body": "Hello"}, '"body" must be an object'),
        ({"body": {"messages": CHAT}, "model": "m"}, "unknown field 'model'"),
        ({"body": {"messages": CHAT}, "method": "GET"}, '"method" must be "POST"'),
        ({"body": {"messages": CHAT}, "url": "/v1/embeddings"}, "chat completions only"),
        ({"body": {"messages": CHAT}, "url": 5}, '"url" must be'),
    ],
)
def test_each_bad_line_says_what_is_wrong(line: object, problem: str) -> None:
    """A line that cannot become a call has an error with its number and the reason."""
    error = job_of(line).problem
    assert error is not None
    assert error.message.startswith("Line 7: ")
    assert problem in error.message


def test_a_bad_line_keeps_its_id() -> None:
    """A line whose id can be read has it in its result, whatever else is wrong."""
    assert job_of({"custom_id": "a", "body": 5}).custom_id == "a"


def test_a_line_that_is_too_long_says_so() -> None:
    """The error of a line over the limit names its size."""
    job = read_job(Line(3, None, 70_000_000))
    assert job is not None
    assert "70000000 bytes" in str(job.problem)


@pytest.mark.parametrize("data", [b"", b"\r", b" \t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r"])
def test_an_empty_line_is_not_a_job(data: bytes) -> None:
    """A line of white space, or of a byte-order mark alone, is empty."""
    assert read_job(Line(1, data, len(data) + 1)) is None
