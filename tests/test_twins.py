"""The two clients are twins: their code differs only in `await`, `async` and names."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import autonomousai_sdk
from autonomousai_sdk import (
    AsyncChat,
    AsyncChatStream,
    AsyncClient,
    AsyncModels,
    Chat,
    ChatStream,
    Client,
    Models,
)
from autonomousai_sdk._drivers import awaiting, blocking

TWINS = [
    (Client, AsyncClient),
    (Chat, AsyncChat),
    (Models, AsyncModels),
    (ChatStream, AsyncChatStream),
    (blocking.CallRunner, awaiting.AsyncCallRunner),
]
RENAMED = {
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "__iter__": "__aiter__",
    "__next__": "__anext__",
}
EXTRA = {"aclose"}
"""The only extra name of the async twin, which `contextlib.aclosing` calls."""
# Methods of the async twin that are not awaited, by the contract.
NEVER_AWAITED = {
    "stream",
    "map",
    "conversation",
    "with_options",
    "__init__",
    "__aiter__",
    "__repr__",
    "__reduce__",
}


def getter(value: object) -> Any:
    """Return the function of a property, else None."""
    if isinstance(value, cached_property):
        return value.func
    return value.fget if isinstance(value, property) else None


def methods(cls: type) -> dict[str, Any]:
    """Return the functions and property getters of a class and its bases in this package."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("autonomousai_sdk"):
            found |= vars(base)
    return {
        name: getter(value) or value
        for name, value in found.items()
        if inspect.isfunction(value) or getter(value)
    }


def public(cls: type) -> dict[str, Any]:
    """Return the public methods."""
    return {
        name: value
        for name, value in methods(cls).items()
        if not name.startswith("_") or name in RENAMED or name in {*RENAMED.values(), "__init__"}
    }


def blocking_form(annotation: str) -> str:
    """Translate an annotation of the async twin to the blocking one."""
    members = re.sub(r"\bAsync(?=[A-Z])", "", annotation).split(" | ")
    # What the async twin takes in both forms, the blocking one takes in one.
    return " | ".join(dict.fromkeys(members))


@pytest.mark.parametrize(("cls", "twin"), TWINS, ids=lambda cls: cls.__name__)
def test_twins_have_the_same_names(cls: type, twin: type) -> None:
    """Both clients have the same names, apart from Python's names for async forms."""
    names = {RENAMED.get(name, name) for name in public(cls)}
    assert names == set(public(twin)) - EXTRA


@pytest.mark.parametrize(("cls", "twin"), TWINS, ids=lambda cls: cls.__name__)
def test_twins_have_the_same_parameters(cls: type, twin: type) -> None:
    """Parameters, their order, defaults and annotations are the same."""
    counterparts = public(twin)
    for name, function in public(cls).items():
        mine = inspect.signature(function)
        theirs = inspect.signature(counterparts[RENAMED.get(name, name)])
        assert list(mine.parameters) == list(theirs.parameters), name
        for parameter in mine.parameters.values():
            other = theirs.parameters[parameter.name]
            assert (parameter.kind, parameter.default) == (other.kind, other.default), name
            assert str(parameter.annotation) == blocking_form(str(other.annotation)), name
        returned = blocking_form(str(theirs.return_annotation))
        assert str(mine.return_annotation) == returned, name


@pytest.mark.parametrize("twin", [twin for _, twin in TWINS[:-1]], ids=lambda cls: cls.__name__)
def test_what_is_awaited_is_a_coroutine(twin: type) -> None:
    """Every method of an async class is a coroutine, except those that only prepare."""
    properties = {
        name for base in twin.__mro__ for name, value in vars(base).items() if getter(value)
    }
    for name, function in public(twin).items():
        if name in properties or name in NEVER_AWAITED:
            assert not inspect.iscoroutinefunction(function), name
        else:
            assert inspect.iscoroutinefunction(function), name


@pytest.mark.parametrize(
    ("module", "twin", "left_out"),
    [
        ("_client", "_async_client", set[str]()),
        # A blocking client calls functions one after the other, an async one at the same time; the
        # input of its map may be async.
        ("_chat", "_async_chat", {"_invoke", "_called", "map", "_map"}),
        ("conversation", "_async_conversation", set[str]()),
        ("_generated.methods", "_generated.async_methods", set[str]()),
        # A blocking client has one set of connections, an async one has a set for each event
        # loop. A blocking send is interrupted, an awaiting one is cancelled, also by `total`.
        (
            "_drivers.blocking",
            "_drivers.awaiting",
            {"Connections", "_send", "_make_cancellable", "close"},
        ),
    ],
    ids=["facades", "chat", "conversations", "generated", "drivers"],
)
def test_twins_differ_in_await_async_and_names(module: str, twin: str, left_out: set[str]) -> None:
    """An async module equals the blocking one, statement by statement, plus `await` and `async`."""
    theirs = definitions(twin, left_out)
    for pattern, replacement in DIFFERENCES:
        theirs = re.sub(pattern, replacement, theirs)
    assert theirs.splitlines() == definitions(module, left_out).splitlines()


DIFFERENCES = [
    (r"await to_thread\.run_sync\(self\._load\)", "self._load()"),
    (r"\basync_methods\b", "methods"),
    (r"may_await=True", "may_await=False"),
    (r"\bawait close\(response\)", "response.close()"),
    (r"await sleep\(attempt\.delay\)", "self.connections.closing.wait(attempt.delay)"),
    (
        r"await self\._make_cancellable\(attempt, deadline\)",
        "self._make(attempt, deadline)",
    ),
    (r"\b(async|await) ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\bnew_async_transport\b", "new_transport"),
    (r"\basync_raw\b", "raw"),
    (r"\b__a(enter|exit|iter|next)__", r"__\1__"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
]


def definitions(module: str, left_out: set[str]) -> str:
    """Return a module's classes and functions without docstrings and exceptions."""
    tree = ast.parse(inspect.getsource(import_module(f"autonomousai_sdk.{module}")))
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [
                part
                for part in node.body
                if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
                and getattr(part, "name", "") not in EXTRA | left_out - {"close"}
            ] or [ast.Pass()]
    return "\n".join(
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and blocking_form(node.name) not in left_out
    )


def test_every_public_name_resolves_and_is_listed() -> None:
    """The lazy table, the imports for type checkers and `__all__` have the same names."""
    source = Path(autonomousai_sdk.__file__).read_text(encoding="utf-8")
    imported = set(re.findall(r"^    from \S+ import \w+ as (\w+)$", source, re.MULTILINE))
    assert {*autonomousai_sdk.__all__} == {*imported, "__version__"}
    for name in autonomousai_sdk.__all__:
        assert getattr(autonomousai_sdk, name) is not None
        assert name in dir(autonomousai_sdk)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(autonomousai_sdk, "nothing")  # noqa: B009  # type checkers report this
