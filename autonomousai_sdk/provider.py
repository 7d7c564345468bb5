"""The original provider's interface, on top of `AsyncClient`.

For code written against the small async provider class through which AutonomousAI was
first reachable: the same class attributes with the same values, and the same generator.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

from attrs import frozen

from ._async_client import AsyncClient
from ._core.url import checked_base_url
from ._generated.catalog import BASE_URL, DEFAULT_MODEL, MODELS
from ._generated.params import Messages


@frozen
class FinishReason:
    """The last thing the generator yields: why the answer ended, such as `stop`."""

    reason: str


class _Endpoints(Mapping[str, str]):
    """Each model's URL; `AUTONOMOUSAI_BASE_URL` is looked up whenever one is asked for."""
