"""The dialects of engines: what each sends, and what a caller gets of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import frozen

DATA = Path(__file__).parent.parent / "data"


@frozen(kw_only=True)
class Dialect:
    """One thing that an engine was seen to send.

    Attributes:
        name: what is unusual about it.
        fault: its row in the table of faults.
        body: the bytes of the event stream or of the document.
        owed: what a caller gets: `text`, `finish_reason`, the name of the `error`'s class or
            None, and where given `usage`, `role`, `reasoning`, `refusal` and `tool_calls`.
    """

    name: str
    fault: str
    body: bytes
    owed: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    def difference(self, completion: Any, error: BaseException | None) -> str | None:
        """How an outcome differs from what is owed, or None if it does not.

        Args:
            completion: the completion, or what came before the error; None if nothing did.
            error: what was raised, or None.
        """
        for name, value in self.owed.items():
            if name == "error":
                found = None if error is None else type(error).__name__
            else:
                found = _found(completion, name)
            if found != value:
                return f"{name} is {found!r} instead of {value!r}"
        return None


def _found(completion: Any, name: str) -> Any:
    """What a completion has under a name of `owed`."""
    if completion is None:
        return "" if name == "text" else None
    match name:
        case "usage":
            names = ("prompt_tokens", "completion_tokens", "total_tokens")
            return {each: getattr(completion.usage, each) for each in names}
        case "role":
            return completion.message.role
        case "tool_calls":
            return [[call.name, call.arguments] for call in completion.tool_calls]
        case _:
            return getattr(completion, name)


def _events(events: Iterable[object]) -> bytes:
    return b"".join(b"data: %b\n\n" % _raw(each) for each in events)


def _raw(value: object) -> bytes:
    return value.encode("utf-8") if isinstance(value, str) else json.dumps(value).encode()


def _read(file: str, of: str) -> list[Dialect]:
    made: list[Dialect] = []
    for case in json.loads((DATA / file).read_text(encoding="utf-8")).get(of, []):
        body = _events(case.pop("events")) if of == "cases" else _raw(case.pop("document"))
        name: str = case.pop("name")
        fault: str = case.pop("fault", None) or _fault(name)
        made.append(Dialect(name=name, fault=fault, body=body, owed=case))
    return made


def _fault(name: str) -> str:
    """The row of a case that does not say it."""
    words = {"every chunk": "D1", "after a real": "D1", "sentinel": "D3", "error": "D4"}
    words |= {"role": "D5", "reasoning": "D5"}
    return next((fault for word, fault in words.items() if word in name), "D2")


STREAMS = [*_read("dialects.json", "cases"), *_read("dialects_more.json", "cases")]
DOCUMENTS = _read("dialects_more.json", "documents")
