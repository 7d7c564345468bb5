"""The SDK's logger, and the environment variable that enables it.

`flow` logs the method, URL, status, duration and request id of each attempt at `debug`, and
retries at `info`. No body, header or key is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..errors import ConfigurationError
from .display import display

logger = logging.getLogger("autonomousai_sdk")

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_logging(environ: Mapping[str, str]) -> None:
    """Log to stderr if `AUTONOMOUSAI_LOG` is set, unless the application has handlers.

    Raises:
        ConfigurationError: the variable is neither `debug` nor `info`.
    """
    wanted = environ.get("AUTONOMOUSAI_LOG", "").strip().lower()
    if not wanted:
        return
    if wanted not in _LEVELS:
        raise ConfigurationError(
            f"AUTONOMOUSAI_LOG must be 'debug' or 'info', not {display(wanted)}."
        )
    logger.setLevel(_LEVELS[wanted])
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_FORMAT))
        logger.addHandler(handler)
