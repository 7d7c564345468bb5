"""The SDK's logger, and the variable that turns it on."""

from __future__ import annotations

import logging

import pytest

from autonomousai_sdk._core import log
from autonomousai_sdk.errors import ConfigurationError


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """A logger without handlers, as in a new process."""
    tree = logging.Manager(logging.RootLogger(logging.WARNING))
    fresh = tree.getLogger("autonomousai_sdk")
    monkeypatch.setattr(log, "logger", fresh)
    return fresh


def test_it_has_the_name_that_is_documented() -> None:
    """The logger has the documented name."""
    assert log.logger is logging.getLogger("autonomousai_sdk")


@pytest.mark.parametrize("environ", [{}, {"AUTONOMOUSAI_LOG": ""}, {"AUTONOMOUSAI_LOG": "  "}])
def test_it_stays_off_unless_asked_for(logger: logging.Logger, environ: dict[str, str]) -> None:
    """Without the variable, the logger is unchanged."""
    log.configure_logging(environ)
    assert logger.level == logging.NOTSET
    assert logger.handlers == []


@pytest.mark.parametrize(("value", "level"), [("debug", logging.DEBUG), (" INFO ", logging.INFO)])
def test_the_variable_turns_it_on(
    logger: logging.Logger, value: str, level: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The variable sets the level, and lines go to stderr with time, level and name."""
    log.configure_logging({"AUTONOMOUSAI_LOG": value})
    logger.log(level, "hello")
    logger.log(level - 1, "too low")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.endswith(f"{logging.getLevelName(level)} autonomousai_sdk: hello\n")


def test_turned_on_twice_it_says_things_once(logger: logging.Logger) -> None:
    """Several clients add one handler."""
    for _ in range(3):
        log.configure_logging({"AUTONOMOUSAI_LOG": "info"})
    assert len(logger.handlers) == 1


@pytest.mark.parametrize("above", [False, True])
def test_what_the_application_set_up_stays(logger: logging.Logger, above: bool) -> None:
    """If the application has a handler, only the level is set."""
    holder = logger.parent if above else logger
    assert holder is not None
    holder.addHandler(logging.NullHandler())
    before = logger.handlers[:]
    log.configure_logging({"AUTONOMOUSAI_LOG": "debug"})
    assert logger.handlers == before
    assert logger.level == logging.DEBUG


def test_any_other_value_is_refused() -> None:
    """An unknown level is a ConfigurationError."""
    with pytest.raises(
        ConfigurationError, match="AUTONOMOUSAI_LOG must be 'debug' or 'info', not 'verbose'"
    ):
        log.configure_logging({"AUTONOMOUSAI_LOG": "verbose"})
