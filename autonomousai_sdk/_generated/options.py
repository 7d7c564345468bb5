# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The client options as a type, for `with_options`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict

from .._core.timeout import Timeout


class ClientOptions(TypedDict, total=False):
    """The options that `with_options` can change: all but those that say how to connect."""

    base_url: str | None
    """URL of the service. Default: `AUTONOMOUSAI_BASE_URL`, else the hosted service."""
    api_key: str | None
    """Sent as `authorization: Bearer`. Default: `AUTONOMOUSAI_API_KEY`, else no key. Over
    plain http, the key is sent to loopback addresses only.
    """
    protocol: Literal["autonomousai", "openai"] | None
    """The wire protocol. Default: `AUTONOMOUSAI_PROTOCOL`, else `openai` for a base URL whose
    path ends with `/v1`, and `autonomousai` for any other.
    """
    model: str | None
    """The model of calls that name none. Default: `AUTONOMOUSAI_MODEL`, else `llama`, or with
    the `openai` protocol the only model that the server lists.
    """
    timeout: Timeout | float | None
    """Seconds that a whole call may take, or a `Timeout` with a limit for each phase."""
    max_retries: int
    """How often to retry a call that failed in a way that a retry may fix."""
    headers: Mapping[str, str] | None
    """Sent with every request; they replace the SDK's own headers of the same name."""
    country_code: str
    """Your country, as ISO 3166-1 alpha-2; sent as `country-code`."""
    time_zone: str
    """Your time zone, by its IANA name; sent as `time-zone`."""
    models: Mapping[str, str] | None
    """Models that the spec does not list, as names to paths: `{"qwen3:8b": "/chat"}`."""
    max_event_bytes: int
    """Limit on one line, event or document of a response, in bytes, after decompression."""
    allow_http_key: bool
    """Allow the key to be sent over plain http to another machine."""
