"""Tools from a Python file: the functions that the model may call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isfunction
from pathlib import Path
from typing import Any

from .._core.tool import tools_of
from ..errors import ConfigurationError

Function = Callable[..., Any]


def load_tools(path: str) -> list[Function]:
    """Run a Python file and return its functions: those of `__all__`, or all public ones.

    Raises:
        ConfigurationError: the file cannot be run, or a function cannot be a tool.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigurationError(f"{path} is not a file.")
    name = f"autonomousai_tools_{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} is not a Python file: its name must end with .py.")
    module = module_from_spec(spec)
    sys.modules[name] = module  # type hints of its functions are looked up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ConfigurationError(f"{path} fails: {type(error).__name__}: {error}") from error
    names = getattr(module, "__all__", [each for each in vars(module) if each[0] != "_"])
    found = [getattr(module, each, None) for each in names]
    functions: list[Function] = [
        each for each in found if isfunction(each) and each.__module__ == name
    ]
    if not functions:
        raise ConfigurationError(f"{path} has no public functions.")
    for tool in tools_of(functions, callable_only=True).values():
        if tool.is_async:
            raise ConfigurationError(
                f"{path}: {tool.name} is asynchronous; the command line calls plain functions."
            )
    return functions


def announced(functions: Sequence[Function], announce: Callable[[str], None]) -> list[Function]:
    """Return functions that announce each of their calls."""
    return [_announced(function, announce) for function in functions]


def _announced(function: Function, announce: Callable[[str], None]) -> Function:
    @wraps(function)
    def call(**arguments: Any) -> Any:
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        announce(f"[{function.__name__}({given})]")
        return function(**arguments)

    return call
