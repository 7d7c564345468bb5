"""Type hints work at run time: every annotation of the public interface can be evaluated."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType
from typing import Any

import aiohttp
import attrs
import httpx
import httpx2
import pytest

from autonomousai_sdk import AsyncClient, Client

MODULES = [
    "autonomousai_sdk",
    "autonomousai_sdk.errors",
    "autonomousai_sdk.provider",
    "autonomousai_sdk.transports",
    "autonomousai_sdk.transports.aiohttp",
    "autonomousai_sdk.transports.httpx",
    "autonomousai_sdk.transports.httpx2",
    "autonomousai_sdk.local",
]


def public_objects() -> Iterator[tuple[str, Any]]:
    """The classes and functions that users can import by a public name."""
    for path in MODULES:
        module = import_module(path)
        names = getattr(module, "__all__", [name for name in dir(module) if name[0] != "_"])
        for name in names:
            value = getattr(module, name)
            if isinstance(value, (type, FunctionType)):
                yield f"{path}.{name}", value


def callables() -> dict[str, Any]:
    """Everything of them that can be called: functions, methods, properties' getters."""
    found: dict[Any, str] = {}
    for path, value in public_objects():
        if isinstance(value, FunctionType):
            found.setdefault(value, path)
            continue
        for base in value.__mro__:
            if not base.__module__.startswith("autonomousai_sdk"):
                continue
            for name in typing.cast("type", base).__dict__:
                function = unwrapped(vars(base)[name])
                if isinstance(function, FunctionType):
                    found.setdefault(function, f"{base.__module__}.{base.__name__}.{name}")
    return {path: function for function, path in found.items()}


def unwrapped(member: Any) -> object:
    """The function of a method or property."""
    for attribute in ("__func__", "fget", "func"):
        member = getattr(member, attribute, member)
    return member


CALLABLES = callables()
CLASSES = {path: value for path, value in public_objects() if isinstance(value, type)}


@pytest.mark.parametrize("function", CALLABLES.values(), ids=CALLABLES)
def test_hints_of_every_callable_can_be_evaluated(function: FunctionType) -> None:
    """`typing.get_type_hints` and `inspect.signature(eval_str=True)` work on each of them."""
    hints = typing.get_type_hints(function, include_extras=True)
    assert set(hints) == set(function.__annotations__)
    signature = inspect.signature(function, eval_str=True)
    assert not any(isinstance(each.annotation, str) for each in signature.parameters.values())


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_hints_of_every_class_can_be_evaluated(cls: type) -> None:
    """The attributes and the constructor of each class have types at run time."""
    typing.get_type_hints(cls)
    if not typing.is_typeddict(cls):  # Python has no signature of one
        inspect.signature(cls, eval_str=True)
    if attrs.has(cls):
        attrs.resolve_types(cls)


def test_the_types_of_http_clients_are_the_libraries_own() -> None:
    """Evaluating `http_client=` gives the classes of the HTTP libraries that are installed."""
    for cls, known in (
        (Client, httpx.Client | httpx2.Client),
        (AsyncClient, httpx.AsyncClient | httpx2.AsyncClient | aiohttp.ClientSession),
    ):
        assert typing.get_type_hints(cls.__init__)["http_client"] == known | None
    for path in ("autonomousai_sdk.transports", "autonomousai_sdk.transports._http_client"):
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            vars(import_module(path))["__getattr__"]("nothing")


def test_a_library_that_is_not_installed_is_left_out() -> None:
    """Without httpx2 and aiohttp the annotations still evaluate, to what is there."""
    program = """
import sys, typing
sys.modules["httpx2"] = sys.modules["aiohttp"] = None
from autonomousai_sdk import AsyncClient
assert "httpx" not in sys.modules
print(typing.get_type_hints(AsyncClient.__init__)["http_client"])
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == "httpx.AsyncClient | None\n"
