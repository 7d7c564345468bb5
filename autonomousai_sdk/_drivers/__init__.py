"""The two drivers, which run the core's flows and read its streams: blocking and awaiting.

They differ in `await`, `async` and names. They read clocks, sleep and use transports; the core
decides about retries, errors and the meaning of a stream's bytes.
"""

from __future__ import annotations

import os

from .._core.codec import BUILDING

if hasattr(os, "register_at_fork"):  # pragma: no branch  # Windows has no fork
    # A child would inherit a decoder that another thread is building, and the lock.
    os.register_at_fork(
        before=BUILDING.acquire,
        after_in_parent=BUILDING.release,
        after_in_child=BUILDING.release,
    )
