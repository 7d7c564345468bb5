"""The SDK's logger, and the environment variable that turns it on.

What is logged is in `flow`: at `debug` method, URL, status, try, duration and request id of
each try, at `info` retries alone. Never a body, a header or a key.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..errors import ConfigurationError

logger = logging.getLogger("autonomousai_sdk")

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_logging(environ: Mapping[str, str]) -> None:
    """Log to stderr if `AUTONOMOUSAI_LOG` says so; what the application set up stays.

    Raises:
        ConfigurationError: the variable is neither `debug` nor `info`.
    """
    wanted = environ.get("AUTONOMOUSAI_LOG", "").strip().lower()
    if not wanted:
        return
    if wanted not in _LEVELS:
        raise ConfigurationError(f"AUTONOMOUSAI_LOG is 'debug' or 'info', not {wanted!r}.")
    logger.setLevel(_LEVELS[wanted])
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_FORMAT))
        logger.addHandler(handler)
